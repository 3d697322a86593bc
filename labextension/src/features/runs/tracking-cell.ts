import type { NotebookPanel } from '@jupyterlab/notebook';

import { addTracking, LOAD, trackingOf } from '../notebook/tracking';

/**
 * Track the cell that trains, or else the active one, and load the magics at the top; one step of undo.
 *
 * @returns the id of the first cell that has to be run; null if there is no code cell to track.
 */
export function trackRuns(panel: NotebookPanel): string | null {
  const model = panel.content.model;
  if (!model) {
    return null;
  }
  const { tracks, trains } = trackingOf(model);
  const active = panel.content.activeCell?.model;
  const other = active?.type === 'code' && !active.sharedModel.getSource().trimStart().startsWith('%%') ? active : null;
  if (!tracks && !trains && !other) {
    return null;
  }
  addTracking(model, other);
  const cells = Array.from(model.cells);
  return (cells.find(cell => cell.sharedModel.getSource().includes(LOAD)) ?? active)?.id ?? null;
}
