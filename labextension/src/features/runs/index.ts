import { ILayoutRestorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, IThemeManager, MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { LazyWidget } from '../../components/lazy';
import { IApi, ICurrentNotebook, IJobs, ISidebar } from '../../tokens';
import { addCommands } from './commands';
import { ActiveView, COMMANDS, IRunsContext, IRunsView, openWidget, TAB } from './view';

const SECTION = 'runs';

/** Runs of the notebook's experiment, in the sidebar and in tabs. */
export const runsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlops:runs',
  description: 'Shows, compares and repeats the runs of a notebook.',
  autoStart: true,
  requires: [IApi, IJobs, ICurrentNotebook, ISidebar, INotebookTracker],
  optional: [IRenderMimeRegistry, IThemeManager, ILayoutRestorer, ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    api: IApi,
    jobs: IJobs,
    current: ICurrentNotebook,
    sidebar: ISidebar,
    notebooks: INotebookTracker,
    rendermime: IRenderMimeRegistry | null,
    themes: IThemeManager | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_mlops');
    const context: IRunsContext = { app, api, jobs, current, rendermime, themes, trans };
    const active = new ActiveView(() => Object.values(COMMANDS).forEach(id => app.commands.notifyCommandChanged(id)));
    const watch = (view: IRunsView): void => {
      view.model.selection.changed.connect(() => active.set(view));
      active.set(view);
    };

    const tabs = new WidgetTracker<MainAreaWidget<LazyWidget>>({ namespace: 'jupyter-mlops-runs' });
    const openTab = (path: string): void => {
      const make = (): LazyWidget => {
        let view: IRunsView | null = null;
        const content = new LazyWidget(async () => {
          const { renderView } = await import('./content');
          const made = renderView(context, active, { path, notebooks });
          view = made.view;
          watch(view);
          view.model.setActive(content.isVisible);
          return made.element;
        }, trans);
        content.visibilityChanged.connect((_, visible) => view?.model.setActive(visible));
        content.disposed.connect(() => {
          view?.rerun.dispose();
          view?.model.dispose();
        });
        return content;
      };
      const tab = openWidget(app, `${TAB}${path}`, trans.__('Runs of %1', PathExt.basename(path)), make);
      if (tab) {
        tab.title.caption = trans.__('Runs of %1', path);
        void tabs.add(tab);
      }
    };
    addCommands(context, active, openTab, palette);
    void restorer?.restore(tabs, {
      command: COMMANDS.open,
      args: tab => ({ path: tab.id.slice(TAB.length) }),
      name: tab => tab.id
    });

    sidebar.add({
      id: SECTION,
      title: trans.__('Runs'),
      rank: 200,
      commands: [COMMANDS.refresh, COMMANDS.open],
      render: async () => {
        const { renderView } = await import('./content');
        const view = renderView(context, active, null);
        sidebar.watch(SECTION, shown => view.view.model.setActive(shown));
        watch(view.view);
        return view.element;
      }
    });
  }
};
