import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Widget } from '@lumino/widgets';
import { createElement } from 'react';

import { Api } from '../../api/client';
import { Sidebar } from './sidebar';
import { ServerState } from './status';

const trans = nullTranslator.load('jupyter_mlops');

describe('the sidebar', () => {
  let sidebar: Sidebar;
  const opened = jest.fn();
  const add = (id: string, rank: number): void => {
    sidebar.add({ id, title: id, rank, render: async () => createElement('p', null, id) });
  };
  const titles = (): HTMLElement[] => Array.from(sidebar.node.querySelectorAll<HTMLElement>('.lm-AccordionPanel-title'));

  beforeEach(() => {
    sidebar = new Sidebar(new ServerState(new Api()), new CommandRegistry(), trans, opened);
    Widget.attach(sidebar, document.body);
  });

  afterEach(() => sidebar.dispose());

  it('has its sections in the order of their ranks, for Tab as well as for the eye', () => {
    add('last', 400);
    add('first', 100);
    add('middle', 200);
    expect(sidebar.widgets.map(one => one.title.label)).toEqual(['first', 'middle', 'last']);
    expect(titles().map(one => one.textContent)).toEqual(['first', 'middle', 'last']);
    expect(titles().map(one => one.getAttribute('aria-expanded'))).toEqual(['true', 'false', 'false']);
  });

  it('opens with the section that is asked for', () => {
    add('first', 100);
    add('second', 200);
    sidebar.reveal('second');
    expect(opened).toHaveBeenCalled();
    expect(titles()[1].getAttribute('aria-expanded')).toBe('true');
  });

  it('is entered by keyboard at the section that is open', () => {
    add('first', 100);
    add('second', 200);
    sidebar.focus();
    expect(document.activeElement).toBe(titles()[0]);
    titles()[1].focus();
    sidebar.focus();
    expect(document.activeElement).toBe(titles()[1]);
  });
});
