import type { JupyterFrontEnd } from '@jupyterlab/application';
import { IThemeManager, MainAreaWidget } from '@jupyterlab/apputils';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { LazyWidget } from '../../components/lazy';
import { mlopsIcon } from '../../icons';
import type { IApi, ICurrentNotebook, IJobs } from '../../tokens';
import type { RunsModel } from './model';
import type { Rerun } from './rerun';

/** What the parts of this feature work with. */
export interface IRunsContext {
  app: JupyterFrontEnd;
  api: IApi;
  jobs: IJobs;
  current: ICurrentNotebook;
  /** Null where no charts can be drawn. */
  rendermime: IRenderMimeRegistry | null;
  themes: IThemeManager | null;
  trans: TranslationBundle;
}

/** One table of runs, in the sidebar or in a tab. */
export interface IRunsView {
  model: RunsModel;
  rerun: Rerun;
}

/** Begin of the ids of tabs. */
export const TAB = 'jupyter-mlops-runs:';

/** Commands of this feature. */
export const COMMANDS = {
  open: 'mlops:open-runs',
  refresh: 'mlops:refresh-runs',
  columns: 'mlops:choose-run-columns',
  compare: 'mlops:compare-runs',
  chart: 'mlops:chart-runs',
  mlflow: 'mlops:open-run-in-mlflow',
  restore: 'mlops:restore-run-parameters',
  rerun: 'mlops:rerun-with-parameters',
  copyId: 'mlops:copy-run-id'
} as const;

/** The table that was used last: commands are about its runs. */
export class ActiveView {
  get(): IRunsView | null {
    return this.view && !this.view.model.isDisposed ? this.view : null;
  }

  set(view: IRunsView): void {
    this.view = view;
    this.changed();
  }

  constructor(private readonly changed: () => void) {}

  private view: IRunsView | null = null;
}

/** Open a tab beside the notebook, or where others of this feature are; null where it is there already, and shown. */
export function openWidget(app: JupyterFrontEnd, id: string, label: string, make: () => LazyWidget): MainAreaWidget<LazyWidget> | null {
  const open = [...app.shell.widgets('main')];
  if (open.some(widget => widget.id === id)) {
    app.shell.activateById(id);
    return null;
  }
  const tab = new MainAreaWidget({ content: make() });
  tab.id = id;
  tab.title.label = label;
  tab.title.icon = mlopsIcon;
  tab.title.closable = true;
  const other = open.find(widget => widget.id.startsWith(TAB));
  app.shell.add(tab, 'main', { type: 'MLOps', ...(other ? { mode: 'tab-after', ref: other.id } : { mode: 'split-right' }) });
  app.shell.activateById(id);
  return tab;
}

/** Make a notebook the current one, open it if need be. */
export async function openNotebook({ app, current }: Pick<IRunsContext, 'app' | 'current'>, path: string): Promise<void> {
  if (current.path !== path) {
    await app.commands.execute('docmanager:open', { path });
  }
}
