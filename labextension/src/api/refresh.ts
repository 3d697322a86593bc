import type { IDisposable } from '@lumino/disposable';

/**
 * Asks the server how something stands: one question at a time, and again at a pace for as long as that is wanted.
 *
 * `ask` keeps its errors to itself. A page that is hidden asks nothing.
 */
export class Refresh implements IDisposable {
  constructor(private readonly ask: (signal: AbortSignal) => Promise<void>) {}

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this.controller.abort();
    window.clearTimeout(this.timer);
  }

  /** Ask now; what is wanted while a question is under way is asked once more after it. */
  now(): Promise<void> {
    this.again = true;
    this.running ??= this.work();
    return this.running;
  }

  /** Ask about something else: nobody waits for the former answer any more. */
  anew(): Promise<void> {
    this.controller.abort();
    this.controller = new AbortController();
    return this.now();
  }

  /** Ask again after so many milliseconds each time; null: no more. */
  every(pace: number | null): void {
    if (pace !== this.pace) {
      this.pace = pace;
      this.schedule();
    }
  }

  private async work(): Promise<void> {
    window.clearTimeout(this.timer);
    while (this.again && !this._isDisposed) {
      this.again = false;
      await this.ask(this.controller.signal);
    }
    this.running = null;
    this.schedule();
  }

  private schedule(): void {
    window.clearTimeout(this.timer);
    if (this.pace !== null && !this._isDisposed && !this.running) {
      this.timer = window.setTimeout(() => (document.hidden ? this.schedule() : void this.now()), this.pace);
    }
  }

  private controller = new AbortController();
  private running: Promise<void> | null = null;
  private again = false;
  private pace: number | null = null;
  private timer = 0;
  private _isDisposed = false;
}
