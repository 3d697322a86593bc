import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { MainAreaWidget } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import { act, fireEvent, render, screen, within } from '@testing-library/react';

import { Api, ApiError } from '../../api/client';
import { JobsModel } from '../../api/jobs';
import type { MonitorReport } from '../../api/messages/monitor';
import { seriousFindings } from '../../testing/axe';
import { JobsForTest, settled } from '../../testing/jobs';
import { RegistryForTest } from '../../testing/models';
import { column, monitoring, monitorReport } from '../../testing/monitoring';
import { MonitoringModel } from './model';
import { MonitoringPanel } from './panel';
import { openPage } from './tab';
import { pointsOf } from './trend';

const trans = nullTranslator.load('jupyter_mlops');
const QUALITY: NonNullable<MonitorReport['quality']> = {
  score: 'accuracy', less_is_better: false, rows: 120, value: 0.91, reference_rows: 2000, reference: 0.97, difference: -0.06, low: -0.1, high: -0.02,
  margin: 0.02, confidence: 0.95, verdict: 'worse'
};
const FAR = monitorReport({
  verdict: 'alert', driftedShare: 2 / 8, labelled: 120, quality: QUALITY,
  alerts: [
    { kind: 'data-drift', message: '2 of 8 columns drifted: weight (0.7), island (0.3)' },
    { kind: 'concept-drift', message: 'accuracy 0.91, 0.97 on the reference' }
  ],
  columns: [
    ...['a', 'b', 'c', 'd', 'e', 'f'].map((name, at) => column(name, 0.01 * at)),
    column('weight', 0.7, { missing: 0.12, missing_before: 0.02 }),
    column('island', 0.3, { kind: 'string', method: 'jensenshannon', new_levels: 0.4 })
  ],
  prediction: column('prediction', 0.25)
});

