import type { CommandRegistry } from '@lumino/commands';
import { DisposableDelegate, IDisposable } from '@lumino/disposable';
import { Message, MessageLoop } from '@lumino/messaging';
import { ISignal, Signal } from '@lumino/signaling';
import { AccordionPanel, Widget } from '@lumino/widgets';
import type { TranslationBundle } from '@jupyterlab/translation';
import { CommandToolbarButton, SidePanel, Toolbar } from '@jupyterlab/ui-components';

import { LazyWidget } from '../../components/lazy';
import { mlopsIcon } from '../../icons';
import type { ISection, ISidebar } from '../../tokens';
import type { ServerState } from './status';

const ROOM = 0.6; // of the height
const LEAST = 120; // px

/** The sidebar: an accordion of sections, as JupyterLab's own. */
export class Sidebar extends SidePanel implements ISidebar {
  constructor(
    readonly server: ServerState,
    private readonly commands: CommandRegistry,
    private readonly trans: TranslationBundle,
    private readonly open: () => void
  ) {
    super();
    this.id = 'jupyter-mlops-sidebar';
    this.addClass('jp-mlops-Sidebar');
    this.title.icon = mlopsIcon;
    this.title.caption = trans.__('Notebook to production');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', this.title.caption);
    (this.content as AccordionPanel).expansionToggled.connect((_, index) => this.makeRoom(index));
    if (typeof ResizeObserver !== 'undefined') {
      // What the header says comes and goes, and nobody else tells the accordion that it has another height.
      new ResizeObserver(() => MessageLoop.postMessage(this.content, Widget.ResizeMessage.UnknownSize)).observe(this.header.node);
    }
  }

  /** Emits the ids of the sections that are visible, when that changes. */
  get visibleChanged(): ISignal<this, ReadonlySet<string>> {
    return this._visibleChanged;
  }

  add(section: ISection): IDisposable {
    const widget = new LazyWidget(section.render, this.trans) as LazyWidget & { toolbar?: Toolbar };
    widget.id = `jupyter-mlops-${section.id}`;
    widget.title.label = section.title;
    if (section.commands) {
      widget.toolbar = new Toolbar();
      section.commands.forEach(id => widget.toolbar!.addItem(id, new CommandToolbarButton({ commands: this.commands, id, label: '' })));
    }
    widget.visibilityChanged.connect(() => this._visibleChanged.emit(this.visibleSections()));
    const before = this.sections.findIndex(one => one.section.rank > section.rank);
    const index = before < 0 ? this.sections.length : before;
    this.sections.splice(index, 0, { section, widget });
    // The accordion appends nodes whatever the index is, and Tab goes by the order of nodes: later sections are put in anew.
    const later = this.sections.slice(index).map(one => one.widget);
    later.forEach(one => (one.parent = null));
    later.forEach(one => this.addWidget(one));
    // The first one has the room until another is asked for; features come in any order.
    this.sections.slice(1).forEach((_, after) => (this.content as AccordionPanel).collapse(after + 1));
    return new DisposableDelegate(() => {
      this.sections = this.sections.filter(one => one.widget !== widget);
      widget.dispose();
    });
  }

  reveal(id: string): void {
    this.open();
    const index = this.sections.findIndex(one => one.section.id === id);
    if (index >= 0) {
      (this.content as AccordionPanel).expand(index);
    }
  }

  /** Let the keyboard go on from the first section that is open, unless it is in the sidebar already. */
  focus(): void {
    const panel = this.content as AccordionPanel;
    const open = panel.widgets.findIndex(one => !one.isHidden);
    if (!this.node.contains(document.activeElement)) {
      panel.titles[Math.max(0, open)]?.focus({ preventScroll: true });
    }
  }

  watch(id: string, tell: (shown: boolean) => void): void {
    let shown = this.visibleSections().has(id);
    tell(shown);
    this._visibleChanged.connect((_, visible) => {
      if (visible.has(id) !== shown) {
        shown = !shown;
        tell(shown);
      }
    });
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.onAfterShow(message);
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    if (!this.wasShown && this.isVisible) {
      this.wasShown = true;
      // Sizes that were restored are lost where the sidebar was not on the page yet.
      requestAnimationFrame(() =>
        this.sections.forEach(({ widget }, index) => widget.isVisible && widget.node.offsetHeight < LEAST && this.makeRoom(index))
      );
    }
  }

  /** A section that is opened gets the larger part of the height: the accordion itself may leave it two lines. */
  private makeRoom(index: number): void {
    const panel = this.content as AccordionPanel;
    const shown = panel.widgets.map(widget => !widget.isHidden);
    const others = shown.filter((one, at) => one && at !== index).length;
    if (shown[index] && others && panel.relativeSizes()[index] < ROOM) {
      panel.setRelativeSizes(shown.map((one, at) => (at === index ? ROOM : one ? (1 - ROOM) / others : 0)));
    }
  }

  private visibleSections(): Set<string> {
    return new Set(this.sections.filter(one => one.widget.isVisible).map(one => one.section.id));
  }

  private wasShown = false;
  private sections: { section: ISection; widget: LazyWidget }[] = [];
  private readonly _visibleChanged = new Signal<this, ReadonlySet<string>>(this);
}
