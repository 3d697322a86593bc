interface IAsking {
  control: AbortController;
  again: boolean;
  done: Promise<void>;
}

/**
 * Questions by key, each asked once at a time: what is asked meanwhile is asked after, so that nothing new is missed.
 *
 * `fetch` keeps its errors to itself, and does nothing more when its signal says that nobody waits for the answer.
 */
export class Questions<K> {
  constructor(private readonly fetch: (key: K, signal: AbortSignal) => Promise<void>) {}

  has(key: K): boolean {
    return this.asking.has(key);
  }

  ask(key: K): Promise<void> {
    const known = this.asking.get(key);
    if (known) {
      known.again = true;
      return known.done;
    }
    const asking: IAsking = { control: new AbortController(), again: false, done: Promise.resolve() };
    this.asking.set(key, asking);
    asking.done = this.run(key, asking);
    return asking.done;
  }

  /** Give up all but these. */
  keep(keys: readonly K[]): void {
    for (const [key, one] of this.asking) {
      if (!keys.includes(key)) {
        one.control.abort();
        this.asking.delete(key);
      }
    }
  }

  stop(): void {
    this.keep([]);
  }

  private async run(key: K, asking: IAsking): Promise<void> {
    const { signal } = asking.control;
    do {
      asking.again = false;
      await this.fetch(key, signal);
    } while (asking.again && !signal.aborted);
    if (this.asking.get(key) === asking) {
      this.asking.delete(key);
    }
  }

  private readonly asking = new Map<K, IAsking>();
}
