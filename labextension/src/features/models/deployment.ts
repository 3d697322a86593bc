import type { TranslationBundle } from '@jupyterlab/translation';

import type { ApiError } from '../../api/client';
import { isOpen } from '../../api/jobs';
import type { DeployRequest } from '../../api/messages/jobs';
import type { Deployment } from '../../api/messages/models';
import { percentText } from '../../components/format';
import { Work } from './work';

const PACE = 2000; // ms; while nothing is deployed, it is asked with the versions only

/** How a model does where it is deployed on the server's machine. */
export class DeploymentModel extends Work<'deploying'> {
  deployment: Deployment | null = null;
  /** Store of another model of this name that is deployed there. */
  elsewhere: string | null = null;
  /** Whether the server has said that nothing is deployed, or what. */
  known = false;

  /** Whether it is being deployed. */
  get working(): boolean {
    return this.busy !== null || (this.job !== null && isOpen(this.job));
  }

  /** What went wrong with deploying. */
  get failure(): ApiError | null {
    return this.error ?? this.jobError;
  }

  setShown(shown: boolean): void {
    this.shown = shown;
    this.pace();
  }

  /** Look at the deployment of a model of the store that a notebook uses; of none where the name is empty. */
  look(path: string, model: string): void {
    const other = path !== this.path || model !== this.model;
    if (other) {
      [this.path, this.model] = [path, model];
      this.deployment = this.elsewhere = this.error = this.readError = null;
      this.known = this.searched = false;
      this.follow(null);
      this._changed.emit();
    }
    void (other ? this.refresh.anew() : this.refresh.now());
  }

  /** Serve the version in production, which is not served yet or not looked after any more. */
  async deploy(port?: number): Promise<void> {
    if (this.working) {
      return;
    }
    this.follow(null);
    await this.work('deploying', async () => {
      const request: DeployRequest = { kind: 'deploy', path: this.path, model: this.model };
      this.follow(await this.jobs.start(port === undefined ? request : { ...request, port }));
    });
  }

  protected async read(signal: AbortSignal): Promise<void> {
    if (!this.model) {
      return;
    }
    const { deployment, elsewhere } = await this.api.deployment(this.path, this.model, signal);
    if (!signal.aborted) {
      Object.assign(this, { deployment, elsewhere, known: true });
      await this.find(signal);
    }
  }

  /** After a reload, the job that deploys it is followed again. */
  private async find(signal: AbortSignal): Promise<void> {
    if (!this.searched) {
      const { jobs } = await this.api.jobs(this.path, 'deploy', signal);
      const found = jobs.find(job => job.subject === this.model && isOpen(job));
      if (!signal.aborted) {
        this.searched = true;
        if (found && !this.followed) {
          this.follow(this.jobs.follow(found));
        }
      }
    }
  }

  protected onJob(): void {
    if (!this.working) {
      void this.refresh.now();
    }
    this._changed.emit();
  }

  protected pace(): void {
    this.refresh.every(this.shown && (this.deployment !== null || this.working) ? PACE : null);
  }

  private path = '';
  private model = '';
  private shown = false;
  private searched = false;
}

/** The shares in one sentence. */
export function sharesText(deployment: Deployment, trans: TranslationBundle): string {
  const shares = deployment.versions.filter(one => one.share > 0);
  return shares.map(one => trans.__('version %1: %2', one.version, percentText(one.share))).join(', ');
}

/** What is not as it should be. */
export function warningsOf(deployment: Deployment, trans: TranslationBundle): string[] {
  const warnings: string[] = [];
  if (deployment.envoys === 0) {
    warnings.push(trans.__('No Envoy answers: nothing is served at %1.', deployment.url));
  }
  for (const one of deployment.versions) {
    // One that has no traffic yet is about to start.
    if (one.ready === 0 && (one.share > 0 || one.restarts > 0)) {
      warnings.push(trans.__('Version %1 has no replica that is ready.', one.version));
    }
  }
  if (!deployment.supervised) {
    warnings.push(trans.__('Nobody looks after it: what dies is not started again.'));
  }
  return warnings;
}
