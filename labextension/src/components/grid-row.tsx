import { memo, MouseEvent, ReactNode } from 'react';

import { IGridColumn, ROW_HEIGHT } from './grid-view';

interface IGridRowProps<T> {
  /** Of the grid; ids of cells are made from it. */
  id: string;
  index: number;
  /** Undefined while it is not known. */
  row: T | undefined;
  columns: readonly IGridColumn[];
  template: string;
  cell: (row: T, column: IGridColumn) => ReactNode;
  selected: boolean;
  /** Column of the keyboard's place; -1 where it is in another row. */
  current: number;
  onClick: (event: MouseEvent, index: number, column: number) => void;
  onContextMenu: (index: number) => void;
}

function GridRowView<T>(props: IGridRowProps<T>): JSX.Element {
  const { index, row, selected } = props;
  return (
    <div
      role="row"
      className="jp-mlops-Grid-row"
      aria-rowindex={index + 2}
      aria-selected={selected}
      aria-busy={row === undefined ? true : undefined}
      style={{ top: index * ROW_HEIGHT, height: ROW_HEIGHT, gridTemplateColumns: props.template }}
      onContextMenu={() => props.onContextMenu(index)}
    >
      <span className="jp-mlops-Grid-tick" role="presentation" onClick={event => props.onClick(event, index, 0)}>
        <span aria-hidden="true">{selected ? '☑' : '☐'}</span>
      </span>
      {props.columns.map((column, position) => (
        <div
          key={column.key}
          role="gridcell"
          id={`${props.id}-${index}-${position}`}
          aria-colindex={position + 1}
          className="jp-mlops-Grid-cell"
          data-end={column.end || undefined}
          data-sticky={column.sticky || undefined}
          data-current={position === props.current || undefined}
          onClick={event => props.onClick(event, index, position)}
        >
          {row === undefined ? <span className="jp-mlops-Grid-unknown">…</span> : props.cell(row, column)}
        </div>
      ))}
    </div>
  );
}

/** One row of a grid; while one scrolls, only those that come into view are made. */
export const GridRow = memo(GridRowView) as typeof GridRowView;
