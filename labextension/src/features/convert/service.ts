import type { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import { Api, ApiError } from '../../api/client';
import type { PredictAnswer, Service } from '../../api/messages/services';
import { Refresh } from '../../api/refresh';
import type { FieldProblem } from '../../components/form';
import { shellWord } from '../../components/shell';

const STARTING = 700; // ms
const READY = 10_000; // it may end by itself

/** What a service said to a request. */
export interface Answer extends Omit<PredictAnswer, 'body'> {
  body: unknown;
  row: Record<string, unknown>;
}

/** The service of one project: started, asked, stopped. */
export class ServiceModel implements IDisposable {
  constructor(private readonly api: Api) {
    this.refresh = new Refresh(signal => this.ask(signal));
  }

  /** Its folder; null where there is none. */
  project: string | null = null;
  service: Service | null = null;
  answer: Answer | null = null;
  error: ApiError | null = null;
  busy: 'starting' | 'stopping' | 'asking' | null = null;

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get running(): boolean {
    return this.service?.status === 'starting' || this.service?.status === 'ready';
  }

  /** Whether what runs was made by a former conversion. */
  get stale(): boolean {
    return this.running && this.converted !== null && this.service!.started < this.converted;
  }

  get isDisposed(): boolean {
    return this.refresh.isDisposed;
  }

  dispose(): void {
    if (!this.isDisposed) {
      this.refresh.dispose();
      Signal.clearData(this);
    }
  }

  /** The project that it is about, and when that was made. */
  setProject(project: string | null, converted: number | null): void {
    this.converted = converted;
    if (project !== this.project) {
      this.project = project;
      this.service = this.answer = this.error = null;
      if (project !== null && this.shown) {
        void this.refresh.anew();
      }
      this.pace();
      this._changed.emit();
    }
  }

  setShown(shown: boolean): void {
    this.shown = shown;
    if (shown && this.project !== null) {
      void this.refresh.now();
    }
    this.pace();
  }

  /** Start it; one of a former conversion is replaced. */
  start(): Promise<void> {
    return this.work('starting', async project => {
      this.answer = null;
      this.service = await this.api.startService(project);
    });
  }

  stop(): Promise<void> {
    return this.work('stopping', async () => {
      if (this.service) {
        this.service = await this.api.stopService(this.service.id);
      }
      this.answer = null;
    });
  }

  /** Ask for a prediction. */
  predict(row: Record<string, unknown>): Promise<void> {
    return this.work('asking', async () => {
      const { id } = this.service!;
      const answer = { ...(await this.api.predict(id, row)), row };
      if (this.service?.id === id) {
        this.answer = answer;
      }
    });
  }

  /** A request to the service as a command for a terminal on the server's machine. */
  curl(row: Readonly<Record<string, unknown>>): string {
    return `curl -sS ${this.address}/predict -H 'Content-Type: application/json' -d ${shellWord(JSON.stringify(row))}`;
  }

  get address(): string {
    return `http://127.0.0.1:${this.service?.port ?? 0}`;
  }

  private async work(what: 'starting' | 'stopping' | 'asking', done: (project: string) => Promise<void>): Promise<void> {
    const project = this.project;
    if (project === null || this.busy) {
      return;
    }
    this.busy = what;
    this.error = null;
    this._changed.emit();
    try {
      await done(project);
    } catch (error) {
      if (this.project === project) {
        this.error = ApiError.from(error);
      }
      void this.refresh.now(); // it may have ended
    } finally {
      this.busy = null;
      this.pace();
      this._changed.emit();
    }
  }

  private async ask(signal: AbortSignal): Promise<void> {
    const project = this.project;
    if (project === null) {
      return;
    }
    try {
      const { services } = await this.api.services(signal);
      if (signal.aborted || this.project !== project || this.busy === 'starting' || this.busy === 'stopping') {
        return;
      }
      const found = services.filter(one => one.project === project);
      this.service = found.find(one => one.status === 'ready' || one.status === 'starting') ?? found[0] ?? null;
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      this.error = ApiError.from(error);
    }
    this.pace();
    this._changed.emit();
  }

  private pace(): void {
    const status = this.shown && this.project !== null ? this.service?.status : undefined;
    this.refresh.every(status === 'starting' ? STARTING : status === 'ready' ? READY : null);
  }

  private shown = false;
  private converted: number | null = null;
  private readonly refresh: Refresh;
  private readonly _changed = new Signal<this, void>(this);
}

/** What a service found wrong with a row (`{"detail": [{"loc", "msg"}]}`), and which column each is about. */
export function problemsOf(body: unknown, columns: readonly string[]): FieldProblem[] {
  const detail: unknown = typeof body === 'object' && body !== null && 'detail' in body ? body.detail : null;
  if (typeof detail === 'string') {
    return [{ name: null, message: detail }];
  }
  return (Array.isArray(detail) ? detail : []).map((one: { loc?: unknown[]; msg?: unknown }) => ({
    name: one.loc?.map(String).find(part => columns.includes(part)) ?? null,
    message: String(one.msg ?? JSON.stringify(one))
  }));
}
