import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { UUID } from '@lumino/coreutils';

import type { Job, JobLog, JobRequest, Jobs, JobState } from './messages/jobs';
import type { Decision, DeploymentStatus, Models, ModelVersions, Promotion } from './messages/models';
import type { Monitoring } from './messages/monitoring';
import type { NotebookRequest, NotebookView, Restored, RestoreRequest } from './messages/notebook';
import type { RunsComparison, RunsPage } from './messages/runs';
import type { PredictAnswer, Service, Services } from './messages/services';
import type { ErrorMessage, Status } from './messages/status';

/** Path of the handlers below the server's base URL. */
const NAMESPACE = 'jupyter-mlops';

/**
 * What went wrong with a call, in the one shape of all errors.
 *
 * Besides the server's codes there are `server-missing` (the server extension is not there) and `offline` (no answer).
 */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly fix: string | null = null,
    readonly status = 0
  ) {
    super(message);
    this.name = 'ApiError';
  }

  /** Any error as one of ours. */
  static from(error: unknown): ApiError {
    return error instanceof ApiError ? error : new ApiError('internal', error instanceof Error ? error.message : String(error));
  }
}

type Query = Record<string, string | number | boolean | readonly string[] | undefined>;

/** What `runs` asks for; all runs of the experiment are sorted and filtered. */
export interface RunsQuery {
  path: string;
  offset: number;
  limit: number;
  sort: string;
  descending: boolean;
  filter: string;
  refresh?: boolean;
}

/** The server extension's calls; each rejects with an `ApiError`, or with an `AbortError` when its signal says so. */
export class Api {
  constructor(private readonly settings: ServerConnection.ISettings = ServerConnection.makeSettings()) {}

  status(path: string, signal?: AbortSignal): Promise<Status> {
    return this.ask('GET', 'status', { query: { path }, signal });
  }

  notebook(request: NotebookRequest, signal?: AbortSignal): Promise<NotebookView> {
    return this.ask('POST', 'notebook', { query: { client: this.page }, body: request, signal });
  }

  restoreParameters(request: RestoreRequest): Promise<Restored> {
    return this.ask('POST', 'notebook/parameters', { body: request });
  }

  runs(query: RunsQuery, signal?: AbortSignal): Promise<RunsPage> {
    return this.ask('GET', 'runs', { query: { ...query }, signal });
  }

  compareRuns(path: string, runs: readonly string[], signal?: AbortSignal): Promise<RunsComparison> {
    return this.ask('GET', 'runs/compare', { query: { path, run: runs }, signal });
  }

  models(path: string, signal?: AbortSignal): Promise<Models> {
    return this.ask('GET', 'models', { query: { path }, signal });
  }

  versions(path: string, name: string, signal?: AbortSignal): Promise<ModelVersions> {
    return this.ask('GET', 'models/versions', { query: { path, name }, signal });
  }

  promotion(id: string, path: string, signal?: AbortSignal): Promise<Promotion> {
    return this.ask('GET', `promotions/${encodeURIComponent(id)}`, { query: { path }, signal });
  }

  decide(id: string, decision: Decision, path: string): Promise<Promotion> {
    return this.ask('POST', `promotions/${encodeURIComponent(id)}/decision`, { query: { path }, body: decision });
  }

  deployment(path: string, model: string, signal?: AbortSignal): Promise<DeploymentStatus> {
    return this.ask('GET', 'deployments', { query: { path, model }, signal });
  }

  monitoring(path: string, model: string, signal?: AbortSignal): Promise<Monitoring> {
    return this.ask('GET', 'monitoring', { query: { path, model }, signal });
  }

  /** Address of a page of a report. It never has the token in it: a page can read its own address. */
  reportPage(model: string, version: string, window: string, page: 'report' | 'drift'): string {
    const parts = [model, version, window].map(encodeURIComponent);
    return URLExt.join(this.settings.baseUrl, NAMESPACE, 'monitoring', ...parts, `${page}.html`);
  }

  startJob(request: JobRequest): Promise<Job> {
    return this.ask('POST', 'jobs', { body: request });
  }

  jobs(path?: string, kind?: Job['kind'], signal?: AbortSignal): Promise<Jobs> {
    return this.ask('GET', 'jobs', { query: { path, kind }, signal });
  }

  job(id: string, after: number, signal?: AbortSignal): Promise<JobState> {
    return this.ask('GET', `jobs/${encodeURIComponent(id)}`, { query: { after }, signal });
  }

  jobLog(id: string): Promise<JobLog> {
    return this.ask('GET', `jobs/${encodeURIComponent(id)}/log`);
  }

  cancelJob(id: string): Promise<Job> {
    return this.ask('DELETE', `jobs/${encodeURIComponent(id)}`);
  }

  services(signal?: AbortSignal): Promise<Services> {
    return this.ask('GET', 'services', { signal });
  }

  startService(project: string): Promise<Service> {
    return this.ask('POST', 'services', { body: { project } });
  }

  service(id: string, signal?: AbortSignal): Promise<Service> {
    return this.ask('GET', `services/${encodeURIComponent(id)}`, { signal });
  }

  stopService(id: string): Promise<Service> {
    return this.ask('DELETE', `services/${encodeURIComponent(id)}`);
  }

  predict(id: string, row: Record<string, unknown>): Promise<PredictAnswer> {
    return this.ask('POST', `services/${encodeURIComponent(id)}/predict`, { body: { row } });
  }

  /** Another tab with the same notebook asks for itself. */
  private readonly page = UUID.uuid4();

  private async ask<T>(
    method: 'GET' | 'POST' | 'DELETE',
    route: string,
    more: { query?: Query; body?: object; signal?: AbortSignal } = {}
  ): Promise<T> {
    const url = URLExt.join(this.settings.baseUrl, NAMESPACE, route) + queryString(more.query ?? {});
    const init: RequestInit = { method, signal: more.signal };
    if (more.body !== undefined) {
      init.body = JSON.stringify(more.body);
      init.headers = { 'Content-Type': 'application/json' };
    }
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(url, init, this.settings);
    } catch (error) {
      if (more.signal?.aborted) {
        throw new DOMException('The call was given up.', 'AbortError');
      }
      throw new ApiError('offline', 'The Jupyter server does not answer.', 'Check that it is running, then try again.');
    }
    const text = await response.text();
    let answer: unknown;
    try {
      answer = JSON.parse(text);
    } catch {
      answer = undefined; // a proxy's or an older server's page
    }
    if (response.ok && answer !== undefined) {
      return answer as T;
    }
    if (isErrorMessage(answer)) {
      throw new ApiError(answer.code, answer.message, answer.fix, response.status);
    }
    if (response.status === 404 || response.ok) {
      throw new ApiError(
        'server-missing',
        'The server extension of jupyter-mlops is not running on this Jupyter server.',
        'Install jupyter-mlops in the environment of the Jupyter server, and start the server again.',
        response.status
      );
    }
    throw new ApiError('internal', `The Jupyter server answered with ${response.status} ${response.statusText}.`, null, response.status);
  }
}

/** Whether an error only says that nobody waits for the answer any more. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

function isErrorMessage(answer: unknown): answer is ErrorMessage {
  return typeof answer === 'object' && answer !== null && 'code' in answer && 'message' in answer && 'fix' in answer;
}

function queryString(query: Query): string {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (Array.isArray(value)) {
      value.forEach(one => parts.append(name, one));
    } else if (value !== undefined && value !== '') {
      parts.append(name, String(value));
    }
  }
  const text = parts.toString();
  return text ? `?${text}` : '';
}
