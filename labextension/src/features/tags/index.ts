import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { Tag, TAGS } from '../../tags';
import { showChips } from './chips';
import { tagSelectedCells } from './model';

/** Commands that tag cells, and a chip on every tagged cell. */
export const tagsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlops:tags',
  description: 'Tags cells with the stage that they become, and shows the tags.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_mlops');
    tracker.widgetAdded.connect((_, panel) => {
      const chips = showChips(panel.content, trans);
      panel.disposed.connect(() => chips.dispose());
    });

    const add = (id: string, label: string, tag: Tag | null): void => {
      app.commands.addCommand(id, {
        label,
        isEnabled: () => tracker.currentWidget !== null,
        execute: () => {
          const notebook = tracker.currentWidget?.content;
          return notebook ? tagSelectedCells(notebook, tag) : 0;
        },
        describedBy: { args: { type: 'object', properties: {} } }
      });
      palette?.addItem({ command: id, category: trans.__('MLOps') });
    };
    TAGS.forEach(tag => add(`mlops:tag-${tag}`, trans.__('Tag Cells as “%1”', tag), tag));
    add('mlops:clear-tag', trans.__('Clear the Tag of Cells'), null);
  }
};
