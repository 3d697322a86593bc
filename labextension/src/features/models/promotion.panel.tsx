import type { TranslationBundle } from '@jupyterlab/translation';
import { useState } from 'react';

import { Api } from '../../api/client';
import type { Promotion } from '../../api/messages/models';
import { sinceText, timeText } from '../../components/format';
import { JobLogView } from '../../components/log';
import { useSignal } from '../../components/signals';
import { Button, Failure } from '../../components/state';
import { Steps } from '../../components/steps';
import { CommentField } from './comment';
import { withFigures } from './figures';
import { isActive, PromotionModel } from './promotion';
import { promotionSteps, stepTitles } from './steps';

/** One version on its way into production. */
export function PromotionPanel(props: {
  model: PromotionModel;
  api: Api;
  goOn: () => void;
  trans: TranslationBundle;
}): JSX.Element | null {
  const { model, api, trans } = props;
  useSignal(model.changed);
  if (!model.shown) {
    return null;
  }
  const { promotion, job } = model;
  const active = promotion ? isActive(promotion) : model.working || model.busy === 'starting';
  const status = promotion?.status ?? (job?.status === 'cancelled' ? 'cancelled' : null); // one may end before it has a journal
  const idle = promotion?.status === 'running' && promotion.job === null && !model.working && !model.busy;
  return (
    <section className="jp-mlops-Part" aria-label={model.rollback ? trans.__('Rollback') : trans.__('Promotion')}>
      <h3>{model.rollback ? trans.__('Back to version %1', model.version) : trans.__('Promotion of version %1', model.version)}</h3>
      <p role="status" aria-live="polite">
        <strong>{active && !promotion ? trans.__('Starting') : status && statusText(status, trans)}</strong>
        {promotion?.champion && active && <> {trans.__('It would replace version %1.', promotion.champion)}</>}
      </p>
      {model.failure && <Failure error={model.failure} trans={trans} />}
      {promotion?.status === 'failed' &&
        promotion.steps
          .filter(step => step.status === 'failed')
          .map(step => (
            <p key={step.name} className="jp-mlops-Note jp-mod-error">
              <strong>{trans.__('%1:', step.title)}</strong> {step.message}
            </p>
          ))}
      <Steps
        label={model.rollback ? trans.__('Steps of the rollback') : trans.__('Steps of the promotion')}
        steps={withFigures(promotionSteps(model, stepTitles(trans)), model, trans)}
        trans={trans}
      />
      {idle && (
        <div className="jp-mlops-Note">
          <p>{trans.__('No job of this server works on it: it may have been stopped on the way.')}</p>
          <Button kind="accept" onClick={props.goOn}>
            {trans.__('Go On')}
          </Button>
        </div>
      )}
      {promotion?.status === 'waiting' && <DecisionForm key={promotion.id} model={model} promotion={promotion} trans={trans} />}
      <div className="jp-mlops-Actions">
        {active && !model.rollback && (
          <Button disabled={model.busy !== null || job?.status === 'stopping'} onClick={() => void model.decide('cancel', '')}>
            {model.busy === 'cancel' || job?.status === 'stopping' ? trans.__('Stopping…') : trans.__('Cancel the Promotion')}
          </Button>
        )}
        {!active && <Button onClick={() => model.clear()}>{trans.__('Close')}</Button>}
      </div>
      {job && <JobLogView key={job.id} api={api} job={job.id} running={model.working} trans={trans} />}
      {promotion && <Journal promotion={promotion} trans={trans} />}
    </section>
  );
}

function statusText(status: Promotion['status'], trans: TranslationBundle): string {
  const words: Record<Promotion['status'], string> = {
    running: trans.__('Running.'),
    waiting: trans.__('Waiting for an approval.'),
    promoted: trans.__('In production.'),
    rejected: trans.__('Rejected.'),
    failed: trans.__('Failed: the version stays where it was. The steps say what to mend; then convert again and promote the new version.'),
    cancelled: trans.__('Cancelled: the version stays where it was.')
  };
  return words[status];
}

function DecisionForm(props: { model: PromotionModel; promotion: Promotion; trans: TranslationBundle }): JSX.Element {
  const { model, promotion, trans } = props;
  const [comment, setComment] = useState('');
  const open = promotion.steps.filter(step => step.status === 'inconclusive');
  const asked = open.map(step => (
    <p key={step.name} className="jp-mlops-Note jp-mod-warn">
      <strong>{trans.__('%1 was inconclusive:', step.title)}</strong> {step.message}
    </p>
  ));
  if (!promotion.mayDecide) {
    return (
      <>
        {asked}
        <p className="jp-mlops-Note">{promotion.whyNot ?? trans.__('You may not decide about this promotion.')}</p>
      </>
    );
  }
  const decide = (decision: 'approve' | 'reject'): void => void model.decide(decision, comment);
  return (
    <div className="jp-mlops-Form" role="group" aria-label={trans.__('Decision')}>
      <p>
        {trans.__('Version %1, made by %2. It goes into production when you approve it.', promotion.version, promotion.author || '–')}
        {promotion.digest && (
          <>
            {' '}
            {trans.__('Artifact:')} <code title={promotion.digest}>{promotion.digest.replace(/^sha256:/, '').slice(0, 12)}</code>
          </>
        )}
      </p>
      <CommentField id="mlops-decision-comment" onChange={setComment} trans={trans} />
      {asked}
      <div className="jp-mlops-Actions">
        <Button kind="accept" disabled={model.busy !== null} onClick={() => decide('approve')}>
          {model.busy === 'approve' ? trans.__('Approving…') : trans.__('Approve')}
        </Button>
        <Button kind="warn" disabled={model.busy !== null} onClick={() => decide('reject')}>
          {model.busy === 'reject' ? trans.__('Rejecting…') : trans.__('Reject')}
        </Button>
      </div>
    </div>
  );
}

function Journal({ promotion, trans }: { promotion: Promotion; trans: TranslationBundle }): JSX.Element {
  return (
    <details className="jp-mlops-Fold">
      <summary>{trans._n('Journal, %1 entry', 'Journal, %1 entries', promotion.journal.length)}</summary>
      <ol className="jp-mlops-Journal">
        {promotion.journal.map((line, index) => (
          <li key={index} data-what={line.what}>
            <time dateTime={new Date(line.at).toISOString()} title={timeText(line.at)}>
              {sinceText(line.at)}
            </time>
            , {line.who}: {line.message}
          </li>
        ))}
      </ol>
    </details>
  );
}
