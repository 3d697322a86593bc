import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactElement, useRef } from 'react';

import { Api } from '../../api/client';
import { isOpen } from '../../api/jobs';
import type { Job } from '../../api/messages/jobs';
import { useKeptFocus } from '../../components/focus';
import { JobLogView } from '../../components/log';
import { useSignal } from '../../components/signals';
import { Button, Empty, Failure } from '../../components/state';
import { Steps } from '../../components/steps';
import type { Host } from './host';
import type { ConvertModel } from './model';
import { OptionsForm } from './options.panel';
import { Result } from './result';
import { ServicePanel } from './service.panel';
import { CONVERT_STEPS, stepsOf } from './steps';

interface Props {
  model: ConvertModel;
  api: Api;
  host: Host;
  trans: TranslationBundle;
}

/** The section's content. */
export function convertPanel(props: Props): ReactElement {
  return <ConvertPanel {...props} />;
}

export function ConvertPanel({ model, api, host, trans }: Props): JSX.Element {
  useSignal(model.changed);
  const panel = useRef<HTMLDivElement>(null);
  useKeptFocus(panel, 'button');
  if (!model.path) {
    return <Empty title={trans.__('No notebook is open')}>{trans.__('Open a notebook to turn it into a package, a service and an edge bundle.')}</Empty>;
  }
  const { job, conversion, failure, running } = model;
  return (
    <div ref={panel} className="jp-mlops-Convert">
      <div className="jp-mlops-Actions">
        {!running && (
          <Button kind="accept" onClick={() => void model.convert()}>
            {job ? trans.__('Convert Again') : trans.__('Convert')}
          </Button>
        )}
        {job && isOpen(job) && (
          <Button disabled={job.status === 'stopping'} onClick={() => void model.cancel()}>
            {job.status === 'stopping' ? trans.__('Stopping…') : trans.__('Cancel')}
          </Button>
        )}
      </div>
      {!job && !failure && model.looked && (
        <p>{trans.__('The notebook is saved and run; package, service and bundle are made from it, and compared with it row by row.')}</p>
      )}
      <Untagged model={model} host={host} trans={trans} />
      {!running && <OptionsForm key={model.path} model={model} trans={trans} />}
      {failure && (
        <Failure error={failure} trans={trans} retry={model.looked ? undefined : () => void model.look()} />
      )}
      {model.edited && !running && (
        <div className="jp-mlops-Actions">
          <Button kind="warn" onClick={() => void model.convert(true)}>
            {trans.__('Replace It (the Edited One Is Kept Beside)')}
          </Button>
        </div>
      )}
      {job && <JobView model={model} job={job} api={api} trans={trans} />}
      {job && conversion && <Result conversion={conversion} job={job} current={model.current} host={host} trans={trans} />}
      <ServicePanel model={model.service} trans={trans} />
    </div>
  );
}

function Untagged({ model, host, trans }: { model: ConvertModel; host: Host; trans: TranslationBundle }): JSX.Element | null {
  const { view, unreadable } = model.current;
  if (!view || view.tagged) {
    return null;
  }
  if (unreadable) {
    return (
      <div className="jp-mlops-Note">
        <p>{trans.__('This notebook cannot be converted.')}</p>
        <p>{unreadable.message}</p>
      </div>
    );
  }
  return (
    <div className="jp-mlops-Note">
      <p>{trans.__('No cells are tagged as load and train, so the stages of the cells will be suggested. You can look at them before.')}</p>
      {host.has('mlops:suggest-tags') && <Button onClick={() => host.run('mlops:suggest-tags')}>{trans.__('Suggest Tags')}</Button>}
    </div>
  );
}

function JobView({ model, job, api, trans }: { model: ConvertModel; job: Job; api: Api; trans: TranslationBundle }): JSX.Element {
  const titles: Record<string, string> = {
    read: trans.__('Read the notebook'),
    analyse: trans.__('Analyse the cells'),
    lift: trans.__('Lift the fitted state'),
    plan: trans.__('Plan the project'),
    render: trans.__('Write the project'),
    run: trans.__('Run notebook and project'),
    export: trans.__('Export to ONNX'),
    verify: trans.__('Verify the predictions'),
    register: trans.__('Register the model')
  };
  const steps = stepsOf(job, model.followed!.events, CONVERT_STEPS, name => titles[name] ?? name).map(step =>
    step.message === job.error?.message ? { ...step, message: '' } : step // it stands above already
  );
  const lines: Partial<Record<Job['status'], string>> = {
    queued: trans.__('Waits for its turn.'),
    stopping: trans.__('Stopping: what has been written so far is removed.'),
    cancelled: trans.__('Cancelled. A former project is as it was.'),
    lost: trans.__('The process of this conversion ended without saying how, such as when the machine went down. Convert again.')
  };
  const list = <Steps label={trans.__('Steps of the conversion')} steps={steps} trans={trans} />;
  return (
    <section className="jp-mlops-Part" aria-label={trans.__('Progress of the conversion')}>
      {model.followed!.error && <Failure error={model.followed!.error} trans={trans} />}
      {lines[job.status] && <p role="status">{lines[job.status]}</p>}
      {job.status === 'done' ? (
        <details className="jp-mlops-Fold">
          <summary>{trans.__('Steps')}</summary>
          {list}
        </details>
      ) : (
        list
      )}
      <JobLogView key={job.id} api={api} job={job.id} running={isOpen(job)} trans={trans} />
    </section>
  );
}
