import type { RunsComparison } from '../../api/messages/runs';

/** A Vega-Lite chart. */
export type ChartSpec = Record<string, unknown>;

/** Colours and fonts of the theme, as a chart needs them: it cannot read style sheets. */
export interface IChartTheme {
  text: string;
  line: string;
  mark: string;
  font: string;
}

const VARIABLES: Record<keyof IChartTheme, [string, string]> = {
  text: ['--jp-ui-font-color1', 'black'],
  line: ['--jp-border-color1', 'gray'],
  mark: ['--jp-brand-color1', 'steelblue'],
  font: ['--jp-ui-font-family', 'sans-serif']
};

/** What the theme is now. */
export function chartTheme(style = getComputedStyle(document.body)): IChartTheme {
  const read = ([name, otherwise]: [string, string]): string => style.getPropertyValue(name).trim() || otherwise;
  const { text, line, mark, font } = VARIABLES;
  return { text: read(text), line: read(line), mark: read(mark), font: read(font) };
}

function themed(spec: ChartSpec, theme: IChartTheme): ChartSpec {
  const words = { labelColor: theme.text, titleColor: theme.text, labelFont: theme.font, titleFont: theme.font };
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    background: null,
    config: {
      axis: { ...words, gridColor: theme.line, domainColor: theme.line, tickColor: theme.line, gridOpacity: 0.4 },
      header: words,
      mark: { color: theme.mark },
      text: { color: theme.text, font: theme.font },
      view: { stroke: theme.line }
    },
    ...spec
  };
}

const PANEL = 440; // px of a metric with the names of the runs

/** Names of runs that tell them apart in a chart. */
export function runLabels(runs: RunsComparison['runs']): string[] {
  const names = runs.map(one => one.name);
  return runs.map(({ name, id }) => (names.filter(one => one === name).length > 1 ? `${name} (${id.slice(0, 6)})` : name));
}

/** The metrics of some runs: a bar for each run, a panel for each metric. Null where there is none. */
export function barsSpec(comparison: RunsComparison, theme: IChartTheme, best: string, width = 400): ChartSpec | null {
  const labels = runLabels(comparison.runs);
  const values = comparison.metrics
    .filter(metric => metric.values.some(value => value !== null))
    .flatMap(metric =>
      metric.values.flatMap((value, place) =>
        value === null ? [] : [{ metric: metric.name, run: labels[place], value, mark: place === metric.best ? `★ ${best}` : '' }]
      )
    );
  if (!values.length) {
    return null;
  }
  const y = { field: 'run', type: 'nominal', sort: labels, title: null, axis: { labelLimit: 140 } };
  return themed(
    {
      data: { values },
      facet: { field: 'metric', type: 'nominal', title: null, sort: comparison.metrics.map(one => one.name) },
      columns: Math.max(1, Math.floor(width / PANEL)),
      resolve: { scale: { x: 'independent' } },
      spec: {
        width: 220,
        height: { step: 22 },
        layer: [
          {
            mark: { type: 'bar', height: { band: 0.7 } },
            encoding: { y, x: { field: 'value', type: 'quantitative', title: null }, tooltip: tooltips(['run', 'metric', 'value']) }
          },
          {
            mark: { type: 'text', align: 'left', dx: 4 },
            encoding: { y, x: { field: 'value', type: 'quantitative' }, text: { field: 'mark' } }
          }
        ]
      }
    },
    theme
  );
}

/** A run as a point of a chart. */
export interface IPoint {
  run: string;
  x: number | string;
  y: number;
}

/** A parameter or metric against a metric, over many runs. */
export function scatterSpec(points: readonly IPoint[], x: string, y: string, theme: IChartTheme, width = 400): ChartSpec {
  const numeric = points.every(point => typeof point.x === 'number');
  return themed(
    {
      data: { values: points },
      width,
      height: 360,
      autosize: { type: 'fit', contains: 'padding' },
      mark: { type: 'point', filled: true, opacity: 0.6, size: 40, color: theme.mark },
      encoding: {
        x: { field: 'x', type: numeric ? 'quantitative' : 'nominal', title: x, scale: numeric ? { zero: false } : undefined },
        y: { field: 'y', type: 'quantitative', title: y, scale: { zero: false } },
        tooltip: [
          { field: 'run', type: 'nominal', title: 'run' },
          { field: 'x', type: numeric ? 'quantitative' : 'nominal', title: x },
          { field: 'y', type: 'quantitative', title: y }
        ]
      }
    },
    theme
  );
}

function tooltips(fields: readonly string[]): ChartSpec[] {
  return fields.map(field => ({ field, type: field === 'value' ? 'quantitative' : 'nominal' }));
}
