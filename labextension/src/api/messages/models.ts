/* From jupyter_mlops/schema/api/models.yaml by `jlpm types`. */

export type Lifecycle = 'Staging' | 'Production' | 'Archived' | 'None';

/**
 * GET models?path=, GET models/versions?path=&name=, GET promotions/ID?path=, POST promotions/ID/decision?path=, GET deployments?path=&model=. Two versions are compared by their runs (GET runs/compare).
 *
 */
export interface ModelsMessages {
  models?: Models;
  versions?: ModelVersions;
  promotion?: Promotion;
  decision?: Decision;
  deployment?: DeploymentStatus;
}
export interface Models {
  trackingUri: string;
  /**
   * The last changed first.
   */
  models: ModelSummary[];
}
export interface ModelSummary {
  name: string;
  description: string;
  versions: number;
  staging: string | null;
  /**
   * Version that serves now.
   */
  production: string | null;
  updated: number;
}
export interface ModelVersions {
  name: string;
  description: string;
  /**
   * The newest first.
   */
  versions: ModelVersion[];
  /**
   * Id of the promotion that is running or waits; there is one at a time.
   */
  active: string | null;
}
export interface ModelVersion {
  version: string;
  lifecycle: Lifecycle;
  aliases: string[];
  created: number;
  author: string;
  runId: string | null;
  link: string | null;
  metrics: {
    [k: string]: number | null;
  };
  parity: {
    /**
     * equal, none, or the number of mismatches.
     */
    package: string | null;
    service: string | null;
    bundle: string | null;
  };
  mismatchAllowed: boolean;
  boundary: string | null;
  engine: string | null;
  lineage: Lineage;
  /**
   * The last one of this version.
   */
  promotion: null | Promotion;
}
export interface Lineage {
  notebook: string | null;
  notebookSha256: string | null;
  commit: string | null;
  branch: string | null;
  dirty: boolean;
  /**
   * File name -> version (md5:...).
   */
  data: {
    [k: string]: string;
  };
}
export interface Promotion {
  id: string;
  model: string;
  version: string;
  /**
   * waiting: for an approval.
   */
  status: 'running' | 'waiting' | 'promoted' | 'rejected' | 'failed' | 'cancelled';
  /**
   * Who made the version.
   */
  author: string;
  startedBy: string;
  started: number;
  ended: number | null;
  /**
   * Of the artifact that is promoted; an approval is for this one only.
   */
  digest: string | null;
  /**
   * Version that was in production when it began.
   */
  champion: string | null;
  steps: PromotionStep[];
  /**
   * Whether the one who asks may approve and reject.
   */
  mayDecide: boolean;
  whyNot: string | null;
  /**
   * Of this server that works on it.
   */
  job: string | null;
  /**
   * The oldest first.
   */
  journal: JournalLine[];
}
export interface PromotionStep {
  name: string;
  title: string;
  status: 'pending' | 'running' | 'passed' | 'failed' | 'inconclusive' | 'waiting' | 'skipped';
  message: string;
  seconds: number | null;
  figures: {
    [k: string]: number | string | boolean | null;
  };
  /**
   * The end of what it printed.
   */
  log: string | null;
}
export interface JournalLine {
  at: number;
  who: string;
  what: string;
  message: string;
}
export interface Decision {
  decision: 'approve' | 'reject' | 'cancel';
  comment: string;
  /**
   * Of the artifact that was looked at; another one by now is a conflict.
   */
  digest?: string;
}
export interface DeploymentStatus {
  /**
   * null where the model is not deployed on the server's machine.
   */
  deployment: null | Deployment;
  /**
   * Another store, whose model of the same name is deployed on this machine; then this one cannot be.
   */
  elsewhere: string | null;
}
export interface Deployment {
  model: string;
  url: string;
  /**
   * Whether something would start again what dies.
   */
  supervised: boolean;
  /**
   * How many answer.
   */
  envoys: number;
  /**
   * Version that is sent copies of the requests.
   */
  shadow: string | null;
  versions: VersionTraffic[];
}
export interface VersionTraffic {
  version: string;
  /**
   * Part of the requests.
   */
  share: number;
  /**
   * As many as there shall be.
   */
  replicas: number;
  ready: number;
  restarts: number;
  /**
   * Since the start of the replicas that run now.
   */
  requests: number;
  errors: number;
  /**
   * Seconds; 0 where nothing was asked yet, null where it is beyond what is measured.
   */
  p50: number | null;
  p99: number | null;
}
