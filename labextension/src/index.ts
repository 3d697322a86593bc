import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { convertPlugin } from './features/convert';
import { apiPlugin, currentPlugin, jobsPlugin } from './features/current';
import { modelsPlugin } from './features/models';
import { notebookPlugin, reviewPlugin } from './features/notebook';
import { runsPlugin } from './features/runs';
import { sidebarPlugin } from './features/sidebar';
import { tagsPlugin } from './features/tags';

const plugins: JupyterFrontEndPlugin<unknown>[] = [apiPlugin, jobsPlugin, currentPlugin, sidebarPlugin, tagsPlugin, reviewPlugin, notebookPlugin, runsPlugin, convertPlugin, modelsPlugin];

export default plugins;
