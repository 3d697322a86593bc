import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';

import type { JobsModel } from '../../api/jobs';
import type { Job } from '../../api/messages/jobs';
import type { NotebookView } from '../../api/messages/notebook';
import { CurrentForTest, notebookOf, sourcesOf, TestCell } from '../../testing/notebooks';
import { Review } from './review';
import { Start, Step } from './start';

const trans = nullTranslator.load('jupyter_mlops');
const job = (kind: Job['kind'], status: Job['status'], result: Job['result'] = null): Job =>
  ({ id: kind, kind, status, result, path: 'n.ipynb', created: 1 }) as Job;

class Jobs {
  last: Job[] = [];
  asked = 0;
  readonly changed = new Signal<this, Job>(this);
  async latest(_: string, kind: Job['kind']): Promise<{ job: Job } | null> {
    this.asked++;
    const found = this.last.find(one => one.kind === kind);
    return found ? { job: found } : null;
  }
}

describe('the way to production', () => {
  const commands = new CommandRegistry();
  const executed: string[] = [];
  for (const id of ['mlops:convert', 'notebook:create-new', 'notebook:run-all-cells']) {
    commands.addCommand(id, { execute: () => executed.push(id) });
  }
  let test: CurrentForTest;
  let review: Review;
  let start: Start;
  let jobs: Jobs;
  const revealed: string[] = [];

  const begin = async (cells: readonly TestCell[] | null, view: Partial<NotebookView> = {}): Promise<void> => {
    test = new CurrentForTest(cells && notebookOf(cells), view);
    review = new Review(test.current, trans);
    jobs = new Jobs();
    start = new Start(review, jobs as unknown as JobsModel, commands, id => revealed.push(id), trans);
    await test.current.refresh();
  };
  const states = (): string => start.steps().map(one => one.state).join(' ');
  const next = (): Step => start.steps().find(one => one.state === 'next')!;

  afterEach(() => {
    start.dispose();
    review.dispose();
    test.dispose();
    executed.length = revealed.length = 0;
  });

  it('does not ask for tags where nothing can be made of the notebook', async () => {
    const problem = { code: 'unreadable', severity: 'error', message: 'Is written in r.', cell: null, number: null, line: null, fix: null, edits: [] } as const;
    await begin(['library(MASS)'], { problems: [{ ...problem, edits: [] }] });
    expect(next().id).toBe('tag');
    expect(next().text).toContain('Python notebook');
    expect(next().action).toBeNull();
  });

  it('begins with a notebook', async () => {
    await begin(null);
    expect(states()).toBe('next later later later later');
    next().action!.run();
    expect(executed).toEqual(['notebook:create-new']);
  });

  it('goes on with tags: suggested, then accepted', async () => {
    await begin(['a'], { suggestions: [{ cell: 'c1', number: 1, tag: 'train', reason: 'r', parts: [] }] });
    expect(next().id).toBe('tag');
    next().action!.run();
    expect(review.suggesting).toBe(true);
    next().action!.run();
    expect(review.suggestions).toHaveLength(0);
    expect(next().action).toBeNull();
  });

  it('adds what records a run, as one step of undo, then runs it', async () => {
    await begin([{ source: 'df = 1', tags: ['load'] }, { source: 'x = 1', tags: ['train'] }, { source: 'm.fit(x)', tags: ['train'] }], { tagged: true });
    expect(next().id).toBe('run');
    next().action!.run();
    expect(sourcesOf(test.notebook!)).toEqual(['%load_ext jupyter_mlops', 'df = 1', 'x = 1', '%%track\nm.fit(x)']);
    next().action!.run();
    expect(executed).toEqual(['notebook:run-all-cells']);
    test.notebook!.model!.sharedModel.undo();
    expect(sourcesOf(test.notebook!)).toEqual(['df = 1', 'x = 1', 'm.fit(x)']);
  });

  it('adds only what is missing', async () => {
    await begin(['%load_ext jupyter_mlops', { source: '%%time\nm.fit(x)', tags: ['train'] }], { tagged: true });
    next().action!.run();
    expect(sourcesOf(test.notebook!)).toEqual(['%load_ext jupyter_mlops', '%%track\n%%time\nm.fit(x)']);
  });

  it('is converted and promoted by jobs', async () => {
    await begin([{ source: '%load_ext jupyter_mlops' }, { source: '%%track\nm.fit(x)', tags: ['train'], count: 2 }], { tagged: true });
    expect(next().id).toBe('convert');
    next().action!.run();
    expect(executed).toEqual(['mlops:convert']);
    jobs.changed.emit({ ...job('convert', 'running'), path: 'other.ipynb' });
    expect(next().text).toContain('A tested package');
    jobs.changed.emit(job('convert', 'running'));
    expect(next().text).toContain('is running');
    jobs.changed.emit(job('convert', 'failed'));
    expect(next().text).toContain('did not succeed');
    jobs.changed.emit(job('convert', 'done', { ok: true }));
    expect(next().id).toBe('promote');
    next().action!.run();
    expect(revealed).toEqual(['models']);
    jobs.changed.emit(job('promote', 'done', { status: 'waiting' }));
    expect(next().text).toContain('approval');
    jobs.changed.emit(job('promote', 'done', { status: 'promoted' }));
    expect(states()).toBe('done done done done done');
  });

  it('finds jobs of before, asking once for a notebook', async () => {
    await begin(['a']);
    jobs.last = [job('convert', 'done', { ok: true })];
    await start.look();
    await start.look();
    expect(jobs.asked).toBe(2);
    expect(start.steps()[3].state).toBe('done');
  });
});
