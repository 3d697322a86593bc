import type { TranslationBundle } from '@jupyterlab/translation';

import type { RunColumn } from '../../api/messages/runs';

/** What stands at the top of a column. */
export function titleOf(column: RunColumn, trans: TranslationBundle): string {
  switch (column.kind) {
    case 'name':
      return trans.__('Run');
    case 'when':
      return trans.__('Started');
    case 'status':
      return trans.__('Status');
    case 'duration':
      return trans.__('Duration');
    default:
      return column.title;
  }
}
