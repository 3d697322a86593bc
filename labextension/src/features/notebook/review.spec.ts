import type { NotebookProblem, NotebookView, TagSuggestion } from '../../api/messages/notebook';
import { nullTranslator } from '@jupyterlab/translation';

import { CurrentForTest, notebookOf, sourcesOf, tagsOf, TestCell } from '../../testing/notebooks';
import { combine } from './fixes';
import { Review } from './review';

const trans = nullTranslator.load('jupyter_mlops');

const suggestion = (cell: string, tag: TagSuggestion['tag'], parts: TagSuggestion['parts'] = []): TagSuggestion => ({
  cell, number: Number(cell.slice(1)), tag, reason: 'because', parts
});

const problem = (cell: string | null, before: string, source: string, more: Partial<NotebookProblem> = {}): NotebookProblem => ({
  code: 'no-seed', severity: 'warning', message: 'No seed.', cell, number: cell ? Number(cell.slice(1)) : null, line: 1, fix: 'Set one.',
  edits: cell && before !== source ? [{ cell, before, source }] : [], ...more
});

let test: CurrentForTest;
let review: Review;

async function start(cells: readonly TestCell[], view: Partial<NotebookView>): Promise<void> {
  test = new CurrentForTest(notebookOf(cells), view);
  review = new Review(test.current, trans);
  await test.current.refresh();
}

afterEach(() => {
  review.dispose();
  test.dispose();
});

describe('suggestions', () => {
  const SPLIT = suggestion('c2', null, [
    { tag: 'load', source: 'df = read()' },
    { tag: null, source: 'show(df)' },
    { tag: 'train', source: 'm.fit(df)' }
  ]);

  it('are those of cells that are there and untagged', async () => {
    await start(['a', { source: 'b', tags: ['load'] }], {
      suggestions: [suggestion('c1', 'features'), suggestion('c2', 'load'), suggestion('c9', 'train')]
    });
    expect(review.suggestions.map(one => one.cell)).toEqual(['c1']);
  });

  it('are shown at cells only where somebody has asked', async () => {
    await start(['a'], { suggestions: [suggestion('c1', 'features')] });
    expect(review.proposal(test.notebook!, 'c1')).toBeNull();
    review.suggesting = true;
    expect(review.proposal(test.notebook!, 'c1')).toEqual({ label: 'features', reason: 'because', split: false });
    expect(review.proposal(notebookOf(['a']), 'c1')).toBeNull();
  });

  it('are accepted one by one', async () => {
    await start(['a', 'b'], { suggestions: [suggestion('c1', 'load'), suggestion('c2', 'train')] });
    review.accept('c2');
    expect(tagsOf(test.notebook!)).toEqual([undefined, ['train']]);
    expect(review.suggestions.map(one => one.cell)).toEqual(['c1']);
    expect(review.message).toBe('1 cell was tagged. Press Z on a cell to undo.');
    expect(test.asked).toBe(2);
  });

  it('are accepted all at once as one step of undo, mixed cells split', async () => {
    await start(['a', { source: 'df = read()\n\nshow(df)\nm.fit(df)', tags: ['mine'], metadata: { colour: 'red', execution: {} }, count: 3 }, 'c'], {
      suggestions: [suggestion('c1', 'imports'), SPLIT, suggestion('c3', 'evaluate')]
    });
    const id = test.notebook!.model!.cells.get(1).id;
    review.acceptAll();
    expect(sourcesOf(test.notebook!)).toEqual(['a', 'df = read()', 'show(df)', 'm.fit(df)', 'c']);
    expect(tagsOf(test.notebook!)).toEqual([['imports'], ['mine', 'load'], ['mine'], ['mine', 'train'], ['evaluate']]);
    const cells = Array.from(test.notebook!.model!.cells);
    expect(cells[3].id).toBe(id);
    expect(cells.map(cell => cell.getMetadata('colour'))).toEqual([undefined, 'red', 'red', 'red', undefined]);
    expect(cells[1].getMetadata('execution')).toBeUndefined();
    expect(cells[3].sharedModel.toJSON()).toMatchObject({ execution_count: 3 });
    test.notebook!.model!.sharedModel.undo();
    expect(sourcesOf(test.notebook!)).toEqual(['a', 'df = read()\n\nshow(df)\nm.fit(df)', 'c']);
    expect(tagsOf(test.notebook!)).toEqual([undefined, ['mine'], undefined]);
    expect(test.notebook!.model!.sharedModel.canUndo()).toBe(false);
  });

  it('to split are gone when the cell has changed', async () => {
    await start(['a', 'df = read()\nshow(df)\nm.fit(df)'], { suggestions: [SPLIT] });
    expect(review.suggestions).toHaveLength(1);
    test.notebook!.model!.cells.get(1).sharedModel.setSource('df = other()');
    review.acceptAll();
    expect(sourcesOf(test.notebook!)).toEqual(['a', 'df = other()']);
  });

  it('to split by hand cannot be followed', async () => {
    await start(['a'], { suggestions: [suggestion('c1', null)] });
    review.suggesting = true;
    expect(review.proposal(test.notebook!, 'c1')).toBeNull();
    review.acceptAll();
    expect(sourcesOf(test.notebook!)).toEqual(['a']);
  });

  it('stay dismissed', async () => {
    await start(['a', 'b'], { suggestions: [suggestion('c1', 'load'), suggestion('c2', 'train')] });
    review.dismiss('c1');
    await test.current.refresh();
    expect(review.suggestions.map(one => one.cell)).toEqual(['c2']);
    test.view = { suggestions: [suggestion('c1', 'validate')] };
    await test.current.refresh();
    expect(review.suggestions).toHaveLength(1);
  });
});

