import type { Cell } from '@jupyterlab/cells';
import type { Notebook } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { DisposableDelegate, IDisposable } from '@lumino/disposable';
import type { PanelLayout } from '@lumino/widgets';

import type { ICellMarks } from './marks';
import { cellTag, pointTo } from './model';
import { Strip, StripContent } from './strip';

interface StripsOptions {
  trans: TranslationBundle;
  /** Open the menu of tags. */
  menu: (anchor: HTMLElement) => void;
  marks?: ICellMarks | null;
}

/**
 * Keep a strip above every cell of a notebook that has something to show.
 *
 * A key press must cost nothing here, so no signal of the content is listened to: only the list of cells, the tags of
 * each cell, and the marks. Cells outside of the window have no layout before they are ready; each is waited for alone.
 */
export function showStrips(notebook: Notebook, options: StripsOptions): IDisposable {
  return new Strips(notebook, options).asDisposable();
}

/** See `showStrips`. */
export class Strips {
  constructor(
    private readonly notebook: Notebook,
    private readonly options: StripsOptions
  ) {
    this.active = notebook.activeCell;
    notebook.modelChanged.connect(this.onModel, this);
    notebook.activeCellChanged.connect(this.onActive, this);
    options.marks?.changed.connect(this.refreshAll, this);
    this.onModel();
  }

  /** How often a cell's strip was looked at. */
  looks = 0;

  asDisposable(): IDisposable {
    return new DisposableDelegate(() => {
      this.notebook.modelChanged.disconnect(this.onModel, this);
      this.notebook.activeCellChanged.disconnect(this.onActive, this);
      this.options.marks?.changed.disconnect(this.refreshAll, this);
      this.disconnectModel();
      this.notebook.widgets.forEach(cell => this.strips.get(cell)?.dispose());
    });
  }

  /** Look at every cell again. */
  refreshAll(): void {
    this.notebook.widgets.forEach(cell => this.refresh(cell));
  }

  private onModel(): void {
    this.disconnectModel();
    this.model = this.notebook.model;
    this.model?.cells.changed.connect(this.onCells, this);
    this.onCells();
  }

  private disconnectModel(): void {
    if (this.model && !this.model.isDisposed) {
      this.model.cells.changed.disconnect(this.onCells, this);
    }
    this.model = null;
  }

  private onCells(): void {
    for (const cell of this.notebook.widgets) {
      if (!this.known.has(cell)) {
        this.known.add(cell);
        // The signal goes away with the cell's model.
        cell.model.metadataChanged.connect((_, change) => {
          if (change.key === 'tags') {
            this.refresh(cell);
          }
        });
        this.refresh(cell);
      }
    }
  }

  private onActive(_: unknown, active: Cell | null): void {
    const before = this.active && this.strips.get(this.active);
    if (before && !before.isDisposed) {
      before.reachable = false;
    }
    this.active = active;
    const after = active && this.strips.get(active);
    if (after) {
      after.reachable = true;
    }
  }

  private content(cell: Cell): StripContent {
    const { marks } = this.options;
    const tag = cellTag(cell.model);
    const { id } = cell.model;
    return {
      tag,
      proposal: tag ? null : (marks?.proposal(this.notebook, id) ?? null),
      trouble: marks?.trouble(this.notebook, id) ?? null
    };
  }

  private refresh(cell: Cell): void {
    this.looks++;
    if (cell.isDisposed) {
      return;
    }
    const content = this.content(cell);
    const strip = this.strips.get(cell);
    if (strip) {
      strip.present(content);
    } else if (!this.waiting.has(cell) && (content.tag || content.proposal || content.trouble)) {
      this.waiting.add(cell);
      void cell.ready.then(() => this.attach(cell));
    }
  }

  private attach(cell: Cell): void {
    if (cell.isDisposed || this.notebook.isDisposed || this.strips.has(cell)) {
      return;
    }
    const { marks, menu, trans } = this.options;
    const { id } = cell.model;
    const strip = new Strip(
      {
        menu: anchor => {
          pointTo(this.notebook, cell);
          menu(anchor);
        },
        accept: () => marks?.accept(id),
        dismiss: () => marks?.dismiss(id),
        reveal: () => marks?.reveal(id)
      },
      trans
    );
    strip.reachable = cell === this.notebook.activeCell;
    this.strips.set(cell, strip);
    strip.present(this.content(cell));
    (cell.layout as PanelLayout).insertWidget(1, strip);
  }

  private model: Notebook['model'] = null;
  private active: Cell | null;
  private readonly known = new WeakSet<Cell>();
  private readonly waiting = new WeakSet<Cell>();
  private readonly strips = new WeakMap<Cell, Strip>();
}
