import type { ICellModel } from '@jupyterlab/cells';
import type { INotebookModel, Notebook } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import type { NotebookProblem, TagSuggestion } from '../../api/messages/notebook';
import type { Change, CurrentNotebook } from '../current/model';
import type { ICellMarks, Proposal, Trouble } from '../tags/marks';
import { asOneStep, cellTag, setCellTag } from '../tags/model';
import { combine } from './fixes';
import { canFollow, isSplittable, labelOf, splitCell } from './split';
import { troubles } from './troubles';

/**
 * What is suggested for the current notebook and what is wrong with it, as far as it still holds.
 *
 * The view may be of an older notebook: each suggestion and each fix is looked at again when it is shown or used.
 */
export class Review implements ICellMarks, IDisposable {
  constructor(
    readonly current: CurrentNotebook,
    private readonly trans: TranslationBundle
  ) {
    current.changed.connect(this.onCurrent, this);
  }

  /** The last thing that was done, or why not; for the eye and for a screen reader. */
  message = '';

  /** Emits when suggestions, problems, marks or the message have changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** A cell whose problems somebody wants to see; whoever shows them takes it away. */
  target: string | null = null;

  /** Emits when there is such a cell. */
  get revealed(): ISignal<this, string> {
    return this._revealed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this.current.changed.disconnect(this.onCurrent, this);
    Signal.clearData(this);
  }

  /** Whether suggestions are shown at the cells of the current notebook: only where somebody has asked for them. */
  get suggesting(): boolean {
    return this.asked.has(this.current.path);
  }

  set suggesting(suggesting: boolean) {
    if (suggesting) {
      this.asked.add(this.current.path);
    } else {
      this.asked.delete(this.current.path);
    }
    this.say('');
  }

  /** Whether somebody looks at the notebook's section: then problems are marked at cells of an untagged notebook, too. */
  get watched(): boolean {
    return this._watched;
  }

  set watched(watched: boolean) {
    if (watched !== this._watched) {
      this._watched = watched;
      this.renew();
    }
  }

  /** Suggestions that are neither followed nor dismissed, in the order of the notebook. */
  get suggestions(): readonly TagSuggestion[] {
    return (this._suggestions ??= this.pending());
  }

  get problems(): readonly NotebookProblem[] {
    return this.current.view?.problems ?? [];
  }

  get fixable(): number {
    return this.problems.filter(one => one.edits.length).length;
  }

  proposal(notebook: Notebook, cell: string): Proposal | null {
    if (!this.suggesting || notebook !== this.current.panel?.content) {
      return null;
    }
    const one = this.bySuggestedCell.get(cell);
    return one && canFollow(one) ? { label: labelOf(one), reason: one.reason, split: one.tag === null } : null;
  }

  trouble(notebook: Notebook, cell: string): Trouble | null {
    return notebook === this.current.panel?.content && (this.watched || this.isTagged) ? (this.byTroubledCell.get(cell) ?? null) : null;
  }

  /** Follow the suggestion for a cell. */
  accept(cell: string): void {
    this.follow(this.suggestions.filter(one => one.cell === cell));
  }

  /** Follow all suggestions, as one step of undo. */
  acceptAll(): void {
    this.follow(this.suggestions);
  }

  /** Do not suggest this again until the page is loaded anew. */
  dismiss(cell: string): void {
    const one = this.suggestions.find(each => each.cell === cell);
    if (one) {
      this.dismissed.add(this.keyOf(one));
      this.renew();
      this.say(this.trans.__('The suggestion for cell %1 was dismissed.', one.number));
    }
  }

  reveal(cell: string): void {
    this.target = cell;
    this._revealed.emit(cell);
    this._changed.emit();
  }

  /** Mend one problem, if its cells are still those that were checked. */
  fix(problem: NotebookProblem): boolean {
    return this.mend([problem]) === 1;
  }

  /** Mend all that can be mended, as one step of undo; returns how many were. */
  fixAll(): number {
    return this.mend(this.problems);
  }

  /** It is a change of the notebook and not of one cell, whose editor knows nothing of it. */
  private get undoable(): string {
    return this.trans.__('Press Z on a cell to undo.');
  }

