/** How often the server is asked, in ms. */
export interface IPace {
  /** While a cell runs, a run is going on, or not all runs have been read. */
  quick: number;
  slow: number;
  /** After the last key press in the filter. */
  filter: number;
  /** After the kernel became idle: between the cells of "Run All" it is so for a moment. */
  idle: number;
  /** After the last scrolling. */
  scroll: number;
}

export const PACE: IPace = { quick: 1500, slow: 15_000, filter: 250, idle: 150, scroll: 60 };
