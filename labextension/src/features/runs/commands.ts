import type { ICommandPalette } from '@jupyterlab/apputils';
import { PathExt, URLExt } from '@jupyterlab/coreutils';
import { launchIcon, refreshIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReactElement } from 'react';

import { LazyWidget } from '../../components/lazy';
import { ActiveView, COMMANDS, IRunsContext, IRunsView, openWidget, TAB } from './view';

const NO_ARGUMENTS = { args: { type: 'object', properties: {} } };
const ROWS = '.jp-mlops-Runs .jp-mlops-Grid';

/** Commands about the runs of the table that was used last. */
export function addCommands(
  context: IRunsContext,
  active: ActiveView,
  openTab: (path: string) => void,
  palette: ICommandPalette | null
): void {
  const { app, current, trans } = context;
  const { commands } = app;
  const add = (id: string, options: CommandRegistry.ICommandOptions, menu = false): void => {
    commands.addCommand(id, { describedBy: NO_ARGUMENTS, ...options });
    palette?.addItem({ command: id, category: trans.__('MLOps') });
    if (menu) {
      app.contextMenu.addItem({ command: id, selector: ROWS, rank: Object.values<string>(COMMANDS).indexOf(id) });
    }
  };
  const withView = (work: (view: IRunsView) => unknown): CommandRegistry.ICommandOptions => ({
    isEnabled: () => active.get() !== null,
    execute: () => work(active.get()!)
  });
  const withRun = (work: (view: IRunsView) => unknown): CommandRegistry.ICommandOptions => ({
    isEnabled: () => active.get()?.model.selection.size === 1,
    execute: () => work(active.get()!)
  });

  add(COMMANDS.open, {
    label: trans.__('Open the Runs of the Notebook in a Tab'),
    caption: trans.__('Show the runs in a tab, where there is more room'),
    icon: launchIcon,
    isEnabled: args => typeof args.path === 'string' || current.path !== '',
    execute: args => openTab(typeof args.path === 'string' ? args.path : current.path),
    describedBy: { args: { type: 'object', properties: { path: { type: 'string', description: trans.__('Path of the notebook') } } } }
  });
  add(COMMANDS.refresh, {
    ...withView(({ model }) => model.refresh(true)),
    label: trans.__('Refresh the Runs'),
    caption: trans.__('Read all runs again'),
    icon: refreshIcon
  });
  add(COMMANDS.columns, {
    ...withView(async ({ model }) => (await import('./actions')).chooseColumns(model, trans)),
    label: trans.__('Choose the Columns of the Runs…')
  });
  add(COMMANDS.chart, {
    ...withView(({ model }) => {
      const query = model.query(0, 0);
      const name = PathExt.basename(query.path);
      const load = async (): Promise<ReactElement> => (await import('./tabs')).scatterTab(context, query);
      const id = `${TAB}chart:${URLExt.objectToQueryString({ ...query })}`;
      openWidget(app, id, trans.__('Chart of Runs of %1', name), () => new LazyWidget(load, trans));
    }),
    label: trans.__('Draw a Chart of the Runs')
  });
  add(
    COMMANDS.compare,
    {
      label: trans.__('Compare the Selected Runs'),
      isEnabled: () => {
        const size = active.get()?.model.selection.size ?? 0;
        return size >= 2 && size <= 10;
      },
      execute: () => {
        const { model } = active.get()!;
        const runs = model.selection.all.map(({ run }) => run.id);
        const { path } = model.target;
        const load = async (): Promise<ReactElement> => (await import('./tabs')).compareTab(context, path, runs);
        const id = `${TAB}compare:${runs.join(',')}`;
        openWidget(app, id, trans.__('Compare %1 Runs', runs.length), () => new LazyWidget(load, trans));
      }
    },
    true
  );
  add(
    COMMANDS.mlflow,
    {
      ...withRun(async ({ model }) => (await import('./actions')).openInMlflow(model.page, model.selection.only!, trans)),
      label: trans.__('Open the Selected Run in MLflow')
    },
    true
  );
  add(
    COMMANDS.restore,
    {
      ...withRun(async ({ model }) => (await import('./actions')).restoreParameters(context, model.target.path, model.selection.only!)),
      label: trans.__('Restore Parameters of the Selected Run…')
    },
    true
  );
  add(
    COMMANDS.rerun,
    { ...withRun(({ model, rerun }) => rerun.begin(model.selection.only)), label: trans.__('Re-run with Changed Parameters…') },
    true
  );
  add(
    COMMANDS.copyId,
    {
      ...withRun(async ({ model }) => (await import('./actions')).copyRunId(model.selection.only!)),
      label: trans.__('Copy the Id of the Selected Run')
    },
    true
  );
  current.changed.connect((_, change) => {
    if (change === 'notebook') {
      commands.notifyCommandChanged(COMMANDS.open);
    }
  });
}
