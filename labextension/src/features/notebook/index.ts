import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { LabIcon, refreshIcon } from '@jupyterlab/ui-components';

import { ICurrentNotebook, IJobs, IReview, ISidebar } from '../../tokens';
import { tagsIcon } from '../tags/icons';
import { Review } from './review';

const SECTION = 'notebook';
const SUGGEST = 'mlops:suggest-tags';
const ACCEPT = 'mlops:accept-tags';
const CHECK = 'mlops:check-notebook';
const FIX = 'mlops:fix-problems';

/** What is suggested for the current notebook, and what is wrong with it. */
export const reviewPlugin: JupyterFrontEndPlugin<IReview> = {
  id: 'jupyter-mlops:review',
  description: 'Suggests tags for the current notebook and keeps its problems.',
  provides: IReview,
  requires: [ICurrentNotebook],
  optional: [ITranslator],
  activate: (_: JupyterFrontEnd, current: ICurrentNotebook, translator: ITranslator | null) =>
    new Review(current, (translator ?? nullTranslator).load('jupyter_mlops'))
};

/** The section of the sidebar about the notebook. */
export const notebookPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlops:notebook',
  description: 'Shows stages, suggested tags and problems of the notebook, and the way to production.',
  autoStart: true,
  requires: [IReview, ICurrentNotebook, ISidebar, IJobs],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    review: IReview,
    current: ICurrentNotebook,
    sidebar: ISidebar,
    jobs: IJobs,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_mlops');
    const { commands } = app;

    sidebar.add({
      id: SECTION,
      title: trans.__('Notebook'),
      rank: 100,
      commands: [SUGGEST, CHECK],
      render: async () => (await import('./content')).content(review, jobs, commands, sidebar, SECTION, trans)
    });
    sidebar.watch(SECTION, shown => {
      review.watched = shown;
    });
    review.revealed.connect(() => sidebar.reveal(SECTION));

    const add = (id: string, options: { label: string; caption: string; icon?: LabIcon; needs?: () => boolean; execute: () => unknown }): void => {
      commands.addCommand(id, {
        label: options.label,
        caption: options.caption,
        icon: options.icon,
        isEnabled: () => current.panel !== null && (options.needs?.() ?? true),
        execute: options.execute,
        describedBy: { args: { type: 'object', properties: {} } }
      });
      palette?.addItem({ command: id, category: trans.__('MLOps') });
    };
    add(SUGGEST, {
      label: trans.__('Suggest Tags'),
      caption: trans.__('Show tags that would fit, here and at the cells'),
      icon: tagsIcon,
      execute: () => {
        review.suggesting = true;
        sidebar.reveal(SECTION);
        return current.refresh();
      }
    });
    add(ACCEPT, {
      label: trans.__('Accept All Suggested Tags'),
      caption: trans.__('Tag and split the cells as suggested'),
      needs: () => review.suggestions.length > 0,
      execute: () => review.acceptAll()
    });
    add(CHECK, {
      label: trans.__('Check the Notebook'),
      caption: trans.__('Look for what would not survive production'),
      icon: refreshIcon,
      execute: () => {
        sidebar.reveal(SECTION);
        return current.refresh();
      }
    });
    add(FIX, {
      label: trans.__('Fix All Problems That Need No Decision'),
      caption: trans.__('Mend all that can be mended, as one step of undo'),
      needs: () => review.fixable > 0,
      execute: () => review.fixAll()
    });
    current.changed.connect((_, change) => {
      if (change !== 'state') {
        [SUGGEST, ACCEPT, CHECK, FIX].forEach(id => commands.notifyCommandChanged(id));
      }
    });
  }
};
