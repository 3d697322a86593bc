/* From jupyter_mlops/schema/api/services.yaml by `jlpm types`. */

/**
 * Services of generated projects that this server started. GET services, POST services, GET services/ID, DELETE services/ID, POST services/ID/predict. They end with the server.
 *
 */
export interface ServiceMessages {
  start?: StartService;
  service?: Service;
  services?: Services;
  predict?: PredictRequest;
  answer?: PredictAnswer;
}
export interface StartService {
  /**
   * Folder of a generated project, relative to the server's root.
   */
  project: string;
}
export interface Service {
  id: string;
  project: string;
  status: 'starting' | 'ready' | 'failed' | 'stopped';
  /**
   * On the loopback interface of the server.
   */
  port: number;
  started: number;
  /**
   * Why it failed, and what to do.
   */
  message: string | null;
  /**
   * JSON Schema of a row.
   */
  form: {
    [k: string]: unknown;
  } | null;
  /**
   * A golden row.
   */
  example: {
    [k: string]: unknown;
  } | null;
  /**
   * The end of what it printed.
   */
  log: string;
}
export interface Services {
  services: Service[];
}
export interface PredictRequest {
  row: {
    [k: string]: unknown;
  };
}
export interface PredictAnswer {
  /**
   * HTTP status of the service.
   */
  status: number;
  /**
   * Its answer as JSON, or as text.
   */
  body: unknown;
  /**
   * That the service took.
   */
  milliseconds: number;
}
