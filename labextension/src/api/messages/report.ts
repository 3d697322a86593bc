/* From jupyter_mlops/schema/report.schema.json by `jlpm types`. */

export type Side = null | {
  rows?: number;
  labels_equal: boolean;
  max_abs_diff: number | null;
  mismatches: number;
  worst?: unknown[];
};

export interface ReportOfAConversion {
  status: 'registered' | 'generated' | 'failed';
  failed_step: 'read' | 'analyse' | 'lift' | 'plan' | 'render' | 'run' | 'export' | 'verify' | 'register' | null;
  boundary: 'raw' | 'engineered' | null;
  model: null | {
    variable: string;
    class: string | null;
    task: 'classification' | 'regression' | 'clustering' | 'outlier' | null;
  };
  metrics: {
    [k: string]: number | null;
  };
  parity: null | {
    rows: number;
    golden?: number;
    edge?: number;
    tolerance: {
      [k: string]: unknown;
    };
    carried?: 'package' | 'notebook';
    package: Side;
    service: Side;
    bundle: Side;
    reasons?: {
      [k: string]: string;
    };
  };
  problems: {
    code: string;
    severity: 'error' | 'warning' | 'info';
    message: string;
    cell?: number | null;
    line?: number | null;
    fix?: string | null;
    [k: string]: unknown;
  }[];
  /**
   * What the features learned in training; value is shortened for reading, the state file holds it whole.
   */
  state?: {
    name: string;
    value: string;
    cell: number | null;
    line: number | null;
    code: string;
  }[];
  /**
   * Tags that were suggested for the cells of an untagged notebook; tag null: a mixed cell.
   */
  tags?: {
    cell: number;
    tag: string | null;
    reason: string;
    parts: {
      stage: string | null;
      first_line: number;
      last_line: number;
    }[];
  }[];
  seconds: {
    [k: string]: number;
  };
  run_id: string | null;
  model_version: string | null;
  mismatch_allowed?: boolean;
  error?: string | null;
}
