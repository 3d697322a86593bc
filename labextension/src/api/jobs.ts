import { ISignal, Signal } from '@lumino/signaling';
import { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import type { Event } from '@jupyterlab/services';

import { Api, ApiError } from './client';
import { JOB_EVENTS } from './messages/events';
import type { Job, JobEvent, JobRequest } from './messages/jobs';
import { Questions } from './questions';

const POLL = 2000; // ms; the events stream may be cut
const OPEN: ReadonlySet<Job['status']> = new Set(['queued', 'running', 'stopping']);

/** Whether a job has not ended. */
export function isOpen(job: Job): boolean {
  return OPEN.has(job.status);
}

/** A job as it is known here: its state and its events so far. */
export class FollowedJob {
  constructor(job: Job) {
    this.job = job;
  }

  job: Job;
  readonly events: JobEvent[] = [];
  /** Why nothing new is known, such as a server that does not answer. */
  error: ApiError | null = null;

  /** Number of the event to ask for. */
  get after(): number {
    return this.events.length ? this.events[this.events.length - 1].number + 1 : 0;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Take over what the server says. */
  update(job: Job, events: readonly JobEvent[]): void {
    const after = this.after;
    this.events.push(...events.filter(one => one.number >= after));
    this.job = job;
    this.error = null;
    this._changed.emit();
  }

  fail(error: ApiError): void {
    this.error = error;
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
}

/**
 * Jobs of the server: started, followed and found again after a reload.
 *
 * `GET jobs/ID` is the truth. The events stream only says when to ask sooner than every two seconds.
 */
export class JobsModel implements IDisposable {
  constructor(
    private readonly api: Api,
    private readonly stream: Event.Stream | null = null
  ) {
    this.poll = new Poll({
      auto: false,
      factory: () => this.refreshOpen(),
      frequency: { interval: POLL },
      name: 'jupyter-mlops:jobs'
    });
    stream?.connect(this.onEvent, this);
  }

  /** Emits when a job was started here, has changed or has ended. */
  get changed(): ISignal<this, Job> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this.poll.isDisposed;
  }

  dispose(): void {
    if (!this.isDisposed) {
      this.stream?.disconnect(this.onEvent, this);
      this.poll.dispose();
      this.questions.stop();
      Signal.clearData(this);
    }
  }

  async start(request: JobRequest): Promise<FollowedJob> {
    return this.follow(await this.api.startJob(request));
  }

  /** Follow a job until it ends; the same object for the same job. */
  follow(job: Job): FollowedJob {
    let followed = this.followed.get(job.id);
    if (!followed) {
      followed = new FollowedJob(job);
      this.followed.set(job.id, followed);
      void this.questions.ask(job.id);
      this._changed.emit(job);
    }
    if (isOpen(job)) {
      void this.poll.start();
    }
    return followed;
  }

  /** The newest job of a kind for a notebook, running or not; null if there is none. */
  async latest(path: string, kind: Job['kind']): Promise<FollowedJob | null> {
    const { jobs } = await this.api.jobs(path, kind);
    return jobs.length ? this.follow(jobs[0]) : null;
  }

  async cancel(id: string): Promise<void> {
    const job = await this.api.cancelJob(id);
    const followed = this.followed.get(id);
    if (followed) {
      followed.update(job, []);
      await this.questions.ask(id);
    }
  }

  private async refreshOpen(): Promise<void> {
    const open = [...this.followed.values()].filter(one => isOpen(one.job));
    if (!open.length) {
      void this.poll.stop();
      return;
    }
    await Promise.all(open.map(one => this.questions.ask(one.job.id)));
  }

  private async fetch(id: string, signal: AbortSignal): Promise<void> {
    const followed = this.followed.get(id)!;
    try {
      const { job, events } = await this.api.job(id, followed.after, signal);
      if (!signal.aborted) {
        followed.update(job, events);
        this._changed.emit(job);
      }
    } catch (error) {
      if (!signal.aborted) {
        followed.fail(ApiError.from(error));
      }
    }
  }

  private onEvent(_: unknown, emission: Event.Emission): void {
    if (emission.schema_id === JOB_EVENTS) {
      const followed = this.followed.get(String(emission.job));
      if (followed && isOpen(followed.job)) {
        void this.questions.ask(followed.job.id);
      }
    }
  }

  private readonly poll: Poll;
  private readonly followed = new Map<string, FollowedJob>();
  private readonly questions = new Questions<string>((id, signal) => this.fetch(id, signal));
  private readonly _changed = new Signal<this, Job>(this);
}
