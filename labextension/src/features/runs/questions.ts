interface IAsking {
  control: AbortController;
  again: boolean;
  done: Promise<void>;
}

/** Questions by number, each asked once at a time: what is asked meanwhile is asked after, so that nothing new is missed. */
export class Questions {
  constructor(private readonly fetch: (number: number, signal: AbortSignal) => Promise<void>) {}

  has(number: number): boolean {
    return this.asking.has(number);
  }

  ask(number: number): Promise<void> {
    const known = this.asking.get(number);
    if (known) {
      known.again = true;
      return known.done;
    }
    const asking: IAsking = { control: new AbortController(), again: false, done: Promise.resolve() };
    this.asking.set(number, asking);
    asking.done = this.run(number, asking);
    return asking.done;
  }

  /** Give up all but these. */
  keep(numbers: readonly number[]): void {
    for (const [number, one] of this.asking) {
      if (!numbers.includes(number)) {
        one.control.abort();
        this.asking.delete(number);
      }
    }
  }

  stop(): void {
    this.keep([]);
  }

  private async run(number: number, asking: IAsking): Promise<void> {
    const { signal } = asking.control;
    do {
      asking.again = false;
      await this.fetch(number, signal);
    } while (asking.again && !signal.aborted);
    if (this.asking.get(number) === asking) {
      this.asking.delete(number);
    }
  }

  private readonly asking = new Map<number, IAsking>();
}
