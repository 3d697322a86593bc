import type { INotebookContent } from '@jupyterlab/nbformat';
import { INotebookTracker, Notebook, NotebookModel, NotebookPanel } from '@jupyterlab/notebook';
import { NBTestUtils } from '@jupyterlab/notebook/lib/testutils';
import { Signal } from '@lumino/signaling';

import type { Api } from '../api/client';
import type { NotebookView } from '../api/messages/notebook';
import { CurrentNotebook } from '../features/current/model';

/** A cell of a notebook for tests: its source, or that with tags and other metadata. */
export type TestCell = string | { source: string; tags?: string[]; metadata?: object; count?: number };

const NO_VIEW: NotebookView = {
  tagged: false, model: null, stages: [], edges: [], problems: [], suggestions: [], parameters: [], parametersCell: null
};

/** A real notebook with cells `c1`, `c2`, ... */
export function notebookOf(cells: readonly TestCell[]): Notebook {
  const notebook = NBTestUtils.createNotebook();
  const model = new NotebookModel();
  model.fromJSON({
    cells: cells.map((cell, i) => {
      const { source, tags, metadata, count } = typeof cell === 'string' ? { source: cell, tags: undefined, metadata: {}, count: undefined } : cell;
      return {
        cell_type: 'code', id: `c${i + 1}`, source, outputs: [], execution_count: count ?? null,
        metadata: { ...metadata, ...(tags ? { tags } : {}) }
      };
    }),
    metadata: { kernelspec: { name: 'python3', display_name: 'Python', language: 'python' } },
    nbformat: 4,
    nbformat_minor: 5
  } as unknown as INotebookContent);
  notebook.model = model;
  model.sharedModel.clearUndoHistory();
  return notebook;
}

/** A notebook as the current one, with a server that answers with a view. */
export class CurrentForTest {
  constructor(
    readonly notebook: Notebook | null,
    public view: Partial<NotebookView> = {},
    path = 'n.ipynb'
  ) {
    this.panel = notebook
      ? ({
          content: notebook,
          context: { localPath: path, ready: new Promise(() => undefined), model: notebook.model },
          disposed: new Signal({})
        } as unknown as NotebookPanel)
      : null;
    const tracker = { currentWidget: this.panel, currentChanged: new Signal({}) };
    const api = {
      notebook: async () => {
        this.asked++;
        if (this.failure) {
          throw this.failure;
        }
        return { ...NO_VIEW, ...this.view };
      }
    } as unknown as Api;
    this.current = new CurrentNotebook(tracker as unknown as INotebookTracker, api, 10_000);
  }

  readonly current: CurrentNotebook;
  readonly panel: NotebookPanel | null;
  asked = 0;
  failure: Error | null = null;

  dispose(): void {
    this.current.dispose();
    this.notebook?.dispose();
  }
}

export function sourcesOf(notebook: Notebook): string[] {
  return Array.from(notebook.model!.cells, cell => cell.sharedModel.getSource());
}

export function tagsOf(notebook: Notebook): unknown[] {
  return Array.from(notebook.model!.cells, cell => cell.getMetadata('tags'));
}
