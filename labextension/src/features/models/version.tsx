import type { TranslationBundle } from '@jupyterlab/translation';

import type { ModelVersion } from '../../api/messages/models';
import { sinceText, timeText, valueText } from '../../components/format';
import { safeLink } from '../../components/links';
import { Button } from '../../components/state';
import { isActive } from './promotion';

const METRICS = 3; // shown unasked

/** One version of a model. */
export function Version(props: {
  version: ModelVersion;
  chosen: boolean;
  /** Why it cannot be promoted now; null if it can. */
  blocked: string | null;
  choose: (chosen: boolean) => void;
  /** Whether its promotion is on the screen. */
  shown: boolean;
  promote: () => void;
  show: () => void;
  trans: TranslationBundle;
}): JSX.Element {
  const { version, trans } = props;
  const { promotion } = version;
  const metrics = Object.entries(version.metrics);
  return (
    <li className="jp-mlops-Version">
      <div className="jp-mlops-Version-head">
        <label className="jp-mlops-Check">
          <input
            type="checkbox"
            checked={props.chosen}
            onChange={event => props.choose(event.target.checked)}
            aria-label={trans.__('Compare version %1', version.version)}
          />
          <strong>{trans.__('Version %1', version.version)}</strong>
        </label>
        <span className="jp-mlops-Label" data-lifecycle={version.lifecycle}>
          {lifecycleText(version.lifecycle, trans)}
        </span>
        {version.aliases.map(alias => (
          <span key={alias} className="jp-mlops-Label">
            @{alias}
          </span>
        ))}
      </div>
      <p className="jp-mlops-Quiet" title={timeText(version.created)}>
        {version.author ? trans.__('%1, by %2', sinceText(version.created), version.author) : sinceText(version.created)}
      </p>
      {metrics.length > 0 && (
        <p>
          {metrics
            .slice(0, METRICS)
            .map(([name, value]) => `${name} ${valueText(value)}`)
            .join(' · ')}
        </p>
      )}
      <p>{parityText(version, trans)}</p>
      <div className="jp-mlops-Actions">
        {version.lifecycle !== 'Production' && (
          <Button
            kind="accept"
            disabled={props.blocked !== null}
            title={props.blocked ?? undefined}
            label={trans.__('Promote version %1', version.version)}
            onClick={props.promote}
          >
            {trans.__('Promote')}
          </Button>
        )}
        {promotion && !props.shown && (
          <Button label={trans.__('Show the promotion of version %1', version.version)} onClick={props.show}>
            {isActive(promotion) ? trans.__('Show the Promotion') : trans.__('Last Promotion: %1', promotionWord(promotion.status, trans))}
          </Button>
        )}
      </div>
      <Details version={version} metrics={metrics} trans={trans} />
    </li>
  );
}

function Details(props: { version: ModelVersion; metrics: [string, number | null][]; trans: TranslationBundle }): JSX.Element {
  const { version, trans } = props;
  const { lineage } = version;
  const link = safeLink(version.link);
  const lines: [string, string | null][] = [
    ...props.metrics.slice(METRICS).map(([name, value]): [string, string] => [name, valueText(value)]),
    [trans.__('Notebook'), lineage.notebook],
    [trans.__('Notebook’s SHA-256'), lineage.notebookSha256?.slice(0, 12) ?? null],
    [
      trans.__('Commit'),
      lineage.commit && lineage.commit.slice(0, 10) + (lineage.dirty ? ` ${trans.__('with uncommitted changes')}` : '')
    ],
    [trans.__('Branch'), lineage.branch],
    ...Object.entries(lineage.data).map(([file, id]): [string, string] => [trans.__('Data %1', file), id.slice(0, 16)]),
    [trans.__('Takes'), version.boundary === 'raw' ? trans.__('raw rows') : version.boundary && trans.__('rows of the model’s input')],
    [trans.__('Runs on'), version.engine],
    [trans.__('Run'), version.runId]
  ];
  return (
    <details className="jp-mlops-Fold">
      <summary>{trans.__('Lineage')}</summary>
      <table className="jp-mlops-Table" aria-label={trans.__('Lineage of version %1', version.version)}>
        <tbody>
          {lines.map(
            ([name, value]) =>
              value && (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td>{value}</td>
                </tr>
              )
          )}
        </tbody>
      </table>
      {link && (
        <p>
          <a className="jp-mlops-Link" href={link} target="_blank" rel="noopener noreferrer">
            {trans.__('Open version %1 in MLflow', version.version)}
          </a>
        </p>
      )}
    </details>
  );
}

function lifecycleText(lifecycle: ModelVersion['lifecycle'], trans: TranslationBundle): string {
  const words: Record<ModelVersion['lifecycle'], string> = {
    Staging: trans.__('Staging'),
    Production: trans.__('Production'),
    Archived: trans.__('Archived'),
    None: trans.__('No lifecycle')
  };
  return words[lifecycle];
}

function promotionWord(status: string, trans: TranslationBundle): string {
  const words: Record<string, string> = {
    promoted: trans.__('in production'),
    rejected: trans.__('rejected'),
    failed: trans.__('failed'),
    cancelled: trans.__('cancelled')
  };
  return words[status] ?? status;
}

/** The parity of a version in words. */
function parityText(version: ModelVersion, trans: TranslationBundle): string {
  const titles = { package: trans.__('package'), service: trans.__('service'), bundle: trans.__('bundle') };
  const say = (value: string): string =>
    value === 'equal' ? trans.__('equal') : value === 'none' ? trans.__('not compared') : trans.__('%1 differ', value);
  const sides = (['package', 'service', 'bundle'] as const).flatMap(side => {
    const value = version.parity[side];
    return value === null ? [] : [`${titles[side]} ${say(value)}`];
  });
  const text = sides.length ? trans.__('Parity: %1', sides.join(' · ')) : trans.__('Parity is not known.');
  return version.mismatchAllowed ? `${text} ${trans.__('(differences were allowed)')}` : text;
}
