import type { INotebookTracker } from '@jupyterlab/notebook';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';

import * as schema from '../../../schema/tags.json';
import { TAGS } from '../../tags';
import { notebookOf, tagsOf } from '../../testing/notebooks';
import { addTagCommands } from './commands';

const trans = nullTranslator.load('jupyter_mlops');

describe('commands of tags', () => {
  const notebook = notebookOf(['a', { source: 'b', tags: ['load'] }]);
  const tracker = {
    currentWidget: { content: notebook },
    get activeCell() {
      return notebook.activeCell;
    }
  } as unknown as INotebookTracker;
  const commands = new CommandRegistry();
  const menu = addTagCommands(commands, tracker, trans, null);
  afterAll(() => notebook.dispose());

  it('have shortcuts for commands that exist', () => {
    for (const { command } of schema['jupyter.lab.shortcuts']) {
      expect(commands.hasCommand(command)).toBe(true);
    }
    expect(schema['jupyter.lab.menus'].context.every(one => commands.hasCommand(one.command))).toBe(true);
  });

  it('have a letter of their own in the menu', () => {
    const letters = [...TAGS.map(tag => [`mlops:tag-${tag}`, tag]), ['mlops:clear-tag', 'c']].map(([id]) => {
      const label = commands.label(id, { short: true });
      return label[commands.mnemonic(id, { short: true })].toLowerCase();
    });
    expect(new Set(letters).size).toBe(letters.length);
  });

  it('open a menu with the current tag chosen, which tags', async () => {
    notebook.activeCellIndex = 1;
    await commands.execute('mlops:tag-cells');
    expect(menu.menu.isAttached).toBe(true);
    expect(menu.menu.activeItem!.label).toBe('load');
    expect(menu.menu.activeItem!.isToggled).toBe(true);
    menu.menu.activeIndex = TAGS.indexOf('train');
    menu.menu.triggerActiveItem();
    expect(tagsOf(notebook)).toEqual([undefined, ['train']]);
    await commands.execute('mlops:clear-tag');
    expect(tagsOf(notebook)).toEqual([undefined, undefined]);
  });
});
