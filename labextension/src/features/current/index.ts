import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';

import { Api } from '../../api/client';
import { JobsModel } from '../../api/jobs';
import { IApi, ICurrentNotebook, IJobs } from '../../tokens';
import { CurrentNotebook } from './model';

/** The server extension's calls. */
export const apiPlugin: JupyterFrontEndPlugin<IApi> = {
  id: 'jupyter-mlops:api',
  description: 'Talks to the server extension of jupyter-mlops.',
  provides: IApi,
  activate: (app: JupyterFrontEnd) => new Api(app.serviceManager.serverSettings)
};

/** Long work on the server. */
export const jobsPlugin: JupyterFrontEndPlugin<IJobs> = {
  id: 'jupyter-mlops:jobs',
  description: 'Follows jobs of the server, and finds them again after a reload.',
  provides: IJobs,
  requires: [IApi],
  activate: (app: JupyterFrontEnd, api: IApi) => new JobsModel(api, app.serviceManager.events.stream)
};

/** The notebook that the user works in. */
export const currentPlugin: JupyterFrontEndPlugin<ICurrentNotebook> = {
  id: 'jupyter-mlops:current',
  description: 'Has the current notebook analysed while the user types.',
  provides: ICurrentNotebook,
  requires: [INotebookTracker, IApi],
  activate: (_: JupyterFrontEnd, tracker: INotebookTracker, api: IApi) => new CurrentNotebook(tracker, api)
};
