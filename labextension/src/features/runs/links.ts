/** An address that may be opened: never one that runs a script. */
export function safeLink(link: string | null): string | null {
  return link !== null && /^https?:\/\//i.test(link) ? link : null;
}

/** Starts MLflow's own page for a store that is a file. */
export function mlflowCommand(uri: string): string {
  return `mlflow ui --backend-store-uri ${/^[\w:/.@%+-]+$/.test(uri) ? uri : `'${uri.replaceAll("'", "'\\''")}'`}`;
}
