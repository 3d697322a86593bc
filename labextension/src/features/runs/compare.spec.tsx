import { nullTranslator } from '@jupyterlab/translation';
import { fireEvent, render, screen, within } from '@testing-library/react';

import type { RunsComparison } from '../../api/messages/runs';
import { seriousFindings } from '../../testing/axe';
import { barsSpec, chartTheme, runLabels, scatterSpec } from './chart-spec';
import { CompareView } from './compare';
import { COLUMNS, FakeServer } from './fake';
import { knownRuns } from './rows';
import { loadMany, pointsOf, ScatterView } from './scatter';

const trans = nullTranslator.load('jupyter_mlops');
const context = { rendermime: null, themes: null, trans };
const COMPARISON: RunsComparison = {
  runs: [
    { id: 'aaaaaaaa1', name: 'tree', status: 'FINISHED', started: 1_700_000_000_000, link: 'https://mlflow.test/#/1' },
    { id: 'bbbbbbbb2', name: 'tree', status: 'FAILED', started: 1_700_000_100_000, link: 'javascript:alert(1)' }
  ],
  params: [
    { name: 'seed', values: ['1', '1'], same: true },
    { name: 'depth', values: ['3', null], same: false }
  ],
  metrics: [
    { name: 'rows', values: [100, 100], lower: false, best: null },
    { name: 'loss', values: [0.25, 0.123456789], lower: true, best: 1 }
  ],
  differences: [{ title: 'Code of the cell', text: '--- a\n+++ b\n-x = 1\n+x = 2' }],
  notes: ['The first run has no snapshot.']
};

describe('a comparison', () => {
  it('has what differs first, and the best in words', async () => {
    const { container } = render(<CompareView comparison={COMPARISON} context={context} />);
    const names = screen.getAllByRole('rowheader').map(one => one.textContent);
    expect(names).toEqual(['Metrics', 'loss ↓', 'rows ↑', 'Parameters', 'depth', 'seed']);
    const loss = screen.getByRole('rowheader', { name: /loss/ }).closest('tr')!;
    expect(within(loss).getAllByRole('cell').map(one => one.textContent)).toEqual(['0.25', '0.123457 ★ best']);
    expect(screen.getAllByRole('link').map(one => one.getAttribute('href'))).toEqual(['https://mlflow.test/#/1']);
    expect(container.querySelectorAll('[data-sign]')).toHaveLength(2);
    expect(screen.getByText('The first run has no snapshot.')).toBeTruthy();
    expect(await seriousFindings(container)).toEqual([]);
  });

  it('leaves out what is the same when one wants that', () => {
    render(<CompareView comparison={COMPARISON} context={context} />);
    fireEvent.click(screen.getByRole('checkbox', { name: 'Only differences' }));
    expect(screen.getAllByRole('rowheader').map(one => one.textContent)).toEqual(['Metrics', 'loss ↓', 'Parameters', 'depth']);
  });

  it('is drawn with a panel for each metric; the best one is named', () => {
    expect(runLabels(COMPARISON.runs)).toEqual(['tree (aaaaaa)', 'tree (bbbbbb)']);
    const spec = barsSpec(COMPARISON, chartTheme(), 'best') as { data: { values: { mark: string }[] } };
    expect(spec.data.values).toHaveLength(4);
    expect(spec.data.values.filter(one => one.mark)).toEqual([
      { metric: 'loss', run: 'tree (bbbbbb)', value: 0.123456789, mark: '★ best' }
    ]);
    expect(barsSpec({ ...COMPARISON, metrics: [] }, chartTheme(), 'best')).toBeNull();
  });
});

describe('many runs', () => {
  const query = { path: 'a.ipynb', offset: 0, limit: 0, sort: '', descending: true, filter: 'x' };

  it('are read in pages, as many as a chart can hold', async () => {
    const server = new FakeServer(250);
    const found = await loadMany(server.api, query, new AbortController().signal, 1000, 100);
    expect(found.runs).toHaveLength(250);
    expect(server.asked.map(one => [one.offset, one.limit, one.filter])).toEqual([[0, 100, 'x'], [100, 100, 'x'], [200, 100, 'x']]);
    const some = await loadMany(server.api, query, new AbortController().signal, 200, 100);
    expect([some.runs.length, some.matching]).toEqual([200, 250]);
  });

  it('are points of a parameter and a metric', () => {
    const runs = knownRuns(new FakeServer(3).page(0, 3));
    expect(pointsOf(runs, 'param:lr', 'metric:auc').map(one => one.x)).toEqual([0.1, 0.1, 0.1]);
    expect(pointsOf(runs, 'name', 'metric:auc').map(one => one.x)).toEqual(['run 2', 'run 1', 'run 0']);
    expect(pointsOf(runs, 'param:none', 'metric:auc')).toEqual([]);
    const spec = scatterSpec(pointsOf(runs, 'name', 'metric:auc'), 'name', 'auc', chartTheme()) as { encoding: { x: { type: string } } };
    expect(spec.encoding.x.type).toBe('nominal');
  });

  it('are a table where no chart can be drawn', async () => {
    const runs = knownRuns(new FakeServer(3).page(0, 3));
    const { container } = render(<ScatterView loaded={{ runs, columns: COLUMNS, matching: 3 }} context={context} />);
    expect(screen.getAllByRole('row')).toHaveLength(4);
    fireEvent.change(screen.getByRole('combobox', { name: 'Up' }), { target: { value: 'metric:loss' } });
    expect(screen.getByRole('columnheader', { name: 'loss' })).toBeTruthy();
    expect(await seriousFindings(container)).toEqual([]);
  });
});
