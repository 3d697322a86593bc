import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactElement, useRef, useState } from 'react';

import { Api } from '../../api/client';
import type { ModelVersions } from '../../api/messages/models';
import { useKeptFocus } from '../../components/focus';
import { useSignal } from '../../components/signals';
import { Button, Empty, Failure } from '../../components/state';
import type { Host } from '../convert/host';
import { MonitoringPanel } from '../monitoring/panel';
import type { ReportPage } from '../monitoring/tab';
import { Comparison } from './compare';
import type { ModelsModel } from './model';
import { askDeploy, askRollback } from './dialogs';
import { PromotionPanel } from './promotion.panel';
import { Traffic } from './traffic';
import { Version } from './version';

const PAGE = 20; // versions

interface Props {
  model: ModelsModel;
  api: Api;
  host: Host;
  openPage: (page: ReportPage) => void;
  trans: TranslationBundle;
}

/** The section's content. */
export function modelsPanel(props: Props): ReactElement {
  return <ModelsPanel {...props} />;
}

export function ModelsPanel({ model, api, host, openPage, trans }: Props): JSX.Element {
  useSignal(model.changed);
  useSignal(model.promotion.changed);
  useSignal(model.deployment.changed);
  const panel = useRef<HTMLDivElement>(null);
  useKeptFocus(panel, '.jp-mlops-Part button');
  const { models, versions, error } = model;
  if (!model.path) {
    return <Empty title={trans.__('No notebook is open')}>{trans.__('Open a notebook: the models are those of the store that it uses.')}</Empty>;
  }
  if (error && !models) {
    return <Failure error={error} trans={trans} retry={() => model.reload()} />;
  }
  if (!models) {
    return <Empty title={trans.__('Reading the models…')} />;
  }
  if (models.models.length === 0) {
    return (
      <Empty
        title={trans.__('No model is registered yet')}
        actions={
          <>
            <Button kind="accept" onClick={() => host.reveal('convert')}>
              {trans.__('Go to Convert')}
            </Button>
            <Button onClick={() => model.reload()}>{trans.__('Look Again')}</Button>
          </>
        }
      >
        {trans.__('Convert a notebook: a model whose parity is proven is registered in %1, and can be promoted from here.', models.trackingUri)}
      </Empty>
    );
  }
  return (
    <div ref={panel} className="jp-mlops-Models">
      {error && <Failure error={error} trans={trans} retry={() => model.reload()} />}
      <Choice model={model} trans={trans} />
      <Production model={model} trans={trans} />
      <PromotionPanel model={model.promotion} api={api} goOn={() => void model.promote(model.promotion.version)} trans={trans} />
      <Traffic model={model.deployment} restart={() => void model.deployment.deploy()} trans={trans} />
      <MonitoringPanel model={model.monitoring} api={api} openPage={openPage} trans={trans} />
      {versions ? <Versions key={versions.name} model={model} versions={versions} trans={trans} /> : <p>{trans.__('Reading the versions…')}</p>}
    </div>
  );
}

function Choice({ model, trans }: { model: ModelsModel; trans: TranslationBundle }): JSX.Element {
  const models = model.models!.models;
  const summary = models.find(one => one.name === model.name);
  return (
    <>
      <div className="jp-mlops-Field">
        <label htmlFor="mlops-models-name">{trans.__('Model')}</label>
        <select
          id="mlops-models-name"
          className="jp-mod-styled"
          value={model.name}
          onChange={event => model.select(event.target.value)}
        >
          {models.map(one => (
            <option key={one.name} value={one.name}>
              {one.name}
            </option>
          ))}
        </select>
      </div>
      {summary?.description && <p className="jp-mlops-Quiet">{summary.description}</p>}
      <p>
        {summary?.production
          ? trans.__('Version %1 is in production.', summary.production)
          : trans.__('No version is in production yet: promote one.')}
      </p>
    </>
  );
}

/** What can be done about the version in production: serve it, and go back to the one before. */
function Production({ model, trans }: { model: ModelsModel; trans: TranslationBundle }): JSX.Element | null {
  const { deployment } = model;
  const now = model.holder('production');
  const before = model.holder('previous');
  const deploys = now !== null && deployment.known && !deployment.deployment && !deployment.elsewhere;
  if (!before && !deploys) {
    return null;
  }
  const rollBack = async (back: string): Promise<void> => {
    const url = deployment.deployment?.url ?? null;
    const comment = await askRollback({ model: model.name, back, leaves: now?.version ?? null, url }, trans);
    if (comment !== null) {
      await model.rollBack(back, comment);
    }
  };
  const deploy = async (version: string): Promise<void> => {
    const port = await askDeploy({ model: model.name, version }, trans);
    if (port !== null) {
      await deployment.deploy(port);
    }
  };
  const blocked = blockedText(model, trans);
  return (
    <div className="jp-mlops-Actions">
      {deploys && (
        <Button disabled={deployment.working} onClick={() => void deploy(now.version)}>
          {deployment.working ? trans.__('Deploying…') : trans.__('Deploy…')}
        </Button>
      )}
      {before && (
        <Button
          disabled={blocked !== null}
          title={blocked ?? trans.__('Version %1 was in production before', before.version)}
          label={trans.__('Roll back to version %1', before.version)}
          onClick={() => void rollBack(before.version)}
        >
          {trans.__('Roll Back…')}
        </Button>
      )}
    </div>
  );
}

/** Why nothing can be promoted or rolled back now. */
function blockedText({ active, promotion }: ModelsModel, trans: TranslationBundle): string | null {
  if (active !== null) {
    return trans.__('Version %1 is being promoted; one goes after the other.', active.version);
  }
  return promotion.busy !== null || promotion.working ? trans.__('A promotion is being started.') : null;
}

function Versions(props: { model: ModelsModel; versions: ModelVersions; trans: TranslationBundle }): JSX.Element {
  const { model, versions, trans } = props;
  const [shown, setShown] = useState(PAGE);
  const { chosen, promotion } = model;
  const blocked = blockedText(model, trans);
  return (
    <section className="jp-mlops-Part" aria-label={trans.__('Versions')}>
      <h3>{trans.__('Versions')}</h3>
      {blocked && <p className="jp-mlops-Quiet">{blocked}</p>}
      {chosen.length === 1 && <p role="status">{trans.__('Check a second version to compare it with version %1.', chosen[0])}</p>}
      {chosen.length === 2 && (
        <div className="jp-mlops-Compared" role="region" aria-label={trans.__('Comparison')}>
          {model.comparisonError ? (
            <Failure error={model.comparisonError} trans={trans} />
          ) : model.comparison ? (
            <Comparison comparison={model.comparison} versions={chosen} trans={trans} />
          ) : (
            <p>{trans.__('Comparing…')}</p>
          )}
        </div>
      )}
      <ul className="jp-mlops-Versions" aria-label={trans.__('Versions of %1', versions.name)}>
        {versions.versions.slice(0, shown).map(version => (
          <Version
            key={version.version}
            version={version}
            chosen={chosen.includes(version.version)}
            blocked={blocked}
            shown={version.promotion !== null && version.promotion.id === promotion.promotion?.id}
            choose={yes => model.choose(version.version, yes)}
            promote={() => void model.promote(version.version)}
            show={() => version.promotion && promotion.show(model.path, version.promotion)}
            trans={trans}
          />
        ))}
      </ul>
      {versions.versions.length > shown && (
        <Button onClick={() => setShown(shown + PAGE)}>
          {trans.__('Show More (%1 of %2)', shown, versions.versions.length)}
        </Button>
      )}
    </section>
  );
}
