import type { NotebookPanel } from '@jupyterlab/notebook';

import { addTracking, LOAD, TRACK, trackingOf } from '../notebook/tracking';
import { asOneStep } from '../tags/model';

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
  const { loads, tracks, trains } = trackingOf(model);
  const active = panel.content.activeCell?.model;
  if (tracks || trains) {
    addTracking(model);
  } else if (active?.type === 'code' && !active.sharedModel.getSource().trimStart().startsWith('%%')) {
    asOneStep(model, () => {
      active.sharedModel.updateSource(0, 0, `${TRACK}\n`);
      if (!loads) {
        model.sharedModel.insertCell(0, { cell_type: 'code', source: LOAD, metadata: {}, outputs: [], execution_count: null });
      }
    });
  } else {
    return null;
  }
  const cells = Array.from(model.cells);
  return (cells.find(cell => cell.sharedModel.getSource().includes(LOAD)) ?? active)?.id ?? null;
}
