import type { TranslationBundle } from '@jupyterlab/translation';
import { useState } from 'react';

import type { ComparedMetric, ComparedValue, RunsComparison } from '../../api/messages/runs';
import { useAnswer } from '../../components/answer';
import { numberText, timeText } from '../../components/format';
import { safeLink } from '../../components/links';
import { Empty, Failure } from '../../components/state';
import { canDraw, Chart, useChartTheme } from './chart';
import { barsSpec, ChartSpec, runLabels } from './chart-spec';
import { statusWord } from './status';
import type { IRunsContext } from './view';

const MOST = 12; // metrics that are drawn; the table has all

/** Some runs side by side, as a tab. */
export function CompareTab(props: { context: IRunsContext; path: string; runs: readonly string[] }): JSX.Element {
  const { context, path, runs } = props;
  const { api, trans } = context;
  const { answer, error, retry } = useAnswer(signal => api.compareRuns(path, runs, signal), [api, path, runs]);
  if (error) {
    return <Failure error={error} trans={trans} retry={retry} />;
  }
  return answer ? <CompareView comparison={answer} context={context} /> : <Empty title={trans.__('Comparing…')} />;
}

/** Parameters and metrics side by side, a chart, and for two runs what else differs. */
export function CompareView(props: {
  comparison: RunsComparison;
  context: Pick<IRunsContext, 'rendermime' | 'themes' | 'trans'>;
}): JSX.Element {
  const { comparison, context } = props;
  const { rendermime, trans } = context;
  const [differing, setDiffering] = useState(false);
  const theme = useChartTheme(context.themes);
  const metrics = chosen(comparison.metrics, sameMetric, differing);
  const params = chosen(comparison.params, one => one.same, differing);
  const drawn = { ...comparison, metrics: metrics.slice(0, MOST) };
  const spec = (width: number): ChartSpec | null => barsSpec(drawn, theme, trans.__('best'), width);
  return (
    <div className="jp-mlops-Compare">
      <label className="jp-mlops-Compare-switch">
        <input type="checkbox" className="jp-mod-styled" checked={differing} onChange={event => setDiffering(event.target.checked)} />
        <span>{trans.__('Only differences')}</span>
      </label>
      <div className="jp-mlops-Compare-scroll" tabIndex={0} role="region" aria-label={trans.__('Parameters and metrics')}>
        <table className="jp-mlops-CompareTable">
          <RunsHead comparison={comparison} trans={trans} />
          <MetricRows metrics={metrics} runs={comparison.runs.length} trans={trans} />
          <ParamRows params={params} runs={comparison.runs.length} trans={trans} />
        </table>
      </div>
      {differing && !metrics.length && !params.length && <p>{trans.__('Parameters and metrics are all the same.')}</p>}
      {drawn.metrics.length > 0 && canDraw(rendermime) && (
        <section aria-label={trans.__('Chart')}>
          <h3>{trans.__('Metrics')}</h3>
          <Chart
            spec={spec}
            rendermime={rendermime}
            label={trans.__('Bars of the metrics of each run; the table above has the same numbers')}
            failed={trans.__('The chart could not be drawn. The table has its numbers.')}
          />
        </section>
      )}
      {comparison.differences.map(one => (
        <details key={one.title} className="jp-mlops-Fold" open>
          <summary>{one.title}</summary>
          <Diff text={one.text} label={one.title} />
        </details>
      ))}
      {comparison.notes.length > 0 && (
        <ul>
          {comparison.notes.map(note => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** Those that differ first; the others after them, or not at all. */
export function chosen<T>(values: readonly T[], isSame: (one: T) => boolean, differing: boolean): T[] {
  const different = values.filter(one => !isSame(one));
  return differing ? different : [...different, ...values.filter(isSame)];
}

function sameMetric(metric: ComparedMetric): boolean {
  return new Set(metric.values).size === 1;
}

function RunsHead({ comparison, trans }: { comparison: RunsComparison; trans: TranslationBundle }): JSX.Element {
  const labels = runLabels(comparison.runs);
  return (
    <thead>
      <tr>
        <td />
        {comparison.runs.map((run, place) => {
          const link = safeLink(run.link);
          return (
            <th key={run.id} scope="col">
              {link ? (
                <a href={link} target="_blank" rel="noopener noreferrer">
                  {labels[place]}
                </a>
              ) : (
                labels[place]
              )}
              <div className="jp-mlops-Compare-when">
                {statusWord(run.status, trans)}, {timeText(run.started)}
              </div>
            </th>
          );
        })}
      </tr>
    </thead>
  );
}

function MetricRows({ metrics, runs, trans }: { metrics: readonly ComparedMetric[]; runs: number; trans: TranslationBundle }): JSX.Element {
  return (
    <tbody>
      <tr>
        <th scope="rowgroup" colSpan={runs + 1} className="jp-mlops-Compare-group">
          {trans.__('Metrics')}
        </th>
      </tr>
      {metrics.map(metric => (
        <tr key={metric.name} data-differs={!sameMetric(metric) || undefined}>
          <th scope="row" title={metric.lower ? trans.__('Lower is better') : trans.__('Higher is better')}>
            {metric.name} <span aria-hidden="true">{metric.lower ? '↓' : '↑'}</span>
          </th>
          {metric.values.map((value, place) => (
            <td key={place} className="jp-mlops-Compare-number" data-best={place === metric.best || undefined}>
              {value === null ? '–' : numberText(value)}
              {place === metric.best && <span className="jp-mlops-Compare-best"> ★ {trans.__('best')}</span>}
            </td>
          ))}
        </tr>
      ))}
    </tbody>
  );
}

function ParamRows({ params, runs, trans }: { params: readonly ComparedValue[]; runs: number; trans: TranslationBundle }): JSX.Element {
  return (
    <tbody>
      <tr>
        <th scope="rowgroup" colSpan={runs + 1} className="jp-mlops-Compare-group">
          {trans.__('Parameters')}
        </th>
      </tr>
      {params.map(param => (
        <tr key={param.name} data-differs={!param.same || undefined}>
          <th scope="row">{param.name}</th>
          {param.values.map((value, place) => (
            <td key={place}>{value ?? '–'}</td>
          ))}
        </tr>
      ))}
    </tbody>
  );
}

/** A unified diff; the signs at the lines say what the colours do. */
function Diff({ text, label }: { text: string; label: string }): JSX.Element {
  return (
    <pre className="jp-mlops-Log jp-mlops-Diff" tabIndex={0} role="region" aria-label={label}>
      {text.split('\n').map((line, number) => (
        <span key={number} data-sign={/^(\+(?!\+\+)|-(?!--))/.test(line) ? line[0] : undefined}>
          {line + '\n'}
        </span>
      ))}
    </pre>
  );
}
