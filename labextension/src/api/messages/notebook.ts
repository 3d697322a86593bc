/* From jupyter_mlops/schema/api/notebook.yaml by `jlpm types`. */

export type Tag =
  'imports' | 'functions' | 'parameters' | 'load' | 'validate' | 'features' | 'train' | 'evaluate' | 'test' | 'skip';

/**
 * POST notebook?client=: what is known about a notebook as it stands in the browser, saved or not, without a kernel. Of several requests for one notebook from one page (`client`) that wait, the newest is done; the others are 409 `superseded`. POST notebook/parameters: the parameters cell with other values.
 *
 */
export interface NotebookMessages {
  request?: NotebookRequest;
  view?: NotebookView;
  restore?: RestoreRequest;
  restored?: Restored;
}
export interface NotebookRequest {
  /**
   * Relative to the server's root; the folder decides what is a local module.
   */
  path: string;
  /**
   * Of the kernel, such as python; empty where it is not known.
   */
  language: string;
  /**
   * @maxItems 5000
   */
  cells: NotebookCell[];
}
export interface NotebookCell {
  id: string;
  type: 'code' | 'markdown' | 'raw';
  source: string;
  tags: string[];
}
export interface NotebookView {
  /**
   * Whether a load and a train cell are tagged; else the stages are the suggested ones.
   */
  tagged: boolean;
  model: null | ModelFound;
  stages: StageNode[];
  edges: StageEdge[];
  problems: NotebookProblem[];
  suggestions: TagSuggestion[];
  parameters: Parameter[];
  /**
   * Id of the cell that declares the parameters.
   */
  parametersCell: string | null;
}
export interface ModelFound {
  variable: string;
  reason: string;
}
export interface StageNode {
  stage: Tag;
  /**
   * Ids in the order of the notebook.
   */
  cells: string[];
  /**
   * No cell of it is tagged; it comes from the suggestions.
   */
  suggested: boolean;
}
export interface StageEdge {
  from: Tag;
  to: Tag;
  /**
   * Variables that cross.
   */
  names: string[];
}
export interface NotebookProblem {
  code: string;
  severity: 'error' | 'warning' | 'info';
  message: string;
  /**
   * Id.
   */
  cell: string | null;
  /**
   * Of the cell, from 1.
   */
  number: number | null;
  /**
   * In the cell, from 1.
   */
  line: number | null;
  /**
   * What to do in words.
   */
  fix: string | null;
  /**
   * What mends it in one click; empty where a person has to decide.
   */
  edits: CellEdit[];
}
export interface CellEdit {
  cell: string;
  /**
   * The source that was analysed; a cell that has another one by now is left alone.
   */
  before: string;
  source: string;
}
export interface TagSuggestion {
  cell: string;
  number: number;
  /**
   * Null for a mixed cell, which has to be split first.
   */
  tag: null | Tag;
  reason: string;
  /**
   * Where to split a mixed cell, with the sources of the new cells; empty where one tag serves.
   */
  parts: SuggestedPart[];
}
export interface SuggestedPart {
  tag: null | Tag;
  source: string;
}
export interface Parameter {
  name: string;
  type: 'boolean' | 'integer' | 'number' | 'string' | 'list' | 'object' | 'none';
  /**
   * As JSON; what JSON cannot hold is its Python literal.
   */
  value: unknown;
  /**
   * As it stands in Python.
   */
  literal: string;
}
export interface RestoreRequest {
  path: string;
  language: string;
  /**
   * @maxItems 5000
   */
  cells: NotebookCell[];
  /**
   * Texts as a run's parameters hold them; names that the notebook does not declare are left out.
   */
  values: {
    [k: string]: string;
  };
}
export interface Restored {
  edits: CellEdit[];
  /**
   * Names that get another value.
   */
  changed: string[];
  /**
   * Names that the notebook does not declare.
   */
  unknown: string[];
  /**
   * One sentence for each value that does not fit, such as one that was cut or masked.
   */
  refused: string[];
}
