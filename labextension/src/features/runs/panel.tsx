import { PathExt } from '@jupyterlab/coreutils';
import { useEffect } from 'react';

import { useSignal } from '../../components/signals';
import { Button, Failure } from '../../components/state';
import { RerunFormView } from './form';
import { RunsModel } from './model';
import { RerunProgress } from './progress';
import { Rerun } from './rerun';
import { NothingToShow } from './states';
import { RunsTable } from './table';
import type { IRunsTarget } from './target';
import { FilterBar, SelectionBar } from './toolbar';
import { trackRuns } from './tracking-cell';
import { COMMANDS, IRunsContext, IRunsView, openNotebook } from './view';

/** A table of runs for a notebook; it has to be disposed. */
export function makeView(context: IRunsContext, target: IRunsTarget): IRunsView {
  const model = new RunsModel(context.api, target);
  const rerun = new Rerun(context.api, context.jobs, context.current, target, path => openNotebook(context, path), context.trans);
  rerun.changed.connect(() => model.setWorking(rerun.isRunning));
  rerun.ended.connect(() => model.refresh());
  return { model, rerun };
}

/** Runs of a notebook, and what can be done with them. */
export function RunsPanel(props: { context: IRunsContext; view: IRunsView; use: (view: IRunsView) => void }): JSX.Element {
  const { context, view, use } = props;
  const { model, rerun } = view;
  const { app, current, trans } = context;
  useSignal(model.changed);
  useSignal(rerun.changed);
  useEffect(() => void rerun.find(), [rerun]);

  const execute = (command: string, args = {}): void => {
    use(view);
    app.commands.execute(command, args).catch((error: unknown) => console.error(error)); // it shows itself what failed
  };
  const track = async (): Promise<void> => {
    await openNotebook(context, model.target.path);
    const id = current.panel && trackRuns(current.panel);
    if (id) {
      await current.goTo(id);
    }
  };
  const here = (): void => use(view);
  const name = PathExt.basename(model.target.path);
  const listed = model.target.path !== '' && model.page !== null && (model.page.known > 0 || model.filter !== '');
  return (
    <div className="jp-mlops-Runs" onFocusCapture={here} onPointerDownCapture={here} onContextMenuCapture={here}>
      {model.error && <Failure error={model.error} trans={trans} retry={() => model.refresh()} />}
      {rerun.error && !rerun.form && <Failure error={rerun.error} trans={trans} />}
      <RerunProgress api={context.api} rerun={rerun} openFile={path => execute('docmanager:open', { path })} trans={trans} />
      {rerun.form && <RerunFormView rerun={rerun} form={rerun.form} name={name} trans={trans} />}
      {listed && (
        <>
          <div className="jp-mlops-Actions">
            <Button onClick={() => void rerun.begin(null)} disabled={rerun.form !== null}>
              {trans.__('Run the Notebook…')}
            </Button>
            <Button onClick={() => execute(COMMANDS.columns)}>{trans.__('Columns…')}</Button>
            <Button onClick={() => execute(COMMANDS.chart)}>{trans.__('Chart')}</Button>
          </div>
          <FilterBar model={model} trans={trans} />
        </>
      )}
      <NothingToShow
        model={model}
        unreadable={current.path === model.target.path ? (current.unreadable?.message ?? null) : null}
        track={() => void track()}
        rerun={() => void rerun.begin(null)}
        chooseKernel={() => void openNotebook(context, model.target.path).then(() => execute('notebook:change-kernel'))}
        trans={trans}
      />
      {model.count > 0 && model.page && (
        <>
          <RunsTable model={model} trans={trans} />
          <SelectionBar model={model} execute={execute} trans={trans} />
        </>
      )}
      {model.page && model.page.notes.length > 0 && (
        <ul className="jp-mlops-RunsNotes" aria-label={trans.__('Notes')}>
          {model.page.notes.map(note => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
    </div>
  );
}
