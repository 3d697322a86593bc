import type { ICellModel } from '@jupyterlab/cells';
import type { INotebookModel } from '@jupyterlab/notebook';

import { asOneStep, cellTag } from '../tags/model';

/** Loads the magics into the kernel. */
export const LOAD = '%load_ext jupyter_mlops';
/** Makes an MLflow run of its cell. */
export const TRACK = '%%track';

const LOADS = /^\s*%(?:re)?load_ext\s+jupyter_mlops\b/m;
const TRACKS = /^%%track\b/;

/** How far a notebook is from a recorded run. */
interface Tracking {
  loads: boolean;
  /** Some cell is tracked. */
  tracks: boolean;
  /** A tracked cell has been run, in this session or before. */
  ran: boolean;
  /** A cell is tagged as training, so that it could be tracked. */
  trains: boolean;
}

export function trackingOf(model: INotebookModel): Tracking {
  const code = codeCells(model);
  const tracked = code.filter(cell => TRACKS.test(sourceOf(cell)));
  return {
    loads: code.some(cell => LOADS.test(sourceOf(cell))),
    tracks: tracked.length > 0,
    ran: tracked.some(cell => 'executionCount' in cell && cell.executionCount !== null),
    trains: trainCell(code) !== null
  };
}

/**
 * Load the magics in a cell at the top and track the cell that trains, as one step of undo; what is there stays.
 *
 * `otherwise` is tracked where no cell is tagged as training.
 */
export function addTracking(model: INotebookModel, otherwise: ICellModel | null = null): void {
  const { loads, tracks } = trackingOf(model);
  asOneStep(model, () => {
    const cell = tracks ? null : (trainCell(codeCells(model)) ?? otherwise);
    cell?.sharedModel.updateSource(0, 0, `${TRACK}\n`);
    if (!loads) {
      model.sharedModel.insertCell(0, { cell_type: 'code', source: LOAD, metadata: {}, outputs: [], execution_count: null });
    }
  });
}

/** The tagged cell that fits, else the first one that is tagged. */
function trainCell(code: readonly ICellModel[]): ICellModel | null {
  const train = code.filter(cell => cellTag(cell) === 'train');
  return train.find(cell => /\.fit\w*\(/.test(sourceOf(cell))) ?? train[0] ?? null;
}

function codeCells(model: INotebookModel): ICellModel[] {
  return Array.from(model.cells).filter(cell => cell.type === 'code');
}

function sourceOf(cell: ICellModel): string {
  return cell.sharedModel.getSource();
}
