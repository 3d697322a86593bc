/* From jupyter_mlops/schema/api/runs.yaml by `jlpm types`. */

export type Cell = string | number | null;

/**
 * GET runs?path=&experiment=&offset=&limit=&sort=&descending=&filter=&refresh=, GET runs/compare?path=&run=&run=... All runs of the experiment are sorted and filtered, not only those of the page.
 *
 */
export interface RunsMessages {
  page?: RunsPage;
  comparison?: RunsComparison;
}
export interface RunsPage {
  experiment: string;
  /**
   * Without a password.
   */
  trackingUri: string;
  columns: RunColumn[];
  rows: RunRow[];
  offset: number;
  /**
   * How many of the known runs pass the filter.
   */
  matching: number;
  /**
   * How many runs have been read so far.
   */
  known: number;
  /**
   * Whether that is all of them; ask again while it is not.
   */
  complete: boolean;
  /**
   * What else there is to know, such as runs that wait on disk.
   */
  notes: string[];
}
export interface RunColumn {
  key: string;
  title: string;
  kind: 'name' | 'when' | 'status' | 'duration' | 'metric' | 'param' | 'tag';
  numeric: boolean;
  /**
   * Of a metric: whether lower is better.
   */
  lower: boolean | null;
  /**
   * Worth a place on the screen unasked.
   */
  shown: boolean;
}
export interface RunRow {
  id: string;
  name: string;
  status: 'RUNNING' | 'SCHEDULED' | 'FINISHED' | 'FAILED' | 'KILLED';
  parent: string | null;
  /**
   * Its page in MLflow, where the store is a server.
   */
  link: string | null;
  /**
   * Milliseconds since 1970.
   */
  started: number;
  /**
   * In the order of the columns; times in ms since 1970, durations in seconds; NaN and infinities are texts.
   */
  values: Cell[];
}
export interface RunsComparison {
  runs: ComparedRun[];
  params: ComparedValue[];
  metrics: ComparedMetric[];
  /**
   * For two runs: code, data, git, packages.
   */
  differences: ComparedDifference[];
  notes: string[];
}
export interface ComparedRun {
  id: string;
  name: string;
  status: string;
  started: number;
  link: string | null;
}
export interface ComparedValue {
  name: string;
  /**
   * One for each run.
   */
  values: (string | null)[];
  same: boolean;
}
export interface ComparedMetric {
  name: string;
  values: (number | null)[];
  lower: boolean;
  /**
   * Position of the run with the best value; null where they tie.
   */
  best: number | null;
}
export interface ComparedDifference {
  /**
   * Code of the cell, Notebook, Data, Git, Packages.
   */
  title: string;
  /**
   * A unified diff or one line for each difference.
   */
  text: string;
}
