import type { TranslationBundle } from '@jupyterlab/translation';

import type { MonitorReport } from '../../api/messages/monitor';
import { differenceText, percentText, scoreText } from '../../components/format';
import type { LookOptions } from './model';

const MISSING = 0.01; // a rise of the share of missing values that is worth a word
const LEVELS = 0.01; // and a share of rows with levels that nobody has seen in training

/** A verdict in one word. */
export function verdictWord(verdict: MonitorReport['verdict'], trans: TranslationBundle): string {
  const words: Record<MonitorReport['verdict'], string> = {
    ok: trans.__('ok'),
    alert: trans.__('alert'),
    inconclusive: trans.__('inconclusive')
  };
  return words[verdict];
}

/** The verdict of a report in a sentence. */
export function verdictText(report: MonitorReport, trans: TranslationBundle): string {
  switch (report.verdict) {
    case 'alert':
      return trans._n('%1 alert', '%1 alerts', report.alerts.length);
    case 'inconclusive':
      return trans.__('No verdict: %1.', report.reason);
    case 'ok':
      return trans.__('Nothing to look at.');
  }
}

export function alertTitle(kind: MonitorReport['alerts'][number]['kind'], trans: TranslationBundle): string {
  const titles: Record<typeof kind, string> = {
    'data-drift': trans.__('Data drift'),
    'prediction-drift': trans.__('Prediction drift'),
    'missing-values': trans.__('Missing values'),
    'concept-drift': trans.__('Concept drift')
  };
  return titles[kind];
}

/** How right the model was, as far as labels are known. */
export function qualityText({ quality, labelled }: MonitorReport, trans: TranslationBundle): string {
  if (!quality) {
    return labelled ? trans.__('%1 of the rows have a label, too few to score.', labelled) : trans.__('No labels are known yet, so there is no score.');
  }
  const number = (value: number | null, text = scoreText): string => (value === null ? '–' : text(value));
  const verdicts: Record<typeof quality.verdict, string> = {
    worse: trans.__('worse'),
    'not worse': trans.__('not worse'),
    inconclusive: trans.__('inconclusive')
  };
  return trans.__(
    '%1 %2 on %3 labelled rows, %4 on the reference: %5, %6 interval %7 to %8, %9.',
    quality.score,
    number(quality.value),
    quality.rows,
    number(quality.reference),
    number(quality.difference, differenceText),
    percentText(quality.confidence),
    number(quality.low, differenceText),
    number(quality.high, differenceText),
    verdicts[quality.verdict]
  );
}

/** What columns lack that they did not lack before, and what they hold that nobody has seen. */
export function oddities({ columns }: MonitorReport, trans: TranslationBundle): string[] {
  return columns.flatMap(one => {
    const found: string[] = [];
    if (one.missing - one.missing_before >= MISSING) {
      found.push(trans.__('%1 is missing in %2 of the rows, %3 in the reference.', one.column, percentText(one.missing), percentText(one.missing_before)));
    }
    if ((one.new_levels ?? 0) >= LEVELS) {
      found.push(trans.__('%1 has values in %2 of the rows that the reference does not have.', one.column, percentText(one.new_levels!)));
    }
    return found;
  });
}

/** Titles of the steps of a look. */
export function lookTitles(trans: TranslationBundle): (name: string) => string {
  const titles: Record<string, string> = {
    read: trans.__('Prediction log'),
    drift: trans.__('Drift'),
    quality: trans.__('Score'),
    tell: trans.__('Telling of it')
  };
  return name => titles[name] ?? name;
}

export function windowTitle(window: LookOptions['window'], trans: TranslationBundle): string {
  if (window === null) {
    return trans.__('the window that monitoring.yaml says');
  }
  const titles: Record<typeof window, string> = {
    '1h': trans.__('the last hour'),
    '24h': trans.__('the last 24 hours'),
    '7d': trans.__('the last 7 days'),
    '30d': trans.__('the last 30 days'),
    '90d': trans.__('the last 90 days')
  };
  return titles[window];
}
