import { Api, ApiError } from '../../api/client';
import { JobsModel } from '../../api/jobs';
import { JobsForTest, settled } from '../../testing/jobs';
import { RegistryForTest } from '../../testing/models';
import { column, monitoring, monitorReport } from '../../testing/monitoring';
import { farthestFirst, MonitoringModel } from './model';

describe('monitoring', () => {
  let server: JobsForTest;
  let registry: RegistryForTest;
  let model: MonitoringModel;
  let asked: jest.SpyInstance;

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['performance', 'queueMicrotask'] });
    server = new JobsForTest();
    registry = new RegistryForTest();
    const api = Object.assign({}, registry, server, { monitoring: () => registry.monitoring() }) as unknown as Api;
    asked = jest.spyOn(registry, 'monitoring');
    model = new MonitoringModel(api, new JobsModel(api));
  });

  afterEach(() => {
    model.dispose();
    jest.useRealTimers();
  });

  it('is asked for once for a model, and again when another version has the traffic', async () => {
    registry.monitored = monitoring([monitorReport()]);
    for (const version of ['1', '1', '2']) {
      model.watch('n.ipynb', 'penguins', version);
      await settled();
    }
    expect(asked).toHaveBeenCalledTimes(2);
    expect(model.report?.rows).toBe(1234);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it('of a model that is not deployed is not asked for', async () => {
    model.watch('n.ipynb', '', '');
    model.reload();
    await settled();
    expect(asked).not.toHaveBeenCalled();
  });

  it('is looked at by a job, and read when that has ended', async () => {
    model.watch('n.ipynb', 'penguins', '1');
    await settled();
    expect(model.report).toBeNull();
    await model.look();
    expect(server.requests).toEqual([{ kind: 'monitor', path: 'n.ipynb', model: 'penguins' }]); // as monitoring.yaml says
    expect(model.working).toBe(true);
    await model.look();
    expect(server.requests).toHaveLength(1);
    registry.monitored = monitoring([monitorReport({ verdict: 'alert' })]);
    server.end('j1', { status: 'done' });
    await jest.advanceTimersByTimeAsync(2100);
    expect(model.working).toBe(false);
    expect(model.failure).toBeNull();
    expect(model.report?.verdict).toBe('alert');
  });

  it('says why it could not be looked at, and keeps what is known', async () => {
    registry.monitored = monitoring([monitorReport()]);
    model.watch('n.ipynb', 'penguins', '1');
    await settled();
    await model.look();
    server.end('j1', { status: 'failed', error: { code: 'missing-package', message: 'Evidently is not installed. Install it.', fix: null } });
    await jest.advanceTimersByTimeAsync(2100);
    expect(model.failure?.code).toBe('missing-package');
    expect(model.report).not.toBeNull();
    server.refuse = new ApiError('conflict', 'It is being looked at already.', null, 409);
    await model.look();
    expect(model.failure?.code).toBe('conflict');
  });

  it('that is under way is found again after a reload; that of another model is not taken for it', async () => {
    server.add({ kind: 'monitor', path: 'n.ipynb', model: 'penguins' });
    server.add({ kind: 'monitor', path: 'n.ipynb', model: 'houses' });
    model.watch('n.ipynb', 'penguins', '1');
    await settled();
    expect(model.job?.id).toBe('j1');
    registry.monitored = monitoring([]);
    model.watch('n.ipynb', 'trees', '1');
    expect(model.job).toBeNull();
    expect(model.monitoring).toBeNull();
  });

  it('puts those columns first that are the farthest for their limit', () => {
    const columns = [column('a', 0.2), column('b', 0.3, { threshold: 0.5 }), column('c', 0.19), column('d', 0, { distance: null })];
    expect(farthestFirst(columns).map(one => one.column)).toEqual(['a', 'c', 'b', 'd']);
  });
});