  private mend(problems: readonly NotebookProblem[]): number {
    const { current, trans } = this;
    const sources = new Map(this.cells.map(cell => [cell.id, cell.sharedModel.getSource()]));
    const { edits, mended, stale, later } = combine(problems, cell => sources.get(cell) ?? null);
    current.edit(edits);
    const said = [
      ...(mended.length ? [trans._n('%1 problem was fixed.', '%1 problems were fixed.', mended.length)] : []),
      ...(stale.length
        ? [trans._n('%1 was left alone, since its cell has changed: it is checked again.', '%1 were left alone, since their cells have changed: they are checked again.', stale.length)]
        : []),
      ...(later.length
        ? [trans._n('%1 is about the same lines: fix it after the next check.', '%1 are about the same lines: fix them after the next check.', later.length)]
        : [])
    ];
    this.say([...said, ...(mended.length ? [this.undoable] : [])].join(' '));
    void current.refresh();
    return mended.length;
  }

  private follow(suggestions: readonly TagSuggestion[]): void {
    const { model, trans } = this;
    suggestions = suggestions.filter(canFollow);
    if (!model || !suggestions.length) {
      return;
    }
    let tagged = 0;
    let split = 0;
    asOneStep(model, () => {
      const cells = new Map(this.cells.map(cell => [cell.id, cell]));
      for (const one of suggestions) {
        if (one.tag !== null) {
          setCellTag(cells.get(one.cell)!, one.tag);
          tagged++;
        } else if (splitCell(model, one)) {
          split++;
        }
      }
    });
    this.renew();
    this.say(
      [
        ...(tagged ? [trans._n('%1 cell was tagged.', '%1 cells were tagged.', tagged)] : []),
        ...(split ? [trans._n('%1 cell was split.', '%1 cells were split.', split)] : []),
        ...(tagged || split ? [this.undoable] : [])
      ].join(' ')
    );
    void this.current.refresh();
  }

  private get model(): INotebookModel | null {
    return this.current.panel?.content?.model ?? null;
  }

  private get cells(): ICellModel[] {
    return this.model ? Array.from(this.model.cells) : [];
  }

  private get isTagged(): boolean {
    return (this._isTagged ??= this.cells.some(cell => cellTag(cell) !== null));
  }

  private get bySuggestedCell(): ReadonlyMap<string, TagSuggestion> {
    return (this._byCell ??= new Map(this.suggestions.map(one => [one.cell, one])));
  }

  private get byTroubledCell(): ReadonlyMap<string, Trouble> {
    return (this._trouble ??= troubles(this.problems));
  }

  private pending(): TagSuggestion[] {
    const cells = new Map(this.cells.map(cell => [cell.id, cell]));
    return (this.current.view?.suggestions ?? []).filter(one => {
      const cell = cells.get(one.cell);
      return (
        cell !== undefined &&
        cellTag(cell) === null &&
        !this.dismissed.has(this.keyOf(one)) &&
        (one.tag !== null || !one.parts.length || isSplittable(cell.sharedModel.getSource(), one.parts))
      );
    });
  }

  private keyOf(one: TagSuggestion): string {
    return JSON.stringify([this.current.path, one.cell, labelOf(one)]);
  }

  private say(message: string): void {
    this.message = message;
    this._changed.emit();
  }

  private onCurrent(_: unknown, change: Change): void {
    if (change === 'state') {
      return;
    }
    if (change === 'notebook') {
      this.message = '';
    }
    // Most pauses while somebody types find nothing new: then nothing is drawn anew.
    const { view, error } = this.current;
    const key = JSON.stringify([this.current.path, view, error?.message, this.cells.map(cell => cell.id)]);
    if (key !== this._key) {
      this._key = key;
      this.renew();
    }
  }

  /** Forget what was worked out of the view and of the notebook. */
  private renew(): void {
    this._suggestions = this._byCell = this._trouble = this._isTagged = null;
    this._changed.emit();
  }

  private _isDisposed = false;
  private _key = '';
  private _watched = false;
  private _suggestions: TagSuggestion[] | null = null;
  private _byCell: ReadonlyMap<string, TagSuggestion> | null = null;
  private _trouble: ReadonlyMap<string, Trouble> | null = null;
  private _isTagged: boolean | null = null;
  private readonly asked = new Set<string>();
  private readonly dismissed = new Set<string>();
  private readonly _changed = new Signal<this, void>(this);
  private readonly _revealed = new Signal<this, string>(this);
}
