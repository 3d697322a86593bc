/**
 * The tags that jupyter-mlops understands, in the order of a notebook's main path.
 *
 * They are plain `cell.metadata.tags`, shared with papermill, nbconvert and JupyterLab's own tag editor.
 */
export const TAGS = [
  'imports',
  'functions',
  'parameters',
  'load',
  'validate',
  'features',
  'train',
  'evaluate',
  'test',
  'skip'
] as const;

export type Tag = (typeof TAGS)[number];

const KNOWN: ReadonlySet<string> = new Set(TAGS);

/** Whether a tag is one of ours. */
export function isTag(name: unknown): name is Tag {
  return typeof name === 'string' && KNOWN.has(name);
}

/** Our tag among all tags of a cell; the first one decides, as in the converter. */
export function tagOf(tags: unknown): Tag | null {
  return Array.isArray(tags) ? (tags.find(isTag) ?? null) : null;
}

/** The tags of a cell after ours was set or, with null, cleared. Tags of other tools stay, in their order. */
export function withTag(tags: unknown, tag: Tag | null): string[] {
  const others = Array.isArray(tags) ? tags.filter(one => typeof one === 'string' && !isTag(one)) : [];
  return tag === null ? others : [...others, tag];
}
