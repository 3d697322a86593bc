import type { Cell } from '@jupyterlab/cells';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { Debouncer } from '@lumino/polling';
import type { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import { Api, ApiError, isAbort } from '../../api/client';
import { tagOf } from '../../tags';
import type { CellEdit, NotebookCell, NotebookProblem, NotebookView } from '../../api/messages/notebook';
import { asOneStep } from '../tags/model';

const DELAY = 600; // ms without a change before the server is asked

/** What has changed: another notebook, what is known about it, or how that stands. */
export type Change = 'notebook' | 'view' | 'state';

/**
 * The notebook that the user works in, and what the server knows about it without a kernel.
 *
 * A change of the notebook only starts a timer, so that typing costs nothing. The view may be of an older state of the
 * notebook: cells are found by id, and edits say which source they are for.
 */
export class CurrentNotebook implements IDisposable {
  constructor(
    private readonly tracker: INotebookTracker,
    private readonly api: Api,
    delay = DELAY
  ) {
    this.debouncer = new Debouncer(() => this.consider(), delay);
    tracker.currentChanged.connect(this.onCurrent, this);
    this.onCurrent();
  }

  /** The notebook's widget; null where none is open. */
  panel: NotebookPanel | null = null;
  /** Null until the server has answered. */
  view: NotebookView | null = null;
  error: ApiError | null = null;
  busy = false;

  get changed(): ISignal<this, Change> {
    return this._changed;
  }

  /** Relative to the server's root, without the name of a drive; empty where no notebook is open. */
  get path(): string {
    return this.panel?.context.localPath ?? '';
  }

  /** Of the kernel, or of what the notebook's metadata says; empty where nobody knows. */
  get language(): string {
    const model = this.panel?.content.model;
    const info = model?.getMetadata('language_info') as { name?: string } | undefined;
    const spec = model?.getMetadata('kernelspec') as { language?: string } | undefined;
    return (info?.name || spec?.language || '').toLowerCase();
  }

  /** Why nothing can be made of the notebook, such as its language; null for one in Python. */
  get unreadable(): NotebookProblem | null {
    return this.view?.problems.find(one => one.code === 'unreadable') ?? null;
  }

  get isDisposed(): boolean {
    return this.debouncer.isDisposed;
  }

  dispose(): void {
    if (!this.isDisposed) {
      this.tracker.currentChanged.disconnect(this.onCurrent, this);
      this.leave();
      this.debouncer.dispose();
      Signal.clearData(this);
    }
  }

  /** The cells as the server wants them. */
  cells(): NotebookCell[] {
    const cells = this.panel?.content.model?.cells;
    return cells
      ? Array.from(cells, cell => ({
          id: cell.id,
          type: cell.type as NotebookCell['type'],
          source: cell.sharedModel.getSource(),
          tags: stringsOf(cell.getMetadata('tags'))
        }))
      : [];
  }

  /**
   * Whether somebody looks at what is known, such as the open sidebar. Nothing is asked for a notebook that nobody looks at
   * and that has none of our tags: most people's notebooks are none of our business.
   */
  set watched(watched: boolean) {
    const begin = watched && !this._watched;
    this._watched = watched;
    if (begin && this.stale) {
      void this.refresh();
    }
  }

  /** Ask the server now. */
  refresh(): Promise<void> {
    void this.debouncer.stop();
    return this.analyse();
  }

  /** Save the notebook's file, since what runs on the server reads that. */
  async save(): Promise<void> {
    const context = this.panel?.context;
    if (context?.model.dirty) {
      await context.save();
    }
  }

  /** The cell's widget. */
  cell(id: string): Cell | null {
    return this.panel?.content.widgets.find(one => one.model.id === id) ?? null;
  }

  /** Make a cell the active one and scroll to it; with a line, put the cursor there. */
  async goTo(id: string, line: number | null = null): Promise<void> {
    const notebook = this.panel?.content;
    const index = notebook?.widgets.findIndex(one => one.model.id === id) ?? -1;
    if (!notebook || index < 0) {
      return;
    }
    notebook.activeCellIndex = index;
    notebook.deselectAll();
    await notebook.scrollToItem(index, 'smart');
    const cell = notebook.widgets[index];
    await cell.ready;
    if (line !== null) {
      cell.editor?.setCursorPosition({ line: Math.max(0, line - 1), column: 0 });
      notebook.mode = 'edit';
    }
    cell.node.focus({ preventScroll: true });
  }

  /**
   * Change sources of cells as one step of undo.
   *
   * @returns how many edits were made; one whose cell no longer has the source that was analysed is left alone, and so is
   * the second one of a cell.
   */
  edit(edits: readonly CellEdit[]): number {
    const model = this.panel?.content.model;
    if (!model) {
      return 0;
    }
    const cells = new Map(Array.from(model.cells, cell => [cell.id, cell]));
    let made = 0;
    asOneStep(model, () => {
      for (const edit of edits) {
        const cell = cells.get(edit.cell);
        if (cell?.sharedModel.getSource() === edit.before) {
          const { start, end, text } = smallestChange(edit.before, edit.source);
          cell.sharedModel.updateSource(start, end, text);
          made++;
        }
      }
    });
    return made;
  }

  private onCurrent(): void {
    const panel = this.tracker.currentWidget;
    if (panel === this.panel) {
      return;
    }
    this.leave();
    this.panel = panel;
    this.stale = true;
    panel?.content.modelContentChanged.connect(this.onContent, this);
    panel?.disposed.connect(this.onCurrent, this);
    this._changed.emit('notebook');
    if (panel) {
      void panel.context.ready.then(() => {
        if (this.panel === panel && !this.isDisposed) {
          void this.consider();
        }
      });
    }
  }

  private leave(): void {
    this.asking?.abort();
    this.panel?.content?.modelContentChanged.disconnect(this.onContent, this);
    this.panel?.disposed.disconnect(this.onCurrent, this);
    this.panel = this.view = this.error = null;
    this.busy = false;
  }

  private onContent(): void {
    this.stale = true;
    void this.debouncer.invoke().catch(() => undefined);
  }

  /** Ask if somebody wants to know. */
  private consider(): Promise<void> {
    return this._watched || this.isTagged() ? this.analyse() : Promise.resolve();
  }

  private isTagged(): boolean {
    const cells = this.panel?.content.model?.cells;
    return cells !== undefined && Array.from(cells).some(cell => tagOf(cell.getMetadata('tags')) !== null);
  }

  private async analyse(): Promise<void> {
    if (!this.panel?.content.model) {
      return;
    }
    this.asking?.abort();
    const asking = (this.asking = new AbortController());
    this.stale = false;
    this.busy = true;
    this._changed.emit('state');
    try {
      this.view = await this.api.notebook({ path: this.path, language: this.language, cells: this.cells() }, asking.signal);
      this.error = null;
    } catch (error) {
      if (isAbort(error) || asking.signal.aborted) {
        return; // a newer question is on its way
      }
      const failure = ApiError.from(error);
      if (failure.code === 'superseded') {
        this.busy = false;
        this._changed.emit('state');
        return;
      }
      this.error = failure;
    }
    this.busy = false;
    this._changed.emit('view');
  }

  private readonly debouncer: Debouncer;
  private asking: AbortController | null = null;
  private stale = false;
  private _watched = false;
  private readonly _changed = new Signal<this, Change>(this);
}

/** What differs between two texts, as one replacement. */
export function smallestChange(before: string, after: string): { start: number; end: number; text: string } {
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before[start] === after[start]) {
    start++;
  }
  let same = 0;
  while (same < most - start && before[before.length - 1 - same] === after[after.length - 1 - same]) {
    same++;
  }
  return { start, end: before.length - same, text: after.slice(start, after.length - same) };
}

function stringsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}
