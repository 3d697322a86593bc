import type { TranslationBundle } from '@jupyterlab/translation';
import { MenuSvg } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';

import { Tag, TAGS } from '../../tags';

export const CLEAR = 'mlops:clear-tag';

export function commandOf(tag: Tag): string {
  return `mlops:tag-${tag}`;
}

/** Another feature's command that the menu offers where it exists. */
const SUGGEST = 'mlops:suggest-tags';

/** The menu of tags: a letter chooses, the current one is ticked. */
export class TagMenu {
  constructor(
    private readonly commands: CommandRegistry,
    trans: TranslationBundle
  ) {
    this.menu = new MenuSvg({ commands });
    this.menu.title.label = trans.__('Tag Cells');
    this.menu.node.setAttribute('aria-label', trans.__('Tags'));
    this.menu.addClass('jp-mlops-TagMenu');
  }

  readonly menu: MenuSvg;

  /** Open it at an element. The focus goes back to where it was, since the next key is meant for the notebook. */
  open(anchor: HTMLElement, current: Tag | null): void {
    const { menu } = this;
    menu.clearItems();
    TAGS.forEach(tag => menu.addItem({ command: commandOf(tag), args: { short: true } }));
    menu.addItem({ type: 'separator' });
    menu.addItem({ command: CLEAR, args: { short: true } });
    if (this.commands.hasCommand(SUGGEST)) {
      menu.addItem({ command: SUGGEST });
    }
    const before = document.activeElement;
    const restore = (): void => {
      menu.aboutToClose.disconnect(restore);
      requestAnimationFrame(() => {
        if (before instanceof HTMLElement && before.isConnected && document.activeElement === document.body) {
          before.focus({ preventScroll: true });
        }
      });
    };
    menu.aboutToClose.connect(restore);
    const { left, top, bottom, height } = anchor.getBoundingClientRect();
    // A cell may be longer than the window.
    menu.open(left, height > 200 ? Math.max(top, 0) + 24 : bottom);
    menu.activeIndex = current ? TAGS.indexOf(current) : 0;
  }
}
