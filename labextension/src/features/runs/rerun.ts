import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import { Api, ApiError } from '../../api/client';
import { FollowedJob, isOpen, JobsModel } from '../../api/jobs';
import type { Parameter } from '../../api/messages/notebook';
import type { FieldProblem } from '../../components/form';
import type { ICurrentNotebook } from '../../tokens';
import { chosenValues, IParameterForm, IRunValues, parameterForm } from './parameter-form';
import { KnownRun, parametersOf } from './rows';
import type { IRunsTarget } from './target';

/** A form that is open. */
export interface IRerunForm extends IParameterForm {
  /** Name of the run that it starts from. */
  from: string | null;
  /** Changes with each form, so that its fields start anew. */
  number: number;
  parameters: readonly Parameter[];
  problems: FieldProblem[];
}

const RECENT = 15 * 60 * 1000; // ms for which a job that has ended is still shown after a reload

/** Running a notebook again with other parameters: the form, and the job that does it. */
export class Rerun implements IDisposable {
  constructor(
    private readonly api: Pick<Api, 'restoreParameters'>,
    private readonly jobs: JobsModel,
    private readonly current: ICurrentNotebook,
    private readonly target: IRunsTarget,
    private readonly openNotebook: (path: string) => Promise<void>,
    private readonly trans: TranslationBundle
  ) {
    target.changed.connect(this.onTarget, this);
    this.path = target.path;
  }

  form: IRerunForm | null = null;
  job: FollowedJob | null = null;
  error: ApiError | null = null;
  starting = false;

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Emits when a job has ended. */
  get ended(): ISignal<this, void> {
    return this._ended;
  }

  get isRunning(): boolean {
    return this.job !== null && isOpen(this.job.job);
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  dispose(): void {
    this._disposed = true;
    this.target.changed.disconnect(this.onTarget, this);
    this.follow(null);
    Signal.clearData(this);
  }

  /** Open the form, at a run's values or at the notebook's own. */
  async begin(from: KnownRun | null): Promise<void> {
    await this.attempt(async () => {
      const path = this.path;
      await this.openNotebook(path);
      await this.current.refresh();
      if (path !== this.path || this.current.path !== path) {
        return;
      }
      if (!this.current.view) {
        throw this.current.error ?? new ApiError('no-view', this.trans.__('The notebook could not be read.'), this.trans.__('Try again.'));
      }
      const { parameters } = this.current.view;
      const given = from ? await this.valuesOf(from, path) : null;
      if (path !== this.path) {
        return;
      }
      const form = parameterForm(parameters, given, this.trans);
      this.form = { ...form, parameters, from: from?.run.name ?? null, number: ++this.forms, problems: [] };
    });
  }

  cancelForm(): void {
    this.form = null;
    this._changed.emit();
  }

  /** Save the notebook and start the job. */
  async start(data: Readonly<Record<string, unknown>>): Promise<void> {
    if (!this.form || this.starting) {
      return;
    }
    const { values, problems } = chosenValues(this.form.parameters, data, this.trans);
    this.form.problems = problems;
    if (problems.length) {
      this._changed.emit();
      return;
    }
    this.starting = true;
    await this.attempt(async () => {
      await this.openNotebook(this.path);
      await this.current.save();
      this.follow(await this.jobs.start({ kind: 'run', path: this.path, parameters: values }));
      this.form = null;
    });
    this.starting = false;
    this._changed.emit();
  }

  async cancel(): Promise<void> {
    const job = this.job?.job;
    if (job) {
      await this.attempt(() => this.jobs.cancel(job.id));
    }
  }

  /** No longer show a job that has ended. */
  dismiss(): void {
    this.dismissed = this.job?.job.id ?? null;
    this.follow(null);
    this._changed.emit();
  }

  /** Find a job that runs, or has just ended, after the page was loaded anew. */
  async find(): Promise<void> {
    const path = this.path;
    if (!path || this.job) {
      return;
    }
    try {
      const found = await this.jobs.latest(path, 'run');
      if (this.isDisposed || path !== this.path || this.job || !found || found.job.id === this.dismissed) {
        return;
      }
      if (isOpen(found.job) || Date.now() - (found.job.ended ?? 0) < RECENT) {
        this.follow(found);
        this._changed.emit();
      }
    } catch {
      // the list of runs says what is wrong with the server
    }
  }

  /** The values of a run; the server knows which of them the notebook can take. */
  private async valuesOf(run: KnownRun, path: string): Promise<IRunValues> {
    const values = parametersOf(run);
    return { values, ...(await this.api.restoreParameters({ path, language: this.current.language, cells: this.current.cells(), values })) };
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    this.error = null;
    try {
      await work();
    } catch (error) {
      this.error = ApiError.from(error);
    }
    this._changed.emit();
  }

  private follow(job: FollowedJob | null): void {
    this.job?.changed.disconnect(this.onJob, this);
    this.job = job;
    this.wasOpen = this.isRunning;
    job?.changed.connect(this.onJob, this);
  }

  private onJob(): void {
    const over = this.wasOpen && !this.isRunning;
    this.wasOpen = this.isRunning;
    this._changed.emit();
    if (over) {
      this._ended.emit();
    }
  }

  private onTarget(): void {
    if (this.target.path !== this.path) {
      this.path = this.target.path;
      this.form = this.error = null;
      this.follow(null);
      this._changed.emit();
      void this.find();
    }
  }

  private path: string;
  private forms = 0;
  private wasOpen = false;
  private dismissed: string | null = null;
  private _disposed = false;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _ended = new Signal<this, void>(this);
}
