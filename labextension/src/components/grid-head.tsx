import { caretDownIcon, caretUpIcon } from '@jupyterlab/ui-components';
import { KeyboardEvent, useRef, useState } from 'react';

import type { IGridColumn } from './grid-view';

/** The titles of a grid's columns: buttons that sort. One of them is a stop of the Tab key, arrows go to the others. */
export function GridHead(props: {
  columns: readonly IGridColumn[];
  sort: { key: string; descending: boolean };
  onSort: (column: IGridColumn) => void;
  width: number;
  template: string;
  leave: () => void;
}): JSX.Element {
  const { columns, sort } = props;
  const [at, setAt] = useState(0);
  const row = useRef<HTMLDivElement>(null);
  const current = Math.min(at, columns.length - 1);

  const onKeyDown = (event: KeyboardEvent): void => {
    const steps: Record<string, number> = { ArrowRight: current + 1, ArrowLeft: current - 1, Home: 0, End: columns.length - 1 };
    if (event.key === 'ArrowDown') {
      props.leave();
    } else if (event.key in steps) {
      const next = Math.max(0, Math.min(columns.length - 1, steps[event.key]));
      setAt(next);
      row.current?.querySelectorAll('button')[next]?.focus();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div role="rowgroup" className="jp-mlops-Grid-head" style={{ width: props.width }}>
      <div ref={row} role="row" aria-rowindex={1} className="jp-mlops-Grid-titles" style={{ gridTemplateColumns: props.template }} onKeyDown={onKeyDown}>
        <span className="jp-mlops-Grid-tick" role="presentation" />
        {columns.map((column, position) => {
          const sorted = column.key === sort.key;
          const Icon = sort.descending ? caretDownIcon : caretUpIcon;
          return (
            <div
              key={column.key}
              role="columnheader"
              aria-colindex={position + 1}
              aria-sort={sorted ? (sort.descending ? 'descending' : 'ascending') : 'none'}
              className="jp-mlops-Grid-title"
              data-end={column.end || undefined}
              data-sticky={column.sticky || undefined}
            >
              <button
                type="button"
                tabIndex={position === current ? 0 : -1}
                title={column.caption ?? column.title}
                onFocus={() => setAt(position)}
                onClick={() => props.onSort(column)}
              >
                <span className="jp-mlops-Grid-titleText">{column.title}</span>
                {sorted && <Icon.react tag="span" aria-hidden="true" />}
              </button>
            </div>
          );
        })}
      </div>
    </div>
  );
}
