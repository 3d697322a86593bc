import { nullTranslator } from '@jupyterlab/translation';

import { Api, ApiError } from '../../api/client';
import { JobsModel } from '../../api/jobs';
import { JobsForTest, settled } from '../../testing/jobs';
import { deployment, RegistryForTest, traffic } from '../../testing/models';
import { DeploymentModel, sharesText, warningsOf } from './deployment';

const trans = nullTranslator.load('jupyter_mlops');

describe('a deployment', () => {
  let server: JobsForTest;
  let registry: RegistryForTest;
  let model: DeploymentModel;

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['performance', 'queueMicrotask'] });
    server = new JobsForTest();
    registry = new RegistryForTest();
    const api = Object.assign({}, registry, server) as unknown as Api;
    model = new DeploymentModel(api, new JobsModel(api));
  });

  afterEach(() => {
    model.dispose();
    jest.useRealTimers();
  });

  it('is asked for every two seconds, while somebody looks and there is one', async () => {
    registry.deployed = deployment([traffic('1', 1)]);
    model.setShown(true);
    model.look('n.ipynb', 'penguins');
    await settled();
    expect(model.deployment?.versions[0].share).toBe(1);
    registry.looks = 0;
    await jest.advanceTimersByTimeAsync(6100);
    expect(registry.looks).toBe(3);
    model.setShown(false);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(registry.looks).toBe(3);
  });

  it('that is none is not asked for again and again', async () => {
    model.setShown(true);
    model.look('n.ipynb', 'penguins');
    await settled();
    expect(model.known).toBe(true);
    registry.looks = 0;
    await jest.advanceTimersByTimeAsync(60_000);
    expect(registry.looks).toBe(0);
  });

  it('of another model is not taken for this one', async () => {
    registry.deployed = deployment([traffic('1', 1)]);
    model.look('n.ipynb', 'penguins');
    await settled();
    let answer: (of: unknown) => void = () => undefined;
    (model as unknown as { api: { deployment: unknown } }).api.deployment = () => new Promise(done => (answer = done));
    model.look('n.ipynb', 'houses');
    expect(model.deployment).toBeNull();
    expect(model.known).toBe(false);
    const first = answer;
    model.look('n.ipynb', 'trees');
    first({ deployment: deployment([traffic('7', 1)]), elsewhere: null });
    await settled();
    expect(model.deployment).toBeNull();
  });

  it('is made by a job, and seen when that has ended', async () => {
    model.setShown(true);
    model.look('n.ipynb', 'penguins');
    await settled();
    await model.deploy(8123);
    expect(server.requests).toEqual([{ kind: 'deploy', path: 'n.ipynb', model: 'penguins', port: 8123 }]);
    expect(model.working).toBe(true);
    registry.deployed = deployment([traffic('1', 1)]);
    server.end('j1', { status: 'done' });
    await jest.advanceTimersByTimeAsync(2100);
    expect(model.working).toBe(false);
    expect(model.deployment).not.toBeNull();
    expect(model.failure).toBeNull();
  });

  it('that could not be made says why', async () => {
    model.look('n.ipynb', 'penguins');
    await settled();
    await model.deploy();
    server.end('j1', { status: 'failed', error: { code: 'usage', message: '127.0.0.1:8080 cannot be listened on.', fix: null } });
    await jest.advanceTimersByTimeAsync(2100);
    expect(model.failure?.message).toContain('8080');
    server.refuse = new ApiError('conflict', 'It is being deployed already.', null, 409);
    await model.deploy();
    expect(model.failure?.message).toContain('already');
  });

  it('that is being made is found again after a reload', async () => {
    server.add({ kind: 'deploy', path: 'n.ipynb', model: 'houses' });
    server.add({ kind: 'deploy', path: 'n.ipynb', model: 'penguins' });
    model.look('n.ipynb', 'penguins');
    await settled();
    expect(model.job?.id).toBe('j2');
  });

  it('keeps what is known when the server does not answer', async () => {
    registry.deployed = deployment([traffic('1', 1)]);
    model.look('n.ipynb', 'penguins');
    await settled();
    (model as unknown as { api: { deployment: unknown } }).api.deployment = () => Promise.reject(new ApiError('offline', 'Away.'));
    model.look('n.ipynb', 'penguins');
    await settled();
    expect(model.readError?.code).toBe('offline');
    expect(model.deployment).not.toBeNull();
  });
});

describe('what is said of a deployment', () => {
  it('are its shares', () => {
    expect(sharesText(deployment([traffic('1', 0.995), traffic('2', 0.005), traffic('3', 0)]), trans)).toBe(
      'version 1: 99.5%, version 2: 0.5%'
    );
  });

  it('are warnings of what is not as it should be', () => {
    expect(warningsOf(deployment([traffic('1', 1)]), trans)).toEqual([]);
    const starting = deployment([traffic('1', 1), traffic('2', 0, { ready: 0 })]);
    expect(warningsOf(starting, trans)).toEqual([]);
    const failing = deployment([traffic('1', 1, { ready: 0 }), traffic('2', 0, { ready: 0, restarts: 2 })], { supervised: false, envoys: 0 });
    expect(warningsOf(failing, trans)).toEqual([
      'No Envoy answers: nothing is served at http://127.0.0.1:8080.',
      'Version 1 has no replica that is ready.',
      'Version 2 has no replica that is ready.',
      'Nobody looks after it: what dies is not started again.'
    ]);
  });
});
