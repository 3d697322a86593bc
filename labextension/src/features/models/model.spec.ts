import { Api, ApiError } from '../../api/client';
import { JobsModel } from '../../api/jobs';
import { JobsForTest, settled } from '../../testing/jobs';
import { promotion, RegistryForTest, step } from '../../testing/models';
import { CurrentForTest, notebookOf } from '../../testing/notebooks';
import { ModelsModel } from './model';
import { promotionSteps } from './steps';

describe('models', () => {
  let server: JobsForTest;
  let registry: RegistryForTest;
  let notebook: CurrentForTest;
  let model: ModelsModel;

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['performance', 'queueMicrotask'] });
    server = new JobsForTest();
    registry = new RegistryForTest();
    const api = Object.assign(Object.create(registry), registry, server) as Api;
    Object.assign(api, { models: () => registry.models(), versions: registry.versions, promotion: registry.promotion, deployment: registry.deployment, monitoring: registry.monitoring });
    notebook = new CurrentForTest(notebookOf(['a = 1']), {}, 'work/n.ipynb');
    model = new ModelsModel(api, new JobsModel(api), notebook.current);
  });

  afterEach(() => {
    model.dispose();
    notebook.dispose();
    jest.useRealTimers();
  });

  it('are read when somebody looks, and again at a slow pace', async () => {
    await settled();
    expect(registry.calls).toBe(0);
    model.setShown(true);
    await settled();
    expect(model.name).toBe('penguins');
    expect(model.versions?.versions.map(one => one.version)).toEqual(['2', '1']);
    await jest.advanceTimersByTimeAsync(31_000);
    expect(registry.calls).toBe(2);
    model.setShown(false);
    await jest.advanceTimersByTimeAsync(120_000);
    expect(registry.calls).toBe(2);
  });

  it('say why they cannot be read, and recover', async () => {
    registry.refuse = new ApiError('tracking', 'MLflow is away.');
    model.setShown(true);
    await settled();
    expect(model.error?.code).toBe('tracking');
    registry.refuse = null;
    model.reload();
    await settled();
    expect(model.error).toBeNull();
  });

  it('are compared by the runs of two versions', async () => {
    model.setShown(true);
    await settled();
    model.choose('2', true);
    await settled();
    expect(model.comparison).toBeNull();
    model.choose('1', true);
    await settled();
    expect(model.comparison?.runs.map(one => one.id)).toEqual(['run2', 'run1']);
    model.choose('2', false);
    expect(model.comparison).toBeNull();
    expect(model.chosen).toEqual(['1']);
  });

  it('cannot be compared without a run', async () => {
    registry.known[0] = { ...registry.known[0], runId: null };
    model.setShown(true);
    await settled();
    model.choose('2', true);
    model.choose('1', true);
    await settled();
    expect(model.comparisonError?.code).toBe('no-run');
  });

  it('are read again when a conversion has ended', async () => {
    model.setShown(true);
    await settled();
    const api = server;
    const job = api.add({ kind: 'convert', path: 'work/n.ipynb' });
    api.end(job.id, { status: 'done' });
    await (model as unknown as { jobs: JobsModel }).jobs.latest('work/n.ipynb', 'convert');
    await settled();
    expect(registry.calls).toBeGreaterThan(1);
  });

  describe('a promotion', () => {
    const waiting = promotion({
      status: 'waiting', mayDecide: true,
      steps: [step('tests', 'Tests', { status: 'passed', seconds: 3 }), step('approval', 'Approval', { status: 'waiting' })]
    });

    it('is started with one click, followed, and shows live what its running step says', async () => {
      model.setShown(true);
      await settled();
      await model.promote('2');
      expect(server.requests).toEqual([{ kind: 'promote', path: 'work/n.ipynb', model: 'penguins', version: '2' }]);
      registry.current = promotion({ job: 'j1', steps: [step('tests', 'Tests', { status: 'running' }), step('parity', 'Parity')] });
      server.say('j1', 'tests', 'started');
      server.say('j1', 'tests', 'progress', '3 of 9 tests', { fraction: 1 / 3 });
      await jest.advanceTimersByTimeAsync(2100);
      await settled();
      expect(promotionSteps(model.promotion)).toMatchObject([
        { name: 'tests', status: 'running', message: '3 of 9 tests', fraction: 1 / 3 },
        { name: 'parity', status: 'pending' }
      ]);
      expect(model.active?.version).toBe('2');
    });

    it('is found again after a reload, with its job', async () => {
      server.add({ kind: 'promote', path: 'work/n.ipynb', model: 'penguins', version: '2' });
      registry.current = promotion({ job: 'j1' });
      model.setShown(true);
      await settled(60);
      expect(model.promotion.promotion?.id).toBe('p1');
      expect(model.promotion.job?.id).toBe('j1');
    });

    it('is approved for the artifact that was looked at, and goes on as another job', async () => {
      registry.current = waiting;
      model.setShown(true);
      await settled(60);
      const decided = model.promotion.decide('approve', ' well done ');
      server.add({ kind: 'promote', path: 'work/n.ipynb', model: 'penguins', version: '2' });
      await settled();
      registry.current = { ...registry.current, job: 'j1' };
      await decided;
      expect(registry.decisions).toEqual([
        ['p1', { decision: 'approve', comment: 'well done', digest: 'sha256:0123456789abcdef' }, 'work/n.ipynb']
      ]);
      await jest.advanceTimersByTimeAsync(3100);
      expect(model.promotion.job?.id).toBe('j1');
      registry.current = { ...registry.current, status: 'promoted', job: null };
      server.end('j1', { status: 'done' });
      const moved = jest.fn();
      model.promotion.moved.connect(moved);
      await jest.advanceTimersByTimeAsync(3100);
      expect(model.promotion.promotion?.status).toBe('promoted');
      expect(moved).toHaveBeenCalledTimes(1);
    });

    it('is asked about slowly while it waits, and not while nobody looks', async () => {
      registry.current = waiting;
      const asked = jest.spyOn(model.promotion as unknown as { ask: () => Promise<void> }, 'ask');
      model.setShown(true);
      await settled(60);
      asked.mockClear();
      await jest.advanceTimersByTimeAsync(25_000);
      expect(asked.mock.calls.length).toBe(2);
      model.setShown(false);
      asked.mockClear();
      await jest.advanceTimersByTimeAsync(60_000);
      expect(asked).not.toHaveBeenCalled();
    });

    it('keeps what it shows when a decision is refused', async () => {
      registry.current = waiting;
      model.setShown(true);
      await settled(60);
      registry.refuse = new ApiError('conflict', 'The artifact is another one by now.', null, 409);
      await model.promotion.decide('approve', '');
      expect(model.promotion.failure?.code).toBe('conflict');
      expect(model.promotion.promotion?.status).toBe('waiting');
      expect(model.promotion.busy).toBeNull();
    });

    it('that is the second one of its model says so, until that is closed', async () => {
      model.setShown(true);
      await settled();
      registry.current = waiting;
      server.refuse = new ApiError('conflict', 'Version 2 is being promoted.', null, 409);
      await model.promote('1');
      await jest.advanceTimersByTimeAsync(31_000);
      expect(model.promotion.failure?.message).toBe('Version 2 is being promoted.');
      expect(model.promotion.version).toBe('1');
      model.promotion.clear();
      model.reload();
      await settled(60);
      expect(model.promotion.version).toBe('2');
    });

    it('that was interrupted shows why its job has ended', async () => {
      server.add({ kind: 'promote', path: 'work/n.ipynb', model: 'penguins', version: '2' });
      registry.current = promotion({ job: 'j1' });
      model.setShown(true);
      await settled(60);
      registry.current = { ...registry.current, job: null };
      server.end('j1', { status: 'failed', error: { code: 'environment', message: 'Version 2 did not get ready.', fix: null } });
      await jest.advanceTimersByTimeAsync(3100);
      expect(model.promotion.failure?.message).toBe('Version 2 did not get ready.');
    });

    it('back to the version before shows the traffic that moves before it is in the journal', async () => {
      model.setShown(true);
      await settled(60);
      await model.rollBack('1', 'it drifts');
      expect(server.requests).toEqual([{ kind: 'rollback', path: 'work/n.ipynb', model: 'penguins', version: '1', comment: 'it drifts' }]);
      expect(model.promotion.rollback).toBe(true);
      server.say('j1', 'replicas', 'started', '1 of version 1');
      await jest.advanceTimersByTimeAsync(2100);
      expect(promotionSteps(model.promotion)).toMatchObject([{ name: 'replicas', status: 'running' }]);
      server.say('j1', 'replicas', 'done', '1 ready');
      server.say('j1', 'lifecycle', 'started');
      registry.current = promotion({ version: '1', job: 'j1', steps: [step('lifecycle', 'Back into production', { status: 'running' })] });
      await jest.advanceTimersByTimeAsync(2100);
      expect(promotionSteps(model.promotion)).toMatchObject([
        { name: 'replicas', status: 'done', message: '1 ready' },
        { name: 'lifecycle', title: 'Back into production', status: 'running' }
      ]);
      model.promotion.clear();
      model.reload();
      await settled(60);
      expect(model.promotion.rollback).toBe(true);
      expect(model.promotion.job?.kind).toBe('rollback');
    });

    it('whose job has failed before it entered the journal shows the error of the job', async () => {
      model.setShown(true);
      await settled();
      await model.promote('2');
      server.end('j1', { status: 'failed', error: { code: 'tracking', message: 'MLflow is away.', fix: 'Start it.' } });
      await jest.advanceTimersByTimeAsync(2100);
      expect(model.promotion.failure).toMatchObject({ code: 'tracking', fix: 'Start it.' });
    });
  });
});
