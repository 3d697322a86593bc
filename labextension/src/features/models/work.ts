import type { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import { Api, ApiError } from '../../api/client';
import { FollowedJob, isOpen, JobsModel } from '../../api/jobs';
import type { Job, JobRequest } from '../../api/messages/jobs';
import { Refresh } from '../../api/refresh';

/** Something that a job of the server works on, begun and followed here, and asked about at a pace. */
export abstract class Work<Doing extends string> implements IDisposable {
  constructor(
    protected readonly api: Api,
    protected readonly jobs: JobsModel
  ) {
    this.refresh = new Refresh(signal => this.ask(signal));
  }

  /** The job that works on it. */
  followed: FollowedJob | null = null;
  /** Why what was asked for could not be done. */
  error: ApiError | null = null;
  /** Why nothing new is known of it. */
  readError: ApiError | null = null;
  /** What is being asked for. */
  busy: Doing | null = null;

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get job(): Job | null {
    return this.followed?.job ?? null;
  }

  get isDisposed(): boolean {
    return this.refresh.isDisposed;
  }

  dispose(): void {
    if (!this.isDisposed) {
      this.follow(null);
      this.refresh.dispose();
      Signal.clearData(this);
    }
  }

  /** Ask the server how it stands. */
  protected abstract read(signal: AbortSignal): Promise<void>;

  /** Say how often it is to be asked. */
  protected abstract pace(): void;

  /** The job has changed. */
  protected abstract onJob(): void;

  /** Why the job ended without success. */
  protected get jobError(): ApiError | null {
    const ended = this.job && !isOpen(this.job) ? this.job.error : null;
    return ended && new ApiError(ended.code, ended.message, ended.fix);
  }

  /** Ask the server to do something about it, and then how it stands. */
  protected async work(what: Doing, done: () => Promise<void>): Promise<void> {
    this.busy = what;
    this.error = null;
    this._changed.emit();
    try {
      await done();
    } catch (error) {
      this.error = ApiError.from(error);
    } finally {
      this.busy = null;
    }
    this._changed.emit();
    await this.refresh.now();
  }

  protected follow(followed: FollowedJob | null): void {
    if (followed !== this.followed) {
      this.followed?.changed.disconnect(this.onJob, this);
      this.followed = followed;
      followed?.changed.connect(this.onJob, this);
    }
  }

  private async ask(signal: AbortSignal): Promise<void> {
    try {
      await this.read(signal);
      if (!signal.aborted) {
        this.readError = null;
      }
    } catch (error) {
      if (!signal.aborted) {
        this.readError = ApiError.from(error);
      }
    }
    if (!signal.aborted) {
      this.pace();
      this._changed.emit();
    }
  }

  protected readonly refresh: Refresh;
  protected readonly _changed = new Signal<this, void>(this);
}

/** What one model's jobs of one kind do, and how it stands. */
export abstract class ModelWork<Doing extends string> extends Work<Doing> {
  /** The model that is shown; empty where none is. */
  model = '';

  /** Whether it is being worked on. */
  get working(): boolean {
    return this.busy !== null || (this.job !== null && isOpen(this.job));
  }

  /** What went wrong with it. */
  get failure(): ApiError | null {
    return this.error ?? this.jobError;
  }

  /** Turn to a model of the store that a notebook uses, to none where the name is empty; whether it is another one than before. */
  protected turnTo(path: string, model: string): boolean {
    if (path === this.path && model === this.model) {
      return false;
    }
    [this.path, this.model] = [path, model];
    this.error = this.readError = null;
    this.searched = false;
    this.follow(null);
    return true;
  }

  /** Have a job do something about it, unless one does already. */
  protected async start(what: Doing, request: JobRequest): Promise<void> {
    if (!this.working) {
      this.follow(null);
      await this.work(what, async () => this.follow(await this.jobs.start(request)));
    }
  }

  /** After a reload, the job of a kind that works on it is followed again. */
  protected async find(kind: Job['kind'], signal: AbortSignal): Promise<void> {
    if (!this.searched) {
      const { jobs } = await this.api.jobs(this.path, kind, signal);
      const found = jobs.find(job => job.subject === this.model && isOpen(job));
      if (!signal.aborted) {
        this.searched = true;
        if (found && !this.followed) {
          this.follow(this.jobs.follow(found));
        }
      }
    }
  }

  protected onJob(): void {
    if (!this.working) {
      void this.refresh.now();
    }
    this._changed.emit();
  }

  protected path = '';
  private searched = false;
}
