import type { TranslationBundle } from '@jupyterlab/translation';

import type { DeployRequest } from '../../api/messages/jobs';
import type { Deployment } from '../../api/messages/models';
import { percentText } from '../../components/format';
import { ModelWork } from './work';

const PACE = 2000; // ms; while nothing is deployed, it is asked with the versions only

/** How a model does where it is deployed on the server's machine. */
export class DeploymentModel extends ModelWork<'deploying'> {
  deployment: Deployment | null = null;
  /** Store of another model of this name that is deployed there. */
  elsewhere: string | null = null;
  /** Whether the server has said that nothing is deployed, or what. */
  known = false;

  setShown(shown: boolean): void {
    this.shown = shown;
    this.pace();
  }

  /** Look at the deployment of a model of the store that a notebook uses; of none where the name is empty. */
  look(path: string, model: string): void {
    const other = this.turnTo(path, model);
    if (other) {
      this.deployment = this.elsewhere = null;
      this.known = false;
      this._changed.emit();
    }
    void (other ? this.refresh.anew() : this.refresh.now());
  }

  /** Serve the version in production, which is not served yet or not looked after any more. */
  async deploy(port?: number): Promise<void> {
    const request: DeployRequest = { kind: 'deploy', path: this.path, model: this.model };
    await this.start('deploying', port === undefined ? request : { ...request, port });
  }

  protected async read(signal: AbortSignal): Promise<void> {
    if (!this.model) {
      return;
    }
    const { deployment, elsewhere } = await this.api.deployment(this.path, this.model, signal);
    if (!signal.aborted) {
      Object.assign(this, { deployment, elsewhere, known: true });
      await this.find('deploy', signal);
    }
  }

  protected pace(): void {
    this.refresh.every(this.shown && (this.deployment !== null || this.working) ? PACE : null);
  }

  private shown = false;
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
