import type { MonitorRequest } from '../../api/messages/jobs';
import type { Column, MonitorReport } from '../../api/messages/monitor';
import type { LastReport, Monitoring } from '../../api/messages/monitoring';
import { ModelWork } from '../models/work';

/** Lengths of a window that are offered, as the server reads them. */
export const WINDOWS = ['1h', '24h', '7d', '30d', '90d'] as const;

/** How to look; what is null is as the version's monitoring.yaml says. */
export interface LookOptions {
  window: (typeof WINDOWS)[number] | null;
  /** That are needed to tell drift from chance. */
  rows: number | null;
}

export const MOST_ROWS = 20_000;

/** What a deployed model was asked, as the monitor has seen it. */
export class MonitoringModel extends ModelWork<'looking'> {
  monitoring: Monitoring | null = null;
  options: LookOptions = { window: null, rows: null };

  get last(): LastReport | null {
    return this.monitoring?.last ?? null;
  }

  get report(): MonitorReport | null {
    return (this.last?.report as MonitorReport | undefined) ?? null;
  }

  /**
   * Show what is known of a model that is deployed; of none where the name is empty.
   *
   * `version` has the traffic: when it goes over to another one, that one's reports are asked for.
   */
  watch(path: string, model: string, version: string): void {
    const other = this.turnTo(path, model);
    if (other) {
      this.monitoring = null;
      this._changed.emit();
    }
    if (other || version !== this.version) {
      this.version = version;
      void this.refresh.anew();
    }
  }

  /** Ask again: others look too, and so does the command line. */
  reload(): void {
    void this.refresh.now();
  }

  setOptions(options: Partial<LookOptions>): void {
    this.options = { ...this.options, ...options };
    this._changed.emit();
  }

  /** Look now. */
  async look(): Promise<void> {
    const { window, rows } = this.options;
    const request: MonitorRequest = { kind: 'monitor', path: this.path, model: this.model, ...(window && { window }), ...(rows && { rows }) };
    await this.start('looking', request);
  }

  protected async read(signal: AbortSignal): Promise<void> {
    if (!this.model) {
      return;
    }
    const monitoring = await this.api.monitoring(this.path, this.model, signal);
    if (!signal.aborted) {
      this.monitoring = monitoring;
      await this.find('monitor', signal);
    }
  }

  /** Reports come by jobs, which say so; those of others are asked for with the versions. */
  protected pace(): void {
    this.refresh.every(null);
  }

  private version = '';
}

/** How far a column is from the reference, in its limits. */
export function overLimit(column: Column): number {
  return (column.distance ?? 0) / column.threshold;
}

/** Columns, those first that are the farthest for their limit. */
export function farthestFirst(columns: readonly Column[]): Column[] {
  return [...columns].sort((a, b) => overLimit(b) - overLimit(a));
}
