import type { Cell } from '@jupyterlab/cells';
import type { TranslationBundle } from '@jupyterlab/translation';
import { caretDownIcon, ReactWidget, ToolbarButtonComponent } from '@jupyterlab/ui-components';

import type { Tag } from '../../tags';
import { cellTag } from './model';

/**
 * A button of the cell tool-bar that opens the menu of tags.
 *
 * A native list would stand inside the notebook, whose own keys (arrows, letters) would take its keys away.
 */
export class TagDropdown extends ReactWidget {
  constructor(
    private readonly cell: Cell,
    private readonly open: (anchor: HTMLElement, current: Tag | null) => void,
    private readonly trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-mlops-TagDropdown');
    cell.model.metadataChanged.connect(this.onMetadata, this);
  }

  dispose(): void {
    if (!this.isDisposed) {
      this.cell.model?.metadataChanged.disconnect(this.onMetadata, this);
      super.dispose();
    }
  }

  protected render(): JSX.Element {
    const tag = this.cell.isDisposed ? null : cellTag(this.cell.model);
    return (
      <ToolbarButtonComponent
        icon={caretDownIcon}
        label={tag ?? this.trans.__('Tag')}
        tooltip={this.trans.__('Choose the stage that the selected cells become')}
        aria-haspopup="menu"
        onClick={() => this.open(this.node, tag)}
      />
    );
  }

  private onMetadata(_: unknown, change: { key?: string }): void {
    if (change.key === 'tags') {
      this.update();
    }
  }
}
