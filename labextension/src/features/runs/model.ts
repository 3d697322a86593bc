import type { IDisposable } from '@lumino/disposable';
import { Debouncer, Poll } from '@lumino/polling';
import { ISignal, Signal } from '@lumino/signaling';

import { Api, ApiError, isAbort, RunsQuery } from '../../api/client';
import type { RunColumn, RunsPage } from '../../api/messages/runs';
import { Questions } from '../../api/questions';
import { ColumnChoice } from './columns';
import { IPace, PACE } from './pace';
import { KnownRun, RunRows } from './rows';
import { Choice, Selection } from './selection';
import type { IRunsTarget } from './target';

const PAGE = 100;
const AROUND = 20; // rows beside those in view that are asked for, too

interface ISort {
  /** Of a column; empty: the newest first. */
  key: string;
  descending: boolean;
}

/**
 * The runs of a notebook's experiment, as far as somebody looks at them.
 *
 * Only pages in view are asked for. While the server's list changes, the rows in view stay where they are: `shifted` says by
 * how many rows the view has to move.
 */
export class RunsModel implements IDisposable {
  constructor(
    private readonly api: Api,
    readonly target: IRunsTarget & Partial<IDisposable>,
    readonly columnChoice = new ColumnChoice(),
    pace: Partial<IPace> = {}
  ) {
    this.pace = { ...PACE, ...pace };
    this.poll = new Poll({
      auto: false,
      factory: () => this.tick(),
      frequency: { interval: this.pace.quick },
      name: 'jupyter-mlops:runs'
    });
    this.filtering = new Debouncer(() => this.restart(), this.pace.filter);
    this.idling = new Debouncer(() => this.ask(), this.pace.idle);
    this.scrolling = new Debouncer(() => this.load(), this.pace.scroll);
    target.changed.connect(this.onTarget, this);
    this.path = target.path;
    this.busy = target.busy;
    this.columnChoice.load(this.path);
    this.columnChoice.changed.connect(this.emit, this);
  }

  readonly selection = new Selection();
  /** The last answer; null until there is one for this notebook. */
  page: Omit<RunsPage, 'rows' | 'offset'> | null = null;
  error: ApiError | null = null;
  /** What is wrong with the filter. */
  filterError: ApiError | null = null;
  /** Rows are those of another order or filter than was asked for. */
  outdated = false;
  sort: ISort = { key: '', descending: true };
  filter = '';

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Rows by which what is in view has moved. */
  get shifted(): ISignal<this, number> {
    return this._shifted;
  }

  /** Emits when the first row has to be shown. */
  get restarted(): ISignal<this, void> {
    return this._restarted;
  }

  get count(): number {
    return this.rows.count;
  }

  get columns(): RunColumn[] {
    return this.columnChoice.shown(this.page?.columns ?? []);
  }

  get isDisposed(): boolean {
    return this.poll.isDisposed;
  }

  dispose(): void {
    if (!this.isDisposed) {
      this.target.changed.disconnect(this.onTarget, this);
      this.target.dispose?.();
      this.questions.stop();
      [this.poll, this.filtering, this.idling, this.scrolling].forEach(one => one.dispose());
      Signal.clearData(this);
    }
  }

  row(index: number): KnownRun | undefined {
    return this.rows.get(index);
  }

  /** Whether somebody looks; else nothing is asked. */
  setActive(active: boolean): void {
    if (active !== this.active) {
      this.active = active;
      this.ask();
    }
  }

  /** More is going on than the kernel says, such as a job. */
  setWorking(working: boolean): void {
    if (working !== this.working) {
      this.working = working;
      this.ask();
    }
  }

  /** Which rows are in view. */
  setView(first: number, last: number): void {
    if (first !== this.first || last !== this.last) {
      [this.first, this.last] = [first, last];
      void this.scrolling.invoke().catch(() => undefined);
    }
  }

  /** Sort by a column, the better values first; again, the other way round. */
  sortBy(column: RunColumn): void {
    const descending =
      this.sort.key === column.key ? !this.sort.descending : column.kind === 'metric' ? column.lower !== true : column.kind === 'when';
    this.sort = { key: column.key, descending };
    this.restart();
  }

  setFilter(text: string): void {
    if (text !== this.filter) {
      this.filter = text;
      this.emit();
      void this.filtering.invoke().catch(() => undefined);
    }
  }

  choose(index: number, how: Choice): void {
    this.selection.choose(index, how, place => this.rows.get(place));
  }

