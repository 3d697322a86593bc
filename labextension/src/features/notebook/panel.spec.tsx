import { nullTranslator } from '@jupyterlab/translation';
import { act, cleanup, fireEvent, render, screen, within } from '@testing-library/react';
import axe from 'axe-core';
import { CommandRegistry } from '@lumino/commands';

import { ApiError } from '../../api/client';
import type { NotebookProblem, NotebookView } from '../../api/messages/notebook';
import { CurrentForTest, notebookOf } from '../../testing/notebooks';
import { ServerState } from '../sidebar/status';
import { NotebookSection } from './panel';
import { Review } from './review';
import { Start } from './start';

const trans = nullTranslator.load('jupyter_mlops');

const problem = (code: string, severity: NotebookProblem['severity'], source = 'a'): NotebookProblem => ({
  code, severity, message: `About ${code}.`, cell: 'c1', number: 1, line: 2, fix: `Mend ${code}.`,
  edits: source === 'a' ? [] : [{ cell: 'c1', before: 'a', source }]
});

const VIEW: Partial<NotebookView> = {
  tagged: false,
  model: { variable: 'clf', reason: 'it is fitted' },
  stages: [
    { stage: 'load', cells: ['c1'], suggested: false },
    { stage: 'features', cells: ['c2', 'c3'], suggested: true },
    { stage: 'train', cells: ['c4'], suggested: false }
  ],
  edges: [
    { from: 'load', to: 'features', names: ['df'] },
    { from: 'features', to: 'train', names: ['X', 'y'] }
  ],
  problems: [problem('leak', 'error'), problem('seed', 'warning', 'ab'), problem('style', 'info')],
  suggestions: [
    { cell: 'c2', number: 2, tag: 'features', reason: 'prepares X', parts: [] },
    { cell: 'c3', number: 3, tag: null, reason: 'mixed', parts: [{ tag: 'features', source: 'c' }, { tag: 'train', source: 'd' }] }
  ]
};

let test: CurrentForTest;
let review: Review;
let start: Start;
let server: ServerState;

async function show(cells: string[] | null, view: Partial<NotebookView> = VIEW, failure: Error | null = null): Promise<HTMLElement> {
  test = new CurrentForTest(cells && notebookOf(cells), view);
  test.failure = failure;
  review = new Review(test.current, trans);
  server = new ServerState({} as never);
  start = new Start(review, null, new CommandRegistry(), () => undefined, trans);
  const { container } = render(<NotebookSection review={review} start={start} server={server} trans={trans} />);
  await act(() => test.current.refresh());
  return container;
}

afterEach(() => {
  cleanup();
  start.dispose();
  review.dispose();
  test.dispose();
});

const CELLS = ['a', 'b', 'c\nd', 'e'];

