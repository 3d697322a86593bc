/* From jupyter_mlops/schema/events/job.yaml by `jlpm types`. */

/**
 * What a job does, on the server's event stream. It has no replay: GET jobs/ID is the truth, this says that it is worth asking. Small, and without values of the notebook.
 *
 */
export interface EmittedJobEvent {
  /**
   * Its id.
   */
  job: string;
  kind: 'convert' | 'run' | 'promote' | 'rollback' | 'deploy' | 'monitor';
  /**
   * Of the notebook, relative to the server's root.
   */
  path: string;
  jobStatus: 'queued' | 'running' | 'stopping' | 'done' | 'failed' | 'cancelled' | 'lost';
  number: number;
  step: string;
  status: 'started' | 'progress' | 'done' | 'failed' | 'skipped';
  message: string;
  fraction: number | null;
}

export const JOB_EVENTS = 'https://github.com/jupyter-mlops/jupyter-mlops/events/job/v1';