describe('the panel of the monitor', () => {
  let server: JobsForTest;
  let registry: RegistryForTest;
  let model: MonitoringModel;
  const opened = jest.fn();

  async function shown(): Promise<HTMLElement> {
    const api = Object.assign({}, registry, server) as unknown as Api;
    model = new MonitoringModel(api, new JobsModel(api));
    const { container } = render(<MonitoringPanel model={model} api={api} openPage={opened} trans={trans} />);
    await act(async () => {
      model.watch('n.ipynb', 'penguins', '1');
      await settled();
    });
    return container;
  }

  beforeEach(() => {
    server = new JobsForTest();
    registry = new RegistryForTest();
    opened.mockClear();
  });
  afterEach(() => model.dispose());

  it('offers to look where nobody has', async () => {
    const container = await shown();
    expect(screen.getByText('Nobody has looked yet at what version 1 is asked.')).toBeTruthy();
    fireEvent.change(screen.getByLabelText('Window, up to the last row that was asked'), { target: { value: '24h' } });
    const rows = screen.getByLabelText('Rows that are needed to tell drift from chance');
    for (const [given, taken] of [['50', 50], ['-3', null], ['', null], ['60', 60]] as const) {
      fireEvent.change(rows, { target: { value: given } });
      expect(model.options.rows).toBe(taken);
    }
    await act(async () => {
      fireEvent.click(screen.getByRole('button', { name: 'Look Now' }));
      await settled();
    });
    expect(server.requests).toEqual([{ kind: 'monitor', path: 'n.ipynb', model: 'penguins', window: '24h', rows: 60 }]);
    expect(screen.getByRole('button', { name: 'Looking…' }).getAttribute('aria-disabled')).toBe('true');
    server.say('j1', 'read', 'started', 'version 1, 2026-11-23 to 2026-11-30');
    await act(async () => {
      await new Promise(done => setTimeout(done, 2200));
    });
    const [step] = within(screen.getByRole('list', { name: 'Steps of the look' })).getAllByRole('listitem');
    expect(step.textContent).toContain('Prediction log');
    expect(await seriousFindings(container)).toEqual([]);
  });

  it('says what was found, in words', async () => {
    registry.monitored = monitoring([monitorReport(), FAR]);
    const container = await shown();
    const text = screen.getByRole('region', { name: 'Monitoring' }).textContent!;
    for (const one of [
      '2 alerts',
      '1,234 rows were asked, 1,234 of them compared with 2,000 rows of the reference (rows held out).',
      'accuracy 0.91 on 120 labelled rows, 0.97 on the reference: -0.06, 95% interval -0.1 to -0.02, worse.',
      'weight is missing in 12% of the rows, 2% in the reference.',
      'island has values in 40% of the rows that the reference does not have.'
    ]) {
      expect(text).toContain(one);
    }
    const alerts = within(screen.getByRole('list', { name: 'Alerts' })).getAllByRole('listitem');
    expect(alerts.map(one => one.textContent)).toEqual([
      'Data drift: 2 of 8 columns drifted: weight (0.7), island (0.3)',
      'Concept drift: accuracy 0.91, 0.97 on the reference'
    ]);
    expect(await seriousFindings(container)).toEqual([]);
  });

  it('shows the farthest columns first, each against its limit', async () => {
    registry.monitored = monitoring([FAR]);
    await shown();
    const rows = (): HTMLElement[] =>
      within(screen.getByRole('table', { name: 'Distance of each column from the reference' })).getAllByRole('row').slice(1);
    expect(rows().map(row => row.textContent)).toEqual([
      'predictions0.25 / 0.1drifted', 'weight0.7 / 0.1drifted', 'island0.3 / 0.1drifted', 'f0.05 / 0.1', 'e0.04 / 0.1', 'd0.03 / 0.1', 'c0.02 / 0.1'
    ]);
    const bars = rows().map(row => row.querySelector<HTMLElement>('.jp-mlops-Drift-bar')!.style.width);
    expect(bars.slice(0, 4)).toEqual(['50%', '100%', '60%', '10%']); // five limits have room
    expect(rows()[0].querySelector<HTMLElement>('.jp-mlops-Drift-limit')!.style.left).toBe('20%');
    fireEvent.click(screen.getByRole('button', { name: 'Show 2 More Columns' }));
    expect(rows()).toHaveLength(9);
  });

  it('draws the trend, and tells it', async () => {
    registry.monitored = monitoring([monitorReport(), monitorReport({ verdict: 'inconclusive', driftedShare: null, prediction: null }), FAR]);
    await shown();
    expect(screen.getByRole('heading', { name: 'Trend over 3 windows' })).toBeTruthy();
    const charts = screen.getAllByRole('img').map(one => one.getAttribute('aria-label'));
    expect(charts).toEqual([
      'Columns that drifted: 0% in the first window, 25% in the last',
      'Drift of the predictions: 0.03 in the first window, 0.25 in the last'
    ]); // one window has a score: that is no line yet
    fireEvent.click(screen.getByText('All windows'));
    const rows = within(screen.getByRole('table', { name: 'All windows' })).getAllByRole('row').slice(1);
    expect(rows.map(row => [...row.querySelectorAll('td')].map(cell => cell.textContent))).toEqual([
      ['alert', '25%', '0.25', '0.91'], ['inconclusive', '–', '–', '–'], ['ok', '0%', '0.03', '–']
    ]);
  });

  it('says why there is no verdict, and how far labels are known', async () => {
    const reason = 'only 12 rows were asked in the window, and 200 are needed to tell drift from chance';
    registry.monitored = monitoring([monitorReport({ verdict: 'inconclusive', reason, driftedShare: null, columns: [], prediction: null, labelled: 3 })]);
    registry.monitored.last!.pages = ['report'];
    const container = await shown();
    expect(screen.getByText(`No verdict: ${reason}.`)).toBeTruthy();
    expect(screen.getByText('3 of the rows have a label, too few to score.')).toBeTruthy();
    expect(screen.queryByRole('table')).toBeNull();
    expect(screen.queryByRole('button', { name: 'Open Distributions' })).toBeNull();
    expect(await seriousFindings(container)).toEqual([]);
  });

  it('says how much has drifted where that is no alert', async () => {
    registry.monitored = monitoring([monitorReport({ columns: [column('a', 0.2), column('b', 0)], driftedShare: 0.5 })]);
    await shown();
    expect(screen.getByText('1 of 2 columns drifted (50%).')).toBeTruthy();
  });

  it('shows an error beside what is known', async () => {
    registry.monitored = monitoring([FAR]);
    await shown();
    server.refuse = new ApiError('not-found', 'Nothing that version 1 of penguins was asked is in the log.');
    await act(async () => {
      fireEvent.click(screen.getByRole('button', { name: 'Look Now' }));
      await settled();
    });
    expect(screen.getByRole('alert').textContent).toContain('Nothing that version 1');
    expect(screen.getByText('2 alerts')).toBeTruthy();
  });

  it('opens the pages', async () => {
    registry.monitored = monitoring([FAR]);
    await shown();
    fireEvent.click(screen.getByRole('button', { name: 'Open Report' }));
    fireEvent.click(screen.getByRole('button', { name: 'Open Distributions' }));
    expect(opened.mock.calls.map(([page]) => [page.kind, page.url, page.label])).toEqual([
      ['report', 'penguins/1/20261101T120000/report', 'Report: penguins version 1'],
      ['drift', 'penguins/1/20261101T120000/drift', 'Distributions: penguins version 1']
    ]);
  });
});

