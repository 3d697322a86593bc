import type { TranslationBundle } from '@jupyterlab/translation';

import type { Deployment, VersionTraffic } from '../../api/messages/models';
import { numberText, percentText, shortTimeText } from '../../components/format';
import { useSignal } from '../../components/signals';
import { Button, Failure } from '../../components/state';
import { Steps } from '../../components/steps';
import { stepsOf } from '../convert/steps';
import { DeploymentModel, sharesText, warningsOf } from './deployment';
import { stepTitles } from './steps';

const ROOM = 0.3; // share whose part of the bar has room for a word

/** Where a model is deployed: who gets how much of the traffic, and how each version does. */
export function Traffic(props: { model: DeploymentModel; restart: () => void; trans: TranslationBundle }): JSX.Element | null {
  const { model, trans } = props;
  useSignal(model.changed);
  const { deployment, followed } = model;
  if (!deployment && !model.elsewhere && !model.working && !model.failure) {
    return null;
  }
  return (
    <section className="jp-mlops-Part" aria-label={trans.__('Traffic')}>
      <h3>{trans.__('Traffic')}</h3>
      {model.elsewhere && (
        <p className="jp-mlops-Note jp-mod-warn">
          {trans.__('Another model of this name is deployed on the server’s machine, from the store %1.', model.elsewhere)}
        </p>
      )}
      {model.failure && <Failure error={model.failure} trans={trans} />}
      {followed && (model.working || model.failure) && (
        <Steps
          label={trans.__('Steps of the deployment')}
          steps={stepsOf(followed.job, followed.events, [], stepTitles(trans))}
          trans={trans}
        />
      )}
      {model.readError && <Failure error={model.readError} trans={trans} />}
      {deployment && <Shares deployment={deployment} trans={trans} />}
      {deployment && !deployment.supervised && !model.working && (
        <div className="jp-mlops-Actions">
          <Button kind="accept" onClick={props.restart}>
            {trans.__('Look After It Again')}
          </Button>
        </div>
      )}
    </section>
  );
}

function Shares({ deployment, trans }: { deployment: Deployment; trans: TranslationBundle }): JSX.Element {
  const warnings = warningsOf(deployment, trans);
  const { shadow, versions } = deployment;
  return (
    <>
      <p>
        {trans.__('Served at')} <code>{deployment.url}</code>
      </p>
      <div className="jp-mlops-Traffic-bar" role="img" aria-label={trans.__('Traffic of %1', sharesText(deployment, trans))}>
        {versions.map((one, index) => (
          <span key={one.version} className="jp-mlops-Traffic-part" data-place={index % 2} style={{ flexGrow: one.share }}>
            {one.share >= ROOM
              ? trans.__('Version %1: %2', one.version, percentText(one.share))
              : one.share > 0 && `${one.version}: ${percentText(one.share)}`}
          </span>
        ))}
      </div>
      {shadow && <p className="jp-mlops-Quiet">{trans.__('Version %1 is sent copies of the requests; its answers are thrown away.', shadow)}</p>}
      <div role="status" aria-live="polite">
        {warnings.map(one => (
          <p key={one} className="jp-mlops-Note jp-mod-warn">
            {one}
          </p>
        ))}
      </div>
      <table className="jp-mlops-Table jp-mlops-Traffic-table" aria-label={trans.__('Traffic and health by version')}>
        <thead>
          <tr>
            <td />
            {versions.map((one, index) => (
              <th key={one.version} scope="col">
                <span className="jp-mlops-Traffic-key" data-place={index % 2} aria-hidden="true" />
                {trans.__('Version %1', one.version)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {measures(trans).map(([name, title, text]) => (
            <tr key={name}>
              <th scope="row" title={title}>
                {name}
              </th>
              {versions.map(one => (
                <td key={one.version}>{text(one)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

/** Rows of the table: name, what it means, text. */
function measures(trans: TranslationBundle): [string, string, (one: VersionTraffic) => string][] {
  const since = trans.__('Since the start of the replicas that run now');
  const time = (one: VersionTraffic, seconds: number | null): string =>
    one.requests === 0 ? '–' : seconds === null ? trans.__('beyond measure') : shortTimeText(seconds, trans);
  return [
    [trans.__('Traffic'), trans.__('Part of the requests that it is sent'), one => percentText(one.share)],
    [
      trans.__('Replicas ready'),
      trans.__('Of those that there shall be'),
      one => trans.__('%1 of %2', numberText(one.ready), numberText(one.replicas))
    ],
    [trans.__('Restarts'), trans.__('How often a replica was started again after it had ended by itself'), one => numberText(one.restarts)],
    [trans.__('Requests'), since, one => numberText(one.requests)],
    [trans.__('Errors'), trans.__('Answers 500, 502, 503 and 504: the service’s own fault'), errorsText],
    [trans.__('p50'), trans.__('Half of the requests are answered within this time'), one => time(one, one.p50)],
    [trans.__('p99'), trans.__('All but one in a hundred are answered within this time'), one => time(one, one.p99)]
  ];
}

function errorsText(one: VersionTraffic): string {
  return one.errors === 0 ? '0' : `${numberText(one.errors)} (${percentText(one.errors / Math.max(one.requests, 1))})`;
}
