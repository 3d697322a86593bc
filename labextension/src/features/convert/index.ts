import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { mlopsIcon } from '../../icons';
import { IApi, ICurrentNotebook, IJobs, ISidebar } from '../../tokens';
import { makeHost } from './host';
import type { ConvertModel } from './model';

const SECTION = 'convert';

/** The section that converts a notebook, and the command behind the button in its toolbar. */
export const convertPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlops:convert',
  description: 'Converts a notebook, and tries the service that came of it.',
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
    let loading: Promise<ConvertModel> | null = null;
    const load = async (): Promise<ConvertModel> => {
      try {
        const model = new (await import('./model')).ConvertModel(api, jobs, current);
        sidebar.watch(SECTION, shown => model.setShown(shown));
        return model;
      } catch (error) {
        loading = null; // it can be tried again
        throw error;
      }
    };
    const ready = (): Promise<ConvertModel> => (loading ??= load());

    sidebar.add({
      id: SECTION,
      title: trans.__('Convert'),
      rank: 300,
      render: async () => {
        const [{ convertPanel }, model] = await Promise.all([import('./panel'), ready()]);
        return convertPanel({ model, api, host: makeHost(app, sidebar), trans });
      }
    });

    const command = 'mlops:convert';
    app.commands.addCommand(command, {
      label: trans.__('Convert the Notebook'),
      caption: trans.__('Turn the notebook into a package, a service and an edge bundle, and prove them'),
      icon: mlopsIcon,
      isEnabled: () => current.panel !== null,
      execute: async () => {
        sidebar.reveal(SECTION);
        await (await ready()).convert();
      },
      describedBy: { args: { type: 'object', properties: {} } }
    });
    current.changed.connect((_, change) => {
      if (change === 'notebook') {
        app.commands.notifyCommandChanged(command);
      }
    });
    palette?.addItem({ command, category: trans.__('MLOps') });
  }
};
