import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import { isOpen, JobsModel } from '../../api/jobs';
import type { Job } from '../../api/messages/jobs';
import type { Change, CurrentNotebook } from '../current/model';
import type { Review } from './review';
import { addTracking, LOAD, TRACK, trackingOf } from './tracking';

export interface Step {
  id: 'open' | 'tag' | 'run' | 'convert' | 'promote';
  title: string;
  /** One step is the next one; those after it wait. */
  state: 'done' | 'next' | 'later';
  /** What to do, or how it stands. */
  text: string;
  action: { label: string; run: () => void } | null;
}

/** Commands of other parts, called where they exist. */
const CONVERT = 'mlops:convert';
const OPEN = 'notebook:create-new';
const RUN_ALL = 'notebook:run-all-cells';

/** The way from a notebook to production: what is done, and what comes next. */
export class Start implements IDisposable {
  constructor(
    private readonly review: Review,
    private readonly jobs: JobsModel | null,
    private readonly commands: CommandRegistry,
    private readonly reveal: (section: string) => void,
    private readonly trans: TranslationBundle
  ) {
    this.current = review.current;
    review.changed.connect(this.onReview, this);
    review.current.changed.connect(this.onCurrent, this);
    jobs?.changed.connect(this.onJob, this);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this.review.changed.disconnect(this.onReview, this);
    this.current.changed.disconnect(this.onCurrent, this);
    this.jobs?.changed.disconnect(this.onJob, this);
    Signal.clearData(this);
  }

  /** Ask which jobs there were for this notebook, once for each notebook that is looked at. */
  async look(): Promise<void> {
    const { path } = this.current;
    if (!path || path === this.looked || !this.jobs) {
      return;
    }
    this.looked = path;
    this.last = {};
    try {
      const found = await Promise.all([this.jobs.latest(path, 'convert'), this.jobs.latest(path, 'promote')]);
      found.forEach(one => one && this.note(one.job));
    } catch {
      this.looked = ''; // without an answer, nothing is known to be done; the banner says what is wrong
    }
  }

  steps(): Step[] {
    const all = [this.open(), this.tag(), this.run(), this.convert(), this.promote()];
    const next = all.findIndex(one => one.state !== 'done');
    return all.map((one, i) => (i > next && one.state !== 'done' ? { ...one, state: 'later', action: null } : one));
  }

  private open(): Step {
    const { trans } = this;
    const { panel } = this.current;
    return {
      id: 'open',
      title: trans.__('Open a notebook'),
      state: panel ? 'done' : 'next',
      text: panel ? this.current.path : trans.__('Open one that trains a model from the file browser, or start a new one.'),
      action: this.actionOf(trans.__('New Notebook'), OPEN)
    };
  }

  private tag(): Step {
    const { trans, review } = this;
    const done = this.current.view?.tagged ?? false;
    const count = review.suggestions.length;
    const base = { id: 'tag' as const, title: trans.__('Tag its cells'), state: done ? ('done' as const) : ('next' as const) };
    if (done) {
      return { ...base, text: trans.__('Data and training are tagged.'), action: null };
    }
    if (this.current.unreadable) {
      return { ...base, text: trans.__('Only cells of a Python notebook become stages: see below.'), action: null };
    }
    if (count && review.suggesting) {
      return {
        ...base,
        text: trans._n('%1 suggestion waits for you, here and at its cell.', '%1 suggestions wait for you, here and at their cells.', count),
        action: { label: trans.__('Accept All'), run: () => review.acceptAll() }
      };
    }
    return {
      ...base,
      text: count
        ? trans.__('A tag says what a cell becomes in production. At least “load” and “train” are needed.')
        : trans.__('No tags can be suggested yet. Tag at least the cell that reads the data with “load” and the one that fits with “train” (press T on a cell).'),
      action: count ? { label: trans.__('Suggest Tags'), run: () => (review.suggesting = true) } : null
    };
  }

  private run(): Step {
    const { trans } = this;
    const model = this.current.panel?.content.model;
    const { loads, tracks, ran, trains } = model ? trackingOf(model) : { loads: false, tracks: false, ran: false, trains: false };
    const ready = loads && tracks;
    const base = { id: 'run' as const, title: trans.__('Run it tracked'), state: ran ? ('done' as const) : ('next' as const) };
    if (ran) {
      return { ...base, text: trans.__('A tracked cell was run.'), action: null };
    }
    if (ready) {
      return {
        ...base,
        text: trans.__('Each run of the tracked cell is recorded in MLflow.'),
        action: this.actionOf(trans.__('Run All Cells'), RUN_ALL)
      };
    }
    return {
      ...base,
      text: trans.__('%1 at the top and %2 in the cell that trains make an MLflow run of it.', LOAD, TRACK),
      action: trains || tracks ? { label: trans.__('Add %1', TRACK), run: () => this.addTracking() } : null
    };
  }

  private convert(): Step {
    const { trans } = this;
    const job = this.last.convert;
    const base = { id: 'convert' as const, title: trans.__('Convert it') };
    if (job && isOpen(job)) {
      return { ...base, state: 'next', text: trans.__('The conversion is running.'), action: this.section(trans.__('Show'), 'convert') };
    }
    const done = job?.status === 'done' && job.result?.ok !== false;
    const failed = job && !done;
    return {
      ...base,
      state: done ? 'done' : 'next',
      text: done
        ? trans.__('A tested project stands beside the notebook.')
        : failed
          ? trans.__('The last conversion did not succeed: its section says why.')
          : trans.__('A tested package, a service and a bundle are made of it, and compared with the notebook.'),
      action: this.actionOf(trans.__('Convert'), CONVERT)
    };
  }

  private promote(): Step {
    const { trans } = this;
    const job = this.last.promote;
    const status = job?.result?.status;
    const done = status === 'promoted';
    return {
      id: 'promote',
      title: trans.__('Promote the model'),
      state: done ? 'done' : 'next',
      text: done
        ? trans.__('A version is in production.')
        : status === 'waiting'
          ? trans.__('A promotion waits for an approval.')
          : trans.__('The version goes through its gates, and into production after an approval.'),
      action: this.section(trans.__('Show Models'), 'models')
    };
  }

  private actionOf(label: string, command: string): Step['action'] {
    return this.commands.hasCommand(command) ? { label, run: () => void this.commands.execute(command) } : null;
  }

  private section(label: string, id: string): Step['action'] {
    return { label, run: () => this.reveal(id) };
  }

  private addTracking(): void {
    const model = this.current.panel?.content.model;
    if (model) {
      addTracking(model);
      this._changed.emit();
    }
  }

  private onReview(): void {
    this._changed.emit();
  }

  /** Also when the view is the same: a cell may have been run. */
  private onCurrent(_: unknown, change: Change): void {
    if (change !== 'state') {
      this._changed.emit();
    }
  }

  private onJob(_: unknown, job: Job): void {
    if (job.path === this.current.path) {
      this.note(job);
    }
  }

  private note(job: Job): void {
    if (job.kind === 'convert' || job.kind === 'promote') {
      const known = this.last[job.kind];
      if (!known || known.created <= job.created) {
        this.last[job.kind] = job;
        this._changed.emit();
      }
    }
  }

  private readonly current: CurrentNotebook;
  private last: { convert?: Job; promote?: Job } = {};
  private looked = '';
  private _isDisposed = false;
  private readonly _changed = new Signal<this, void>(this);
}
