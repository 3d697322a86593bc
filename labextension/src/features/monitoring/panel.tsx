import type { TranslationBundle } from '@jupyterlab/translation';

import type { Api } from '../../api/client';
import type { MonitorReport } from '../../api/messages/monitor';
import type { LastReport } from '../../api/messages/monitoring';
import { numberText, percentText, spanText } from '../../components/format';
import { JobLogView } from '../../components/log';
import { useSignal } from '../../components/signals';
import { Button, Failure } from '../../components/state';
import { Steps } from '../../components/steps';
import { stepsOf } from '../convert/steps';
import { Columns } from './columns';
import { LookOptions, MonitoringModel, MOST_ROWS, WINDOWS } from './model';
import type { ReportPage } from './tab';
import { Trend } from './trend';
import { alertTitle, lookTitles, oddities, qualityText, verdictText, windowTitle } from './words';

/** What a deployed model was asked: the last report, the trend, and a button to look now. */
export function MonitoringPanel(props: {
  model: MonitoringModel;
  api: Api;
  openPage: (page: ReportPage) => void;
  trans: TranslationBundle;
}): JSX.Element | null {
  const { model, api, openPage, trans } = props;
  useSignal(model.changed);
  const { monitoring, followed, job, last, report } = model;
  if (!model.model || (!monitoring?.version && !model.readError && !model.working && !model.failure)) {
    return null;
  }
  return (
    <section className="jp-mlops-Part" aria-label={trans.__('Monitoring')}>
      <h3>{trans.__('Monitoring')}</h3>
      {model.readError && <Failure error={model.readError} trans={trans} retry={() => model.reload()} />}
      {model.failure && <Failure error={model.failure} trans={trans} />}
      {followed && (model.working || model.failure) && (
        <Steps label={trans.__('Steps of the look')} steps={stepsOf(followed.job, followed.events, [], lookTitles(trans))} trans={trans} />
      )}
      {job && model.failure && <JobLogView key={job.id} api={api} job={job.id} running={false} trans={trans} />}
      {report ? (
        <Found report={report} trans={trans} />
      ) : (
        monitoring && <p>{trans.__('Nobody has looked yet at what version %1 is asked.', monitoring.version ?? '–')}</p>
      )}
      <div className="jp-mlops-Actions">
        <Button kind="accept" disabled={model.working} onClick={() => void model.look()}>
          {model.working ? trans.__('Looking…') : trans.__('Look Now')}
        </Button>
        {last && report && <Pages last={last} report={report} api={api} openPage={openPage} trans={trans} />}
      </div>
      <Options model={model} trans={trans} />
      {report && <Columns key={report.version} report={report} trans={trans} />}
      {report && <Trend trend={monitoring!.trend} report={report} trans={trans} />}
    </section>
  );
}

/** What the last report says, in words. */
function Found({ report, trans }: { report: MonitorReport; trans: TranslationBundle }): JSX.Element {
  const { window, reference, columns } = report;
  const drifted = columns.filter(one => one.drifted).length;
  return (
    <>
      <p role="status" aria-live="polite">
        <strong className="jp-mlops-Verdict" data-verdict={report.verdict}>
          {verdictText(report, trans)}
        </strong>
      </p>
      <p className="jp-mlops-Quiet">
        {trans.__(
          'Version %1, %2: %3 rows were asked, %4 of them compared with %5 rows of the reference (%6).',
          report.version,
          spanText(Date.parse(window.since), Date.parse(window.until)),
          numberText(report.rows),
          numberText(report.sampled),
          numberText(reference.rows),
          reference.source
        )}
      </p>
      {report.alerts.length > 0 && (
        <ul className="jp-mlops-Problems" aria-label={trans.__('Alerts')}>
          {report.alerts.map((one, place) => (
            <li key={place} data-severity="warning">
              <strong>{trans.__('%1:', alertTitle(one.kind, trans))}</strong> {one.message}
            </li>
          ))}
        </ul>
      )}
      {report.verdict === 'alert' && report.reason && <p>{trans.__('Drift was not measured: %1.', report.reason)}</p>}
      {report.driftedShare !== null && !report.alerts.some(one => one.kind === 'data-drift') && (
        <p>{trans.__('%1 of %2 columns drifted (%3).', drifted, columns.length, percentText(report.driftedShare))}</p>
      )}
      <p>{qualityText(report, trans)}</p>
      {oddities(report, trans).map(one => (
        <p key={one}>{one}</p>
      ))}
    </>
  );
}

/** The report as a page, and Evidently's own, each in a tab. */
function Pages(props: {
  last: LastReport;
  report: MonitorReport;
  api: Api;
  openPage: (page: ReportPage) => void;
  trans: TranslationBundle;
}): JSX.Element {
  const { last, report, api, openPage, trans } = props;
  const { model, version } = report;
  const open = (kind: ReportPage['kind'], label: string): void =>
    openPage({ id: `jupyter-mlops-${kind}:${model}:${version}:${last.window}`, label, url: api.reportPage(model, version, last.window, kind), kind });
  return (
    <>
      {last.pages.includes('report') && (
        <Button onClick={() => open('report', trans.__('Report: %1 version %2', model, version))}>{trans.__('Open Report')}</Button>
      )}
      {last.pages.includes('drift') && (
        <Button
          title={trans.__('Evidently’s own page, with the distribution of each column')}
          onClick={() => open('drift', trans.__('Distributions: %1 version %2', model, version))}
        >
          {trans.__('Open Distributions')}
        </Button>
      )}
    </>
  );
}

function Options({ model, trans }: { model: MonitoringModel; trans: TranslationBundle }): JSX.Element {
  const { window, rows } = model.options;
  return (
    <details className="jp-mlops-Fold">
      <summary>{trans.__('Options: %1', windowTitle(window, trans))}</summary>
      <fieldset className="jp-mlops-Form">
        <legend className="jp-mlops-Heard">{trans.__('Options of the look')}</legend>
        <div className="jp-mlops-Field">
          <label htmlFor="mlops-monitor-window">{trans.__('Window, up to the last row that was asked')}</label>
          <select
            id="mlops-monitor-window"
            className="jp-mod-styled"
            value={window ?? ''}
            onChange={event => model.setOptions({ window: (event.target.value || null) as LookOptions['window'] })}
          >
            <option value="">{windowTitle(null, trans)}</option>
            {WINDOWS.map(one => (
              <option key={one} value={one}>
                {windowTitle(one, trans)}
              </option>
            ))}
          </select>
        </div>
        <div className="jp-mlops-Field">
          <label htmlFor="mlops-monitor-rows">{trans.__('Rows that are needed to tell drift from chance')}</label>
          <input
            id="mlops-monitor-rows"
            className="jp-mod-styled"
            type="number"
            min={1}
            max={MOST_ROWS}
            placeholder={trans.__('as monitoring.yaml says')}
            defaultValue={rows ?? ''}
            onChange={event => {
              const given = event.target.valueAsNumber;
              model.setOptions({ rows: Number.isInteger(given) && given >= 1 && given <= MOST_ROWS ? given : null });
            }}
          />
        </div>
      </fieldset>
    </details>
  );
}
