import { Clipboard, Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';

import { ApiError } from '../../api/client';
import type { Parameter, Restored } from '../../api/messages/notebook';
import type { RunsPage } from '../../api/messages/runs';
import { CopyButton } from '../../components/copy';
import { safeLink } from '../../components/links';
import { shellWord } from '../../components/shell';
import { useSignal } from '../../components/signals';
import { Button, Failure } from '../../components/state';
import type { RunsModel } from './model';
import { KnownRun, parametersOf } from './rows';
import { titleOf } from './titles';
import { IRunsContext, openNotebook } from './view';

/** Open a run in the MLflow UI, or say how to start it where the store is a file. */
export async function openInMlflow(page: Pick<RunsPage, 'trackingUri'> | null, known: KnownRun, trans: TranslationBundle): Promise<void> {
  const link = safeLink(known.run.link);
  if (link) {
    window.open(link, '_blank', 'noopener,noreferrer');
    return;
  }
  const command = `mlflow ui --backend-store-uri ${shellWord(page?.trackingUri ?? '')}`;
  await showDialog({
    title: trans.__('Runs Are Kept in a File'),
    body: (
      <div>
        <p>{trans.__('To see them in the MLflow UI, start it in a terminal on the server, and open the address that it prints:')}</p>
        <pre className="jp-mlops-Log">{command}</pre>
        <CopyButton text={() => command} trans={trans}>
          {trans.__('Copy the Command')}
        </CopyButton>
      </div>
    ),
    buttons: [Dialog.okButton({ label: trans.__('Close') })]
  });
}

export function copyRunId(known: KnownRun): void {
  Clipboard.copyToSystem(known.run.id);
}

/** Put a run's parameters into the notebook, after the user has seen what changes. */
export async function restoreParameters(context: IRunsContext, path: string, known: KnownRun): Promise<number> {
  const { api, current, trans } = context;
  let restored: Restored;
  const values = parametersOf(known);
  try {
    await openNotebook(context, path);
    if (current.path !== path) {
      return 0;
    }
    await current.panel!.context.ready;
    restored = await api.restoreParameters({ path, language: current.language, cells: current.cells(), values });
  } catch (error) {
    await showDialog({
      title: trans.__('Parameters Cannot Be Restored'),
      body: <Failure error={ApiError.from(error)} trans={trans} />,
      buttons: [Dialog.okButton({ label: trans.__('Close') })]
    });
    return 0;
  }
  const changes = restored.changed.length;
  const answer = await showDialog({
    title: trans.__('Restore the Parameters of “%1”', known.run.name),
    body: <RestoredView restored={restored} values={values} parameters={current.view?.parameters ?? []} trans={trans} />,
    buttons: changes
      ? [Dialog.cancelButton(), Dialog.okButton({ label: trans._n('Change %1 Value', 'Change %1 Values', changes) })]
      : [Dialog.okButton({ label: trans.__('Close') })]
  });
  if (!changes || !answer.button.accept) {
    return 0;
  }
  const done = current.edit(restored.edits);
  if (done < restored.edits.length) {
    await showDialog({
      title: trans.__('The Notebook Was Changed Meanwhile'),
      body: trans.__('The parameters cell is no longer what was looked at, so it was left alone. Restore the parameters again.'),
      buttons: [Dialog.okButton({ label: trans.__('Close') })]
    });
  } else if (restored.edits.length) {
    await current.goTo(restored.edits[0].cell);
  }
  return done;
}

/** What restoring would change. */
export function RestoredView(props: {
  restored: Restored;
  values: Readonly<Record<string, string>>;
  parameters: readonly Parameter[];
  trans: TranslationBundle;
}): JSX.Element {
  const { restored, values, trans } = props;
  const before = new Map(props.parameters.map(one => [one.name, one.literal]));
  return (
    <div className="jp-mlops-Restored">
      {restored.changed.length ? (
        <table className="jp-mlops-CompareTable">
          <caption>{trans.__('These values change; undo takes them back.')}</caption>
          <thead>
            <tr>
              <th scope="col">{trans.__('Parameter')}</th>
              <th scope="col">{trans.__('Now')}</th>
              <th scope="col">{trans.__('Of the run')}</th>
            </tr>
          </thead>
          <tbody>
            {restored.changed.map(name => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{before.get(name) ?? ''}</td>
                <td>{values[name]}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : (
        <p>{trans.__('Nothing changes: the notebook has the run’s values, as far as it can take them.')}</p>
      )}
      {restored.refused.length > 0 && (
        <ul>
          {restored.refused.map(one => (
            <li key={one}>{one}</li>
          ))}
        </ul>
      )}
      {restored.unknown.length > 0 && (
        <p>
          {trans.__('The notebook’s parameters cell does not declare: %1.', restored.unknown.slice(0, 20).join(', '))}{' '}
          {restored.changed.length ? '' : trans.__('To restore values, put them into one cell at the top and tag it “parameters”.')}
        </p>
      )}
    </div>
  );
}

/** Choose the columns that are shown, in groups; a choice is seen at once. */
export async function chooseColumns(model: RunsModel, trans: TranslationBundle): Promise<void> {
  const body = ReactWidget.create(<ColumnsView model={model} trans={trans} />);
  body.addClass('jp-mlops-Columns');
  await showDialog({ title: trans.__('Columns'), body, buttons: [Dialog.okButton({ label: trans.__('Close') })] });
}

export function ColumnsView({ model, trans }: { model: RunsModel; trans: TranslationBundle }): JSX.Element {
  useSignal(model.changed);
  const columns = (model.page?.columns ?? []).filter(column => column.kind !== 'name');
  const groups: [string, string[]][] = [
    [trans.__('Of every run'), ['when', 'status', 'duration']],
    [trans.__('Metrics'), ['metric']],
    [trans.__('Parameters'), ['param']],
    [trans.__('Versions and tags'), ['tag']]
  ];
  return (
    <>
      {groups.map(([title, kinds]) => {
        const members = columns.filter(column => kinds.includes(column.kind));
        return (
          members.length > 0 && (
            <fieldset key={title}>
              <legend>{title}</legend>
              {members.map(column => (
                <label key={column.key}>
                  <input
                    type="checkbox"
                    className="jp-mod-styled"
                    checked={model.columnChoice.isShown(column)}
                    onChange={event => model.columnChoice.show(column, event.target.checked)}
                  />
                  <span>{titleOf(column, trans)}</span>
                </label>
              ))}
            </fieldset>
          )
        );
      })}
      <Button disabled={!model.columnChoice.isChosen} onClick={() => model.columnChoice.reset()}>
        {trans.__('Back to the Proposed Columns')}
      </Button>
    </>
  );
}
