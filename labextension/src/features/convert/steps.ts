import { isOpen } from '../../api/jobs';
import type { Job, JobEvent } from '../../api/messages/jobs';
import type { Step, StepStatus } from '../../components/steps';

/** The steps of a conversion, as `jupyter_mlops/workflows/events.py` names them. */
export const CONVERT_STEPS = ['read', 'analyse', 'lift', 'plan', 'render', 'run', 'export', 'verify', 'register'];

const JOB = 'job'; // the job's own events: that it began, and how it ended

/**
 * What a job's events say about its steps.
 *
 * Steps need not come one after the other: a conversion runs the notebook before it lifts, and the project after. The step
 * of the last event is the one that runs.
 */
export function stepsOf(job: Job, events: readonly JobEvent[], names: readonly string[], title: (name: string) => string): Step[] {
  const known = events.filter(event => event.step !== JOB);
  const steps = new Map<string, Step>();
  for (const name of [...names, ...known.map(event => event.step)]) {
    if (!steps.has(name)) {
      steps.set(name, { name, title: title(name), status: 'pending', message: '', fraction: null, seconds: null });
    }
  }
  for (const event of known) {
    const step = steps.get(event.step)!;
    step.status = event.status === 'started' || event.status === 'progress' ? 'begun' : event.status;
    step.message = event.message || (step.status === 'begun' ? step.message : '');
    step.fraction = event.fraction ?? null;
    step.seconds = event.seconds ?? null;
  }
  const last = known.length ? steps.get(known[known.length - 1].step)! : null;
  const left: StepStatus = job.status === 'failed' ? 'failed' : 'stopped';
  for (const step of steps.values()) {
    if (step.status === 'begun') {
      step.status = !isOpen(job) ? (step === last ? left : 'stopped') : step === last ? 'running' : 'begun';
    }
  }
  return [...steps.values()];
}
