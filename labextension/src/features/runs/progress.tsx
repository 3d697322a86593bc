import type { TranslationBundle } from '@jupyterlab/translation';

import type { Api } from '../../api/client';
import { isOpen } from '../../api/jobs';
import type { Job, RerunDone } from '../../api/messages/jobs';
import { JobLogView } from '../../components/log';
import { useSignal } from '../../components/signals';
import { Button, ProgressBar } from '../../components/state';
import { StatusMark } from './status';
import type { Rerun } from './rerun';

/** How a re-run stands: its cell, how far it is, and what came of it. */
export function RerunProgress(props: {
  api: Api;
  rerun: Rerun;
  openFile: (path: string) => void;
  trans: TranslationBundle;
}): JSX.Element | null {
  const { rerun, trans } = props;
  useSignal(rerun.changed);
  const job = rerun.job?.job;
  if (!job) {
    return null;
  }
  const open = isOpen(job);
  const output = (job.result as RerunDone | null)?.output ?? null;
  const lost = rerun.job?.error;
  return (
    <section className="jp-mlops-RunsJob" aria-label={trans.__('Re-run')}>
      <div className="jp-mlops-RunsJob-head">
        <StatusMark status={open ? 'RUNNING' : ENDS[job.status]} word={jobWord(job, trans)} />
        <span className="jp-mlops-RunsJob-title">{job.title}</span>
      </div>
      {open && <ProgressBar fraction={job.fraction} label={trans.__('Progress of the re-run')} />}
      <div className="jp-mlops-RunsJob-message" role="status" aria-live="polite">
        {open ? [job.step, job.message].filter(Boolean).join(': ') : (job.error?.message ?? job.message)}
      </div>
      {!open && job.error?.fix && <p>{job.error.fix}</p>}
      {lost && open && <p>{trans.__('%1 It is asked again.', lost.message)}</p>}
      <div className="jp-mlops-Actions">
        {open ? (
          <Button onClick={() => void rerun.cancel()} disabled={job.status === 'stopping'}>
            {job.status === 'stopping' ? trans.__('Stopping…') : trans.__('Cancel')}
          </Button>
        ) : (
          <Button onClick={() => rerun.dismiss()}>{trans.__('Dismiss')}</Button>
        )}
        {!open && output !== null && <Button onClick={() => props.openFile(output)}>{trans.__('Open the Executed Notebook')}</Button>}
      </div>
      <JobLogView api={props.api} job={job.id} running={open} trans={trans} />
    </section>
  );
}

const ENDS: Record<Job['status'], 'FINISHED' | 'FAILED' | 'KILLED' | 'RUNNING'> = {
  queued: 'RUNNING',
  running: 'RUNNING',
  stopping: 'RUNNING',
  done: 'FINISHED',
  failed: 'FAILED',
  lost: 'FAILED',
  cancelled: 'KILLED'
};

function jobWord(job: Job, trans: TranslationBundle): string {
  const words: Record<Job['status'], string> = {
    queued: trans.__('waiting for its turn'),
    running: trans.__('running'),
    stopping: trans.__('stopping'),
    done: trans.__('done'),
    failed: trans.__('failed'),
    lost: trans.__('lost: its process is gone'),
    cancelled: trans.__('cancelled')
  };
  return words[job.status];
}
