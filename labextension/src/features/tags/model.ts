import type { ICellModel } from '@jupyterlab/cells';
import type { Notebook } from '@jupyterlab/notebook';

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

/** Set or clear the tag of all selected cells, and of the active one, as a single step of undo. */
export function tagSelectedCells(notebook: Notebook, tag: Tag | null): number {
  const cells = notebook.widgets.filter(cell => notebook.isSelectedOrActive(cell)).map(cell => cell.model);
  notebook.model?.sharedModel.transact(() => {
    cells.forEach(cell => setCellTag(cell, tag));
  });
  return cells.length;
}
