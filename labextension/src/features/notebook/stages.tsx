import type { TranslationBundle } from '@jupyterlab/translation';
import { KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from 'react';

import type { NotebookView, StageEdge, StageNode } from '../../api/messages/notebook';

const WIDTH = 44; // of the column of lines, px

interface Props {
  view: NotebookView;
  /** Of a cell in the notebook, from 1; null for one that is gone. */
  numberOf: (cell: string) => number | null;
  goTo: (cell: string) => void;
  trans: TranslationBundle;
}

/** The stages in the order of the main path, and beside them the variables that cross from one to another as lines. */
export function Stages(props: Props): JSX.Element {
  const { view, trans } = props;
  const list = useRef<HTMLOListElement>(null);
  const [lit, setLit] = useState<string | null>(null);
  const [stop, setStop] = useState<readonly [number, number]>([0, 0]); // where Tab comes in: row, button in it
  const heights = useHeights(list, view);
  const row = Math.min(stop[0], view.stages.length - 1);

  const onKeyDown = (event: KeyboardEvent): void => {
    const at = (event.target as HTMLElement).dataset;
    const to = moved(event.key, Number(at.row), Number(at.column), view.stages);
    if (to) {
      event.preventDefault();
      setStop(to);
      list.current?.querySelector<HTMLElement>(`button[data-row="${to[0]}"][data-column="${to[1]}"]`)?.focus();
    }
  };

  return (
    <div className="jp-mlops-Stages">
      <Lines edges={view.edges} stages={view.stages} heights={heights} lit={lit} />
      {/* Arrows move within it, as in JupyterLab's own lists. */}
      <ol ref={list} aria-label={trans.__('Stages, in the order of the project')} onKeyDown={onKeyDown}>
        {view.stages.map((node, i) => (
          <Row
            key={node.stage}
            {...props}
            node={node}
            row={i}
            column={i === row ? Math.min(stop[1], columns(node) - 1) : -1}
            onFocus={column => {
              setStop([i, column]);
              setLit(node.stage);
            }}
            onLeave={() => setLit(null)}
            onEnter={() => setLit(node.stage)}
          />
        ))}
      </ol>
    </div>
  );
}

function Row(
  props: Props & { node: StageNode; row: number; column: number; onFocus: (column: number) => void; onEnter: () => void; onLeave: () => void }
): JSX.Element {
  const { node, row, column, goTo, numberOf, trans } = props;
  const label = describe(props);
  return (
    <li onMouseEnter={props.onEnter} onMouseLeave={props.onLeave} onBlur={props.onLeave}>
      <button
        type="button"
        className={`jp-mlops-Stage ${node.suggested ? 'jp-mod-suggested' : ''}`}
        data-tag={node.stage}
        data-row={row}
        data-column={0}
        tabIndex={column === 0 ? 0 : -1}
        aria-label={label}
        title={label}
        onFocus={() => props.onFocus(0)}
        onClick={() => goTo(node.cells[0])}
      >
        {node.suggested ? `${node.stage}?` : node.stage}
      </button>
      {columns(node) > 1 && (
        <span className="jp-mlops-Stage-cells">
          {node.cells.map((cell, i) => (
            <button
              type="button"
              key={cell}
              className="jp-mlops-Stage-cell"
              data-row={row}
              data-column={i + 1}
              tabIndex={column === i + 1 ? 0 : -1}
              aria-label={trans.__('Go to cell %1 of %2', numberOf(cell) ?? '–', node.stage)}
              onFocus={() => props.onFocus(i + 1)}
              onClick={() => goTo(cell)}
            >
              {numberOf(cell) ?? '–'}
            </button>
          ))}
        </span>
      )}
    </li>
  );
}

function Lines(props: { edges: readonly StageEdge[]; stages: readonly StageNode[]; heights: readonly number[]; lit: string | null }): JSX.Element {
  const { edges, stages, heights, lit } = props;
  const rows = new Map(stages.map((node, i) => [node.stage, i]));
  const bottom = Math.max(0, ...heights) + 20;
  return (
    // What the lines say is in the labels of the buttons.
    <svg className="jp-mlops-Stages-lines" width={WIDTH} height={bottom} viewBox={`0 0 ${WIDTH} ${bottom}`} aria-hidden="true">
      {edges.map(edge => {
        const [from, to] = [rows.get(edge.from), rows.get(edge.to)];
        if (from === undefined || to === undefined || heights.length !== stages.length) {
          return null;
        }
        const reach = Math.max(4, WIDTH - 10 - 8 * Math.abs(to - from));
        const [a, b] = [heights[from] + 4, heights[to] - 4];
        const path = `M ${WIDTH} ${a} C ${reach} ${a}, ${reach} ${b}, ${WIDTH - 5} ${b}`;
        const active = lit === edge.from || lit === edge.to;
        return (
          <g key={`${edge.from}>${edge.to}`} className={active ? 'jp-mod-lit' : undefined}>
            <title>{`${edge.from} → ${edge.to}: ${edge.names.join(', ')}`}</title>
            <path className="jp-mlops-Stages-target" d={path} />
            <path className="jp-mlops-Stages-line" d={path} />
            <path className="jp-mlops-Stages-head" d={`M ${WIDTH - 6} ${b - 3} L ${WIDTH} ${b} L ${WIDTH - 6} ${b + 3} Z`} />
          </g>
        );
      })}
    </svg>
  );
}

/** The stage, its cells, and what it takes from where, in one sentence. */
function describe({ node, view, numberOf, trans }: Props & { node: StageNode }): string {
  const numbers = node.cells.map(numberOf).filter(one => one !== null);
  const takes = view.edges
    .filter(edge => edge.to === node.stage)
    .map(edge => trans.__('%1 from %2', edge.names.join(', '), edge.from))
    .join('; ');
  return [
    node.suggested ? trans.__('%1 (suggested)', node.stage) : node.stage,
    trans._n('cell %2', 'cells %2', numbers.length, numbers.join(', ')),
    ...(takes ? [trans.__('takes %1', takes)] : [])
  ].join(' · ');
}

/** Buttons in a row: the stage, and its cells where there are several. */
function columns(node: StageNode): number {
  return node.cells.length > 1 ? node.cells.length + 1 : 1;
}

function moved(key: string, row: number, column: number, stages: readonly StageNode[]): [number, number] | null {
  const into = (to: number, at: number): [number, number] => [to, Math.max(0, Math.min(at, columns(stages[to]) - 1))];
  switch (key) {
    case 'ArrowDown':
      return into(Math.min(row + 1, stages.length - 1), column);
    case 'ArrowUp':
      return into(Math.max(row - 1, 0), column);
    case 'ArrowRight':
      return into(row, column + 1);
    case 'ArrowLeft':
      return into(row, column - 1);
    case 'Home':
      return into(0, 0);
    case 'End':
      return into(stages.length - 1, 0);
  }
  return null;
}

/** Where the middle of each row's stage is; again when rows wrap because of another width. */
function useHeights(list: React.RefObject<HTMLOListElement>, view: NotebookView): readonly number[] {
  const [heights, setHeights] = useState<readonly number[]>([]);
  const measure = (): void => {
    const found = Array.from(list.current?.children ?? [], child => {
      const button = child.firstElementChild as HTMLElement;
      return button.offsetTop + button.offsetHeight / 2;
    });
    setHeights(known => (found.length === known.length && found.every((one, i) => one === known[i]) ? known : found));
  };
  useLayoutEffect(measure, [view]);
  useEffect(() => {
    if (!list.current || typeof ResizeObserver === 'undefined') {
      return;
    }
    const observer = new ResizeObserver(measure);
    observer.observe(list.current);
    return () => observer.disconnect();
  }, []);
  return heights;
}
