import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { tagsPlugin } from './features/tags';

const plugins: JupyterFrontEndPlugin<unknown>[] = [tagsPlugin];

export default plugins;
