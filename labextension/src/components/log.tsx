import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useState } from 'react';

import { Api, ApiError } from '../api/client';
import { Refresh } from '../api/refresh';
import { Failure } from './state';

const PACE = 2000; // ms

/** What a job has printed, folded away; read while it is open, again and again while the job runs. */
export function JobLogView(props: { api: Api; job: string; running: boolean; trans: TranslationBundle }): JSX.Element {
  const { api, job, running, trans } = props;
  const [open, setOpen] = useState(false);
  const [text, setText] = useState<string | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  useEffect(() => {
    if (!open) {
      return;
    }
    const refresh = new Refresh(async signal => {
      try {
        const log = await api.jobLog(job);
        if (!signal.aborted) {
          setText((log.cut ? trans.__('(Only the end is shown.)') + '\n' : '') + log.text);
          setError(null);
        }
      } catch (failure) {
        if (!signal.aborted) {
          setError(ApiError.from(failure));
        }
      }
    });
    refresh.every(running ? PACE : null);
    void refresh.now();
    return () => refresh.dispose();
  }, [api, job, open, running, trans]);
  return (
    <details className="jp-mlops-Fold" onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>{trans.__('Log')}</summary>
      {error && <Failure error={error} trans={trans} />}
      {text !== null && <LogText text={text} label={trans.__('Log of the job')} empty={trans.__('Nothing was printed yet.')} />}
    </details>
  );
}

/** Printed lines; long ones scroll, also by keyboard. */
export function LogText(props: { text: string; label: string; empty?: string }): JSX.Element {
  return props.text.trim() === '' && props.empty ? (
    <p>{props.empty}</p>
  ) : (
    <pre className="jp-mlops-Log" tabIndex={0} role="region" aria-label={props.label}>
      {props.text}
    </pre>
  );
}
