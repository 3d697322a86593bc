import { useId, useMemo, useState } from 'react';

import type { Api, RunsQuery } from '../../api/client';
import type { RunColumn } from '../../api/messages/runs';
import { useAnswer } from '../../components/answer';
import { numberText } from '../../components/format';
import { Empty, Failure } from '../../components/state';
import { canDraw, Chart, useChartTheme } from './chart';
import { IPoint, scatterSpec } from './chart-spec';
import { KnownRun, knownRuns, valueOf } from './rows';
import type { IRunsContext } from './view';

const PAGE = 1000;
const MOST = 5000; // points that a chart still draws well

interface ILoaded {
  runs: KnownRun[];
  columns: RunColumn[];
  matching: number;
}

/** Many runs as points: a parameter against a metric, as a tab. */
export function ScatterTab(props: { context: IRunsContext; query: RunsQuery }): JSX.Element {
  const { context, query } = props;
  const { api, trans } = context;
  const { answer, error, retry } = useAnswer(signal => loadMany(api, query, signal), [api, query]);
  if (error) {
    return <Failure error={error} trans={trans} retry={retry} />;
  }
  return answer ? <ScatterView loaded={answer} context={context} /> : <Empty title={trans.__('Reading the runs…')} />;
}

/** Runs of the list from its first on, as many as a chart can hold. */
export async function loadMany(api: Pick<Api, 'runs'>, query: RunsQuery, signal: AbortSignal, most = MOST, page = PAGE): Promise<ILoaded> {
  const runs = new Map<string, KnownRun>(); // a run that begins meanwhile moves others to the next page
  let loaded: ILoaded = { runs: [], columns: [], matching: 0 };
  for (let offset = 0; offset < most; offset += page) {
    const answer = await api.runs({ ...query, offset, limit: page }, signal);
    knownRuns(answer).forEach(one => runs.set(one.run.id, one));
    loaded = { runs: [...runs.values()], columns: answer.columns, matching: answer.matching };
    if (!answer.rows.length || offset + page >= answer.matching) {
      break;
    }
  }
  return loaded;
}

/** Points of the runs that have both values; x is a number where all of them are. */
export function pointsOf(runs: readonly KnownRun[], x: string, y: string): IPoint[] {
  const pairs = runs.flatMap(known => {
    const [a, b] = [valueOf(known, x), valueOf(known, y)];
    return a !== null && a !== '' && typeof b === 'number' ? [{ run: known.run.name, x: a, y: b }] : [];
  });
  const numeric = pairs.every(pair => Number.isFinite(Number(pair.x)));
  return pairs.map(pair => ({ ...pair, x: numeric ? Number(pair.x) : String(pair.x) }));
}

export function ScatterView(props: {
  loaded: ILoaded;
  context: Pick<IRunsContext, 'rendermime' | 'themes' | 'trans'>;
}): JSX.Element {
  const { loaded, context } = props;
  const { rendermime, trans } = context;
  const id = useId();
  const theme = useChartTheme(context.themes);
  const metrics = loaded.columns.filter(column => column.kind === 'metric');
  const across = loaded.columns.filter(column => column.kind === 'param' || column.kind === 'metric');
  const [chosenX, setX] = useState<string | null>(null);
  const [chosenY, setY] = useState<string | null>(null);
  const x = across.find(one => one.key === chosenX) ?? across.find(one => one.kind === 'param') ?? across[1] ?? across[0];
  const y = metrics.find(one => one.key === chosenY) ?? metrics[0];
  const points = useMemo(() => (x && y ? pointsOf(loaded.runs, x.key, y.key) : []), [loaded, x, y]);
  if (!x || !y) {
    return <Empty title={trans.__('No run has a metric.')}>{trans.__('Log numbers with mlflow.log_metric, or print them in a tracked cell.')}</Empty>;
  }
  const choice = (name: string, label: string, columns: RunColumn[], value: RunColumn, set: (key: string) => void): JSX.Element => (
    <div>
      <label htmlFor={`${id}-${name}`}>{label}</label>
      <select id={`${id}-${name}`} className="jp-mod-styled" value={value.key} onChange={event => set(event.target.value)}>
        {columns.map(column => (
          <option key={column.key} value={column.key}>
            {column.title}
          </option>
        ))}
      </select>
    </div>
  );
  return (
    <div className="jp-mlops-Scatter">
      <div className="jp-mlops-Scatter-choice">
        {choice('x', trans.__('Across'), across, x, setX)}
        {choice('y', trans.__('Up'), metrics, y, setY)}
      </div>
      <p role="status">
        {trans.__('%1 of %2 runs have both values.', numberText(points.length), numberText(loaded.runs.length))}{' '}
        {loaded.matching > loaded.runs.length && trans.__('Only the first %1 of the list are drawn; filter it for others.', numberText(loaded.runs.length))}
      </p>
      {canDraw(rendermime) ? (
        points.length > 0 && (
          <Chart
            spec={width => scatterSpec(points, x.title, y.title, theme, width)}
            rendermime={rendermime}
            label={trans.__('%1 against %2, a point for each run', y.title, x.title)}
            failed={trans.__('The chart could not be drawn.')}
          />
        )
      ) : (
        <PointsTable points={points} x={x.title} y={y.title} run={trans.__('Run')} />
      )}
    </div>
  );
}

function PointsTable(props: { points: readonly IPoint[]; x: string; y: string; run: string }): JSX.Element {
  return (
    <table className="jp-mlops-CompareTable">
      <thead>
        <tr>
          <th scope="col">{props.run}</th>
          <th scope="col">{props.x}</th>
          <th scope="col">{props.y}</th>
        </tr>
      </thead>
      <tbody>
        {props.points.slice(0, 200).map((point, place) => (
          <tr key={place}>
            <th scope="row">{point.run}</th>
            <td>{point.x}</td>
            <td className="jp-mlops-Compare-number">{numberText(point.y)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
