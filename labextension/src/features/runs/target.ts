import type { ISessionContext } from '@jupyterlab/apputils';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import type { ICurrentNotebook } from '../../tokens';

/** Whose runs are shown. */
export interface IRunsTarget {
  /** Of the notebook; empty where there is none. */
  readonly path: string;
  /** Whether its kernel works. */
  readonly busy: boolean;
  readonly hasKernel: boolean;
  readonly changed: ISignal<IRunsTarget, void>;
}

/** Listens to the kernel of a notebook that may be another one later. */
abstract class Target implements IRunsTarget, IDisposable {
  abstract readonly path: string;

  get busy(): boolean {
    return this.session?.session?.kernel?.status === 'busy';
  }

  get hasKernel(): boolean {
    return !!this.session?.session?.kernel;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  dispose(): void {
    this._disposed = true;
    this.listen(null);
    Signal.clearData(this);
  }

  protected listen(panel: NotebookPanel | null): void {
    const session = panel?.sessionContext ?? null;
    if (session === this.session) {
      return;
    }
    this.session?.statusChanged.disconnect(this.emit, this);
    this.session?.kernelChanged.disconnect(this.emit, this);
    this.session = session;
    session?.statusChanged.connect(this.emit, this);
    session?.kernelChanged.connect(this.emit, this);
  }

  protected emit(): void {
    this._changed.emit();
  }

  private session: ISessionContext | null = null;
  private _disposed = false;
  private readonly _changed = new Signal<this, void>(this);
}

/** The notebook that the user works in. */
export class CurrentTarget extends Target {
  constructor(private readonly current: ICurrentNotebook) {
    super();
    current.changed.connect(this.onCurrent, this);
    this.listen(current.panel);
  }

  get path(): string {
    return this.current.path;
  }

  dispose(): void {
    this.current.changed.disconnect(this.onCurrent, this);
    super.dispose();
  }

  private onCurrent(_: unknown, change: string): void {
    if (change === 'notebook') {
      this.listen(this.current.panel);
      this.emit();
    }
  }
}

/** One notebook, open or not. */
export class FixedTarget extends Target {
  constructor(
    readonly path: string,
    private readonly tracker: INotebookTracker
  ) {
    super();
    tracker.widgetAdded.connect(this.find, this);
    this.find();
  }

  dispose(): void {
    this.tracker.widgetAdded.disconnect(this.find, this);
    super.dispose();
  }

  private find(): void {
    const panel = this.tracker.find(one => one.context.localPath === this.path) ?? null;
    panel?.disposed.connect(this.find, this);
    this.listen(panel?.isDisposed ? null : panel);
    this.emit();
  }
}
