import { LabIcon } from '@jupyterlab/ui-components';

/** A cell that goes up to where it runs. */
export const mlopsIcon = new LabIcon({
  name: 'jupyter-mlops:logo',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <path d="M3 14h18v7H3zm2 2v3h14v-3z"/>
    <path d="M12 2l6 6h-4v5h-4V8H6z"/>
  </g>
</svg>`
});
