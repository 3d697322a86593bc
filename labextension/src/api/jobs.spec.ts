import type { Event } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';

import type { Api } from './client';
import { ApiError } from './client';
import { isOpen, JobsModel } from './jobs';
import { JOB_EVENTS } from './messages/events';
import type { Job, JobEvent, JobState } from './messages/jobs';

const job = (more: Partial<Job> = {}): Job => ({
  id: 'j1', kind: 'convert', path: 'n.ipynb', title: 'Convert n', subject: null, status: 'running', user: 'ada', created: 1, started: 1,
  ended: null, step: null, message: null, fraction: null, error: null, result: null, next: 0, ...more
});
const event = (number: number, step = 'read'): JobEvent => ({ number, time: number, step, status: 'done', message: '' });

/** A server with one job, whose events grow. */
class Server {
  job = job();
  events: JobEvent[] = [];
  asked: number[] = [];
  wait: Promise<void> = Promise.resolve();
  fail: ApiError | null = null;

  get api(): Api {
    return {
      startJob: async () => this.job,
      jobs: async () => ({ jobs: [this.job] }),
      cancelJob: async () => (this.job = { ...this.job, status: 'stopping' }),
      job: async (_: string, after: number): Promise<JobState> => {
        this.asked.push(after);
        await this.wait;
        if (this.fail) {
          throw this.fail;
        }
        return { job: this.job, events: this.events.filter(one => one.number >= after) };
      }
    } as unknown as Api;
  }
}

const settled = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) {
    await Promise.resolve();
  }
};

describe('jobs', () => {
  const stream = new Signal<object, Event.Emission>({}) as unknown as Event.Stream & Signal<object, Event.Emission>;
  const emitted = (id: string): void => stream.emit({ schema_id: JOB_EVENTS, job: id } as unknown as Event.Emission);
  let server: Server;
  let jobs: JobsModel;

  beforeEach(() => {
    server = new Server();
    jobs = new JobsModel(server.api, stream);
  });
  afterEach(() => jobs.dispose());

  it('are followed from the events that are known', async () => {
    server.events = [event(0), event(1)];
    const followed = await jobs.start({ kind: 'convert', path: 'n.ipynb' });
    await settled();
    expect(followed.events.map(one => one.number)).toEqual([0, 1]);
    server.events.push(event(2, 'analyse'));
    emitted('j1');
    await settled();
    expect(server.asked).toEqual([0, 2]);
    expect(followed.events).toHaveLength(3);
  });

  it('are asked once at a time, and again for what came meanwhile', async () => {
    let go = (): void => undefined;
    server.wait = new Promise(resolve => (go = resolve));
    const followed = await jobs.start({ kind: 'convert', path: 'n.ipynb' });
    emitted('j1');
    emitted('j1');
    expect(server.asked).toEqual([0]);
    server.events = [event(0)];
    go();
    await settled();
    expect(server.asked).toEqual([0, 1]);
    expect(followed.events).toHaveLength(1);
  });

  it('are found again, the same object for the same job', async () => {
    const first = await jobs.latest('n.ipynb', 'convert');
    expect(await jobs.latest('n.ipynb', 'convert')).toBe(first);
  });

  it('that have ended are not asked again', async () => {
    server.job = job({ status: 'done' });
    await jobs.start({ kind: 'convert', path: 'n.ipynb' });
    await settled();
    emitted('j1');
    await settled();
    expect(server.asked).toEqual([0]);
    expect(isOpen(server.job)).toBe(false);
  });

  it('of others are none of our business', async () => {
    await jobs.start({ kind: 'convert', path: 'n.ipynb' });
    await settled();
    emitted('another');
    stream.emit({ schema_id: 'other', job: 'j1' } as unknown as Event.Emission);
    await settled();
    expect(server.asked).toEqual([0]);
  });

  it('say why nothing new is known, and go on', async () => {
    const followed = await jobs.start({ kind: 'convert', path: 'n.ipynb' });
    await settled();
    server.fail = new ApiError('offline', 'away');
    emitted('j1');
    await settled();
    expect(followed.error?.code).toBe('offline');
    server.fail = null;
    emitted('j1');
    await settled();
    expect(followed.error).toBeNull();
  });

  it('are stopped', async () => {
    const followed = await jobs.start({ kind: 'convert', path: 'n.ipynb' });
    await settled();
    await jobs.cancel('j1');
    expect(followed.job.status).toBe('stopping');
  });

  it('are asked without a stream', async () => {
    jest.useFakeTimers();
    const alone = new JobsModel(server.api);
    try {
      await alone.start({ kind: 'convert', path: 'n.ipynb' });
      await settled();
      const before = server.asked.length;
      await jest.advanceTimersByTimeAsync(5000);
      expect(server.asked.length).toBeGreaterThan(before);
      server.job = job({ status: 'done' });
      await jest.advanceTimersByTimeAsync(10_000);
      const ended = server.asked.length;
      await jest.advanceTimersByTimeAsync(60_000);
      expect(server.asked.length).toBe(ended);
    } finally {
      alone.dispose();
      jest.useRealTimers();
    }
  });
});
