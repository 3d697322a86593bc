import { ISignal, Signal } from '@lumino/signaling';

import type { RunColumn } from '../../api/messages/runs';

const PLACE = 'jupyter-mlops:runs:columns:';

/** Which columns are shown: what the server thinks worth it, and what the user chose for this notebook. */
export class ColumnChoice {
  constructor(private readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | null = browserStorage()) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Whether anything was chosen. */
  get isChosen(): boolean {
    return this.chosen.size > 0;
  }

  /** Take the choice for a notebook. */
  load(path: string): void {
    this.path = path;
    this.chosen = new Map();
    try {
      const found: unknown = JSON.parse(this.storage?.getItem(PLACE + path) ?? '{}');
      if (typeof found === 'object' && found !== null) {
        this.chosen = new Map(Object.entries(found).filter((one): one is [string, boolean] => typeof one[1] === 'boolean'));
      }
    } catch {
      // what another version or a full disk left behind
    }
  }

  isShown(column: RunColumn): boolean {
    return column.kind === 'name' || (this.chosen.get(column.key) ?? column.shown);
  }

  shown(columns: readonly RunColumn[]): RunColumn[] {
    return columns.filter(column => this.isShown(column));
  }

  show(column: RunColumn, shown: boolean): void {
    if (shown === column.shown) {
      this.chosen.delete(column.key);
    } else {
      this.chosen.set(column.key, shown);
    }
    this.save();
  }

  reset(): void {
    this.chosen.clear();
    this.save();
  }

  private save(): void {
    try {
      if (this.chosen.size) {
        this.storage?.setItem(PLACE + this.path, JSON.stringify(Object.fromEntries(this.chosen)));
      } else {
        this.storage?.removeItem(PLACE + this.path);
      }
    } catch {
      // it holds until the page is left
    }
    this._changed.emit();
  }

  private path = '';
  private chosen = new Map<string, boolean>();
  private readonly _changed = new Signal<this, void>(this);
}

function browserStorage(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null; // a browser may forbid it
  }
}
