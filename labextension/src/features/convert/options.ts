import type { ConvertRequest } from '../../api/messages/jobs';

/** How to convert; empty texts leave it to the server. */
export interface ConvertOptions {
  output: string;
  name: string;
  model: string;
  register: boolean;
  force: boolean;
  allowMismatch: boolean;
  /** Those that were changed here. */
  parameters: Readonly<Record<string, unknown>>;
}

export const DEFAULTS: ConvertOptions = {
  output: '',
  name: '',
  model: '',
  register: true,
  force: false,
  allowMismatch: false,
  parameters: {}
};

/** The request for a conversion. What has its default is left out. */
export function requestOf(path: string, options: ConvertOptions): ConvertRequest {
  const request: ConvertRequest = { kind: 'convert', path };
  for (const key of ['output', 'name', 'model'] as const) {
    if (options[key].trim()) {
      request[key] = options[key].trim();
    }
  }
  if (!options.register) {
    request.register = false;
  }
  for (const key of ['force', 'allowMismatch'] as const) {
    if (options[key]) {
      request[key] = true;
    }
  }
  if (Object.keys(options.parameters).length) {
    request.parameters = { ...options.parameters };
  }
  return request;
}
