/* From jupyter_mlops/schema/api/status.yaml by `jlpm types`. */

/**
 * GET status?path=, and the one shape of all errors.
 */
export interface StatusMessages {
  status?: Status;
  error?: ErrorMessage;
}
export interface Status {
  /**
   * Of the server extension; the frontend compares it with its own.
   */
  version: string;
  user: User;
  tracking: Tracking;
}
export interface User {
  /**
   * What the journal records.
   */
  username: string;
  /**
   * To be shown.
   */
  name: string;
}
export interface Tracking {
  /**
   * Without a password.
   */
  uri: string;
  kind: 'file' | 'server';
  reachable: boolean;
  /**
   * What is wrong, and what to do.
   */
  message: string | null;
}
export interface ErrorMessage {
  /**
   * Kebab-case: usage, tracking, not-found, conflict, forbidden, outside-root, bad-message, too-large, internal, ...
   */
  code: string;
  message: string;
  /**
   * What to do next.
   */
  fix: string | null;
}
