import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import { act, fireEvent, render, screen } from '@testing-library/react';

import { ApiError } from '../../api/client';
import { JobsModel } from '../../api/jobs';
import type { Job } from '../../api/messages/jobs';
import type { NotebookView, Parameter, Restored } from '../../api/messages/notebook';
import '../../components/json-form'; // so that no test waits for its compilation
import { seriousFindings } from '../../testing/axe';
import { ColumnsView, RestoredView } from './actions';
import { FakeServer, FakeTarget } from './fake';
import { makeView, RunsPanel } from './panel';
import { IRunsContext, IRunsView } from './view';

const trans = nullTranslator.load('jupyter_mlops');
const JOB: Job = {
  id: 'j1', kind: 'run', path: 'churn.ipynb', title: 'Run churn.ipynb', subject: null, status: 'running', user: 'ada', created: 1,
  started: 2, ended: null, step: 'cell 2', message: 'model.fit(X, y)', fraction: 0.5, error: null, result: null, next: 1
};

describe('the panel of runs', () => {
  let server: FakeServer;
  let target: FakeTarget;
  let context: IRunsContext;
  let view: IRunsView;
  let executed: string[];
  let job: Job;
  let started: unknown[];

  const settle = (): Promise<void> => act(() => new Promise<void>(done => setTimeout(done, 30)));
  const show = async (): Promise<HTMLElement> => {
    view = makeView(context, target);
    const { container } = render(<RunsPanel context={context} view={view} use={() => undefined} />);
    view.model.setActive(true);
    await settle();
    return container;
  };

  beforeEach(() => {
    server = new FakeServer(5000);
    target = new FakeTarget();
    executed = [];
    started = [];
    job = JOB;
    const api = {
      ...server.api,
      jobs: async () => ({ jobs: [] }),
      startJob: async (request: unknown) => (started.push(request), job),
      job: async () => ({ job, events: [] }),
      cancelJob: async () => (job = { ...JOB, status: 'cancelled' }),
      jobLog: async () => ({ text: '', cut: false })
    } as unknown as IRunsContext['api'];
    const current = {
      path: 'churn.ipynb',
      view: { parameters: [{ name: 'depth', type: 'integer', value: 5, literal: '5' }] } as unknown as NotebookView,
      changed: new Signal({}),
      refresh: async () => undefined,
      save: jest.fn(async () => undefined)
    };
    context = {
      app: { commands: { execute: async (id: string) => void executed.push(id) } },
      api,
      jobs: new JobsModel(api),
      current,
      rendermime: null,
      themes: null,
      trans
    } as unknown as IRunsContext;
  });

  afterEach(() => {
    view.rerun.dispose();
    view.model.dispose();
    context.jobs.dispose();
  });

  it('shows the runs, and axe finds nothing', async () => {
    server.count = 5; // axe takes long in this environment
    server.running.add(4);
    const container = await show();
    expect(screen.getByText('running')).toBeTruthy();
    fireEvent.click(screen.getByText('run 3'));
    fireEvent.click(screen.getByText('run 2'), { ctrlKey: true });
    expect(await seriousFindings(container)).toEqual([]);
  }, 30_000);

  it('offers what fits the selection', async () => {
    await show();
    expect(screen.getByText('5,000 runs')).toBeTruthy();
    expect(screen.getAllByRole('row').length).toBeLessThan(62);
    const buttons = (): string[] => screen.getAllByRole('button').map(one => one.textContent ?? '');
    expect(buttons()).not.toContain('Compare');
    fireEvent.click(screen.getByText('run 4998'));
    expect(buttons()).toEqual(expect.arrayContaining(['Restore Parameters…', 'Re-run…', 'See in MLflow…']));
    fireEvent.click(screen.getByText('run 4996'), { shiftKey: true });
    expect(screen.getByText('3 runs are selected.')).toBeTruthy();
    fireEvent.click(screen.getByRole('button', { name: 'Compare' }));
    expect(executed).toEqual(['mlops:compare-runs']);
  });

  it.each([
    ['no notebook', () => (target.path = ''), 'No notebook is open.'],
    ['no runs', () => (server.count = 0), 'No runs yet.'],
    ['another language', () => ((server.count = 0), Object.assign(context.current, { unreadable: { message: 'It is in R.' } })), 'It is in R.'],
    ['no kernel', () => ((server.count = 0), (target.hasKernel = false)), 'Choose a Kernel']
  ])('says what to do: %s', async (_, prepare, text) => {
    prepare();
    const container = await show();
    expect(screen.getByText(text)).toBeTruthy();
    expect(await seriousFindings(container)).toEqual([]);
  });

  it('says that a filter leaves none, and takes it away', async () => {
    await show();
    server.count = 0;
    server.more = { known: 5000 };
    fireEvent.change(screen.getByRole('searchbox', { name: 'Filter' }), { target: { value: 'nothing' } });
    await act(() => new Promise<void>(done => setTimeout(done, 350)));
    expect(screen.getByText('No run passes the filter.')).toBeTruthy();
    server.count = 5000;
    fireEvent.click(screen.getByRole('button', { name: 'Show All Runs' }));
    await act(() => new Promise<void>(done => setTimeout(done, 350)));
    expect(screen.getByRole('grid')).toBeTruthy();
  });

  it('says that MLflow is away, and which runs wait', async () => {
    server.more = { notes: ['2 runs wait on disk.'] };
    await show();
    expect(screen.getByText('2 runs wait on disk.')).toBeTruthy();
    server.wait = async () => {
      throw new ApiError('tracking', 'MLflow is away.', 'Start it.');
    };
    view.model.refresh();
    await settle();
    expect(screen.getByRole('alert').textContent).toContain('Start it.');
    expect(screen.getByRole('grid')).toBeTruthy();
  });

  it('runs the notebook again with other values, and shows how that goes', async () => {
    const container = await show();
    fireEvent.click(screen.getByRole('button', { name: 'Run the Notebook…' }));
    const field = await screen.findByRole('spinbutton', { name: /depth/ }, { timeout: 15_000 });
    expect(await seriousFindings(container)).toEqual([]);
    fireEvent.change(field, { target: { value: '9' } });
    fireEvent.click(screen.getByRole('button', { name: 'Save and Run' }));
    await settle();
    expect(context.current.save).toHaveBeenCalled();
    expect(started).toEqual([{ kind: 'run', path: 'churn.ipynb', parameters: { depth: 9 } }]);
    expect(screen.getByText('cell 2: model.fit(X, y)')).toBeTruthy();
    expect(await seriousFindings(container)).toEqual([]);
    const asked = server.asked.length;
    fireEvent.click(screen.getAllByRole('button', { name: 'Cancel' })[0]);
    await settle();
    expect(screen.getByText('cancelled')).toBeTruthy();
    expect(server.asked.length).toBeGreaterThan(asked);
    fireEvent.click(screen.getByRole('button', { name: 'Dismiss' }));
    expect(screen.queryByText('cancelled')).toBeNull();
  }, 30_000);

  it('starts at the values of a run that the server would take, and says which it would not', async () => {
    const asked: unknown[] = [];
    const lr = { name: 'lr', type: 'number', value: 0.5, literal: '0.5' };
    Object.assign(context.current, { language: 'python', cells: () => [], view: { parameters: [lr] } });
    const restored: Restored = { edits: [], changed: ['lr'], unknown: [], refused: ['“key” was masked.'] };
    Object.assign(context.api, { restoreParameters: async (request: unknown) => (asked.push(request), restored) });
    await show();
    fireEvent.click(screen.getByText('run 4998'));
    await act(() => view.rerun.begin(view.model.selection.only));
    expect(asked).toEqual([{ path: 'churn.ipynb', language: 'python', cells: [], values: { lr: '0.1' } }]);
    expect(await screen.findByDisplayValue('0.1', {}, { timeout: 15_000 })).toBeTruthy();
    expect(screen.getByRole('region', { name: 'Re-run' }).textContent).toContain('“key” was masked.');
  }, 30_000);

  it('lets one choose columns', async () => {
    await show();
    render(<ColumnsView model={view.model} trans={trans} />);
    const loss = screen.getByRole('checkbox', { name: 'loss' });
    fireEvent.click(loss);
    expect(screen.getByRole('columnheader', { name: 'loss' })).toBeTruthy();
    fireEvent.click(screen.getByRole('button', { name: 'Back to the Proposed Columns' }));
    expect(screen.queryByRole('columnheader', { name: 'loss' })).toBeNull();
  });
});

describe('restoring', () => {
  it('shows what changes, and what cannot', () => {
    const parameters: Parameter[] = [{ name: 'depth', type: 'integer', value: 5, literal: '5' }];
    render(
      <RestoredView
        restored={{ edits: [], changed: ['depth'], unknown: ['other'], refused: ['“key” was masked.'] }}
        values={{ depth: '7', other: '1' }}
        parameters={parameters}
        trans={trans}
      />
    );
    expect(screen.getAllByRole('cell').map(one => one.textContent)).toEqual(['5', '7']);
    expect(screen.getByText('“key” was masked.')).toBeTruthy();
    expect(screen.getByText(/does not declare: other/)).toBeTruthy();
  });
});
