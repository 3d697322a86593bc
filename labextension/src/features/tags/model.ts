import type { Cell, ICellModel } from '@jupyterlab/cells';
import type { INotebookModel, Notebook } from '@jupyterlab/notebook';

import { Tag, tagOf, withTag } from '../../tags';

/** The tag of a cell, or null. */
export function cellTag(cell: ICellModel): Tag | null {
  return tagOf(cell.getMetadata('tags'));
}

/** Set a cell's tag, or clear it with null. Nothing is written when nothing changes. */
export function setCellTag(cell: ICellModel, tag: Tag | null): void {
  const before = cell.getMetadata('tags');
  if (tagOf(before) === tag && withTag(before, tag).length === (Array.isArray(before) ? before.length : 0)) {
    return;
  }
  const after = withTag(before, tag);
  if (after.length) {
    cell.setMetadata('tags', after);
  } else {
    cell.deleteMetadata('tags');
  }
}

/**
 * Change a notebook as a single step of undo.
 *
 * Changes within half a second are one step unless the manager is told where one ends.
 */
export function asOneStep(model: INotebookModel, change: () => void): void {
  const { undoManager } = model.sharedModel as { undoManager?: { stopCapturing(): void } };
  undoManager?.stopCapturing();
  model.sharedModel.transact(change);
  undoManager?.stopCapturing();
}

/** Set or clear the tag of all selected cells, and of the active one, as a single step of undo. */
export function tagSelectedCells(notebook: Notebook, tag: Tag | null): number {
  const cells = notebook.widgets.filter(cell => notebook.isSelectedOrActive(cell)).map(cell => cell.model);
  if (notebook.model) {
    asOneStep(notebook.model, () => cells.forEach(cell => setCellTag(cell, tag)));
  }
  return cells.length;
}

/** Make a cell the one that commands are about; a selection that it belongs to stays. */
export function pointTo(notebook: Notebook, cell: Cell): void {
  const index = notebook.widgets.indexOf(cell);
  if (index >= 0 && !notebook.isSelectedOrActive(cell)) {
    notebook.deselectAll();
    notebook.activeCellIndex = index;
  }
}
