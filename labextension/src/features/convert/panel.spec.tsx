import { nullTranslator } from '@jupyterlab/translation';
import { act, fireEvent, render, screen } from '@testing-library/react';

import { Api, ApiError } from '../../api/client';
import { JobsModel } from '../../api/jobs';
import { seriousFindings } from '../../testing/axe';
import { conversion, report } from '../../testing/conversions';
import { JobsForTest, settled } from '../../testing/jobs';
import { CurrentForTest, notebookOf } from '../../testing/notebooks';
import { ConvertModel } from './model';
import { ConvertPanel } from './panel';
import { ParityTable } from './parity';

const trans = nullTranslator.load('jupyter_mlops');
const host = { openFolder: jest.fn(), openDocument: jest.fn(), reveal: jest.fn(), has: () => true, run: jest.fn() };
const READY = {
  id: 's1', project: 'n', status: 'ready', port: 4711, started: 9000, message: null, log: 'up',
  form: { properties: { age: { anyOf: [{ type: 'number' }, { type: 'null' }] }, plan: { type: 'string' } }, required: ['plan'] },
  example: { age: 3, plan: 'basic' }
};

describe('the table of parity', () => {
  it('says in words what is equal, what differs and what was not compared', () => {
    const parity = report().parity!;
    const differs = { rows: 60, labels_equal: false, max_abs_diff: null, mismatches: 4 };
    render(<ParityTable parity={{ ...parity, service: differs }} trans={trans} />);
    const rows = screen.getAllByRole('row').map(row => Array.from(row.children, cell => cell.textContent));
    expect(rows.slice(1)).toEqual([
      ['Package', 'equal', '0', 'none of 60'],
      ['Service', 'differ', 'not a number', '4 of 60'],
      ['Bundle', 'Not compared: the model has no ONNX form']
    ]);
  });
});

describe('the panel of conversions', () => {
  let server: JobsForTest & Record<string, unknown>;
  let notebook: CurrentForTest;
  let model: ConvertModel;

  async function shown(): Promise<HTMLElement> {
    const api = server as unknown as Api;
    notebook = new CurrentForTest(notebookOf(['a = 1', 'b = 2']), {
      parameters: [{ name: 'rate', type: 'number', value: 0.5, literal: '0.5' }]
    });
    notebook.panel!.context.model.dirty = false;
    await notebook.current.refresh();
    model = new ConvertModel(api, new JobsModel(api), notebook.current);
    const { container } = render(<ConvertPanel model={model} api={api} host={host} trans={trans} />);
    await act(async () => {
      model.setShown(true);
      await settled(80);
    });
    return container;
  }

  const click = (name: string): Promise<void> =>
    act(async () => {
      fireEvent.click(screen.getByRole('button', { name }));
      await settled(80);
    });

  beforeEach(() => {
    server = new JobsForTest() as JobsForTest & Record<string, unknown>;
    server.services = async () => ({ services: [READY] });
  });

  afterEach(() => {
    model.dispose();
    notebook.dispose();
  });

  it('converts with one click, and says that the tags are suggested ones', async () => {
    const container = await shown();
    expect(container.textContent).toContain('the stages of the cells will be suggested');
    await click('Convert');
    expect(server.requests).toEqual([{ kind: 'convert', path: 'n.ipynb' }]);
    expect(screen.getByRole('list', { name: 'Steps of the conversion' }).children).toHaveLength(9);
    await click('Cancel');
    expect(container.textContent).toContain('Cancelled.');
    expect(await seriousFindings(container)).toEqual([]);
  });

  it('takes options, and parameters that were changed', async () => {
    const container = await shown();
    const options = container.querySelector('details')!;
    await act(async () => {
      options.open = true;
      options.dispatchEvent(new Event('toggle'));
    });
    fireEvent.click(screen.getByLabelText('Register the model'));
    fireEvent.change(screen.getByLabelText('Folder of the project'), { target: { value: 'made' } });
    const rate = await screen.findByLabelText('rate');
    await act(async () => {
      fireEvent.change(rate, { target: { value: '0.25' } });
    });
    expect(await seriousFindings(container)).toEqual([]);
    await click('Convert');
    expect(server.requests[0]).toEqual({ kind: 'convert', path: 'n.ipynb', output: 'made', register: false, parameters: { rate: 0.25 } });
  });

  it('shows what came of the last one, also after a reload', async () => {
    const job = server.add({ kind: 'convert', path: 'n.ipynb' });
    server.end(job.id, { status: 'done', result: { ...conversion() } });
    const container = await shown();
    expect(screen.getByText('Registered as penguins, version 3')).toBeTruthy();
    await click('Open the Folder');
    expect(host.openFolder).toHaveBeenCalledWith('n');
    const went = jest.spyOn(notebook.current, 'goTo').mockResolvedValue();
    await click('Cell 1, line 1');
    expect(went).toHaveBeenCalledWith('c1', 1);
    expect(await screen.findByLabelText('plan')).toBeTruthy();
    expect(await seriousFindings(container)).toEqual([]);
  });

  it('tries a request, and shows what the service refuses at the field', async () => {
    const job = server.add({ kind: 'convert', path: 'n.ipynb' });
    server.end(job.id, { status: 'done', result: { ...conversion() } });
    const answers = [
      { status: 422, body: { detail: [{ loc: ['body', 'plan'], msg: 'unknown plan', type: 'value_error' }] }, milliseconds: 1.5 },
      { status: 200, body: { prediction: 'yes', probabilities: { no: 0.1, yes: 0.9 } }, milliseconds: 2 }
    ];
    const sent: unknown[] = [];
    server.predict = async (_: string, row: unknown) => (sent.push(row), answers.shift());
    const container = await shown();
    const field = await screen.findByLabelText('plan');
    await click('Send');
    expect(sent[0]).toEqual({ age: 3, plan: 'basic' });
    expect(document.getElementById('mlops-service_c1__error')?.textContent).toBe('unknown plan');
    expect(container.textContent).toContain('HTTP status 422');
    await act(async () => {
      fireEvent.change(field, { target: { value: 'pro' } });
    });
    expect(document.getElementById('mlops-service_c1__error')).toBeNull();
    await click('Send');
    const table = screen.getByRole('table', { name: 'Probabilities' });
    expect(table.textContent).toBe('Probabilitiesyes0.9no0.1');
  });

  it('offers to replace a project that was edited', async () => {
    server.refuse = new ApiError('edited', 'The project in n was edited since it was made (README.md).', null, 409);
    await shown();
    await click('Convert');
    expect(screen.getByRole('alert').textContent).toContain('was edited');
    await click('Replace It (the Edited One Is Kept Beside)');
    expect(server.requests[0]).toMatchObject({ force: true });
  });

  it('says which step has failed, and what to do', async () => {
    const job = server.add({ kind: 'convert', path: 'n.ipynb' });
    server.say(job.id, 'run', 'failed', 'cell 3 raised');
    server.end(job.id, {
      status: 'failed',
      error: { code: 'cell-failed', message: 'cell 3 raised', fix: 'Mend the cell.' },
      result: { ...conversion({ ok: false, status: 'failed', report: report({ failed_step: 'run', parity: null, model_version: null }) }) }
    });
    const container = await shown();
    expect(screen.getByRole('alert').textContent).toContain('Mend the cell.');
    expect(container.querySelector('[data-status=failed]')?.textContent).toContain('Run notebook and project');
    expect(screen.queryByRole('button', { name: 'Open the Folder' })).toBeNull();
  });
});