describe('problems', () => {
  it('are marked at cells of a notebook that is tagged or looked at', async () => {
    await start(['a', 'b'], {
      problems: [problem('c1', 'a', 'a'), problem('c1', 'a', 'a', { severity: 'error' }), problem('c2', 'b', 'b', { severity: 'info' }), problem(null, '', '')]
    });
    expect(review.trouble(test.notebook!, 'c1')).toBeNull();
    review.watched = true;
    expect(review.trouble(test.notebook!, 'c1')).toMatchObject({ errors: 1, warnings: 1 });
    expect(review.trouble(test.notebook!, 'c2')).toBeNull();
  });

  it('are fixed as one step of undo', async () => {
    await start(['f()', 'g()'], { problems: [problem('c1', 'f()', 'f(seed=0)'), problem('c2', 'g()', 'g(seed=0)')] });
    expect(review.fixAll()).toBe(2);
    expect(sourcesOf(test.notebook!)).toEqual(['f(seed=0)', 'g(seed=0)']);
    expect(review.message).toBe('2 problems were fixed. Press Z on a cell to undo.');
    test.notebook!.model!.sharedModel.undo();
    expect(sourcesOf(test.notebook!)).toEqual(['f()', 'g()']);
  });

  it('of a cell that has changed are left alone, and that is said', async () => {
    await start(['f()', 'g()'], { problems: [problem('c1', 'f()', 'f(seed=0)'), problem('c2', 'g()', 'g(seed=0)')] });
    test.notebook!.model!.cells.get(0).sharedModel.setSource('h()');
    expect(review.fix(review.problems[0])).toBe(false);
    expect(review.message).toContain('was left alone');
    expect(review.fixAll()).toBe(1);
    expect(sourcesOf(test.notebook!)).toEqual(['h()', 'g(seed=0)']);
  });

  it('are not drawn anew when an answer brings nothing new', async () => {
    await start(['f()'], { problems: [problem('c1', 'f()', 'f(1)')] });
    let draws = 0;
    review.changed.connect(() => draws++);
    await test.current.refresh();
    expect(draws).toBe(0);
    test.view = { problems: [] };
    await test.current.refresh();
    expect(draws).toBe(1);
  });

  it('stay while the next answer is on its way', async () => {
    await start(['f()'], { problems: [problem('c1', 'f()', 'f(1)')] });
    const asking = test.current.refresh();
    expect(review.problems).toHaveLength(1);
    await asking;
  });
});

describe('several fixes', () => {
  const source = 'a = f()\nb = g()\n';
  const of = (): string => source;

  it('of one cell are put together', () => {
    const found = combine([problem('c1', source, 'a = f(0)\nb = g()\n'), problem('c1', source, 'a = f()\nb = g(0)\n')], of);
    expect(found.edits).toEqual([{ cell: 'c1', before: source, source: 'a = f(0)\nb = g(0)\n' }]);
    expect(found.mended).toHaveLength(2);
  });

  it('that are the same are made once', () => {
    const once = problem('c1', source, 'a = f(0)\nb = g()\n');
    expect(combine([once, { ...once }], of)).toMatchObject({ edits: [{ source: 'a = f(0)\nb = g()\n' }], mended: [{}, {}], later: [] });
  });

  it('of the same place wait', () => {
    const found = combine([problem('c1', source, 'a = f(0)\nb = g()\n'), problem('c1', source, 'a = f(1)\nb = h()\n')], of);
    expect(found.edits[0].source).toBe('a = f(0)\nb = g()\n');
    expect(found.later).toHaveLength(1);
  });

  it('of several cells are made as a whole or not at all', () => {
    const both: NotebookProblem = {
      ...problem('c1', 'x', 'y'),
      edits: [
        { cell: 'c1', before: 'x', source: 'y' },
        { cell: 'c2', before: 'x', source: 'y' }
      ]
    };
    const found = combine([both], cell => (cell === 'c1' ? 'x' : 'changed'));
    expect(found).toMatchObject({ edits: [], mended: [], stale: [{}] });
  });
});
