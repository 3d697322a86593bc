import type { INotebookContent } from '@jupyterlab/nbformat';
import { INotebookTracker, NotebookModel, NotebookPanel } from '@jupyterlab/notebook';
import { NBTestUtils } from '@jupyterlab/notebook/lib/testutils';
import { Signal } from '@lumino/signaling';

import type { Api } from '../../api/client';
import { ApiError } from '../../api/client';
import type { NotebookRequest, NotebookView } from '../../api/messages/notebook';
import { CurrentNotebook, smallestChange } from './model';

const VIEW: NotebookView = {
  tagged: false, model: null, stages: [], edges: [], problems: [], suggestions: [], parameters: [], parametersCell: null
};

describe('the smallest change', () => {
  it.each([
    ['abc', 'abc'],
    ['', 'x'],
    ['x', ''],
    ['aaa', 'aa'],
    ['one two three', 'one 2 three'],
    ['ab', 'ba']
  ])('makes %j into %j', (before, after) => {
    const { start, end, text } = smallestChange(before, after);
    expect(before.slice(0, start) + text + before.slice(end)).toBe(after);
    expect(end).toBeGreaterThanOrEqual(start);
  });

  it('touches nothing that is the same', () => {
    expect(smallestChange('one two three', 'one 2 three')).toEqual({ start: 4, end: 7, text: '2' });
  });
});

describe('the current notebook', () => {
  let panel: NotebookPanel;
  let tracker: { currentWidget: NotebookPanel | null; currentChanged: Signal<object, NotebookPanel | null> };
  let asked: NotebookRequest[];
  let answer: (request: NotebookRequest) => Promise<NotebookView>;
  let current: CurrentNotebook;

  beforeEach(() => {
    const content = NBTestUtils.createNotebook();
    content.model = new NotebookModel();
    content.model.fromJSON({
      cells: ['a = 1', 'b = a'].map((source, i) => ({
        cell_type: 'code', id: `c${i}`, source, metadata: i ? {} : { tags: ['load', 3] }, outputs: [], execution_count: null
      })),
      metadata: { kernelspec: { name: 'python3', display_name: 'Python', language: 'Python' } },
      nbformat: 4,
      nbformat_minor: 5
    } as INotebookContent);
    content.model.sharedModel.clearUndoHistory();
    const context = { localPath: 'n.ipynb', ready: Promise.resolve(), model: content.model };
    panel = { content, context, disposed: new Signal({}) } as unknown as NotebookPanel;
    tracker = { currentWidget: panel, currentChanged: new Signal({}) };
    asked = [];
    answer = async () => VIEW;
    const api = { notebook: (request: NotebookRequest) => (asked.push(request), answer(request)) } as unknown as Api;
    current = new CurrentNotebook(tracker as unknown as INotebookTracker, api, 20);
  });
  afterEach(() => {
    current.dispose();
    panel.content.dispose();
  });

  it('is told to the server as it stands', async () => {
    await current.refresh();
    const request = asked[asked.length - 1];
    expect(request.language).toBe('python');
    expect(request.cells).toEqual([
      { id: 'c0', type: 'code', source: 'a = 1', tags: ['load'] },
      { id: 'c1', type: 'code', source: 'b = a', tags: [] }
    ]);
    expect(current.view).toBe(VIEW);
    expect(current.busy).toBe(false);
  });

  it('is analysed once for many key presses', async () => {
    await current.refresh();
    const before = asked.length;
    const cell = panel.content.model!.cells.get(0);
    for (let i = 0; i < 50; i++) {
      cell.sharedModel.updateSource(0, 0, 'x');
    }
    expect(asked.length).toBe(before);
    await new Promise(resolve => setTimeout(resolve, 80));
    expect(asked.length).toBe(before + 1);
  });

  it('is left in peace where nobody looks and nothing is tagged', async () => {
    const model = panel.content.model!;
    model.cells.get(0).deleteMetadata('tags');
    await new Promise(resolve => setTimeout(resolve, 80));
    const before = asked.length;
    model.cells.get(0).sharedModel.updateSource(0, 0, 'x');
    await new Promise(resolve => setTimeout(resolve, 80));
    expect(asked.length).toBe(before);
    current.watched = true;
    await Promise.resolve();
    expect(asked.length).toBe(before + 1);
    current.watched = true;
    expect(asked.length).toBe(before + 1);
  });

  it('keeps the old view until there is a new one, and says what failed', async () => {
    await current.refresh();
    answer = () => Promise.reject(new ApiError('tracking', 'no'));
    await current.refresh();
    expect(current.view).toBe(VIEW);
    expect(current.error?.message).toBe('no');
    answer = () => Promise.reject(new ApiError('superseded', 'a newer one'));
    await current.refresh();
    expect(current.error?.message).toBe('no');
  });

  it('is edited in one step of undo, but not where it has changed meanwhile', () => {
    const cells = panel.content.model!.cells;
    const done = current.edit([
      { cell: 'c0', before: 'a = 1', source: 'a = 2' },
      { cell: 'c0', before: 'a = 1', source: 'b = 1' },
      { cell: 'c1', before: 'something else', source: 'lost' },
      { cell: 'gone', before: '', source: 'x' }
    ]);
    expect(done).toBe(1);
    expect(cells.get(0).sharedModel.getSource()).toBe('a = 2');
    expect(cells.get(1).sharedModel.getSource()).toBe('b = a');
    panel.content.model!.sharedModel.undo();
    expect(cells.get(0).sharedModel.getSource()).toBe('a = 1');
  });

  it('is left when another one comes', () => {
    const changes: string[] = [];
    current.changed.connect((_, change) => changes.push(change));
    tracker.currentWidget = null;
    tracker.currentChanged.emit(null);
    expect(current.panel).toBeNull();
    expect(current.view).toBeNull();
    expect(current.path).toBe('');
    expect(changes).toContain('notebook');
  });
});
