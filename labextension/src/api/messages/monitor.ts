/* From jupyter_mlops/schema/monitor.schema.json by `jlpm types`. */

export interface MonitorReport {
  model: string;
  version: string;
  window: {
    since: string;
    until: string;
  };
  verdict: 'ok' | 'alert' | 'inconclusive';
  /**
   * why there is no verdict
   */
  reason: string;
  /**
   * predicted in the window
   */
  rows: number;
  /**
   * of them compared
   */
  sampled: number;
  reference: {
    source: string;
    rows: number;
  };
  alerts: {
    kind: 'data-drift' | 'prediction-drift' | 'missing-values' | 'concept-drift';
    message: string;
  }[];
  /**
   * of the columns
   */
  driftedShare: number | null;
  columns: Column[];
  prediction: Column | null;
  /**
   * compared rows whose label is known
   */
  labelled: number;
  quality: null | {
    score: string;
    less_is_better: boolean;
    rows: number;
    value: number | null;
    reference_rows: number;
    reference: number | null;
    /**
     * the window's score less the reference's
     */
    difference: number | null;
    low: number | null;
    high: number | null;
    margin: number;
    confidence: number;
    verdict: 'worse' | 'not worse' | 'inconclusive';
  };
}
export interface Column {
  column: string;
  kind: 'float' | 'integer' | 'boolean' | 'string' | 'datetime';
  method: 'wasserstein' | 'jensenshannon' | 'abs_text_content_drift';
  distance: number | null;
  threshold: number;
  missing: number;
  missing_before: number;
  new_levels: number | null;
  drifted: boolean;
}
