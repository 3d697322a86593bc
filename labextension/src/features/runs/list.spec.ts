import { agoText } from '../../components/format';
import { safeLink } from '../../components/links';
import { shellWord } from '../../components/shell';
import { ColumnChoice } from './columns';
import { COLUMNS, FakeServer } from './fake';
import { durationText } from './format';
import { KnownRun, parametersOf, RunRows, valueOf } from './rows';
import { Selection } from './selection';

const server = new FakeServer(1000);

describe('known rows', () => {
  it('have their values by column, whatever columns another page has', () => {
    const rows = new RunRows(100);
    rows.put(server.page(0, 100));
    rows.put({ ...server.page(100, 100), columns: [...COLUMNS].reverse() });
    expect(valueOf(rows.get(0)!, 'param:lr')).toBe('0.1');
    expect(valueOf(rows.get(100)!, 'name')).toBe('0.1');
    expect(valueOf(rows.get(0)!, 'metric:none')).toBeNull();
    expect(parametersOf(rows.get(0)!)).toEqual({ lr: '0.1' });
  });

  it('are read again where the list has moved', () => {
    const rows = new RunRows(100);
    rows.put(server.page(0, 100));
    rows.put(server.page(100, 100));
    expect([rows.isFresh(0), rows.isFresh(1)]).toEqual([true, true]);
    rows.put({ ...new FakeServer(1001).page(0, 100) });
    expect([rows.isFresh(0), rows.isFresh(1)]).toEqual([true, false]);
    expect(rows.find('r999', 0, 100)).toBe(1);
  });

  it('are forgotten far away, and behind the end', () => {
    const rows = new RunRows(10, 8);
    for (let offset = 0; offset < 200; offset += 10) {
      rows.put(server.page(offset, 10));
    }
    expect(rows.get(0)).toBeUndefined();
    expect(rows.get(195)).toBeDefined();
    rows.put({ ...server.page(190, 3), matching: 193 });
    expect(rows.get(195)).toBeUndefined();
    expect(rows.count).toBe(193);
  });
});

describe('a selection', () => {
  const rows = server.page(0, 100).rows.map(run => ({ run, at: new Map() }) as KnownRun);
  const row = (index: number): KnownRun | undefined => (index < 50 ? rows[index] : undefined);
  const ids = (selection: Selection): string[] => selection.all.map(({ run }) => run.id);

  it('is one, one more, or all between', () => {
    const selection = new Selection();
    selection.choose(3, 'one', row);
    selection.choose(5, 'toggle', row);
    expect(ids(selection)).toEqual(['r996', 'r994']);
    selection.choose(3, 'toggle', row);
    expect(ids(selection)).toEqual(['r994']);
    selection.choose(1, 'one', row);
    selection.choose(4, 'range', row);
    expect(ids(selection)).toEqual(['r998', 'r997', 'r996', 'r995']);
    selection.choose(0, 'range', row);
    expect(ids(selection)).toEqual(['r998', 'r999']);
    selection.shift(2);
    selection.choose(4, 'range', row);
    expect(ids(selection)).toEqual(['r996', 'r995']);
    selection.clear();
    expect(selection.size).toBe(0);
  });

  it('leaves out what is not known', () => {
    const selection = new Selection();
    selection.choose(60, 'one', row);
    expect(selection.size).toBe(0);
    selection.choose(48, 'one', row);
    selection.choose(55, 'range', row);
    expect(ids(selection)).toEqual(['r951', 'r950']);
  });
});

describe('columns', () => {
  it('are those proposed, until the user chooses for this notebook', () => {
    const storage = new Map<string, string>();
    const kept = { getItem: (key: string) => storage.get(key) ?? null, setItem: (key: string, text: string) => void storage.set(key, text), removeItem: (key: string) => void storage.delete(key) };
    const choice = new ColumnChoice(kept);
    choice.load('a.ipynb');
    expect(choice.shown(COLUMNS).map(one => one.title)).not.toContain('loss');
    choice.show(COLUMNS[5], true);
    choice.show(COLUMNS[6], false);
    const again = new ColumnChoice(kept);
    again.load('a.ipynb');
    expect(again.shown(COLUMNS).map(one => one.key)).toEqual(['name', 'when', 'status', 'duration', 'metric:auc', 'metric:loss']);
    again.load('b.ipynb');
    expect(again.isChosen).toBe(false);
    choice.reset();
    expect(storage.size).toBe(0);
  });

  it('hold when nothing can be kept', () => {
    const fail = (): never => {
      throw new Error('quota');
    };
    const choice = new ColumnChoice({ getItem: fail, setItem: fail, removeItem: fail });
    choice.load('a.ipynb');
    choice.show(COLUMNS[5], true);
    expect(choice.isShown(COLUMNS[5])).toBe(true);
  });
});

describe('texts', () => {
  it('of durations', () => {
    expect([0.0123, 4.26, 75, 3700].map(durationText)).toEqual(['0.012 sec', '4.3 sec', '1 min 15 sec', '1 hr 1 min']);
  });

  it('of times', () => {
    const now = 1_700_000_000_000;
    const ago = [5, 90, 7200, 200_000, 40 * 86_400, -30].map(seconds => agoText(now - seconds * 1000, now));
    expect(ago).toEqual(['5 sec. ago', '1 min. ago', '2 hr. ago', '2 days ago', 'last mo.', 'now']);
  });

  it('of addresses and commands are safe', () => {
    expect(safeLink('https://mlflow.test/#/x')).toBe('https://mlflow.test/#/x');
    expect(safeLink('javascript:alert(1)')).toBeNull();
    expect(shellWord('sqlite:////data/mlflow.db')).toBe('sqlite:////data/mlflow.db');
    expect(shellWord("sqlite:////my work/it's; rm -rf.db")).toBe("'sqlite:////my work/it'\\''s; rm -rf.db'");
    expect(shellWord('')).toBe("''");
  });
});
