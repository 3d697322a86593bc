import type { TranslationBundle } from '@jupyterlab/translation';

import type { MonitorReport } from '../../api/messages/monitor';
import type { TrendPoint } from '../../api/messages/monitoring';
import { percentText, roughText, scoreText, shortDateText, timeText } from '../../components/format';
import { verdictWord } from './words';

const [WIDTH, HEIGHT, EDGE] = [300, 44, 6];

/** What is drawn over the windows. */
interface Series {
  name: string;
  values: readonly (number | null)[];
  text: (value: number) => string;
  /** Drawn as a dashed line, with what it is. */
  line?: { value: number; name: string };
  least?: number;
  most?: number;
}

/** The windows so far: a small chart for each figure, and all of it as a table. */
export function Trend(props: { trend: readonly TrendPoint[]; report: MonitorReport; trans: TranslationBundle }): JSX.Element | null {
  const { trend, report, trans } = props;
  if (trend.length < 2) {
    return null;
  }
  const drawn = seriesOf(trend, report, trans).filter(one => one.values.filter(value => value !== null).length > 1);
  return (
    <>
      <h4>{trans._n('Trend over %1 window', 'Trend over %1 windows', trend.length)}</h4>
      {drawn.map(one => (
        <Chart key={one.name} series={one} trans={trans} />
      ))}
      <details className="jp-mlops-Fold">
        <summary>{trans.__('All windows')}</summary>
        <Windows trend={trend} score={report.quality?.score ?? null} trans={trans} />
      </details>
    </>
  );
}

function seriesOf(trend: readonly TrendPoint[], report: MonitorReport, trans: TranslationBundle): Series[] {
  const { prediction, quality } = report;
  const before = quality?.reference ?? null;
  return [
    { name: trans.__('Columns that drifted'), values: trend.map(one => one.driftedShare), text: percentText, least: 0, most: 1 },
    {
      name: trans.__('Drift of the predictions'), values: trend.map(one => one.prediction), text: roughText, least: 0,
      line: prediction ? { value: prediction.threshold, name: trans.__('limit %1', roughText(prediction.threshold)) } : undefined
    },
    {
      name: quality ? trans.__('Score (%1)', quality.score) : trans.__('Score'), values: trend.map(one => one.score), text: scoreText,
      line: before === null ? undefined : { value: before, name: trans.__('reference %1', scoreText(before)) }
    }
  ];
}

function Chart({ series, trans }: { series: Series; trans: TranslationBundle }): JSX.Element {
  const { name, values, text, line, least, most } = series;
  const known = values.flatMap((value, at) => (value === null ? [] : [{ value, at }]));
  const last = known[known.length - 1].value;
  const points = pointsOf(values, [...(line ? [line.value] : []), ...(least === undefined ? [] : [least]), ...(most === undefined ? [] : [most])]);
  const path = points.dots.map(([x, y]) => `${x},${y}`).join(' ');
  const label = trans.__('%1: %2 in the first window, %3 in the last', name, text(known[0].value), text(last));
  return (
    <figure className="jp-mlops-Trend">
      <figcaption>
        {name}: <strong>{text(last)}</strong>
        {line && <span className="jp-mlops-Trend-line"> ({trans.__('dashed: %1', line.name)})</span>}
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
        {line && <line className="jp-mlops-Trend-limit" x1={0} x2={WIDTH} y1={points.y(line.value)} y2={points.y(line.value)} />}
        <polyline points={path} />
        {points.dots.map(([x, y], place) => (
          // A line of no length with round ends: a circle would be as wide as the sidebar makes it.
          <path key={place} d={`M${x} ${y}h0`}>
            <title>{text(known[place].value)}</title>
          </path>
        ))}
      </svg>
    </figure>
  );
}

/** Where the values lie; one for each window, the same room between them. */
export function pointsOf(values: readonly (number | null)[], others: readonly number[]): { dots: [number, number][]; y: (value: number) => number } {
  const all = [...values.filter(value => value !== null), ...others];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const span = high - low || 1;
  const y = (value: number): number => round(HEIGHT - EDGE - ((value - low) / span) * (HEIGHT - 2 * EDGE));
  const step = (WIDTH - 2 * EDGE) / Math.max(1, values.length - 1);
  return { dots: values.flatMap((value, at): [number, number][] => (value === null ? [] : [[round(EDGE + at * step), y(value)]])), y };
}

function round(value: number): number {
  return Math.round(10 * value) / 10;
}

function Windows(props: { trend: readonly TrendPoint[]; score: string | null; trans: TranslationBundle }): JSX.Element {
  const { trend, score, trans } = props;
  const figure = (value: number | null, text: (value: number) => string): string => (value === null ? '–' : text(value));
  return (
    <table className="jp-mlops-Table" aria-label={trans.__('All windows')}>
      <thead>
        <tr>
          <th scope="col">{trans.__('Until')}</th>
          <th scope="col">{trans.__('Verdict')}</th>
          <th scope="col">{trans.__('Drifted')}</th>
          <th scope="col">{trans.__('Predictions')}</th>
          <th scope="col">{score ?? trans.__('Score')}</th>
        </tr>
      </thead>
      <tbody>
        {[...trend].reverse().map(one => (
          <tr key={one.window}>
            <th scope="row" title={timeText(one.until)}>
              {shortDateText(one.until)}
            </th>
            <td>{verdictWord(one.verdict, trans)}</td>
            <td>{figure(one.driftedShare, percentText)}</td>
            <td>{figure(one.prediction, roughText)}</td>
            <td>{figure(one.score, scoreText)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
