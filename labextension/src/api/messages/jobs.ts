/* From jupyter_mlops/schema/api/jobs.yaml by `jlpm types`. */

export type JobRequest =
  ConvertRequest | RerunRequest | PromoteRequest | RollbackRequest | DeployRequest | MonitorRequest;

/**
 * POST jobs (202), GET jobs?path=&kind=, GET jobs/ID?after=N, DELETE jobs/ID (asks it to stop), GET jobs/ID/log.
 *
 */
export interface JobMessages {
  request?: JobRequest;
  job?: Job;
  jobs?: Jobs;
  state?: JobState;
  log?: JobLog;
  convertDone?: ConvertDone;
  rerunDone?: RerunDone;
  promoteDone?: PromoteDone;
  deployDone?: DeployDone;
  monitorDone?: MonitorDone;
}
export interface ConvertRequest {
  kind: 'convert';
  /**
   * Of the notebook, relative to the server's root.
   */
  path: string;
  /**
   * Folder of the project, relative to the root; default: beside the notebook, with its name.
   */
  output?: string;
  /**
   * Values of names of the parameters cell.
   */
  parameters?: {
    [k: string]: unknown;
  };
  model?: string;
  name?: string;
  register?: boolean;
  force?: boolean;
  allowMismatch?: boolean;
  cellTimeout?: number;
}
export interface RerunRequest {
  kind: 'run';
  path: string;
  parameters: {
    [k: string]: unknown;
  };
  name?: string;
  experiment?: string;
  cellTimeout?: number;
}
export interface PromoteRequest {
  kind: 'promote';
  /**
   * Of the notebook; its folder has the store where no server is set.
   */
  path: string;
  model: string;
  version: string;
  comment?: string;
}
export interface RollbackRequest {
  kind: 'rollback';
  path: string;
  model: string;
  /**
   * To go back to: the one that was in production before, or it is refused.
   */
  version: string;
  comment?: string;
}
/**
 * The version in production, where the model is not deployed on this machine, or nothing looks after it any more.
 */
export interface DeployRequest {
  kind: 'deploy';
  path: string;
  model: string;
  /**
   * Default: 8080.
   */
  port?: number;
}
/**
 * Looks at what the version that has the traffic was asked, where the model is deployed on this machine.
 */
export interface MonitorRequest {
  kind: 'monitor';
  path: string;
  model: string;
  /**
   * Its length up to the last logged row: 90m, 24h, 7d, 2w; default: as the version's monitoring.yaml says.
   */
  window?: string;
  /**
   * That are needed to tell drift from chance; default: as monitoring.yaml says.
   */
  rows?: number;
}
export interface Job {
  id: string;
  kind: 'convert' | 'run' | 'promote' | 'rollback' | 'deploy' | 'monitor';
  /**
   * Of the notebook.
   */
  path: string;
  title: string;
  /**
   * Of a promotion and of a rollback: MODEL/VERSION; of a deployment and of a look at it: MODEL.
   */
  subject: string | null;
  /**
   * lost: its process ended without saying how (killed, or the machine went down).
   */
  status: 'queued' | 'running' | 'stopping' | 'done' | 'failed' | 'cancelled' | 'lost';
  user: string;
  /**
   * Milliseconds since 1970.
   */
  created: number;
  started: number | null;
  ended: number | null;
  /**
   * That runs or ran last.
   */
  step: string | null;
  /**
   * Its last word.
   */
  message: string | null;
  fraction: number | null;
  error: null | JobError;
  /**
   * By kind: ConvertDone, RerunDone, PromoteDone (also of a rollback), DeployDone, MonitorDone.
   */
  result: {
    [k: string]: unknown;
  } | null;
  /**
   * Number of the next event.
   */
  next: number;
}
export interface JobError {
  code: string;
  message: string;
  fix: string | null;
}
export interface Jobs {
  /**
   * The newest first.
   */
  jobs: Job[];
}
export interface JobState {
  job: Job;
  /**
   * Those from number `after` on; progress events of the past may have been dropped.
   */
  events: JobEvent[];
}
export interface JobEvent {
  number: number;
  time: number;
  step: string;
  status: 'started' | 'progress' | 'done' | 'failed' | 'skipped';
  message: string;
  fraction?: number | null;
  seconds?: number | null;
  data?: {
    [k: string]: unknown;
  };
}
export interface JobLog {
  text: string;
  /**
   * Whether only the end is shown.
   */
  cut: boolean;
}
export interface ConvertDone {
  ok: boolean;
  status: 'registered' | 'generated' | 'failed';
  /**
   * Its folder, relative to the server's root.
   */
  project: string;
  /**
   * Also of the registered model.
   */
  projectName: string | null;
  bundle: boolean;
  /**
   * Where an edited former project was kept.
   */
  kept: string | null;
  /**
   * As report.schema.json says.
   */
  report: {
    [k: string]: unknown;
  };
}
export interface RerunDone {
  ok: boolean;
  runId: string;
  experiment: string;
  /**
   * The executed notebook, relative to the root; null where it lies outside.
   */
  output: string | null;
  metrics: {
    [k: string]: number | null;
  };
  delivered: boolean;
}
export interface PromoteDone {
  ok: boolean;
  promotion: string;
  status: 'running' | 'waiting' | 'promoted' | 'rejected' | 'failed' | 'cancelled';
}
export interface DeployDone {
  ok: boolean;
  url: string;
  version: string;
}
export interface MonitorDone {
  /**
   * Whether there is a report; alerts are no failure.
   */
  ok: boolean;
  version: string;
  /**
   * Of monitoring.yaml.
   */
  window: string;
  verdict: 'ok' | 'alert' | 'inconclusive';
  alerts: number;
}
