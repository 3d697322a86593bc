import { LabIcon } from '@jupyterlab/ui-components';

/** A label with a hole. */
export const tagsIcon = new LabIcon({
  name: 'jupyter-mlops:tags',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <path class="jp-icon3" fill="#616161" fill-rule="evenodd" d="M3 3h9l9 9-9 9-9-9zm4.5 2.6a1.9 1.9 0 1 0 0 3.8 1.9 1.9 0 0 0 0-3.8z"/>
</svg>`
});
