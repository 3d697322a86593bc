import { Refresh } from './refresh';

describe('refresh', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('asks once more for what was wanted meanwhile, and not more often', async () => {
    let open: (() => void)[] = [];
    const ask = jest.fn(() => new Promise<void>(resolve => open.push(resolve)));
    const refresh = new Refresh(ask);
    const first = refresh.now();
    void refresh.now();
    void refresh.now();
    expect(ask).toHaveBeenCalledTimes(1);
    open.pop()!();
    await jest.advanceTimersByTimeAsync(0);
    expect(ask).toHaveBeenCalledTimes(2);
    open.pop()!();
    await first;
    expect(ask).toHaveBeenCalledTimes(2);
    refresh.dispose();
    open = [];
  });

  it('asks at its pace, and stops', async () => {
    const ask = jest.fn(async () => undefined);
    const refresh = new Refresh(ask);
    refresh.every(1000);
    await jest.advanceTimersByTimeAsync(3500);
    expect(ask).toHaveBeenCalledTimes(3);
    refresh.every(null);
    await jest.advanceTimersByTimeAsync(5000);
    expect(ask).toHaveBeenCalledTimes(3);
    refresh.every(1000);
    refresh.dispose();
    await jest.advanceTimersByTimeAsync(5000);
    expect(ask).toHaveBeenCalledTimes(3);
  });

  it('gives up a question that nobody wants answered any more', async () => {
    const signals: AbortSignal[] = [];
    const refresh = new Refresh(async signal => void signals.push(signal));
    const first = refresh.now();
    void refresh.anew();
    await first;
    expect(signals.map(one => one.aborted)).toEqual([true, false]);
    refresh.dispose();
  });
});
