import { Signal } from '@lumino/signaling';
import { fireEvent, render, screen, within } from '@testing-library/react';
import { act } from 'react';

import { Grid, IGridProps } from './grid';
import { moved, ROW_HEIGHT, rowsInView } from './grid-view';

const COLUMNS = [
  { key: 'name', title: 'Run', width: 150 },
  { key: 'auc', title: 'auc', width: 90, end: true }
];

describe('rows in view', () => {
  it('are few, whatever the length', () => {
    expect(rowsInView(0, 280, 28, 10_000)).toEqual({ first: 0, end: 21, firstSeen: 0, lastSeen: 10 });
    const view = rowsInView(140_000, 280, 28, 10_000);
    expect([view.first, view.end, view.firstSeen]).toEqual([4990, 5021, 5000]);
    const tall = rowsInView(0, 4000, 28, 10_000);
    expect(tall.end - tall.first).toBeLessThanOrEqual(60);
    const high = rowsInView(56_000, 4000, 28, 10_000);
    expect(high.end - high.first).toBeLessThanOrEqual(60);
    expect(rowsInView(0, 280, 28, 0)).toMatchObject({ first: 0, end: 0 });
    expect(rowsInView(10_000, 280, 28, 3)).toMatchObject({ end: 3, firstSeen: 2, lastSeen: 2 });
  });
});

describe('keys', () => {
  const size = { rows: 100, columns: 3, page: 10 };
  it.each([
    ['ArrowDown', { row: 6, column: 1 }],
    ['ArrowUp', { row: 4, column: 1 }],
    ['PageDown', { row: 15, column: 1 }],
    ['PageUp', { row: 0, column: 1 }],
    ['Home', { row: 0, column: 1 }],
    ['End', { row: 99, column: 1 }],
    ['ArrowLeft', { row: 5, column: 0 }],
    ['ArrowRight', { row: 5, column: 2 }],
    ['x', null]
  ])('%s', (key, place) => {
    expect(moved({ row: 5, column: 1 }, key, size)).toEqual(place);
  });
});

describe('a grid', () => {
  let props: IGridProps<{ number: number }>;
  let selected: Set<number>;
  let shifted: Signal<object, number>;
  let restarted: Signal<object, void>;

  beforeEach(() => {
    selected = new Set();
    shifted = new Signal<object, number>({});
    restarted = new Signal<object, void>({});
    props = {
      label: 'Runs',
      columns: COLUMNS,
      count: 10_000,
      row: index => (index < 500 ? { number: index } : undefined),
      cell: (row, column) => `${column.key} ${row.number}`,
      isSelected: row => selected.has(row.number),
      onSelect: jest.fn(),
      onClear: jest.fn(),
      sort: { key: 'auc', descending: true },
      onSort: jest.fn(),
      onView: jest.fn(),
      shifted,
      restarted
    };
  });

  const grid = (): HTMLElement => screen.getByRole('grid');
  const rows = (): HTMLElement[] => within(grid()).getAllByRole('row').slice(1);
  const scrollTo = (top: number): void => {
    grid().scrollTop = top;
    fireEvent.scroll(grid());
  };
  const current = (): string | undefined => document.getElementById(grid().getAttribute('aria-activedescendant') ?? '')?.textContent ?? undefined;

  it('says how long it is and has few rows in the page', () => {
    render(<Grid {...props} />);
    expect(grid().getAttribute('aria-rowcount')).toBe('10001');
    expect(rows().length).toBeLessThanOrEqual(60);
    expect(rows()[0].getAttribute('aria-rowindex')).toBe('2');
    scrollTo(300 * ROW_HEIGHT);
    expect(rows().length).toBeLessThanOrEqual(60);
    expect(rows()[0].getAttribute('aria-rowindex')).toBe('292');
    expect(props.onView).toHaveBeenLastCalledWith(300, expect.any(Number));
  });

  it('has a place for rows that are not there yet', () => {
    render(<Grid {...props} />);
    scrollTo(5000 * ROW_HEIGHT);
    expect(rows()[0].getAttribute('aria-busy')).toBe('true');
    expect(rows()[0].textContent).toContain('…');
  });

  it('tells and changes the order', () => {
    render(<Grid {...props} />);
    const [name, auc] = screen.getAllByRole('columnheader');
    expect([name.getAttribute('aria-sort'), auc.getAttribute('aria-sort')]).toEqual(['none', 'descending']);
    fireEvent.click(within(name).getByRole('button'));
    expect(props.onSort).toHaveBeenCalledWith(COLUMNS[0]);
    const button = within(name).getByRole('button');
    button.focus();
    fireEvent.keyDown(button, { key: 'ArrowRight' });
    expect(document.activeElement).toBe(within(auc).getByRole('button'));
    expect(button.tabIndex).toBe(-1);
    fireEvent.keyDown(document.activeElement!, { key: 'ArrowDown' });
    expect(document.activeElement).toBe(grid());
  });

  it('is walked by keys, and selects with Space and Shift', () => {
    render(<Grid {...props} />);
    grid().focus();
    fireEvent.keyDown(grid(), { key: 'ArrowDown' });
    expect(current()).toBe('name 1');
    fireEvent.keyDown(grid(), { key: 'ArrowRight' });
    expect(current()).toBe('auc 1');
    fireEvent.keyDown(grid(), { key: ' ' });
    expect(props.onSelect).toHaveBeenLastCalledWith(1, 'toggle');
    selected.add(1);
    fireEvent.keyDown(grid(), { key: 'ArrowDown', shiftKey: true });
    expect(props.onSelect).toHaveBeenLastCalledWith(2, 'range');
    fireEvent.keyDown(grid(), { key: 'Enter' });
    expect(props.onSelect).toHaveBeenLastCalledWith(2, 'one');
    fireEvent.keyDown(grid(), { key: 'Escape' });
    expect(props.onClear).toHaveBeenCalled();
    expect(fireEvent.keyDown(grid(), { key: 'a' })).toBe(true);
  });

  it('selects with the mouse', () => {
    render(<Grid {...props} />);
    fireEvent.click(screen.getByText('name 3'));
    expect(props.onSelect).toHaveBeenLastCalledWith(3, 'one');
    fireEvent.click(screen.getByText('auc 4'), { ctrlKey: true });
    expect(props.onSelect).toHaveBeenLastCalledWith(4, 'toggle');
    fireEvent.click(screen.getByText('auc 7'), { shiftKey: true });
    expect(props.onSelect).toHaveBeenLastCalledWith(7, 'range');
    fireEvent.click(within(rows()[2]).getByText('☐'));
    expect(props.onSelect).toHaveBeenLastCalledWith(2, 'toggle');
  });

  it('says which rows are selected', () => {
    selected.add(2);
    render(<Grid {...props} />);
    expect(rows()[2].getAttribute('aria-selected')).toBe('true');
    expect(within(rows()[2]).getByText('☑')).toBeTruthy();
    expect(rows()[1].getAttribute('aria-selected')).toBe('false');
  });

  it('stays where it is when the list moves under it, and begins again with another list', () => {
    const { rerender } = render(<Grid {...props} />);
    scrollTo(100 * ROW_HEIGHT);
    act(() => shifted.emit(3));
    rerender(<Grid {...props} count={10_003} />);
    expect(grid().scrollTop).toBe(103 * ROW_HEIGHT);
    act(() => restarted.emit());
    expect(grid().scrollTop).toBe(0);
  });
});
