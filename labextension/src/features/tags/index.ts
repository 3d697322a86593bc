import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, IToolbarWidgetRegistry } from '@jupyterlab/apputils';
import type { Cell } from '@jupyterlab/cells';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { IReview } from '../../tokens';
import { addTagCommands } from './commands';
import { TagDropdown } from './dropdown';
import { cellTag } from './model';
import { showStrips } from './strips';

/** Commands that tag cells, a chip on every tagged cell, and a drop-down in the cell tool-bar. */
export const tagsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlops:tags',
  description: 'Tags cells with the stage that they become, and shows the tags.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ICommandPalette, ITranslator, IToolbarWidgetRegistry, IReview],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    palette: ICommandPalette | null,
    translator: ITranslator | null,
    toolbars: IToolbarWidgetRegistry | null,
    review: IReview | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_mlops');
    const menu = addTagCommands(app.commands, tracker, trans, palette);
    tracker.widgetAdded.connect((_, panel) => {
      const notebook = panel.content;
      const strips = showStrips(notebook, {
        trans,
        marks: review,
        menu: anchor => menu.open(anchor, notebook.activeCell && cellTag(notebook.activeCell.model))
      });
      panel.disposed.connect(() => strips.dispose());
    });
    toolbars?.addFactory<Cell>('Cell', 'mlops-tag', cell => new TagDropdown(cell, (anchor, tag) => menu.open(anchor, tag), trans));
  }
};
