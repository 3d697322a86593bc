import type { ISignal } from '@lumino/signaling';
import { KeyboardEvent, MouseEvent, ReactNode, useCallback, useEffect, useId, useLayoutEffect, useRef, useState } from 'react';

import { GridHead } from './grid-head';
import { GridRow } from './grid-row';
import { GridPlace, HEAD_HEIGHT, IGridColumn, moved, ROW_HEIGHT, rowsInView, TICK } from './grid-view';

export interface IGridProps<T> {
  label: string;
  columns: readonly IGridColumn[];
  count: number;
  /** Undefined while it is not known. */
  row: (index: number) => T | undefined;
  cell: (row: T, column: IGridColumn) => ReactNode;
  isSelected: (row: T) => boolean;
  onSelect: (index: number, how: 'one' | 'toggle' | 'range') => void;
  onClear: () => void;
  sort: { key: string; descending: boolean };
  onSort: (column: IGridColumn) => void;
  /** Which rows are in view. */
  onView: (first: number, last: number) => void;
  /** Rows by which the list has moved under the view. */
  shifted: ISignal<unknown, number>;
  /** The list is another one: its first row has to be shown. */
  restarted: ISignal<unknown, void>;
  /** The rows are those of another list than was asked for. */
  busy?: boolean;
}

/**
 * A table of any length: only rows in view are in the page.
 *
 * The keyboard's place is told by `aria-activedescendant`, since the row that it is on may leave the page when one scrolls.
 */
