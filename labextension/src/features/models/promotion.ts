import { ISignal, Signal } from '@lumino/signaling';

import type { ApiError } from '../../api/client';
import { isOpen } from '../../api/jobs';
import type { JobEvent, PromoteRequest, RollbackRequest } from '../../api/messages/jobs';
import type { Decision, Promotion, PromotionStep } from '../../api/messages/models';
import { Work } from './work';

const RUNNING = 3000; // ms, where no job of this server says that something has changed
const WAITING = 10_000;

/** The step in which the traffic goes over. */
export const CANARY = 'canary';

/** Whether a promotion is the way back to the version before: no gates, one step. */
export function isRollback(promotion: Promotion): boolean {
  return promotion.steps.length === 1;
}

/** Whether a promotion has not ended. */
export function isActive(promotion: Promotion): boolean {
  return promotion.status === 'running' || promotion.status === 'waiting';
}

/** One model version's way into production: started, followed, decided. */
export class PromotionModel extends Work<'starting' | Decision['decision']> {
  promotion: Promotion | null = null;
  /** What is promoted, known before the promotion itself is. */
  model = '';
  version = '';
  /** Whether it is the way back to the version before. */
  rollback = false;

  /** Emits when a promotion has begun or ended, so that versions stand otherwise. */
  get moved(): ISignal<this, void> {
    return this._moved;
  }

  /** Whether there is something to show. */
  get shown(): boolean {
    return this.version !== '';
  }

  /** Whether a job of this server works on it. */
  get working(): boolean {
    return this.job !== null && isOpen(this.job);
  }

  /** What went wrong: with what was asked for, with the job (where the promotion does not say it itself), with reading. */
  get failure(): ApiError | null {
    const open = !this.promotion || this.promotion.status === 'running';
    return this.error ?? (open ? this.jobError : null) ?? this.readError;
  }

  /** Newest event of a step, for what a running step says. */
  lastEvent(step: string): JobEvent | null {
    return this.followed?.events.filter(event => event.step === step).pop() ?? null;
  }

  /** Newest figures of a step that the job has told. */
  lastFigures(step: string): PromotionStep['figures'] | null {
    const told = this.followed?.events.filter(event => event.step === step && event.data?.figures).pop();
    return (told?.data?.figures as PromotionStep['figures'] | undefined) ?? null;
  }

  setVisible(visible: boolean): void {
    this.visible = visible;
    if (visible && this.shown && (!this.promotion || isActive(this.promotion))) {
      void this.refresh.now();
    }
    this.pace();
  }

  /** Show nothing. */
  clear(): void {
    this.follow(null);
    this.promotion = this.error = this.readError = null;
    this.model = this.version = '';
    void this.refresh.anew();
    this._changed.emit();
  }

  /** Show one that was found, such as after a reload of the page. */
  show(path: string, promotion: Promotion): void {
    if (promotion.id !== this.promotion?.id) {
      this.follow(null);
      this.error = this.readError = null;
    }
    this.path = path;
    this.model = promotion.model;
    this.version = promotion.version;
    this.rollback = isRollback(promotion);
    this.promotion = promotion;
    if (isActive(promotion)) {
      void this.refresh.anew();
    }
    this.pace();
    this._changed.emit();
  }

  /** Promote a version; where it stopped on the way, it goes on. */
  start(path: string, model: string, version: string): Promise<void> {
    return this.begin({ kind: 'promote', path, model, version });
  }

  /** Put the version into production again that was there before. */
  rollBack(path: string, model: string, version: string, comment: string): Promise<void> {
    return this.begin({ kind: 'rollback', path, model, version, comment });
  }

  /** Approve, reject or cancel what is shown. */
  async decide(decision: Decision['decision'], comment: string): Promise<void> {
    const promotion = this.promotion;
    if (promotion && !this.busy) {
      await this.work(decision, async () => {
        const message: Decision = { decision, comment: comment.trim() };
        if (promotion.digest !== null) {
          message.digest = promotion.digest;
        }
        const decided = await this.api.decide(promotion.id, message, this.path);
        if (this.promotion?.id === decided.id) {
          this.promotion = decided;
        }
      });
    } else if (decision === 'cancel' && this.job && !this.busy) {
      await this.work(decision, () => this.jobs.cancel(this.job!.id)); // it has not entered the journal yet
    }
  }

  private async begin(request: PromoteRequest | RollbackRequest): Promise<void> {
    if (this.busy) {
      return;
    }
    const { path, model, version } = request;
    const other = version !== this.version || model !== this.model;
    if (other || !this.promotion || !isActive(this.promotion)) {
      this.follow(null);
      this.promotion = null;
      this.rollback = request.kind === 'rollback';
    }
    [this.path, this.model, this.version] = [path, model, version];
    await this.work('starting', async () => {
      this.follow(await this.jobs.start(request));
    });
  }

  protected async read(signal: AbortSignal): Promise<void> {
    const id = this.promotion?.id ?? (this.shown ? await this.find(signal) : null);
    const promotion = id === null ? null : await this.api.promotion(id, this.path, signal);
    if (promotion === null || signal.aborted) {
      return;
    }
    const before = this.promotion;
    this.promotion = promotion;
    await this.followJobOf(promotion, signal);
    if (!signal.aborted && (!before || isActive(before) !== isActive(promotion))) {
      this._moved.emit();
    }
  }

  /** The promotion that a job of this page has begun. */
  private async find(signal: AbortSignal): Promise<string | null> {
    if (!this.job) {
      return null;
    }
    const said = this.job.result?.promotion ?? this.followed!.events.find(event => event.data?.promotion)?.data?.promotion;
    if (typeof said === 'string') {
      return said;
    }
    const { active, versions } = await this.api.versions(this.path, this.model, signal);
    const found = versions.find(one => one.version === this.version)?.promotion;
    return found && found.id === active ? active : null;
  }

  private async followJobOf(promotion: Promotion, signal: AbortSignal): Promise<void> {
    if (promotion.job !== null && promotion.job !== this.job?.id) {
      const { job } = await this.api.job(promotion.job, 0, signal);
      if (!signal.aborted) {
        this.follow(this.jobs.follow(job));
      }
    }
  }

  protected onJob(): void {
    // Progress within a step is not in the journal.
    const told = this.followed!.events.filter(event => event.status !== 'progress').length;
    const state = `${this.job!.id} ${this.job!.status} ${told}`;
    if (state !== this.told) {
      this.told = state;
      void this.refresh.now();
    }
    this._changed.emit();
  }

  protected pace(): void {
    const active = this.promotion ? isActive(this.promotion) : this.working;
    this.refresh.every(!active || !this.visible ? null : this.promotion?.status === 'waiting' ? WAITING : RUNNING);
  }

  private path = '';
  private visible = false;
  private told = '';
  private readonly _moved = new Signal<this, void>(this);
}
