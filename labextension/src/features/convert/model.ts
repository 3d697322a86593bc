import type { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import { Api, ApiError } from '../../api/client';
import { FollowedJob, isOpen, JobsModel } from '../../api/jobs';
import type { ConvertDone, Job } from '../../api/messages/jobs';
import type { ReportOfAConversion } from '../../api/messages/report';
import type { Change, CurrentNotebook } from '../current/model';
import { ConvertOptions, DEFAULTS, requestOf } from './options';
import { ServiceModel } from './service';

/** A report with the conversion that it is of. */
export type Conversion = Omit<ConvertDone, 'report'> & { report: ReportOfAConversion };

/** The conversion of the current notebook: its options, its job, and what came of it. */
export class ConvertModel implements IDisposable {
  constructor(
    api: Api,
    private readonly jobs: JobsModel,
    readonly current: CurrentNotebook
  ) {
    this.service = new ServiceModel(api);
    current.changed.connect(this.onNotebook, this);
    jobs.changed.connect(this.onJob, this);
  }

  /** Of the converted project. */
  readonly service: ServiceModel;
  /** The last conversion of this notebook, running or not. */
  followed: FollowedJob | null = null;
  /** Why it could not be started or found. */
  error: ApiError | null = null;
  starting = false;
  /** Whether the server has been asked for the last conversion. */
  looked = false;

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get path(): string {
    return this.current.path;
  }

  /** Those of this notebook, as long as the page lives. */
  get options(): ConvertOptions {
    return this.optionsOf.get(this.path) ?? DEFAULTS;
  }

  get job(): Job | null {
    return this.followed?.job ?? null;
  }

  get running(): boolean {
    return this.starting || (this.job !== null && isOpen(this.job));
  }

  /** What the last conversion ended with; null while it runs, or where it ended without a report. */
  get conversion(): Conversion | null {
    const result = this.job && !isOpen(this.job) ? this.job.result : null;
    return result && 'report' in result ? (result as Conversion) : null;
  }

  /** Why nothing came of the last attempt. */
  get failure(): ApiError | null {
    const error = this.job && !isOpen(this.job) ? this.job.error : null;
    return this.error ?? (error ? new ApiError(error.code, error.message, error.fix) : null);
  }

  /** Whether that was a project with a user's edits, which is only replaced when he says so. */
  get edited(): boolean {
    return this.failure?.code === 'edited';
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this.current.changed.disconnect(this.onNotebook, this);
      this.jobs.changed.disconnect(this.onJob, this);
      this.take(null);
      this.service.dispose();
      Signal.clearData(this);
    }
  }

  /** Whether somebody looks: what is not known yet is asked then. */
  setShown(shown: boolean): void {
    this.shown = shown;
    this.service.setShown(shown);
    if (shown && !this.looked && this.path) {
      void this.look();
    }
  }

  setOptions(options: Partial<ConvertOptions>): void {
    this.optionsOf.set(this.path, { ...this.options, ...options });
    this._changed.emit();
  }

  /** Save the notebook and convert it; `force` replaces an edited project, which is kept beside. */
  async convert(force = false): Promise<void> {
    const path = this.path;
    if (!path || this.running) {
      return;
    }
    this.starting = true;
    this.error = null;
    this._changed.emit();
    try {
      await this.current.save();
      const options = this.options;
      const followed = await this.jobs.start(requestOf(path, { ...options, force: options.force || force }));
      if (this.path === path) {
        this.take(followed);
      }
    } catch (error) {
      if (this.path === path) {
        this.error = ApiError.from(error);
      }
    } finally {
      this.starting = false;
      this._changed.emit();
    }
  }

  async cancel(): Promise<void> {
    if (this.job && isOpen(this.job)) {
      try {
        await this.jobs.cancel(this.job.id);
      } catch (error) {
        this.error = ApiError.from(error);
        this._changed.emit();
      }
    }
  }

  /** Find the last conversion of this notebook, such as after a reload of the page. */
  async look(): Promise<void> {
    const path = this.path;
    if (!path) {
      return;
    }
    this.looked = true;
    const before = this.error;
    try {
      const followed = await this.jobs.latest(path, 'convert');
      if (this.path !== path || this.starting) {
        return;
      }
      if (followed && (!this.job || followed.job.created >= this.job.created)) {
        this.take(followed);
      }
      if (this.error === before) {
        this.error = null; // not what has refused a conversion meanwhile
      }
    } catch (error) {
      if (this.path !== path) {
        return;
      }
      this.looked = false;
      this.error = ApiError.from(error);
    }
    this._changed.emit();
  }

  private take(followed: FollowedJob | null): void {
    if (followed !== this.followed) {
      this.followed?.changed.disconnect(this.onFollowed, this);
      this.followed = followed;
      followed?.changed.connect(this.onFollowed, this);
    }
    this.tellService();
  }

  private tellService(): void {
    const { conversion, job } = this;
    const there = conversion !== null && (conversion.ok || conversion.report.failed_step === 'verify');
    this.service.setProject(there ? conversion.project : null, job?.ended ?? null);
  }

  private onFollowed(): void {
    this.tellService();
    this._changed.emit();
  }

  private onNotebook(_: CurrentNotebook, change: Change): void {
    if (change === 'notebook') {
      this.take(null);
      this.error = null;
      this.looked = false;
      if (this.shown && this.path) {
        void this.look();
      }
    }
    this._changed.emit();
  }

  /** A conversion that was started elsewhere in this page. */
  private onJob(jobs: JobsModel, job: Job): void {
    if (job.kind === 'convert' && job.path === this.path && (!this.job || job.created > this.job.created)) {
      this.take(jobs.follow(job));
      this._changed.emit();
    }
  }

  private shown = false;
  private readonly optionsOf = new Map<string, ConvertOptions>();
  private _isDisposed = false;
  private readonly _changed = new Signal<this, void>(this);
}
