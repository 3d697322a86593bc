import { ILayoutRestorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { mlopsIcon } from '../../icons';
import { IApi, ICurrentNotebook, ISidebar } from '../../tokens';
import { Banner } from './banner';
import { Sidebar } from './sidebar';
import { ServerState } from './status';

/** The sidebar that the other features put their sections into. */
export const sidebarPlugin: JupyterFrontEndPlugin<ISidebar> = {
  id: 'jupyter-mlops:sidebar',
  description: 'The sidebar from the notebook to production.',
  autoStart: true,
  provides: ISidebar,
  requires: [IApi, ICurrentNotebook],
  optional: [ILayoutRestorer, ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    api: IApi,
    current: ICurrentNotebook,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_mlops');
    const server = new ServerState(api);
    const sidebar = new Sidebar(server, app.commands, trans, () => app.shell.activateById(sidebar.id));
    sidebar.header.addWidget(new Banner(server, () => void server.refresh(current.path), trans));
    app.shell.add(sidebar, 'left', { rank: 850, type: 'MLOps' });
    restorer?.add(sidebar, sidebar.id);

    // Nothing is asked before somebody looks.
    sidebar.visibleChanged.connect((_, visible) => {
      current.watched = visible.size > 0;
      if (visible.size && !server.status) {
        void server.refresh(current.path);
      }
    });
    current.changed.connect((_, change) => {
      if (change === 'notebook' && server.status) {
        void server.refresh(current.path);
      }
    });

    const command = 'mlops:show-sidebar';
    app.commands.addCommand(command, {
      label: trans.__('Show the Sidebar from Notebook to Production'),
      icon: mlopsIcon,
      execute: () => {
        app.shell.activateById(sidebar.id);
        // The command palette gives the focus back to where it was when it closes.
        requestAnimationFrame(() => sidebar.focus());
      },
      describedBy: { args: { type: 'object', properties: {} } }
    });
    palette?.addItem({ command, category: trans.__('MLOps') });
    return sidebar;
  }
};
