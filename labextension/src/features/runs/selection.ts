import { ISignal, Signal } from '@lumino/signaling';

import type { KnownRun } from './rows';

/** How a click or a key selects: this one alone, this one too or no more, or all from the last one on. */
export type Choice = 'one' | 'toggle' | 'range';

/** The runs that are selected, whether or not they are still in view. */
export class Selection {
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get size(): number {
    return this.runs.size;
  }

  /** In the order in which they were selected. */
  get all(): KnownRun[] {
    return [...this.runs.values()];
  }

  get only(): KnownRun | null {
    return this.runs.size === 1 ? this.all[0] : null;
  }

  has(id: string): boolean {
    return this.runs.has(id);
  }

  choose(index: number, how: Choice, row: (index: number) => KnownRun | undefined): void {
    const known = row(index);
    if (how === 'range' && this.anchor !== null) {
      this.runs.clear();
      const step = index < this.anchor ? -1 : 1;
      for (let place = this.anchor; place !== index + step; place += step) {
        this.put(row(place)); // what was never loaded was never seen
      }
    } else if (known) {
      this.anchor = index;
      if (how !== 'toggle') {
        this.runs.clear();
        this.put(known);
      } else if (!this.runs.delete(known.run.id)) {
        this.put(known);
      }
    } else {
      return;
    }
    this._changed.emit();
  }

  clear(): void {
    this.anchor = null;
    if (this.runs.size) {
      this.runs.clear();
      this._changed.emit();
    }
  }

  /** Take over what has become of the selected runs. */
  update(known: Iterable<KnownRun>): void {
    for (const one of known) {
      if (this.runs.has(one.run.id)) {
        this.put(one);
      }
    }
  }

  /** Rows were put in or taken away above. */
  shift(rows: number): void {
    this.anchor = this.anchor === null ? null : Math.max(0, this.anchor + rows);
  }

  private put(known: KnownRun | undefined): void {
    if (known) {
      this.runs.set(known.run.id, known);
    }
  }

  private anchor: number | null = null;
  private readonly runs = new Map<string, KnownRun>();
  private readonly _changed = new Signal<this, void>(this);
}
