import type { IBaseCell, MultilineString } from '@jupyterlab/nbformat';
import type { INotebookModel } from '@jupyterlab/notebook';

import type { SuggestedPart, TagSuggestion } from '../../api/messages/notebook';
import { withTag } from '../../tags';
import { setCellTag } from '../tags/model';

/** The tag, or those of the parts. */
export function labelOf(one: TagSuggestion): string {
  return one.tag ?? one.parts.map(part => part.tag ?? '–').join(' + ');
}

/** Whether a click can follow a suggestion; a mixed cell that cannot be taken apart is a person's work. */
export function canFollow(one: TagSuggestion): boolean {
  return one.tag !== null || one.parts.length > 1;
}

/** Whether a cell still has the source that its parts were made of; blank lines between parts do not count. */
export function isSplittable(source: string, parts: readonly SuggestedPart[]): boolean {
  const bare = (text: string): string => text.replace(/\s+/g, '');
  return parts.length > 1 && bare(parts.map(part => part.source).join('\n')) === bare(source);
}

/**
 * Make several cells of one, each with its tag; to be called within a transaction.
 *
 * The last part stays in the cell itself, as when JupyterLab splits one, so its outputs and its kernel's answers go on.
 */
export function splitCell(model: INotebookModel, suggestion: TagSuggestion): boolean {
  const index = Array.from(model.cells).findIndex(cell => cell.id === suggestion.cell);
  const cell = index < 0 ? null : model.cells.get(index);
  if (!cell || !isSplittable(cell.sharedModel.getSource(), suggestion.parts)) {
    return false;
  }
  const before = suggestion.parts.slice(0, -1);
  const last = suggestion.parts[suggestion.parts.length - 1];
  const { metadata } = cell.sharedModel.toJSON() as IBaseCell;
  model.sharedModel.insertCells(
    index,
    before.map(part => ({
      cell_type: 'code' as const,
      source: part.source as MultilineString,
      metadata: metadataOf(metadata, part),
      outputs: [],
      execution_count: null
    }))
  );
  cell.sharedModel.setSource(last.source);
  setCellTag(cell, last.tag);
  return true;
}

function metadataOf(metadata: IBaseCell['metadata'] | undefined, part: SuggestedPart): IBaseCell['metadata'] {
  // When the cell was run says nothing about a part of it.
  const { tags, execution: _, ...others } = JSON.parse(JSON.stringify(metadata ?? {})) as Record<string, unknown>;
  const after = withTag(tags, part.tag);
  return (after.length ? { ...others, tags: after } : others) as IBaseCell['metadata'];
}
