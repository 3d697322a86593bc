import type { ReportOfAConversion } from '../api/messages/report';
import type { Conversion } from '../features/convert/model';

/** A report of a good conversion, for tests. */
export function report(more: Partial<ReportOfAConversion> = {}): ReportOfAConversion {
  return {
    status: 'registered', failed_step: null, boundary: 'raw', model: null, metrics: { accuracy: 0.987654321 },
    parity: {
      rows: 60, tolerance: { absolute: 1e-6, relative: 1e-5, why: 'probabilities in float32' }, carried: 'package',
      package: { rows: 60, labels_equal: true, max_abs_diff: 0, mismatches: 0 },
      service: { rows: 60, labels_equal: true, max_abs_diff: 2.5e-7, mismatches: 0 },
      bundle: null, reasons: { bundle: 'the model has no ONNX form' }
    },
    problems: [
      { code: 'no-seed', severity: 'info', message: 'No seed.', cell: null, line: null, fix: null },
      { code: 'leak', severity: 'warning', message: 'The scaler saw the test rows.', cell: 1, line: 1, fix: 'Fit it on the training rows.' }
    ],
    seconds: {}, run_id: 'r1', model_version: '3', error: null, ...more
  };
}

export function conversion(more: Partial<Conversion> = {}): Conversion {
  return { ok: true, status: 'registered', project: 'n', projectName: 'penguins', bundle: true, kept: null, report: report(), ...more };
}
