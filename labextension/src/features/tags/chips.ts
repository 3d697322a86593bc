import type { Cell } from '@jupyterlab/cells';
import type { Notebook } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { DisposableDelegate, IDisposable } from '@lumino/disposable';
import { PanelLayout, Widget } from '@lumino/widgets';

import { cellTag } from './model';

/** The chip of one cell: its tag as text, hidden where it has none. */
export class Chip extends Widget {
  constructor(
    private readonly cell: Cell,
    private readonly trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-mlops-Chip');
    this.node.setAttribute('role', 'note');
    cell.model.metadataChanged.connect(this.refresh, this);
    this.refresh();
  }

  refresh(): void {
    const tag = cellTag(this.cell.model);
    this.node.hidden = tag === null;
    this.node.textContent = tag ?? '';
    if (tag === null) {
      delete this.node.dataset.tag;
    } else {
      this.node.dataset.tag = tag;
      this.node.setAttribute('aria-label', this.trans.__('Stage of this cell: %1', tag));
    }
  }

  dispose(): void {
    if (!this.isDisposed) {
      this.cell.model?.metadataChanged.disconnect(this.refresh, this);
      super.dispose();
    }
  }
}

/**
 * Keep a chip on every cell of a notebook.
 *
 * Cells outside of the window are made ready only when they are scrolled into view, so each is waited for on its own.
 */
export function showChips(notebook: Notebook, trans: TranslationBundle): IDisposable {
  const chips = new WeakMap<Cell, Chip>();

  const attach = async (cell: Cell): Promise<void> => {
    await cell.ready;
    if (cell.isDisposed || chips.has(cell)) {
      return;
    }
    const chip = new Chip(cell, trans);
    chips.set(cell, chip);
    (cell.layout as PanelLayout).insertWidget(1, chip);
  };
  const sync = (): void => {
    notebook.widgets.forEach(cell => void attach(cell));
  };

  notebook.modelContentChanged.connect(sync);
  notebook.cellInViewportChanged.connect(sync);
  sync();
  return new DisposableDelegate(() => {
    notebook.modelContentChanged.disconnect(sync);
    notebook.cellInViewportChanged.disconnect(sync);
    notebook.widgets.forEach(cell => chips.get(cell)?.dispose());
  });
}
