import type { Notebook } from '@jupyterlab/notebook';
import type { ISignal } from '@lumino/signaling';

/** A tag that would fit a cell. */
export interface Proposal {
  /** The tag, or those of the parts that the cell would be split into. */
  label: string;
  reason: string;
  split: boolean;
}

/** How many problems a cell has, and what they say. */
export interface Trouble {
  errors: number;
  warnings: number;
  messages: readonly string[];
}

/** What there is to say about cells besides their tags. */
export interface ICellMarks {
  /** Emits when other marks than before have to be shown. */
  readonly changed: ISignal<ICellMarks, void>;
  proposal(notebook: Notebook, cell: string): Proposal | null;
  trouble(notebook: Notebook, cell: string): Trouble | null;
  accept(cell: string): void;
  dismiss(cell: string): void;
  /** Show the problems of a cell. */
  reveal(cell: string): void;
}
