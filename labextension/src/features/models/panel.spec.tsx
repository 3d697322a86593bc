import { nullTranslator } from '@jupyterlab/translation';
import { act, fireEvent, render, screen, within } from '@testing-library/react';

import { Api, ApiError } from '../../api/client';
import { JobsModel } from '../../api/jobs';
import { seriousFindings } from '../../testing/axe';
import { JobsForTest, settled } from '../../testing/jobs';
import { promotion, RegistryForTest, step } from '../../testing/models';
import { CurrentForTest, notebookOf } from '../../testing/notebooks';
import { ModelsModel } from './model';
import { ModelsPanel } from './panel';

const trans = nullTranslator.load('jupyter_mlops');
const host = { openFolder: jest.fn(), openDocument: jest.fn(), reveal: jest.fn(), has: () => false, run: jest.fn() };

describe('the panel of models', () => {
  let registry: RegistryForTest;
  let server: JobsForTest;
  let model: ModelsModel;
  let notebook: CurrentForTest;

  async function shown(with_notebook = true): Promise<HTMLElement> {
    notebook = new CurrentForTest(with_notebook ? notebookOf(['a']) : null);
    const api = Object.assign({}, registry, server) as unknown as Api;
    model = new ModelsModel(api, new JobsModel(api), notebook.current);
    const { container } = render(<ModelsPanel model={model} api={api} host={host} trans={trans} />);
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
