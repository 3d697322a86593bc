import { ApiError } from '../../api/client';
import { ColumnChoice } from './columns';
import { COLUMNS, FakeServer, FakeTarget } from './fake';
import { RunsModel } from './model';

const PACE = { quick: 1000, slow: 10_000, filter: 200, idle: 100, scroll: 50 };

describe('the runs of a notebook', () => {
  let server: FakeServer;
  let target: FakeTarget;
  let model: RunsModel;

  const pass = (ms = 1): Promise<void> => jest.advanceTimersByTimeAsync(ms);

  beforeEach(() => {
    jest.useFakeTimers();
    server = new FakeServer(10_000);
    target = new FakeTarget();
    model = new RunsModel(server.api, target, new ColumnChoice(null), PACE);
  });

  afterEach(() => {
    model.dispose();
    jest.useRealTimers();
  });

  it('are asked for when somebody looks, the first page only', async () => {
    await pass(5000);
    expect(server.asked).toHaveLength(0);
    model.setActive(true);
    await pass();
    expect(server.asked).toHaveLength(1);
    expect(server.asked[0]).toMatchObject({ path: 'churn.ipynb', offset: 0, limit: 100, sort: '', filter: '' });
    expect(model.count).toBe(10_000);
    expect(model.row(0)?.run.id).toBe('r9999');
    expect(model.row(100)).toBeUndefined();
    model.setActive(false);
    await pass(60_000);
    expect(server.asked).toHaveLength(1);
  });

  it('come in pages as one scrolls, and only those where one stops', async () => {
    model.setActive(true);
    await pass();
    for (let first = 0; first < 9000; first += 500) {
      model.setView(first, first + 30);
    }
    model.setView(4990, 5020);
    await pass(60);
    expect(server.asked.slice(1).map(one => one.offset)).toEqual([4900, 5000]);
    expect(model.row(5000)?.run.id).toBe('r4999');
    model.setView(4991, 5021);
    await pass(60);
    expect(server.asked).toHaveLength(3);
  });

  it('are given up when one scrolls on before they are there', async () => {
    model.setActive(true);
    await pass();
    server.wait = () => new Promise(done => setTimeout(done, 500));
    model.setView(3030, 3060);
    await pass(60);
    model.setView(7030, 7060);
    await pass(60);
    expect(server.asked.map(one => [one.offset, one.signal?.aborted])).toEqual([[0, false], [3000, true], [7000, false]]);
    await pass(600);
    expect(model.row(3000)).toBeUndefined();
    expect(model.row(7000)).toBeDefined();
  });

  it('are asked for quickly while the kernel works, at once when it is idle, else slowly', async () => {
    model.setActive(true);
    await pass();
    await pass(9000);
    expect(server.asked).toHaveLength(1);
    target.set({ busy: true });
    await pass();
    expect(server.asked).toHaveLength(2);
    await pass(3005);
    expect(server.asked).toHaveLength(5);
    target.set({ busy: false });
    await pass(101);
    expect(server.asked).toHaveLength(6);
    await pass(9000);
    expect(server.asked).toHaveLength(6);
    await pass(1100);
    expect(server.asked).toHaveLength(7);
  });

  it('are asked for quickly while a run goes on or not all were read', async () => {
    server.running.add(9999);
    model.setActive(true);
    await pass();
    await pass(1100);
    expect(server.asked).toHaveLength(2);
    server.running.clear();
    server.more = { complete: false };
    await pass(2200);
    expect(server.asked).toHaveLength(4);
    server.more = {};
    await pass(1100);
    await pass(5000);
    expect(server.asked).toHaveLength(5);
  });

  it('stay where they are when new ones come above', async () => {
    const shifts: number[] = [];
    model.shifted.connect((_, rows) => shifts.push(rows));
    model.setActive(true);
    await pass();
    model.setView(40, 70);
    await pass(60);
    server.count += 3;
    target.set({ busy: true });
    await pass();
    expect(shifts).toEqual([3]);
    expect(model.row(43)?.run.id).toBe('r9959');
  });

  it('show new ones at the top when that is what one sees', async () => {
    const shifted = jest.fn();
    model.shifted.connect(shifted);
    model.setActive(true);
    await pass();
    server.count += 1;
    model.refresh();
    await pass();
    expect(shifted).not.toHaveBeenCalled();
    expect(model.row(0)?.run.id).toBe('r10000');
  });

  it('are sorted by the better values first, then the other way round', async () => {
    model.setActive(true);
    await pass();
    const by = (key: string): void => model.sortBy(COLUMNS.find(one => one.key === key)!);
    by('metric:auc');
    expect(model.outdated).toBe(true);
    expect(model.row(0)).toBeDefined();
    await pass();
    expect(model.outdated).toBe(false);
    by('metric:auc');
    await pass();
    by('metric:loss');
    await pass();
    by('param:lr');
    await pass();
    expect(server.asked.slice(1).map(one => [one.sort, one.descending])).toEqual([
      ['metric:auc', true],
      ['metric:auc', false],
      ['metric:loss', false],
      ['param:lr', false]
    ]);
  });

  it('are filtered when one stops typing; an answer for an older filter is dropped', async () => {
    model.setActive(true);
    await pass();
    server.wait = query => new Promise(done => setTimeout(done, query.filter === 'a' ? 2000 : 10));
    model.setFilter('a');
    await pass(201);
    model.setFilter('ab');
    await pass(50);
    model.setFilter('abc');
    server.count = 3;
    await pass(270);
    expect(server.asked.map(one => one.filter)).toEqual(['', 'a', 'abc']);
    server.count = 77;
    await pass(2500);
    expect(model.count).toBe(3);
  });

  it('say what is wrong with a filter, and keep what is there', async () => {
    model.setActive(true);
    await pass();
    server.wait = async () => {
      throw new ApiError('usage', 'The filter cannot be read.');
    };
    model.setFilter('auc>');
    await pass(300);
    expect(model.filterError?.message).toBe('The filter cannot be read.');
    expect(model.error).toBeNull();
    expect(model.count).toBe(10_000);
    server.wait = async () => undefined;
    model.setFilter('');
    await pass(300);
    expect(model.filterError).toBeNull();
  });

  it('say when MLflow is away, ask seldom then, and go on', async () => {
    server.wait = async () => {
      throw new ApiError('tracking', 'MLflow is away.');
    };
    target.busy = true;
    model.setActive(true);
    await pass();
    expect(model.error?.code).toBe('tracking');
    await pass(9000);
    expect(server.asked).toHaveLength(1);
    server.wait = async () => undefined;
    await pass(1500);
    expect(model.error).toBeNull();
    expect(model.count).toBe(10_000);
  });

  it('are those of the other notebook when that is the current one', async () => {
    model.setActive(true);
    await pass();
    model.choose(0, 'one');
    server.count = 2;
    target.set({ path: 'other.ipynb' });
    expect(model.count).toBe(0);
    expect(model.selection.size).toBe(0);
    await pass();
    expect(server.asked[1].path).toBe('other.ipynb');
    expect(model.count).toBe(2);
    target.set({ path: '' });
    await pass(60_000);
    expect(server.asked.every(one => one.path)).toBe(true);
  });

  it('has the server read all again when the user asks for it', async () => {
    model.setActive(true);
    await pass();
    model.refresh(true);
    await pass();
    expect(server.asked.map(one => one.refresh)).toEqual([undefined, true]);
  });
});
