/* What specs of this feature share: runs that a server might have, and a server that answers when it is told to. */
import type { Api, RunsQuery } from '../../api/client';
import type { RunColumn, RunRow, RunsPage } from '../../api/messages/runs';
import { Signal } from '@lumino/signaling';
import type { IRunsTarget } from './target';

export const COLUMNS: RunColumn[] = [
  { key: 'name', title: 'name', kind: 'name', numeric: false, lower: null, shown: true },
  { key: 'when', title: 'when', kind: 'when', numeric: true, lower: null, shown: true },
  { key: 'status', title: 'status', kind: 'status', numeric: false, lower: null, shown: true },
  { key: 'duration', title: 'duration', kind: 'duration', numeric: true, lower: null, shown: true },
  { key: 'metric:auc', title: 'auc', kind: 'metric', numeric: true, lower: false, shown: true },
  { key: 'metric:loss', title: 'loss', kind: 'metric', numeric: true, lower: true, shown: false },
  { key: 'param:lr', title: 'lr', kind: 'param', numeric: true, lower: null, shown: true }
];

export function run(number: number, more: Partial<RunRow> = {}): RunRow {
  const started = 1_700_000_000_000 + number * 1000;
  return {
    id: `r${number}`,
    name: `run ${number}`,
    status: 'FINISHED',
    parent: null,
    link: null,
    started,
    values: [`run ${number}`, started, 'finished', 1.5, number / 10_000, 1 - number / 10_000, '0.1'],
    ...more
  };
}

/** A server with as many runs as `count` says, the newest first. */
export class FakeServer {
  constructor(public count: number) {}

  asked: (RunsQuery & { signal?: AbortSignal })[] = [];
  more: Partial<RunsPage> = {};
  running = new Set<number>();
  /** What stands between a question and its answer. */
  wait: (query: RunsQuery) => Promise<void> = async () => undefined;

  readonly api = {
    runs: async (query: RunsQuery, signal?: AbortSignal): Promise<RunsPage> => {
      this.asked.push({ ...query, signal });
      await this.wait(query);
      if (signal?.aborted) {
        throw new DOMException('', 'AbortError');
      }
      return this.page(query.offset, query.limit);
    }
  } as unknown as Api;

  page(offset: number, limit: number): RunsPage {
    const size = Math.max(0, Math.min(limit, this.count - offset));
    const rows = Array.from({ length: size }, (_, place) => {
      const number = this.count - 1 - offset - place;
      return run(number, this.running.has(number) ? { status: 'RUNNING' } : {});
    });
    return {
      experiment: 'churn', trackingUri: 'sqlite:////data/mlflow.db', columns: COLUMNS, rows, offset, matching: this.count,
      known: this.count, complete: true, notes: [], ...this.more
    };
  }
}

export class FakeTarget implements IRunsTarget {
  path = 'churn.ipynb';
  busy = false;
  hasKernel = true;
  readonly changed: Signal<IRunsTarget, void> = new Signal<IRunsTarget, void>(this);

  set(more: Partial<Pick<FakeTarget, 'path' | 'busy' | 'hasKernel'>>): void {
    Object.assign(this, more);
    this.changed.emit();
  }
}
