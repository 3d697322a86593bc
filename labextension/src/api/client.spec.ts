import { ServerConnection } from '@jupyterlab/services';

import { Api, ApiError, isAbort } from './client';

/** An api whose network answers with `answer`; only the network is not real. */
function apiWith(answer: (url: string, init: RequestInit) => Response | Promise<Response>): { api: Api; asked: Request[] } {
  const asked: Request[] = [];
  const settings = ServerConnection.makeSettings({
    baseUrl: 'http://localhost/user/ada/',
    token: 'secret',
    fetch: async (input: RequestInfo | URL) => {
      const request = input as Request;
      asked.push(request);
      return answer(request.url, request);
    }
  });
  return { api: new Api(settings), asked };
}

const json = (body: unknown, status = 200): Response =>
  new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } });

describe('the api', () => {
  it('asks below the base url with the token, and encodes', async () => {
    const { api, asked } = apiWith(() => json({ jobs: [] }));
    await api.jobs('a folder/ü & b.ipynb', 'convert');
    expect(asked[0].url).toContain('http://localhost/user/ada/jupyter-mlops/jobs?path=a+folder%2F%C3%BC+%26+b.ipynb&kind=convert');
    expect(asked[0].headers.get('Authorization')).toBe('token secret');
    await api.compareRuns('n.ipynb', ['a', 'b']);
    expect(asked[1].url).toContain('run=a&run=b');
    await api.promotion('../x', 'n.ipynb');
    expect(asked[2].url).toContain('http://localhost/user/ada/jupyter-mlops/promotions/..%2Fx');
  });

  it('sends bodies as JSON', async () => {
    const { api, asked } = apiWith(() => json({}));
    await api.startJob({ kind: 'run', path: 'n.ipynb', parameters: { rate: 0.5 } });
    expect(asked[0].method).toBe('POST');
    expect(await asked[0].json()).toEqual({ kind: 'run', path: 'n.ipynb', parameters: { rate: 0.5 } });
  });

  it('turns the one shape of errors into an ApiError', async () => {
    const { api } = apiWith(() => json({ code: 'tracking', message: 'MLflow is away.', fix: 'Start it.' }, 503));
    await expect(api.models('')).rejects.toMatchObject({ code: 'tracking', message: 'MLflow is away.', fix: 'Start it.', status: 503 });
  });

  it.each([
    [() => new Response('<html>', { status: 404 }), 'server-missing'],
    [() => new Response('<html>login', { status: 200 }), 'server-missing'],
    [() => new Response('bad gateway', { status: 502 }), 'internal'],
    [
      () => {
        throw new TypeError('failed to fetch');
      },
      'offline'
    ]
  ])('tells what is wrong with the server (%#)', async (answer, code) => {
    const { api } = apiWith(answer as () => Response);
    const error = await api.status('').then(
      () => null,
      (one: unknown) => one
    );
    expect(error).toBeInstanceOf(ApiError);
    expect((error as ApiError).code).toBe(code);
  });

  it('says when a call was given up', async () => {
    const { api } = apiWith(() => {
      throw new Error('aborted');
    });
    const given = new AbortController();
    given.abort();
    const error = await api.status('', given.signal).catch((one: unknown) => one);
    expect(isAbort(error)).toBe(true);
  });
});