describe('the section of the notebook', () => {
  it('has no accessibility finding', async () => {
    const container = await show(CELLS);
    const found = await axe.run(container, { rules: { 'color-contrast': { enabled: false }, region: { enabled: false } } });
    expect(found.violations.map(one => `${one.id}: ${one.nodes[0].html}`)).toEqual([]);
  });

  it('shows stages that lead to their cells, also by the keyboard', async () => {
    await show(CELLS);
    const goTo = jest.spyOn(test.current, 'goTo').mockResolvedValue();
    const list = screen.getByRole('list', { name: 'Stages, in the order of the project' });
    const buttons = within(list).getAllByRole('button');
    expect(buttons.map(one => one.textContent)).toEqual(['load', 'features?', '2', '3', 'train']);
    expect(buttons[1].getAttribute('aria-label')).toBe('features (suggested) · cells 2, 3 · takes df from load');
    expect(buttons.map(one => one.tabIndex)).toEqual([0, -1, -1, -1, -1]);
    act(() => buttons[0].focus());
    fireEvent.keyDown(buttons[0], { key: 'ArrowDown' });
    expect(document.activeElement).toBe(buttons[1]);
    fireEvent.keyDown(buttons[1], { key: 'ArrowRight' });
    fireEvent.keyDown(buttons[2], { key: 'ArrowRight' });
    expect(document.activeElement).toBe(buttons[3]);
    fireEvent.click(buttons[3]);
    expect(goTo).toHaveBeenLastCalledWith('c3', null);
    fireEvent.keyDown(buttons[3], { key: 'End' });
    expect(document.activeElement).toBe(buttons[4]);
    fireEvent.click(buttons[4]);
    expect(goTo).toHaveBeenLastCalledWith('c4', null);
  });

  it('says which variables cross', async () => {
    const container = await show(CELLS);
    expect(Array.from(container.querySelectorAll('svg title'), one => one.textContent)).toEqual(['load → features: df', 'features → train: X, y']);
  });

  it('groups problems, leads to their line and fixes them', async () => {
    await show(CELLS);
    const goTo = jest.spyOn(test.current, 'goTo').mockResolvedValue();
    expect(screen.getAllByText(/^\d (error|warning|note)/).map(one => one.textContent)).toEqual(['✕ 1 error', '⚠ 1 warning', 'ℹ 1 note']);
    fireEvent.click(screen.getAllByRole('button', { name: 'Cell 1, line 2' })[0]);
    expect(goTo).toHaveBeenLastCalledWith('c1', 2);
    await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Fix seed in cell 1' })));
    expect(test.notebook!.model!.cells.get(0).sharedModel.getSource()).toBe('ab');
    expect(screen.getByRole('status').textContent).toContain('1 problem was fixed.');
  });

  it('goes to the problems of a cell', async () => {
    await show(CELLS);
    act(() => review.reveal('c1'));
    expect(document.activeElement?.textContent).toBe('Cell 1, line 2');
    expect(review.target).toBeNull();
  });

  it('offers tags', async () => {
    await show(CELLS);
    await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Split cell 3 into features + train and tag them' })));
    expect(test.notebook!.model!.cells.length).toBe(5);
    await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Dismiss the suggestion for cell 2' })));
    expect(screen.queryByText(/suggested tag/)).toBeNull();
  });

  it('keeps what is known while it asks, and when the server fails', async () => {
    await show(CELLS);
    test.failure = new ApiError('internal', 'It broke.', 'Try again.');
    let asking: Promise<void>;
    act(() => {
      asking = test.current.refresh();
    });
    expect(screen.getByText('Problems')).toBeTruthy();
    await act(() => asking);
    expect(screen.getByRole('alert').textContent).toContain('It broke.');
    expect(screen.getByText('Problems')).toBeTruthy();
  });

  it('says what to do without a notebook', async () => {
    await show(null);
    expect(screen.getByText(/Open one that trains a model/)).toBeTruthy();
    expect(screen.queryByText('Problems')).toBeNull();
  });

  it('says so when nothing is wrong', async () => {
    await show(['a'], {});
    expect(screen.getByText('No problems found.')).toBeTruthy();
    expect(screen.getByText(/No cell is tagged/)).toBeTruthy();
  });

  it('says so when the notebook is in another language', async () => {
    await show(['a'], { problems: [{ ...problem('unreadable', 'error'), message: 'It is in R.', fix: 'Use Python.', cell: null }] });
    expect(screen.getByText(/It is in R./)).toBeTruthy();
    expect(screen.queryByText('Stages')).toBeNull();
  });

  it('leaves a server that is missing to the banner', async () => {
    await show(['a'], {}, new ApiError('server-missing', 'There is no server extension.'));
    expect(screen.getByRole('alert')).toBeTruthy();
    act(() => {
      server.error = new ApiError('server-missing', 'There is no server extension.');
      (server as unknown as { _changed: { emit(): void } })._changed.emit();
    });
    expect(screen.queryByRole('alert')).toBeNull();
    expect(screen.getByText(/Nothing is known/)).toBeTruthy();
  });
});
