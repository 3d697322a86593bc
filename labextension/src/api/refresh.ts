import type { IDisposable } from '@lumino/disposable';

import { Questions } from './questions';

/**
 * Asks the server how something stands: one question at a time, and again at a pace for as long as that is wanted.
 *
 * `ask` is as `fetch` of `Questions`. A page that is hidden asks nothing.
 */
export class Refresh implements IDisposable {
  constructor(ask: (signal: AbortSignal) => Promise<void>) {
    this.questions = new Questions((_, signal) => ask(signal));
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this.questions.stop();
    window.clearTimeout(this.timer);
  }

  /** Ask now; what is wanted while a question is under way is asked once more after it. */
  async now(): Promise<void> {
    if (!this._isDisposed) {
      window.clearTimeout(this.timer);
      await this.questions.ask(null);
      this.schedule();
    }
  }

  /** Ask about something else: nobody waits for the former answer any more. */
  anew(): Promise<void> {
    this.questions.stop();
    return this.now();
  }

  /** Ask again after so many milliseconds each time; null: no more. */
  every(pace: number | null): void {
    if (pace !== this.pace) {
      this.pace = pace;
      this.schedule();
    }
  }

  private schedule(): void {
    window.clearTimeout(this.timer);
    if (this.pace !== null && !this._isDisposed && !this.questions.has(null)) {
      this.timer = window.setTimeout(() => (document.hidden ? this.schedule() : void this.now()), this.pace);
    }
  }

  private readonly questions: Questions<null>;
  private pace: number | null = null;
  private timer = 0;
  private _isDisposed = false;
}