  /** Ask now; `all` has the server read all runs again, also those that were deleted or delivered late. */
  refresh(all = false): void {
    this.readAll ||= all;
    this.ask();
  }

  /** What all runs are asked for, in the order and with the filter of now. */
  query(offset: number, limit: number): RunsQuery {
    return { path: this.path, offset, limit, sort: this.sort.key, descending: this.sort.descending, filter: this.filter.trim() };
  }

  private ask(): void {
    if (this.active && this.path) {
      // `poll.refresh` does nothing while an answer is waited for, and what happened since would be missed.
      void this.poll.schedule({ interval: Poll.IMMEDIATE, phase: 'refreshed' });
    } else {
      void this.poll.stop();
    }
  }

  private emit(): void {
    this._changed.emit();
  }

  private onTarget(): void {
    if (this.target.path !== this.path) {
      this.path = this.target.path;
      this.busy = this.target.busy;
      this.columnChoice.load(this.path);
      this.page = this.error = this.filterError = null;
      this.filter = '';
      this.sort = { key: '', descending: true };
      this.rows.clear();
      this.selection.clear();
      this.restart();
      return;
    }
    const idle = this.busy && !this.target.busy;
    const busy = !this.busy && this.target.busy;
    this.busy = this.target.busy;
    if (idle && this.active) {
      void this.idling.invoke().catch(() => undefined);
    } else if (busy) {
      this.ask();
    }
    this.emit();
  }

  /** Another list is wanted; the rows of the old one stay until its first page is there. */
  private restart(): void {
    this.questions.stop();
    this.outdated = this.rows.count > 0;
    [this.first, this.last] = [0, 0];
    this._restarted.emit();
    this.emit();
    this.ask();
  }

  /** What is in view and old or missing is asked for; what is no longer in view is given up. */
  private load(): void {
    if (!this.active || this.isDisposed) {
      return;
    }
    const wanted = this.wanted;
    this.questions.keep(wanted);
    wanted.filter(page => !this.rows.isFresh(page) && !this.questions.has(page)).forEach(page => void this.questions.ask(page));
  }

  private async tick(): Promise<void> {
    await Promise.all(this.wanted.map(page => this.questions.ask(page)));
    const quick = this.error === null && this.isLive;
    this.poll.frequency = { ...this.poll.frequency, interval: quick ? this.pace.quick : this.pace.slow };
  }

  private get wanted(): number[] {
    return this.rows.pagesOf(this.first - AROUND, this.last + AROUND);
  }

  private get isLive(): boolean {
    return this.busy || this.working || this.page?.complete === false || this.rows.isGoing;
  }

  private async fetch(page: number, signal: AbortSignal): Promise<void> {
    const refresh = this.readAll || undefined;
    this.readAll = false;
    try {
      const answer = await this.api.runs({ ...this.query(page * PAGE, PAGE), refresh }, signal);
      if (!signal.aborted) {
        this.take(answer);
      }
    } catch (error) {
      if (!signal.aborted && !isAbort(error)) {
        this.fail(ApiError.from(error));
      }
    }
  }

  private take(answer: RunsPage): void {
    if (this.outdated) {
      this.rows.clear();
    }
    const top = this.first;
    const anchor = !this.outdated && top > 0 ? this.rows.get(top)?.run.id : undefined;
    this.page = answer;
    this.error = this.filterError = null;
    this.outdated = false;
    this.rows.put(answer);
    this.selection.update(this.rows.all());
    if (anchor !== undefined) {
      const place = this.rows.find(anchor, top, PAGE);
      if (place >= 0 && place !== top) {
        this.first += place - top;
        this.last += place - top;
        this.selection.shift(place - top);
        this._shifted.emit(place - top);
      }
    }
    this.emit();
    this.load();
  }

  private fail(error: ApiError): void {
    if (error.code === 'usage' && this.filter.trim()) {
      this.filterError = error;
    } else {
      this.error = error;
    }
    this.outdated = false;
    this.emit();
  }

  private readonly pace: IPace;
  private readonly poll: Poll;
  private readonly filtering: Debouncer;
  private readonly idling: Debouncer;
  private readonly scrolling: Debouncer;
  private readonly rows = new RunRows(PAGE);
  private readonly questions = new Questions<number>((page, signal) => this.fetch(page, signal));
  private path: string;
  private busy: boolean;
  private active = false;
  private working = false;
  private readAll = false;
  private first = 0;
  private last = 0;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _shifted = new Signal<this, number>(this);
  private readonly _restarted = new Signal<this, void>(this);
}
