import type { TranslationBundle } from '@jupyterlab/translation';
import { useCallback, useEffect, useReducer } from 'react';

import type { RunColumn } from '../../api/messages/runs';
import { agoText, timeText } from '../../components/format';
import { Grid } from '../../components/grid';
import type { IGridColumn } from '../../components/grid-view';
import { useSignal } from '../../components/signals';
import { columnText } from './format';
import type { RunsModel } from './model';
import { KnownRun, valueOf } from './rows';
import { StatusMark, statusWord } from './status';
import { titleOf } from './titles';

const WIDTHS: Partial<Record<RunColumn['kind'], number>> = { name: 130, when: 105, status: 100, duration: 90 };
const LETTER = 7.5; // px
const MINUTE = 60_000; // ms

/** The table of a notebook's runs. */
export function RunsTable({ model, trans }: { model: RunsModel; trans: TranslationBundle }): JSX.Element {
  useSignal(model.changed);
  useSignal(model.selection.changed);
  useMinutes();
  const columns = model.columns;
  const byKey = new Map(columns.map(column => [column.key, column]));
  const onView = useCallback((first: number, last: number) => model.setView(first, last), [model]);
  return (
    <Grid<KnownRun>
      label={trans.__('Runs')}
      columns={columns.map(column => gridColumn(column, trans))}
      count={model.count}
      row={index => model.row(index)}
      cell={(known, column) => <Value known={known} column={byKey.get(column.key)!} trans={trans} />}
      isSelected={known => model.selection.has(known.run.id)}
      onSelect={(index, how) => model.choose(index, how)}
      onClear={() => model.selection.clear()}
      sort={model.sort.key ? model.sort : { key: 'when', descending: true }}
      onSort={column => model.sortBy(byKey.get(column.key)!)}
      onView={onView}
      shifted={model.shifted}
      restarted={model.restarted}
      busy={model.outdated}
    />
  );
}

function gridColumn(column: RunColumn, trans: TranslationBundle): IGridColumn {
  const least = Math.min(200, Math.max(80, Math.round(column.title.length * LETTER) + 32));
  const title = titleOf(column, trans);
  return {
    key: column.key,
    title,
    width: WIDTHS[column.kind] ?? least,
    end: column.numeric && column.kind !== 'when',
    sticky: column.kind === 'name',
    caption:
      column.kind === 'metric'
        ? column.lower
          ? trans.__('Metric %1: lower is better. Sort by it', title)
          : trans.__('Metric %1: higher is better. Sort by it', title)
        : column.kind === 'param'
          ? trans.__('Parameter %1. Sort by it', title)
          : trans.__('%1. Sort by it', title)
  };
}

function Value({ known, column, trans }: { known: KnownRun; column: RunColumn; trans: TranslationBundle }): JSX.Element {
  const { run } = known;
  switch (column.kind) {
    case 'when':
      return <span title={timeText(run.started)}>{agoText(run.started)}</span>;
    case 'status':
      return <StatusMark status={run.status} word={statusWord(run.status, trans)} />;
    case 'name':
      return (
        <span title={run.name}>
          {run.parent !== null && <span title={trans.__('Part of another run')}>{'↳ '}</span>}
          {run.name}
        </span>
      );
    default: {
      const text = columnText(valueOf(known, column.key), column);
      return <span title={text}>{text}</span>;
    }
  }
}

/** Relative times grow old by themselves. */
function useMinutes(): void {
  const [, again] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const timer = window.setInterval(again, MINUTE);
    return () => window.clearInterval(timer);
  }, []);
}
