import { ApiError } from '../api/client';
import type {
  Decision,
  Deployment,
  DeploymentStatus,
  Models,
  ModelVersion,
  ModelVersions,
  Promotion,
  PromotionStep,
  VersionTraffic
} from '../api/messages/models';
import type { Monitoring } from '../api/messages/monitoring';
import type { RunsComparison } from '../api/messages/runs';

export function promotion(more: Partial<Promotion> = {}): Promotion {
  return {
    id: 'p1', model: 'penguins', version: '2', status: 'running', author: 'ada', startedBy: 'ben', started: 1000, ended: null,
    digest: 'sha256:0123456789abcdef', champion: '1',
    steps: [step('tests', 'Tests of the project'), step('parity', 'Parity'), step('approval', 'Approval'), step('lifecycle', 'Into production')],
    mayDecide: false, whyNot: null, job: null, journal: [{ at: 1000, who: 'ben', what: 'started', message: 'Promotion of version 2' }],
    ...more
  };
}

export function step(name: string, title: string, more: Partial<PromotionStep> = {}): PromotionStep {
  return { name, title, status: 'pending', message: '', seconds: null, figures: {}, log: null, ...more };
}

export function traffic(number: string, share: number, more: Partial<VersionTraffic> = {}): VersionTraffic {
  return { version: number, share, replicas: 1, ready: 1, restarts: 0, requests: 200, errors: 0, p50: 0.0012, p99: 0.02, ...more };
}

export function deployment(versions: VersionTraffic[], more: Partial<Deployment> = {}): Deployment {
  return { model: 'penguins', url: 'http://127.0.0.1:8080', supervised: true, envoys: 2, shadow: null, versions, ...more };
}

export function version(number: string, more: Partial<ModelVersion> = {}): ModelVersion {
  return {
    version: number, lifecycle: 'Staging', aliases: ['staging'], created: 1000, author: 'ada', runId: `run${number}`,
    link: 'http://mlflow/models/2', metrics: { accuracy: 0.98 }, parity: { package: 'equal', service: 'equal', bundle: 'none' },
    mismatchAllowed: false, boundary: 'raw', engine: 'onnx',
    lineage: { notebook: 'n.ipynb', notebookSha256: 'ab', commit: 'c0ffee', branch: 'main', dirty: true, data: { 'a.csv': 'md5:1' } },
    promotion: null, ...more
  };
}

/** A registry with one model, and what was asked of it. */
export class RegistryForTest {
  known: ModelVersion[] = [version('2'), version('1', { lifecycle: 'Production', aliases: ['champion'] })];
  current: Promotion | null = null;
  readonly decisions: [string, Decision, string][] = [];
  refuse: ApiError | null = null;
  names = ['penguins', 'houses'];
  deployed: Deployment | null = null;
  elsewhere: string | null = null;
  monitored: Monitoring = { version: '1', last: null, trend: [] };
  /** How often the deployment was asked for. */
  looks = 0;
  calls = 0;

  models = async (): Promise<Models> => {
    this.calls++;
    if (this.refuse) {
      throw this.refuse;
    }
    return {
      trackingUri: 'sqlite:///mlflow.db',
      models: this.names.map(name => ({ name, description: '', versions: 2, staging: '2', production: '1', updated: 1 }))
    };
  };

  versions = async (_: string, name: string): Promise<ModelVersions> => {
    const now = this.current;
    const active = now && (now.status === 'running' || now.status === 'waiting') ? now.id : null;
    const versions = this.known.map(one => (one.version === now?.version ? { ...one, promotion: now } : one));
    return { name, description: '', versions: name === 'penguins' ? versions : [], active };
  };

  promotion = async (): Promise<Promotion> => this.current!;

  decide = async (id: string, decision: Decision, path: string): Promise<Promotion> => {
    if (this.refuse) {
      throw this.refuse;
    }
    this.decisions.push([id, decision, path]);
    const status = { approve: 'running', reject: 'rejected', cancel: 'cancelled' } as const;
    return (this.current = { ...this.current!, status: status[decision.decision] });
  };

  deployment = async (): Promise<DeploymentStatus> => {
    this.looks++;
    return { deployment: this.deployed, elsewhere: this.elsewhere };
  };

  monitoring = async (): Promise<Monitoring> => this.monitored;

  reportPage = (...parts: string[]): string => parts.join('/');

  compareRuns = async (_: string, runs: readonly string[]): Promise<RunsComparison> => ({
    runs: runs.map(id => ({ id, name: id, status: 'FINISHED', started: 1, link: null })),
    params: [{ name: 'depth', values: ['3', '5'], same: false }, { name: 'seed', values: ['0', '0'], same: true }],
    metrics: [{ name: 'accuracy', values: [0.98, 0.9], lower: false, best: 0 }],
    differences: [{ title: 'Code of the cell', text: '-a\n+b' }],
    notes: []
  });
}
