import type { TranslationBundle } from '@jupyterlab/translation';
import {
  checkIcon,
  circleEmptyIcon,
  closeIcon,
  infoIcon,
  LabIcon,
  pauseIcon,
  runIcon,
  stepOverIcon
} from '@jupyterlab/ui-components';
import type { ReactNode } from 'react';

import { secondsText } from './format';
import { ProgressBar } from './state';

/** `begun`: it has been worked on, and will be again when another step is over. */
export type StepStatus =
  | 'pending'
  | 'begun'
  | 'running'
  | 'waiting'
  | 'done'
  | 'passed'
  | 'failed'
  | 'inconclusive'
  | 'skipped'
  | 'stopped';

/** One step of long work, as it is shown. */
export interface Step {
  name: string;
  title: string;
  status: StepStatus;
  message: string;
  /** Of a running step, where it is known. */
  fraction: number | null;
  seconds: number | null;
  /** What else there is to it. */
  more?: ReactNode;
}

const ICONS: Record<StepStatus, LabIcon> = {
  pending: circleEmptyIcon,
  begun: circleEmptyIcon,
  running: runIcon,
  waiting: pauseIcon,
  done: checkIcon,
  passed: checkIcon,
  failed: closeIcon,
  inconclusive: infoIcon,
  skipped: stepOverIcon,
  stopped: closeIcon
};

/** The word for a status: it is never told by colour or icon alone. */
export function statusWord(status: StepStatus, trans: TranslationBundle): string {
  const words: Record<StepStatus, string> = {
    pending: trans.__('not yet'),
    begun: trans.__('begun'),
    running: trans.__('running'),
    waiting: trans.__('waiting'),
    done: trans.__('done'),
    passed: trans.__('passed'),
    failed: trans.__('failed'),
    inconclusive: trans.__('inconclusive'),
    skipped: trans.__('skipped'),
    stopped: trans.__('stopped')
  };
  return words[status];
}

/** Steps of long work, as a list; a screen reader hears one sentence for each step, not every word of progress. */
export function Steps(props: { label: string; steps: readonly Step[]; trans: TranslationBundle }): JSX.Element {
  const { steps, trans } = props;
  return (
    <>
      <ol className="jp-mlops-JobSteps" aria-label={props.label}>
        {steps.map(step => (
          <StepItem key={step.name} step={step} trans={trans} />
        ))}
      </ol>
      <div className="jp-mlops-Heard" role="status" aria-live="polite">
        {announcement(steps, trans)}
      </div>
    </>
  );
}

function StepItem({ step, trans }: { step: Step; trans: TranslationBundle }): JSX.Element {
  const icon = ICONS[step.status];
  return (
    <li className="jp-mlops-JobStep" data-status={step.status} aria-current={step.status === 'running' ? 'step' : undefined}>
      <div className="jp-mlops-JobStep-head">
        <span className="jp-mlops-JobStep-icon" aria-hidden="true">
          <icon.react tag="span" width="14px" height="14px" />
        </span>
        <span className="jp-mlops-JobStep-title">{step.title}</span>
        <span className="jp-mlops-JobStep-status">{statusWord(step.status, trans)}</span>
        {step.seconds !== null && <span className="jp-mlops-JobStep-seconds">{secondsText(step.seconds, trans)}</span>}
      </div>
      {step.message && <div className="jp-mlops-JobStep-message">{step.message}</div>}
      {step.status === 'running' && <ProgressBar fraction={step.fraction} label={trans.__('Progress of %1', step.title)} />}
      {step.more}
    </li>
  );
}

/** What has changed last, in one sentence that stays the same while a step goes on. */
export function announcement(steps: readonly Step[], trans: TranslationBundle): string {
  const at = steps.findIndex(step => step.status === 'running' || step.status === 'waiting');
  const failed = steps.find(step => step.status === 'failed');
  if (failed) {
    return trans.__('%1 has failed', failed.title);
  }
  if (at >= 0) {
    return trans.__('Step %1 of %2, %3: %4', at + 1, steps.length, steps[at].title, statusWord(steps[at].status, trans));
  }
  const over = steps.length > 0 && steps.every(step => ['done', 'passed', 'inconclusive', 'skipped'].includes(step.status));
  return over ? trans.__('All steps are done') : '';
}
