import { nullTranslator } from '@jupyterlab/translation';
import { render, screen } from '@testing-library/react';

import type { JobEvent } from '../../api/messages/jobs';
import { announcement, Steps } from '../../components/steps';
import { JobsForTest } from '../../testing/jobs';
import { CONVERT_STEPS, stepsOf } from './steps';

const trans = nullTranslator.load('jupyter_mlops');
const job = new JobsForTest().add({ kind: 'convert', path: 'n.ipynb' });

function events(...given: [string, JobEvent['status'], Partial<JobEvent>?][]): JobEvent[] {
  return given.map(([step, status, more], number) => ({ number, time: 0, step, status, message: '', ...more }));
}

describe('steps of a conversion', () => {
  it('follow the events, also where they are not in a row', () => {
    const given = events(
      ['job', 'started'],
      ['read', 'started'],
      ['read', 'done', { message: '12 code cells', seconds: 0.1 }],
      ['analyse', 'done'],
      ['run', 'started', { message: 'the notebook as it stands' }],
      ['run', 'progress', { message: 'cell 3 (1/2)', fraction: 0.5 }],
      ['lift', 'started']
    );
    const steps = stepsOf(job, given, CONVERT_STEPS, name => name);
    expect(steps.map(one => one.status)).toEqual([
      'done', 'done', 'running', 'pending', 'pending', 'begun', 'pending', 'pending', 'pending'
    ]);
    expect(steps[0]).toMatchObject({ message: '12 code cells', seconds: 0.1 });
    expect(steps[5]).toMatchObject({ message: 'cell 3 (1/2)', fraction: 0.5 });
  });

  it('are stopped or failed where the job is over', () => {
    const given = events(['read', 'done'], ['run', 'started'], ['lift', 'started']);
    const names = ['read', 'lift', 'run'];
    const at = (status: 'cancelled' | 'failed' | 'lost'): string[] =>
      stepsOf({ ...job, status }, given, names, name => name).map(one => one.status);
    expect(at('cancelled')).toEqual(['done', 'stopped', 'stopped']);
    expect(at('failed')).toEqual(['done', 'failed', 'stopped']);
    expect(at('lost')).toEqual(['done', 'stopped', 'stopped']);
  });

  it('take what they do not know', () => {
    const steps = stepsOf(job, events(['canary', 'progress', { fraction: 0.2 }]), [], name => name.toUpperCase());
    expect(steps).toEqual([{ name: 'canary', title: 'CANARY', status: 'running', message: '', fraction: 0.2, seconds: null }]);
  });

  it('are heard once each', () => {
    const say = (...given: Parameters<typeof events>): string =>
      announcement(stepsOf(job, events(...given), ['read', 'run'], name => name), trans);
    expect(say(['read', 'done'], ['run', 'started'])).toBe('Step 2 of 2, run: running');
    expect(say(['read', 'done'], ['run', 'started'], ['run', 'progress', { message: 'x', fraction: 0.3 }])).toBe('Step 2 of 2, run: running');
    expect(say(['read', 'done'], ['run', 'failed'])).toBe('run has failed');
    expect(say(['read', 'done'], ['run', 'skipped'])).toBe('All steps are done');
  });

  it('say their status in words', () => {
    const steps = stepsOf(job, events(['read', 'done', { seconds: 75 }], ['run', 'progress', { fraction: 0.25 }]), [], name => name);
    render(<Steps label="Steps" steps={steps} trans={trans} />);
    const items = screen.getAllByRole('listitem');
    expect(items[0].textContent).toBe('readdone1 min 15 s');
    expect(items[1].getAttribute('aria-current')).toBe('step');
    expect((screen.getByRole('progressbar') as HTMLProgressElement).value).toBe(0.25);
  });
});
