/* From jupyter_mlops/schema/api/monitoring.yaml by `jlpm types`. */

/**
 * End of the window in UTC.
 */
export type WindowId = string;

/**
 * GET monitoring?path=&model=, and the pages of a report, which are no JSON: GET monitoring/MODEL/VERSION/WINDOW/report.html and the same with drift.html. A job of the kind monitor (jobs.yaml) makes a report.
 *
 */
export interface MonitoringMessages {
  monitoring?: Monitoring;
}
export interface Monitoring {
  /**
   * That has the traffic; null where the model of this store is not deployed on the server's machine.
   */
  version: string | null;
  /**
   * The report of the window that ends last; null where nobody has looked yet.
   */
  last: null | LastReport;
  /**
   * The last windows, the oldest first; that of the report is among them.
   */
  trend: TrendPoint[];
}
export interface LastReport {
  window: WindowId;
  /**
   * drift: Evidently's, where there were enough rows.
   */
  pages: ('report' | 'drift')[];
  /**
   * As monitor.schema.json says.
   */
  report: {
    [k: string]: unknown;
  };
}
export interface TrendPoint {
  window: WindowId;
  /**
   * Milliseconds since 1970.
   */
  until: number;
  verdict: 'ok' | 'alert' | 'inconclusive';
  rows: number;
  driftedShare: number | null;
  /**
   * Distance of the predictions.
   */
  prediction: number | null;
  /**
   * Of the labelled rows.
   */
  score: number | null;
}
