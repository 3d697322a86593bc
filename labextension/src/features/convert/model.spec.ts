import { Api, ApiError } from '../../api/client';
import { JobsModel } from '../../api/jobs';
import type { Service } from '../../api/messages/services';
import { JobsForTest, settled } from '../../testing/jobs';
import { CurrentForTest, notebookOf } from '../../testing/notebooks';
import { ConvertModel } from './model';
import { DEFAULTS, requestOf } from './options';
import { problemsOf } from './service';
import { conversion } from '../../testing/conversions';

const PATH = 'n.ipynb';

function service(more: Partial<Service> = {}): Service {
  return {
    id: 's1', project: 'n', status: 'starting', port: 4711, started: 9000, message: null, form: null, example: null, log: '', ...more
  };
}

describe('a request', () => {
  it('leaves defaults to the server', () => {
    expect(requestOf(PATH, DEFAULTS)).toEqual({ kind: 'convert', path: PATH });
    expect(requestOf(PATH, { ...DEFAULTS, output: ' out ', register: false, force: true, parameters: { a: 1 } })).toEqual({
      kind: 'convert', path: PATH, output: 'out', register: false, force: true, parameters: { a: 1 }
    });
  });
});

describe('a conversion', () => {
  let server: JobsForTest;
  let services: Service[];
  let notebook: CurrentForTest;
  let model: ConvertModel;
  let saved: jest.Mock;

  beforeEach(() => {
    server = new JobsForTest();
    services = [];
    const more = {
      services: async () => ({ services }),
      startService: async () => (services = [service()])[0],
      stopService: async () => (services = [service({ status: 'stopped' })])[0],
      predict: async () => ({ status: 200, body: { prediction: 'Adelie' }, milliseconds: 2 })
    };
    const api = Object.assign(server, more) as unknown as Api;
    notebook = new CurrentForTest(notebookOf(['a = 1']));
    saved = jest.fn(async () => undefined);
    Object.assign(notebook.panel!.context, { save: saved });
    notebook.panel!.context.model.dirty = true;
    model = new ConvertModel(api, new JobsModel(api), notebook.current);
  });

  afterEach(() => {
    model.dispose();
    notebook.dispose();
  });

  it('saves the notebook and starts one job', async () => {
    model.setOptions({ name: 'penguins' });
    const first = model.convert();
    expect(model.running).toBe(true);
    await Promise.all([first, model.convert()]);
    expect(saved).toHaveBeenCalledTimes(1);
    expect(server.requests).toEqual([{ kind: 'convert', path: PATH, name: 'penguins' }]);
    expect(model.job?.status).toBe('running');
  });

  it('is found again after a reload, with its steps', async () => {
    const job = server.add({ kind: 'convert', path: PATH });
    server.say(job.id, 'read', 'done');
    server.add({ kind: 'convert', path: 'other.ipynb' });
    model.setShown(true);
    await settled();
    expect(model.job?.id).toBe(job.id);
    expect(model.followed!.events).toHaveLength(1);
    expect(model.conversion).toBeNull();
  });

  it('ends with a report and a project, whose service is looked for', async () => {
    services = [service({ status: 'ready' })];
    const job = server.add({ kind: 'convert', path: PATH });
    server.end(job.id, { status: 'done', result: { ...conversion() } });
    model.setShown(true);
    await settled();
    expect(model.conversion?.report.model_version).toBe('3');
    expect(model.service.project).toBe('n');
    expect(model.service.service?.status).toBe('ready');
  });

  it('says what refused it, also when the look for a former one ends later', async () => {
    let answer: () => void = () => undefined;
    const { jobs } = server;
    server.jobs = async (...asked) => {
      await new Promise<void>(done => (answer = done));
      return jobs(...asked);
    };
    model.setShown(true);
    server.refuse = new ApiError('edited', 'The project in n was edited.', null, 409);
    await model.convert();
    expect(model.edited).toBe(true);
    answer();
    await settled();
    expect(model.edited).toBe(true);
  });

  it('says that a project was edited, and replaces it when asked to', async () => {
    server.refuse = new ApiError('edited', 'The project in n was edited since it was made (README.md).', null, 409);
    await model.convert();
    expect(model.edited).toBe(true);
    expect(model.running).toBe(false);
    await model.convert(true);
    expect(server.requests[0]).toMatchObject({ force: true });
    expect(model.failure).toBeNull();
    expect(model.options.force).toBe(false);
  });

  it('has the error of a job that failed', async () => {
    const job = server.add({ kind: 'convert', path: PATH });
    server.end(job.id, { status: 'failed', error: { code: 'cell-failed', message: 'cell 3 raised', fix: 'Mend it.' } });
    model.setShown(true);
    await settled();
    expect(model.failure).toMatchObject({ code: 'cell-failed', fix: 'Mend it.' });
    expect(model.edited).toBe(false);
    expect(model.service.project).toBeNull();
  });

  it('can be cancelled', async () => {
    await model.convert();
    await model.cancel();
    await settled();
    expect(model.job?.status).toBe('cancelled');
    expect(model.running).toBe(false);
  });

  it('does not ask while nobody looks, and tries again after an error', async () => {
    const jobs = jest.spyOn(server, 'jobs').mockRejectedValueOnce(new ApiError('offline', 'away'));
    await settled();
    expect(jobs).not.toHaveBeenCalled();
    model.setShown(true);
    await settled();
    expect(model.failure?.code).toBe('offline');
    await model.look();
    expect(model.failure).toBeNull();
    expect(model.looked).toBe(true);
  });

  describe('service', () => {
    beforeEach(() => model.service.setProject('n', 5000));

    it('starts, becomes ready, answers and stops', async () => {
      jest.useFakeTimers();
      model.service.setShown(true);
      await model.service.start();
      expect(model.service.service?.status).toBe('starting');
      services = [service({ status: 'ready' })];
      await jest.advanceTimersByTimeAsync(800);
      expect(model.service.service?.status).toBe('ready');
      expect(model.service.stale).toBe(false);
      await model.service.predict({ a: 1 });
      expect(model.service.answer).toMatchObject({ status: 200, row: { a: 1 } });
      await model.service.stop();
      expect(model.service.running).toBe(false);
      expect(model.service.answer).toBeNull();
      jest.useRealTimers();
    });

    it('is not asked about while nobody looks', async () => {
      jest.useFakeTimers();
      const asked = jest.fn(async () => ({ services }));
      Object.assign(server, { services: asked });
      model.service.setShown(true);
      await model.service.start();
      model.service.setShown(false);
      asked.mockClear();
      await jest.advanceTimersByTimeAsync(60_000);
      expect(asked).not.toHaveBeenCalled();
      jest.useRealTimers();
    });

    it('of a former conversion is known as such', async () => {
      services = [service({ status: 'ready', started: 4000 })];
      model.service.setShown(true);
      await settled();
      expect(model.service.stale).toBe(true);
    });

    it('is asked by curl with what the shell does not touch', async () => {
      services = [service({ status: 'ready' })];
      model.service.setShown(true);
      await settled();
      expect(model.service.curl({ name: "O'Neill $HOME" })).toBe(
        String.raw`curl -sS http://127.0.0.1:4711/predict -H 'Content-Type: application/json' -d '{"name":"O'\''Neill $HOME"}'`
      );
    });
  });
});

describe('what a service refuses', () => {
  it('is about columns', () => {
    const body = { detail: [{ loc: ['body', 'age'], msg: 'is missing', type: 'x' }, { loc: ['body'], msg: 'no row' }] };
    expect(problemsOf(body, ['age'])).toEqual([
      { name: 'age', message: 'is missing' },
      { name: null, message: 'no row' }
    ]);
    expect(problemsOf({ detail: 'nothing' }, [])).toEqual([{ name: null, message: 'nothing' }]);
    expect(problemsOf('<html>', [])).toEqual([]);
  });
});
