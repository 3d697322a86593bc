import type { ICommandPalette } from '@jupyterlab/apputils';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import { Tag, TAGS } from '../../tags';
import { tagsIcon } from './icons';
import { CLEAR, commandOf, TagMenu } from './menu';
import { cellTag, tagSelectedCells } from './model';

/** The letter of each tag that chooses it in the menu, by its position. */
const LETTERS: Readonly<Record<Tag, number>> = {
  imports: 0, functions: 1, parameters: 0, load: 0, validate: 0, features: 0, train: 0, evaluate: 0, test: 2, skip: 1
};

const MENU = 'mlops:tag-cells';

/** Add the commands that set and clear tags, and the one that opens their menu. */
export function addTagCommands(
  commands: CommandRegistry,
  tracker: INotebookTracker,
  trans: TranslationBundle,
  palette: ICommandPalette | null
): TagMenu {
  const category = trans.__('MLOps');
  const short = {
    type: 'object',
    properties: { short: { type: 'boolean', description: trans.__('Whether the label is the tag alone, as in a menu of tags.') } }
  } as const;
  const isEnabled = (): boolean => tracker.currentWidget !== null;
  const tagWith = (tag: Tag | null): number => {
    const notebook = tracker.currentWidget?.content;
    return notebook ? tagSelectedCells(notebook, tag) : 0;
  };

  for (const tag of TAGS) {
    commands.addCommand(commandOf(tag), {
      label: args => (args.short ? tag : trans.__('Tag Cells as “%1”', tag)),
      mnemonic: args => (args.short ? LETTERS[tag] : -1),
      isEnabled,
      isToggled: args => !!args.short && !!tracker.activeCell && cellTag(tracker.activeCell.model) === tag,
      execute: () => tagWith(tag),
      describedBy: { args: short }
    });
    palette?.addItem({ command: commandOf(tag), category });
  }
  commands.addCommand(CLEAR, {
    label: args => (args.short ? trans.__('Clear the Tag') : trans.__('Clear the Tag of Cells')),
    mnemonic: args => (args.short ? 0 : -1),
    isEnabled,
    execute: () => tagWith(null),
    describedBy: { args: short }
  });
  palette?.addItem({ command: CLEAR, category });

  const menu = new TagMenu(commands, trans);
  commands.addCommand(MENU, {
    label: trans.__('Tag Cells…'),
    caption: trans.__('Choose the stage that the selected cells become'),
    icon: args => (args.toolbar ? tagsIcon : undefined),
    isEnabled,
    execute: () => {
      const notebook = tracker.currentWidget?.content;
      if (notebook?.activeCell) {
        menu.open(notebook.activeCell.node, cellTag(notebook.activeCell.model));
      }
    },
    describedBy: { args: { type: 'object', properties: { toolbar: { type: 'boolean', description: trans.__('Whether it has an icon.') } } } }
  });
  palette?.addItem({ command: MENU, category });
  return menu;
}
