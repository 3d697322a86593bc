import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { IApi, ICurrentNotebook, IJobs, ISidebar } from '../../tokens';
import { makeHost } from '../convert/host';

const SECTION = 'models';

/** The section of registered models, their versions and promotions. */
export const modelsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlops:models',
  description: 'Shows registered models, promotes their versions, and looks at what is asked of them.',
  autoStart: true,
  requires: [IApi, IJobs, ICurrentNotebook, ISidebar],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    api: IApi,
    jobs: IJobs,
    current: ICurrentNotebook,
    sidebar: ISidebar,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_mlops');
    sidebar.add({
      id: SECTION,
      title: trans.__('Models'),
      rank: 400,
      render: async () => {
        const [{ modelsPanel }, { ModelsModel }, { openPage }] = await Promise.all([import('./panel'), import('./model'), import('../monitoring/tab')]);
        const model = new ModelsModel(api, jobs, current);
        sidebar.watch(SECTION, shown => model.setShown(shown));
        return modelsPanel({ model, api, host: makeHost(app, sidebar), openPage: page => openPage(app, page), trans });
      }
    });

    const command = 'mlops:show-models';
    app.commands.addCommand(command, {
      label: trans.__('Show Models and Promotions'),
      execute: () => sidebar.reveal(SECTION),
      describedBy: { args: { type: 'object', properties: {} } }
    });
    palette?.addItem({ command, category: trans.__('MLOps') });
  }
};
