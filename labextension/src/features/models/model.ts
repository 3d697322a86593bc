import type { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import { Api, ApiError } from '../../api/client';
import { isOpen, JobsModel } from '../../api/jobs';
import type { Job } from '../../api/messages/jobs';
import type { Models, ModelVersion, ModelVersions } from '../../api/messages/models';
import type { RunsComparison } from '../../api/messages/runs';
import { Refresh } from '../../api/refresh';
import type { Change, CurrentNotebook } from '../current/model';
import { MonitoringModel } from '../monitoring/model';
import { DeploymentModel } from './deployment';
import { PromotionModel } from './promotion';

const PACE = 30_000; // ms; others register and promote too

/** The registered models of the notebook's store, and the versions of one of them. */
export class ModelsModel implements IDisposable {
  constructor(
    private readonly api: Api,
    private readonly jobs: JobsModel,
    private readonly current: CurrentNotebook
  ) {
    this.promotion = new PromotionModel(api, jobs);
    this.deployment = new DeploymentModel(api, jobs);
    this.monitoring = new MonitoringModel(api, jobs);
    this.refresh = new Refresh(signal => this.ask(signal));
    this.promotion.moved.connect(this.reload, this);
    this.deployment.changed.connect(this.onDeployment, this);
    current.changed.connect(this.onNotebook, this);
    jobs.changed.connect(this.onJob, this);
  }

  readonly promotion: PromotionModel;
  readonly deployment: DeploymentModel;
  readonly monitoring: MonitoringModel;
  models: Models | null = null;
  versions: ModelVersions | null = null;
  error: ApiError | null = null;
  /** Versions that were chosen to be compared: two at most. */
  chosen: readonly string[] = [];
  comparison: RunsComparison | null = null;
  comparisonError: ApiError | null = null;

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get path(): string {
    return this.current.path;
  }

  /** The model whose versions are shown. */
  get name(): string {
    return this._name;
  }

  /** Why nothing else may be promoted now: another version is on its way. */
  get active(): ModelVersion | null {
    const id = this.versions?.active;
    return (id && this.versions!.versions.find(one => one.promotion?.id === id)) || null;
  }

  /** The version that has an alias, such as `production`. */
  holder(alias: string): ModelVersion | null {
    return this.versions?.versions.find(one => one.aliases.includes(alias)) ?? null;
  }

  get isDisposed(): boolean {
    return this.refresh.isDisposed;
  }

  dispose(): void {
    if (!this.isDisposed) {
      this.current.changed.disconnect(this.onNotebook, this);
      this.jobs.changed.disconnect(this.onJob, this);
      this.refresh.dispose();
      this.promotion.dispose();
      this.deployment.dispose();
      this.monitoring.dispose();
      Signal.clearData(this);
    }
  }

  setShown(shown: boolean): void {
    this.shown = shown;
    this.promotion.setVisible(shown);
    this.deployment.setShown(shown);
    this.refresh.every(shown ? PACE : null);
    if (shown) {
      void this.refresh.now();
    }
  }

  reload(): void {
    void this.refresh.now();
  }

  /** Show the versions of another model. */
  select(name: string): void {
    if (name !== this._name) {
      this._name = name;
      this.versions = null;
      this.forget();
      this._changed.emit();
      void this.refresh.anew();
    }
  }

  promote(version: string): Promise<void> {
    return this.promotion.start(this.path, this._name, version);
  }

  /** Back to the version that was in production before. */
  async rollBack(version: string, comment: string): Promise<void> {
    await this.promotion.rollBack(this.path, this._name, version, comment);
  }

  /** Choose a version to be compared, or not any more; the one that was chosen first gives way. */
  choose(version: string, chosen: boolean): void {
    const others = this.chosen.filter(one => one !== version);
    this.chosen = chosen ? [...others, version].slice(-2) : others;
    this.comparison = this.comparisonError = null;
    this._changed.emit();
    void this.compare();
  }

  private async compare(): Promise<void> {
    const chosen = this.chosen;
    const runs = chosen.map(version => this.versions?.versions.find(one => one.version === version)?.runId ?? null);
    if (chosen.length !== 2) {
      return;
    }
    try {
      if (runs.some(run => run === null)) {
        throw new ApiError('no-run', 'A version without a run cannot be compared.', 'Choose one that a conversion has registered.');
      }
      const comparison = await this.api.compareRuns(this.path, runs as string[]);
      if (this.chosen === chosen) {
        this.comparison = comparison;
      }
    } catch (error) {
      if (this.chosen === chosen) {
        this.comparisonError = ApiError.from(error);
      }
    }
    this._changed.emit();
  }

  private async ask(signal: AbortSignal): Promise<void> {
    const path = this.path;
    if (!path) {
      return;
    }
    try {
      const models = await this.api.models(path, signal);
      if (signal.aborted) {
        return;
      }
      this.models = models;
      if (!models.models.some(one => one.name === this._name)) {
        this._name = models.models[0]?.name ?? '';
        this.versions = null;
        this.forget();
      }
      const versions = this._name ? await this.api.versions(path, this._name, signal) : null;
      if (signal.aborted) {
        return;
      }
      this.versions = versions;
      this.error = null;
      this.findPromotion();
      this.deployment.look(path, this._name);
      this.monitoring.reload();
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      this.error = ApiError.from(error);
    }
    this._changed.emit();
  }

  /** After a reload, the promotion that is under way is shown again. */
  private findPromotion(): void {
    const found = this.active?.promotion;
    if (found && found.id !== this.promotion.promotion?.id && !this.promotion.busy && !this.promotion.working && !this.promotion.error) {
      this.promotion.show(this.path, found);
    }
  }

  private forget(): void {
    this.chosen = [];
    this.comparison = this.comparisonError = null;
    this.promotion.clear();
    this.deployment.look('', '');
  }

  /** What is asked is looked at where it is asked; the version that has most of the traffic is the one. */
  private onDeployment({ deployment }: DeploymentModel): void {
    const [most] = [...(deployment?.versions ?? [])].sort((a, b) => b.share - a.share);
    this.monitoring.watch(this.path, deployment ? this._name : '', most?.version ?? '');
  }

  private onNotebook(_: CurrentNotebook, change: Change): void {
    if (change !== 'notebook') {
      return;
    }
    const folder = this.path.split('/').slice(0, -1).join('/');
    if (folder !== this.folder || !this.path) {
      this.folder = folder;
      this.models = this.versions = this.error = null;
      this._name = '';
      this.forget();
    }
    if (this.shown && this.path) {
      void this.refresh.anew();
    }
    this._changed.emit();
  }

  /** A conversion may have registered a version, and a promotion may have been begun elsewhere. */
  private onJob(_: JobsModel, job: Job): void {
    const promotes = job.kind === 'promote' || job.kind === 'rollback';
    if (this.shown && job.kind !== 'run' && (promotes || !isOpen(job)) && job.status !== this.seen.get(job.id)) {
      this.seen.set(job.id, job.status);
      this.reload();
    }
  }

  private _name = '';
  private shown = false;
  private folder = '';
  private readonly seen = new Map<string, Job['status']>();
  private readonly refresh: Refresh;
  private readonly _changed = new Signal<this, void>(this);
}