describe('a page of a report', () => {
  it('is in a frame that has no rights, and is read anew in the tab that shows it', () => {
    const added: MainAreaWidget[] = [];
    const add = (widget: MainAreaWidget): void => {
      added.push(widget);
      Widget.attach(widget, document.body);
    };
    const shell = { add, widgets: () => added[Symbol.iterator](), activateById: jest.fn() };
    const app = { shell } as unknown as JupyterFrontEnd;
    const page = { id: 'drift:m', label: 'Distributions: m', url: '/a', kind: 'drift' } as const;
    act(() => {
      openPage(app, page);
      openPage(app, { ...page, url: '/b' });
      openPage(app, { ...page, id: 'report:m', kind: 'report' });
    });
    expect(added).toHaveLength(2);
    const [drift, report] = added.map(one => one.node.querySelector('iframe')!);
    expect(drift.getAttribute('sandbox')).toBe('allow-scripts');
    expect(report.getAttribute('sandbox')).not.toContain('script');
    expect([drift, report].some(one => one.getAttribute('sandbox')!.includes('same-origin'))).toBe(false);
    expect(drift.getAttribute('src')).toBe('/b?read=2#light');
    document.body.dataset.jpThemeLight = 'false';
    openPage(app, { ...page, url: '/b' });
    expect(drift.getAttribute('src')).toBe('/b?read=3#dark');
    delete document.body.dataset.jpThemeLight;
    expect(drift.title).toBe('Distributions: m');
    expect(shell.activateById).toHaveBeenCalledTimes(4);
    added.forEach(one => one.dispose());
  });

  it('is in a tab of the browser where the application has no tabs', () => {
    const opened = jest.spyOn(window, 'open').mockReturnValue(null);
    const shell = { add: () => undefined, widgets: () => [][Symbol.iterator](), activateById: () => undefined };
    openPage({ shell } as unknown as JupyterFrontEnd, { id: 'drift:m', label: 'Distributions: m', url: '/a', kind: 'drift' });
    expect(opened).toHaveBeenCalledWith('/a', '_blank', 'noopener');
    opened.mockRestore();
  });
});

describe('the points of a chart', () => {
  it('lie between the least and the most, with the same room between windows', () => {
    const { dots, y } = pointsOf([0, null, 1], [0.5]);
    expect(dots).toEqual([[6, 38], [294, 6]]);
    expect(y(0.5)).toBe(22);
    expect(pointsOf([0.2, 0.2], []).dots.every(([, height]) => height === 38)).toBe(true);
  });
});
