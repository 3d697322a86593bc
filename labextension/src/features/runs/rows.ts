import type { Cell, RunColumn, RunRow, RunsPage } from '../../api/messages/runs';

/** A run, and at which position its values are: pages of different times may have different columns. */
export interface KnownRun {
  run: RunRow;
  at: ReadonlyMap<string, number>;
}

/** A run's value for a column; null where it has none. */
export function valueOf(known: KnownRun, key: string): Cell {
  const position = known.at.get(key);
  return position === undefined ? null : (known.run.values[position] ?? null);
}

/** A run's parameters, as texts. */
export function parametersOf(known: KnownRun): Record<string, string> {
  const found: Record<string, string> = {};
  for (const key of known.at.keys()) {
    const value = key.startsWith('param:') ? valueOf(known, key) : null;
    if (value !== null) {
      found[key.slice('param:'.length)] = String(value);
    }
  }
  return found;
}

/** Runs with the columns that their page has. */
export function knownRuns(page: RunsPage): KnownRun[] {
  const at = positions(page.columns);
  return page.rows.map(run => ({ run, at }));
}

function positions(columns: readonly RunColumn[]): ReadonlyMap<string, number> {
  return new Map(columns.map((column, position) => [column.key, position]));
}

/** The runs of a list that are known here, by their place in it. */
export class RunRows {
  constructor(
    readonly pageSize: number,
    private readonly most = 60
  ) {}

  /** How many the list has. */
  count = 0;

  get(index: number): KnownRun | undefined {
    return this.rows.get(index);
  }

  /** Whether a run has not ended. */
  get isGoing(): boolean {
    return Array.from(this.rows.values()).some(({ run }) => run.status === 'RUNNING' || run.status === 'SCHEDULED');
  }

  all(): IterableIterator<KnownRun> {
    return this.rows.values();
  }

  clear(): void {
    this.rows.clear();
    this.fresh.clear();
    this.count = 0;
  }

  /** Whether the page is as the list was when it changed last. */
  isFresh(page: number): boolean {
    return this.fresh.has(page);
  }

  /** Pages that hold these rows. */
  pagesOf(first: number, last: number): number[] {
    const from = Math.floor(Math.max(0, first) / this.pageSize);
    const to = Math.floor(Math.max(0, Math.min(last, Math.max(0, this.count - 1))) / this.pageSize);
    return Array.from({ length: Math.max(1, to - from + 1) }, (_, place) => from + place);
  }

  /** Take over a page. A list that got longer or shorter has other runs on its other pages, which are kept until they are read again. */
  put(page: RunsPage): void {
    const number = Math.floor(page.offset / this.pageSize);
    const known = knownRuns(page);
    const moved = (run: RunRow, place: number): boolean => (this.rows.get(page.offset + place)?.run.id ?? run.id) !== run.id;
    if (page.matching !== this.count || known.some((one, place) => moved(one.run, place))) {
      this.fresh.clear();
    }
    this.count = page.matching;
    for (let place = 0; place < this.pageSize; place++) {
      const index = page.offset + place;
      if (place < known.length) {
        this.rows.set(index, known[place]);
      } else {
        this.rows.delete(index);
      }
    }
    for (const index of this.rows.keys()) {
      if (index >= this.count) {
        this.rows.delete(index);
      }
    }
    this.fresh.add(number);
    this.forget(number);
  }

  /** Where a run is, near a place; -1 if it is not known. */
  find(id: string, near: number, within: number): number {
    for (let distance = 0; distance <= within; distance++) {
      for (const index of distance ? [near + distance, near - distance] : [near]) {
        if (this.rows.get(index)?.run.id === id) {
          return index;
        }
      }
    }
    return -1;
  }

  /** Forget what is far from a page when there is too much. */
  private forget(page: number): void {
    if (this.rows.size > this.most * this.pageSize) {
      const reach = this.most / 4;
      for (const index of this.rows.keys()) {
        if (Math.abs(Math.floor(index / this.pageSize) - page) > reach) {
          this.rows.delete(index);
          this.fresh.delete(Math.floor(index / this.pageSize));
        }
      }
    }
  }

  private readonly rows = new Map<number, KnownRun>();
  private readonly fresh = new Set<number>();
}
