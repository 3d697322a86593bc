import { nullTranslator } from '@jupyterlab/translation';
import { act, fireEvent, render, screen, within } from '@testing-library/react';

import { Api, ApiError } from '../../api/client';
import { JobsModel } from '../../api/jobs';
import { seriousFindings } from '../../testing/axe';
import { JobsForTest, settled } from '../../testing/jobs';
import { monitoring, monitorReport } from '../../testing/monitoring';
import { deployment, promotion, RegistryForTest, step, traffic, version } from '../../testing/models';
import { CurrentForTest, notebookOf } from '../../testing/notebooks';
import { ModelsModel } from './model';
import { ModelsPanel } from './panel';

const trans = nullTranslator.load('jupyter_mlops');
const host = { openFolder: jest.fn(), openDocument: jest.fn(), reveal: jest.fn(), has: () => false, run: jest.fn() };
const openPage = jest.fn();

describe('the panel of models', () => {
  let registry: RegistryForTest;
  let server: JobsForTest;
  let model: ModelsModel;
  let notebook: CurrentForTest;

  async function shown(with_notebook = true): Promise<HTMLElement> {
    notebook = new CurrentForTest(with_notebook ? notebookOf(['a']) : null);
    const api = Object.assign({}, registry, server) as unknown as Api;
    model = new ModelsModel(api, new JobsModel(api), notebook.current);
    const { container } = render(<ModelsPanel model={model} api={api} host={host} openPage={openPage} trans={trans} />);
    await act(async () => {
      model.setShown(true);
      await settled(80);
    });
    return container;
  }

  beforeEach(() => {
    registry = new RegistryForTest();
    server = new JobsForTest();
  });

  afterEach(() => {
    model.dispose();
    notebook.dispose();
  });

  it('says what to do where nothing is', async () => {
    registry.names = [];
    await shown();
    fireEvent.click(screen.getByRole('button', { name: 'Go to Convert' }));
    expect(host.reveal).toHaveBeenCalledWith('convert');
  });

  it('asks for a notebook', async () => {
    await shown(false);
    expect(screen.getByText('No notebook is open')).toBeTruthy();
  });

  it('says that MLflow is away', async () => {
    const refused = new ApiError('tracking', 'MLflow is away.', 'Start it.');
    registry.models = () => Promise.reject(refused);
    await shown();
    expect(screen.getByRole('alert').textContent).toContain('Start it.');
  });

  it('shows versions with their lifecycle, parity and lineage', async () => {
    const container = await shown();
    const [second, first] = within(screen.getByRole('list', { name: 'Versions of penguins' })).getAllByRole('listitem');
    expect(second.textContent).toContain('Staging');
    expect(second.textContent).toContain('Parity: package equal · service equal · bundle not compared');
    expect(second.textContent).toContain('with uncommitted changes');
    expect(within(first).queryByRole('button', { name: /^Promote/ })).toBeNull();
    expect(await seriousFindings(container)).toEqual([]);
  });

  it('compares two', async () => {
    const container = await shown();
    for (const one of ['2', '1']) {
      await act(async () => {
        fireEvent.click(screen.getByRole('checkbox', { name: `Compare version ${one}` }));
        await settled();
      });
    }
    const table = screen.getByRole('table', { name: 'Versions 2 and 1' });
    expect(table.textContent).toContain('0.98 (best)');
    expect(table.textContent).toContain('depth35');
    expect(screen.getByText('1 parameter is the same.')).toBeTruthy();
    expect(await seriousFindings(container)).toEqual([]);
  });

  it('promotes with one click, and blocks others meanwhile', async () => {
    await shown();
    await act(async () => {
      fireEvent.click(screen.getByRole('button', { name: 'Promote version 2' }));
      await settled();
    });
    expect(server.requests).toHaveLength(1);
    expect(screen.getByRole('button', { name: 'Promote version 2' }).getAttribute('aria-disabled')).toBe('true');
    expect(screen.getByRole('heading', { name: 'Promotion of version 2' })).toBeTruthy();
  });

  it('lets those decide who may, with a comment', async () => {
    registry.current = promotion({
      status: 'waiting', mayDecide: true,
      steps: [
        step('tests', 'Tests', { status: 'passed', message: '12 passed', seconds: 4, figures: { passed: 12, ok: true }, log: 'all good' }),
        step('approval', 'Approval', { status: 'waiting', message: 'somebody has to approve' })
      ]
    });
    const container = await shown();
    expect(screen.getByText('Waiting for an approval.')).toBeTruthy();
    expect(container.textContent).toContain('all good');
    expect(await seriousFindings(container)).toEqual([]);
    fireEvent.change(screen.getByLabelText('Comment (kept in the journal)'), { target: { value: 'looks right' } });
    await act(async () => {
      fireEvent.click(screen.getByRole('button', { name: 'Reject' }));
      await settled();
    });
    expect(registry.decisions[0][1]).toMatchObject({ decision: 'reject', comment: 'looks right' });
    expect(screen.getByText('Rejected.')).toBeTruthy();
    fireEvent.click(screen.getByRole('button', { name: 'Close' }));
    expect(screen.queryByRole('heading', { name: 'Promotion of version 2' })).toBeNull();
  });

  it('says so where one was cancelled before it had a journal', async () => {
    await shown();
    for (const name of ['Promote version 2', 'Cancel the Promotion']) {
      await act(async () => {
        fireEvent.click(screen.getByRole('button', { name }));
        await settled(80);
      });
    }
    expect(screen.getByText('Cancelled: the version stays where it was.')).toBeTruthy();
  });

  it('tells the others why they may not', async () => {
    registry.current = promotion({ status: 'waiting', whyNot: 'You made this version: ask a colleague.' });
    await shown();
    expect(screen.getByText('You made this version: ask a colleague.')).toBeTruthy();
    expect(screen.queryByRole('button', { name: 'Approve' })).toBeNull();
  });

  it('shows whoever approves what was inconclusive', async () => {
    registry.current = promotion({
      status: 'waiting', mayDecide: true,
      steps: [
        step('metrics', 'Metrics', { status: 'inconclusive', message: 'the interval lies on both sides' }),
        step('approval', 'Approval', { status: 'waiting' })
      ]
    });
    const container = await shown();
    const decision = screen.getByRole('group', { name: 'Decision' });
    expect(decision.textContent).toContain('Metrics was inconclusive: the interval lies on both sides');
    const [metrics] = within(screen.getByRole('list', { name: 'Steps of the promotion' })).getAllByRole('listitem');
    expect(metrics.textContent).toContain('inconclusive');
    expect(await seriousFindings(container)).toEqual([]);
  });

  it('says at once why one has failed', async () => {
    registry.current = promotion({
      job: null,
      steps: [step('tests', 'Tests', { status: 'passed' }), step('canary', 'Traffic', { status: 'failed', message: 'taken off again' })]
    });
    await shown();
    registry.current = { ...registry.current, status: 'failed', ended: 2000 };
    await act(async () => {
      model.promotion.setVisible(true);
      await settled();
    });
    expect(screen.getByText('Traffic:').parentElement!.textContent).toBe('Traffic: taken off again');
    expect(screen.queryByText('Tests:')).toBeNull();
  });

  it('shows the traffic and what the canary’s figures mean', async () => {
    server.add({ kind: 'promote', path: 'n.ipynb', model: 'penguins', version: '2' });
    server.say('j1', 'canary', 'progress', '10%: 12 of 20 requests', {
      fraction: 0.6, data: { figures: { share: 10, machine: 'm', requests: 12, evidence: 0.9, latencyRatio: null, slowLooks: 0 } }
    });
    registry.current = promotion({ job: 'j1', steps: [step('canary', 'Traffic', { status: 'running', figures: { share: 10 } })].concat(step('lifecycle', 'L')) });
    registry.deployed = deployment([traffic('1', 0.9), traffic('2', 0.1, { errors: 6, requests: 12, ready: 0, p99: null })], { supervised: false });
    const container = await shown();
    expect(screen.getByRole('img', { name: 'Traffic of version 1: 90%, version 2: 10%' }).textContent).toBe('Version 1: 90%2: 10%');
    const rows = within(screen.getByRole('table', { name: 'Traffic and health by version' })).getAllByRole('row').map(row => row.textContent);
    expect(rows).toEqual([
      'Version 1Version 2', 'Traffic90%10%', 'Replicas ready1 of 10 of 1', 'Restarts00', 'Requests20012', 'Errors06 (50%)', 'p501.2 ms1.2 ms',
      'p9920 msbeyond measure'
    ]);
    const region = screen.getByRole('region', { name: 'Traffic' });
    expect(region.textContent).toContain('Version 2 has no replica that is ready.');
    const figures = screen.getByRole('table', { name: 'Figures of Traffic' });
    expect(within(figures).getAllByRole('row').map(row => row.textContent)).toEqual([
      'Share of the traffic10%', 'Requests12', 'Evidence against it0.9', 'Latency ratio–', 'Slow looks in a row0'
    ]);
    expect(within(figures).getAllByRole('row').every(row => row.title !== '')).toBe(true);
    expect(await seriousFindings(container)).toEqual([]);
    await act(async () => {
      fireEvent.click(screen.getByRole('button', { name: 'Look After It Again' }));
      await settled();
    });
    expect(server.requests).toEqual([{ kind: 'deploy', path: 'n.ipynb', model: 'penguins' }]);
  });

  it('shows what the monitor has said where a model is deployed, and nothing of it elsewhere', async () => {
    registry.deployed = deployment([traffic('1', 1)]);
    registry.monitored = monitoring([monitorReport()]);
    await shown();
    expect(screen.getByRole('region', { name: 'Monitoring' }).textContent).toContain('Nothing to look at.');
    registry.deployed = null;
    await act(async () => {
      model.reload();
      await settled(80);
    });
    expect(screen.queryByRole('region', { name: 'Monitoring' })).toBeNull();
  });

  it('names the other store whose model is deployed', async () => {
    registry.elsewhere = 'sqlite:////other/mlflow.db';
    registry.known = [version('1', { aliases: ['production'] })];
    await shown();
    expect(screen.getByRole('region', { name: 'Traffic' }).textContent).toContain('sqlite:////other/mlflow.db');
    expect(screen.queryByRole('button', { name: 'Deploy…' })).toBeNull();
  });

  it('rolls back when that is confirmed, with a comment', async () => {
    registry.known = [version('2', { aliases: ['production'] }), version('1', { aliases: ['previous'] })];
    const container = await shown();
    await press('Roll back to version 1');
    const dialog = document.querySelector('.jp-Dialog')!;
    expect(dialog.textContent).toContain('Version 1 goes back into production.');
    expect(dialog.textContent).toContain('Version 2 leaves production');
    expect(await seriousFindings(dialog)).toEqual([]);
    await close('.jp-mod-reject');
    expect(server.requests).toEqual([]);
    await press('Roll back to version 1');
    fireEvent.change(screen.getByLabelText('Comment (kept in the journal)'), { target: { value: ' it drifts ' } });
    await close('.jp-mod-warn');
    expect(server.requests).toEqual([{ kind: 'rollback', path: 'n.ipynb', model: 'penguins', version: '1', comment: 'it drifts' }]);
    expect(screen.getByRole('heading', { name: 'Back to version 1' })).toBeTruthy();
    expect(screen.getByRole('button', { name: 'Roll back to version 1' }).getAttribute('aria-disabled')).toBe('true');
    expect(await seriousFindings(container)).toEqual([]);
  });

  it('deploys the version in production at the port that is wanted', async () => {
    registry.known = [version('1', { aliases: ['production'] })];
    await shown();
    await press('Deploy…');
    fireEvent.change(screen.getByLabelText('Port'), { target: { value: '8123' } });
    await close('.jp-mod-accept');
    expect(server.requests).toEqual([{ kind: 'deploy', path: 'n.ipynb', model: 'penguins', port: 8123 }]);
    expect(screen.getByRole('button', { name: 'Deploying…' })).toBeTruthy();
  });

  async function press(name: string): Promise<void> {
    await act(async () => {
      fireEvent.click(screen.getByRole('button', { name }));
      await new Promise(done => setTimeout(done, 50));
    });
  }

  /** Close the dialog by one of its buttons. */
  async function close(button: string): Promise<void> {
    await act(async () => {
      fireEvent.click(document.querySelector(`.jp-Dialog ${button}`)!);
      await new Promise(done => setTimeout(done, 50));
    });
  }

  it('offers to go on with one that was stopped on the way', async () => {
    registry.current = promotion();
    await shown();
    await act(async () => {
      fireEvent.click(screen.getByRole('button', { name: 'Go On' }));
      await settled();
    });
    expect(server.requests[0]).toMatchObject({ version: '2' });
  });
});
