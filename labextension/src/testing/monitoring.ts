import type { Column, MonitorReport } from '../api/messages/monitor';
import type { Monitoring } from '../api/messages/monitoring';

export function column(name: string, distance: number, more: Partial<Column> = {}): Column {
  return {
    column: name, kind: 'float', method: 'wasserstein', distance, threshold: 0.1, missing: 0, missing_before: 0, new_levels: null,
    drifted: distance > 0.1, ...more
  };
}

export function monitorReport(more: Partial<MonitorReport> = {}): MonitorReport {
  return {
    model: 'penguins', version: '1', window: { since: '2026-11-23T12:00:00+00:00', until: '2026-11-30T12:00:00+00:00' }, verdict: 'ok',
    reason: '', rows: 1234, sampled: 1234, reference: { source: 'rows held out', rows: 2000 }, alerts: [], driftedShare: 0,
    columns: [column('weight', 0.02), column('island', 0.01, { kind: 'string', method: 'jensenshannon', new_levels: 0 })],
    prediction: column('prediction', 0.03), labelled: 0, quality: null, ...more
  };
}

/** What the server says of some windows, the oldest first. */
export function monitoring(reports: MonitorReport[]): Monitoring {
  const windows = reports.map((_, at) => `2026110${at + 1}T120000`);
  const last = reports.length - 1;
  return {
    version: '1',
    last: last < 0 ? null : { window: windows[last], pages: ['report', 'drift'], report: { ...reports[last] } },
    trend: reports.map((one, at) => ({
      window: windows[at], until: Date.UTC(2026, 10, at + 1, 12), verdict: one.verdict, rows: one.rows, driftedShare: one.driftedShare,
      prediction: one.prediction?.distance ?? null, score: one.quality?.value ?? null
    }))
  };
}
