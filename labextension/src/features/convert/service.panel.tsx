import type { TranslationBundle } from '@jupyterlab/translation';
import { lazy, Suspense, useMemo, useState } from 'react';

import { CopyButton } from '../../components/copy';
import { FieldProblem, shapeOf } from '../../components/form';
import { numberText, valueText } from '../../components/format';
import { LogText } from '../../components/log';
import { useSignal } from '../../components/signals';
import { Button, Failure, ProgressBar } from '../../components/state';
import { Answer, problemsOf, ServiceModel } from './service';

const NONE: readonly FieldProblem[] = [];
const JsonForm = lazy(() => import('../../components/json-form'));

/** The service of the project: start it, ask it, stop it. */
export function ServicePanel(props: { model: ServiceModel; trans: TranslationBundle }): JSX.Element | null {
  const { model, trans } = props;
  useSignal(model.changed);
  const { service } = model;
  if (model.project === null) {
    return null;
  }
  const starting = model.busy === 'starting' || service?.status === 'starting';
  return (
    <section className="jp-mlops-Part" aria-label={trans.__('Service')}>
      <h3>{trans.__('Service')}</h3>
      <p role="status" aria-live="polite">
        {stateText(model, trans)}
      </p>
      {starting && <ProgressBar fraction={null} label={trans.__('The service is starting')} />}
      {model.error && <Failure error={model.error} trans={trans} />}
      <div className="jp-mlops-Actions">
        {(!model.running || model.stale) && (
          <Button kind="accept" disabled={model.busy !== null} onClick={() => void model.start()}>
            {model.stale ? trans.__('Start the New One') : trans.__('Start the Service')}
          </Button>
        )}
        {model.running && (
          <Button disabled={model.busy === 'stopping'} onClick={() => void model.stop()}>
            {trans.__('Stop the Service')}
          </Button>
        )}
        {service?.status === 'ready' && (
          <CopyButton text={() => model.address} trans={trans}>
            {trans.__('Copy the Address')}
          </CopyButton>
        )}
      </div>
      {service?.status === 'ready' && <TryIt key={service.id} model={model} trans={trans} />}
      {service && service.log.trim() !== '' && (
        <details className="jp-mlops-Fold" open={service.status === 'failed' || undefined}>
          <summary>{trans.__('Log of the service')}</summary>
          <LogText text={service.log} label={trans.__('What the service printed')} />
        </details>
      )}
    </section>
  );
}

function stateText(model: ServiceModel, trans: TranslationBundle): string {
  const { service } = model;
  if (model.busy === 'starting' || service?.status === 'starting') {
    return trans.__('Starting: the model is being loaded.');
  }
  if (model.stale) {
    return trans.__('Ready at %1, with the model of a former conversion.', model.address);
  }
  switch (service?.status) {
    case 'ready':
      return trans.__('Ready at %1 on the machine of the Jupyter server.', model.address);
    case 'failed':
      return trans.__('Failed: %1', service.message ?? trans.__('see its log.'));
    case 'stopped':
      return trans.__('Stopped.');
    default:
      return trans.__('Not started. Start it to ask the model for predictions.');
  }
}

function TryIt(props: { model: ServiceModel; trans: TranslationBundle }): JSX.Element | null {
  const { model, trans } = props;
  const { form, example } = model.service!;
  const shape = useMemo(() => (form ? shapeOf(form, trans.__('(missing)')) : null), [form !== null, trans]);
  const [row, setRow] = useState<Record<string, unknown>>(example ?? {});
  const { answer } = model;
  const problems = useMemo(
    () => (shape && answer && answer.status >= 400 ? problemsOf(answer.body, shape.fields.map(field => field.name)) : []),
    [shape, answer]
  );
  const same = answer !== null && JSON.stringify(answer.row) === JSON.stringify(row); // what was wrong may be mended by now
  const send = (sent: Record<string, unknown>): void => {
    setRow(sent);
    void model.predict(sent);
  };
  if (!shape) {
    return <p>{trans.__('The service does not say what a row looks like; its address has a page of documentation at /docs.')}</p>;
  }
  return (
    <>
      <h4>{trans.__('Try a request')}</h4>
      <p className="jp-mlops-Quiet">{trans.__('The row is one that the notebook predicted. An empty field is a missing value where that is allowed.')}</p>
      <Suspense fallback={<p>{trans.__('Loading…')}</p>}>
        <JsonForm
          id="mlops-service"
          label={trans.__('Row for the service')}
          shape={shape}
          value={example ?? {}}
          trans={trans}
          problems={same ? problems : NONE}
          onChange={setRow}
          submit={{ label: trans.__('Send'), disabled: model.busy !== null, run: sent => send(sent) }}
        />
      </Suspense>
      <div className="jp-mlops-Actions">
        <CopyButton text={() => model.curl(row)} trans={trans}>
          {trans.__('Copy as curl')}
        </CopyButton>
      </div>
      <div role="status" aria-live="polite">
        {answer && <AnswerView answer={answer} elsewhere={problems.filter(one => one.name === null).map(one => one.message)} trans={trans} />}
      </div>
    </>
  );
}

function AnswerView(props: { answer: Answer; elsewhere: readonly string[]; trans: TranslationBundle }): JSX.Element {
  const { answer, trans } = props;
  const body = typeof answer.body === 'object' && answer.body !== null ? (answer.body as Record<string, unknown>) : null;
  const probabilities = Object.entries((body?.probabilities ?? {}) as Record<string, number>).sort(([, a], [, b]) => b - a);
  const predicted = answer.status < 400 && body !== null && 'prediction' in body;
  return (
    <div className="jp-mlops-Answer">
      {predicted && (
        <p>
          {trans.__('Prediction:')} <strong>{valueText(body.prediction)}</strong>
        </p>
      )}
      {predicted && probabilities.length > 0 && (
        <table className="jp-mlops-Table">
          <caption>{trans.__('Probabilities')}</caption>
          <tbody>
            {probabilities.map(([name, value]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{numberText(value)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {answer.status === 422 && <p>{trans.__('The service refuses this row: see the fields.')}</p>}
      {props.elsewhere.map(one => (
        <p key={one}>{one}</p>
      ))}
      {!predicted && answer.status !== 422 && <LogText text={JSON.stringify(answer.body, null, 2)} label={trans.__('Answer of the service')} />}
      <p className="jp-mlops-Quiet">{trans.__('HTTP status %1, %2 ms', answer.status, numberText(answer.milliseconds))}</p>
    </div>
  );
}
