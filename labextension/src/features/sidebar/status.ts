import type { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import { Api, ApiError, isAbort } from '../../api/client';
import type { Status } from '../../api/messages/status';
import { VERSION } from '../../version';

/** Whether the server extension is there, of the same version, and reaches MLflow. */
export class ServerState implements IDisposable {
  constructor(
    private readonly api: Api,
    private readonly version = VERSION
  ) {}

  status: Status | null = null;
  error: ApiError | null = null;

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Of another version than this page: one of both was updated and the other not yet. */
  get mismatch(): string | null {
    return this.status && this.status.version !== this.version ? this.status.version : null;
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  dispose(): void {
    this._disposed = true;
    this._asking?.abort();
    Signal.clearData(this);
  }

  /** Ask the server; `path` is that of the notebook, whose folder has the store where no server is set. */
  async refresh(path: string): Promise<void> {
    this._asking?.abort();
    const asking = (this._asking = new AbortController());
    try {
      this.status = await this.api.status(path, asking.signal);
      this.error = null;
    } catch (error) {
      if (isAbort(error)) {
        return;
      }
      this.error = ApiError.from(error);
    }
    this._changed.emit();
  }

  private _asking: AbortController | null = null;
  private _disposed = false;
  private readonly _changed = new Signal<this, void>(this);
}