export function Grid<T>(props: IGridProps<T>): JSX.Element {
  const { columns, count, onView } = props;
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const [scroll, setScroll] = useState({ top: 0, height: 0 });
  const [place, setPlace] = useState<GridPlace>({ row: 0, column: 0 });
  const measured = useRef(scroll);
  const pending = useRef(0);

  const measure = useCallback(() => {
    const node = box.current;
    // Compared with what was measured, not with the state: an update that React has put off would make it differ for ever.
    if (node && (node.scrollTop !== measured.current.top || node.clientHeight !== measured.current.height)) {
      measured.current = { top: node.scrollTop, height: node.clientHeight };
      setScroll(measured.current);
    }
  }, []);

  useLayoutEffect(() => {
    // Only now the page is as long as the list, and can be scrolled there before anything is painted.
    if (pending.current && box.current) {
      box.current.scrollTop += pending.current * ROW_HEIGHT;
      pending.current = 0;
    }
    measure();
  });

  useEffect(() => {
    const observer = typeof ResizeObserver === 'undefined' ? null : new ResizeObserver(measure);
    observer?.observe(box.current!);
    return () => observer?.disconnect();
  }, [measure]);

  useEffect(() => {
    const shift = (_: unknown, rows: number): void => {
      pending.current += rows;
      setPlace(old => ({ ...old, row: Math.max(0, old.row + rows) }));
    };
    const restart = (): void => {
      pending.current = 0;
      if (box.current) {
        box.current.scrollTop = 0;
      }
      setPlace(old => ({ ...old, row: 0 }));
    };
    props.shifted.connect(shift);
    props.restarted.connect(restart);
    return () => {
      props.shifted.disconnect(shift);
      props.restarted.disconnect(restart);
    };
  }, [props.shifted, props.restarted]);

  const view = rowsInView(scroll.top, scroll.height - HEAD_HEIGHT, ROW_HEIGHT, count);
  useEffect(() => onView(view.firstSeen, view.lastSeen), [onView, view.firstSeen, view.lastSeen]);

  const at: GridPlace = { row: Math.min(place.row, count - 1), column: Math.min(place.column, columns.length - 1) };
  const go = (next: GridPlace): void => {
    setPlace(next);
    reveal(box.current!, next.row, columns, next.column);
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== box.current || count === 0 || event.altKey) {
      return;
    }
    if (event.key === ' ') {
      props.onSelect(at.row, event.shiftKey ? 'range' : 'toggle');
    } else if (event.key === 'Enter') {
      props.onSelect(at.row, 'one');
    } else if (event.key === 'Escape') {
      props.onClear();
    } else {
      const page = Math.max(1, view.lastSeen - view.firstSeen);
      const next = moved(at, event.key, { rows: count, columns: columns.length, page });
      if (!next) {
        return;
      }
      go(next);
      if (event.shiftKey && next.row !== at.row) {
        if (!isSelected(at.row)) {
          props.onSelect(at.row, 'one');
        }
        props.onSelect(next.row, 'range');
      }
    }
    event.preventDefault();
    event.stopPropagation();
  };

  const isSelected = (index: number): boolean => {
    const row = props.row(index);
    return row !== undefined && props.isSelected(row);
  };

  const latest = useRef({ props, at, isSelected });
  latest.current = { props, at, isSelected };
  // The same functions in every rendering, so that rows need not be made again.
  const onClick = useCallback((event: MouseEvent, row: number, column: number) => {
    setPlace({ row, column });
    const toggle = event.ctrlKey || event.metaKey || (event.target as Element).closest('.jp-mlops-Grid-tick') !== null;
    latest.current.props.onSelect(row, event.shiftKey ? 'range' : toggle ? 'toggle' : 'one');
  }, []);
  const onContextMenu = useCallback((row: number) => {
    setPlace({ row, column: latest.current.at.column });
    if (!latest.current.isSelected(row)) {
      latest.current.props.onSelect(row, 'one');
    }
  }, []);

  const width = columns.reduce((sum, column) => sum + column.width, TICK);
  const template = `${TICK}px ${columns.map(column => `${column.width}px`).join(' ')}`;
  const inPage = at.row >= view.first && at.row < view.end;
  return (
    <div
      ref={box}
      className="jp-mlops-Grid"
      role="grid"
      tabIndex={0}
      aria-label={props.label}
      aria-rowcount={count + 1}
      aria-colcount={columns.length}
      aria-multiselectable="true"
      aria-busy={props.busy ?? false}
      aria-activedescendant={inPage ? `${id}-${at.row}-${at.column}` : undefined}
      onScroll={measure}
      onKeyDown={onKeyDown}
    >
      <GridHead columns={columns} sort={props.sort} onSort={props.onSort} width={width} template={template} leave={() => box.current?.focus()} />
      <div role="rowgroup" className="jp-mlops-Grid-body" style={{ height: count * ROW_HEIGHT, width }}>
        {Array.from({ length: view.end - view.first }, (_, offset) => {
          const index = view.first + offset;
          const row = props.row(index);
          return (
            <GridRow<T>
              key={index}
              id={id}
              index={index}
              row={row}
              columns={columns}
              template={template}
              cell={props.cell}
              selected={isSelected(index)}
              current={index === at.row ? at.column : -1}
              onClick={onClick}
              onContextMenu={onContextMenu}
            />
          );
        })}
      </div>
    </div>
  );
}

/** Scroll just so far that a cell is in view. */
function reveal(box: HTMLElement, row: number, columns: readonly IGridColumn[], column: number): void {
  const top = row * ROW_HEIGHT;
  const room = box.clientHeight - HEAD_HEIGHT;
  if (top < box.scrollTop) {
    box.scrollTop = top;
  } else if (room > 0 && top + ROW_HEIGHT > box.scrollTop + room) {
    box.scrollTop = top + ROW_HEIGHT - room;
  }
  const left = columns.slice(0, column).reduce((sum, one) => sum + one.width, TICK);
  const right = left + (columns[column]?.width ?? 0);
  if (column === 0) {
    box.scrollLeft = 0;
  } else if (right > box.scrollLeft + box.clientWidth) {
    box.scrollLeft = right - box.clientWidth;
  } else if (left < box.scrollLeft) {
    box.scrollLeft = left;
  }
}
