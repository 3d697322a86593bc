import { ApiError } from '../api/client';
import type { Job, JobEvent, JobLog, JobRequest, Jobs, JobState } from '../api/messages/jobs';

/** Jobs of a server, for tests: `say` and `end` stand for the job's process. */
export class JobsForTest {
  readonly states = new Map<string, JobState>();
  readonly requests: JobRequest[] = [];
  /** What the next start fails with. */
  refuse: ApiError | null = null;
  log = 'line 1';

  add(request: JobRequest, id = `j${this.states.size + 1}`): Job {
    const created = 1000 * (this.states.size + 1);
    const job: Job = {
      id, kind: request.kind, path: request.path, title: `${request.kind} ${request.path}`,
      subject: subjectOf(request), status: 'running', user: 'ada', created,
      started: created, ended: null, step: null, message: null, fraction: null, error: null, result: null, next: 0
    };
    this.states.set(id, { job, events: [] });
    return job;
  }

  say(id: string, step: string, status: JobEvent['status'], message = '', more: Partial<JobEvent> = {}): void {
    const state = this.states.get(id)!;
    state.events.push({ number: state.events.length, time: 0, step, status, message, ...more });
    state.job = { ...state.job, step, message, next: state.events.length };
  }

  end(id: string, how: Partial<Job>): void {
    const state = this.states.get(id)!;
    state.job = { ...state.job, ended: state.job.created + 500, ...how };
  }

  startJob = async (request: JobRequest): Promise<Job> => {
    if (this.refuse) {
      const error = this.refuse;
      this.refuse = null;
      throw error;
    }
    this.requests.push(request);
    return this.add(request);
  };

  jobs = async (path?: string, kind?: string): Promise<Jobs> => ({
    jobs: [...this.states.values()]
      .map(one => one.job)
      .filter(job => (!path || job.path === path) && (!kind || job.kind === kind))
      .reverse()
  });

  job = async (id: string, after: number): Promise<JobState> => {
    const { job, events } = this.states.get(id)!;
    return { job, events: events.slice(after) };
  };

  jobLog = async (): Promise<JobLog> => ({ text: this.log, cut: false });

  cancelJob = async (id: string): Promise<Job> => {
    this.end(id, { status: 'cancelled' });
    return this.states.get(id)!.job;
  };
}

function subjectOf(request: JobRequest): string | null {
  if (request.kind === 'deploy' || request.kind === 'monitor') {
    return request.model;
  }
  return request.kind === 'promote' || request.kind === 'rollback' ? `${request.model}/${request.version}` : null;
}

/** Until what has been asked is answered. */
export async function settled(turns = 30): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    await Promise.resolve();
  }
}
