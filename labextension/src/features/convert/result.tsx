import type { TranslationBundle } from '@jupyterlab/translation';

import type { Job } from '../../api/messages/jobs';
import { sinceText, timeText, valueText } from '../../components/format';
import { Button } from '../../components/state';
import type { CurrentNotebook } from '../current/model';
import type { Host } from './host';
import type { Conversion } from './model';
import { ParityTable } from './parity';
import { Problems } from './problems';

/** What came of a conversion. */
export function Result(props: {
  conversion: Conversion;
  job: Job;
  current: CurrentNotebook;
  host: Host;
  trans: TranslationBundle;
}): JSX.Element {
  const { conversion, job, host, trans } = props;
  const { report } = conversion;
  const written = conversion.ok || report.failed_step === 'verify';
  const when = job.ended ?? job.created;
  return (
    <section className="jp-mlops-Part" aria-label={trans.__('Result of the conversion')}>
      <h3>{headline(conversion, trans)}</h3>
      <p className="jp-mlops-Quiet" title={timeText(when)}>
        {trans.__('%1, by %2', sinceText(when), job.user)}
      </p>
      {written && (
        <div className="jp-mlops-Actions">
          <Button onClick={() => host.openFolder(conversion.project)} title={conversion.project}>
            {trans.__('Open the Folder')}
          </Button>
          {conversion.ok && <Button onClick={() => host.openDocument(`${conversion.project}/README.md`)}>{trans.__('Read the Report')}</Button>}
          {conversion.bundle && <Button onClick={() => host.openFolder(`${conversion.project}/edge`)}>{trans.__('Open the Bundle')}</Button>}
          {report.model_version && <Button onClick={() => host.reveal('models')}>{trans.__('Show in Models')}</Button>}
        </div>
      )}
      {conversion.kept && <p>{trans.__('The former project, which was edited, is kept in %1.', conversion.kept)}</p>}
      {report.boundary === 'engineered' && (
        <p>{trans.__('The service takes rows of the model’s input, not raw ones: what is below says why.')}</p>
      )}
      {report.mismatch_allowed && <p>{trans.__('Differences from the notebook were allowed; the model version says so.')}</p>}
      <Metrics metrics={report.metrics} trans={trans} />
      {report.parity && <ParityTable parity={report.parity} trans={trans} />}
      <Problems problems={report.problems.filter(one => one.cell != null || one.message !== job.error?.message)} current={props.current} trans={trans} />
    </section>
  );
}

function headline(conversion: Conversion, trans: TranslationBundle): string {
  const { report } = conversion;
  if (conversion.status === 'registered' && report.model_version) {
    return trans.__('Registered as %1, version %2', conversion.projectName ?? '', report.model_version);
  }
  return conversion.ok ? trans.__('Converted, not registered') : trans.__('The last conversion has failed');
}

function Metrics(props: { metrics: Record<string, number | null>; trans: TranslationBundle }): JSX.Element | null {
  const { trans } = props;
  const metrics = Object.entries(props.metrics);
  return metrics.length === 0 ? null : (
    <table className="jp-mlops-Table">
      <caption>{trans.__('Metrics')}</caption>
      <tbody>
        {metrics.map(([name, value]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{valueText(value)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
