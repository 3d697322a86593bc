import type { Notebook } from '@jupyterlab/notebook';
import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';

import { notebookOf, tagsOf } from '../../testing/notebooks';
import type { ICellMarks } from './marks';
import { setCellTag, tagSelectedCells } from './model';
import { Strips } from './strips';

const trans = nullTranslator.load('jupyter_mlops');

function chips(notebook: Notebook): (string | null)[] {
  return notebook.widgets.map(cell => cell.node.querySelector<HTMLElement>('.jp-mlops-Strip:not([hidden]) .jp-mlops-Chip')?.textContent ?? null);
}

const settled = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) {
    await Promise.resolve();
  }
};

describe('strips', () => {
  let notebook: Notebook;
  let menu: jest.Mock;

  const show = async (cells: Parameters<typeof notebookOf>[0], marks: ICellMarks | null = null): Promise<Strips> => {
    notebook = notebookOf(cells);
    Widget.attach(notebook, document.body);
    const strips = new Strips(notebook, { trans, menu, marks });
    await settled();
    return strips;
  };

  beforeEach(() => {
    menu = jest.fn();
  });
  afterEach(() => notebook.dispose());

  it('show the tag of each tagged cell and follow it', async () => {
    await show([{ source: 'a', tags: ['load', 'other'] }, 'b']);
    expect(chips(notebook)).toEqual(['load', null]);
    setCellTag(notebook.model!.cells.get(1), 'train');
    await settled();
    expect(chips(notebook)).toEqual(['load', 'train']);
    setCellTag(notebook.model!.cells.get(0), null);
    expect(chips(notebook)).toEqual([null, 'train']);
  });

  it('come to cells that are inserted, moved and brought back', async () => {
    await show([{ source: 'a', tags: ['load'] }, 'b']);
    notebook.model!.sharedModel.insertCell(1, { cell_type: 'code', source: 'x', metadata: { tags: ['test'] } });
    await settled();
    expect(chips(notebook)).toEqual(['load', 'test', null]);
    notebook.moveCell(0, 2);
    await settled();
    expect(chips(notebook)).toEqual(['test', null, 'load']);
    notebook.model!.sharedModel.deleteCell(2);
    notebook.model!.sharedModel.undo();
    await settled();
    expect(chips(notebook).filter(Boolean)).toContain('load');
  });

  it('cost nothing for a key press, whatever the number of cells', async () => {
    const strips = await show(Array.from({ length: 200 }, (_, i) => ({ source: `x = ${i}`, tags: i % 2 ? ['features'] : [] })));
    const before = strips.looks;
    for (let i = 0; i < 50; i++) {
      notebook.model!.cells.get(7).sharedModel.updateSource(0, 0, 'y');
    }
    notebook.model!.cells.get(7).setMetadata('execution', { at: 1 });
    expect(strips.looks).toBe(before);
    setCellTag(notebook.model!.cells.get(7), 'train');
    expect(strips.looks).toBe(before + 1);
  });

  it('open the menu for the cell they belong to', async () => {
    await show([{ source: 'a', tags: ['load'] }, { source: 'b', tags: ['train'] }, 'c']);
    notebook.activeCellIndex = 2;
    const chip = notebook.widgets[1].node.querySelector<HTMLElement>('.jp-mlops-Chip')!;
    chip.click();
    expect(menu).toHaveBeenCalledWith(chip);
    expect(notebook.activeCellIndex).toBe(1);
    expect(chip.getAttribute('aria-haspopup')).toBe('menu');
    expect(chip.getAttribute('aria-label')).toContain('train');
  });

  it('are in the order of Tab for the active cell only', async () => {
    await show([{ source: 'a', tags: ['load'] }, { source: 'b', tags: ['train'] }]);
    const stops = (): number[] => notebook.widgets.map(cell => cell.node.querySelector<HTMLElement>('.jp-mlops-Chip')!.tabIndex);
    notebook.activeCellIndex = 1;
    expect(stops()).toEqual([-1, 0]);
    notebook.activeCellIndex = 0;
    expect(stops()).toEqual([0, -1]);
  });

  it('show suggestions and problems', async () => {
    const marks = {
      changed: new Signal<ICellMarks, void>({} as ICellMarks),
      proposal: (_: Notebook, id: string) => (id === 'c1' ? { label: 'features', reason: 'prepares x', split: false } : null),
      trouble: (_: Notebook, id: string) => (id === 'c2' ? { errors: 1, warnings: 2, messages: ['bad'] } : null),
      accept: jest.fn(),
      dismiss: jest.fn(),
      reveal: jest.fn()
    };
    await show(['a', 'b'], marks as unknown as ICellMarks);
    const [a, b] = notebook.widgets.map(cell => cell.node);
    expect(a.querySelector('.jp-mlops-Proposal span')!.textContent).toBe('features?');
    const [accept, dismiss] = Array.from(a.querySelectorAll<HTMLElement>('.jp-mlops-Proposal-button'));
    accept.click();
    dismiss.click();
    expect(marks.accept).toHaveBeenCalledWith('c1');
    expect(marks.dismiss).toHaveBeenCalledWith('c1');
    const badge = b.querySelector<HTMLElement>('.jp-mlops-Badge')!;
    expect(badge.getAttribute('aria-label')).toBe('1 error, 2 warnings in this cell: show them.');
    expect(badge.title).toBe('bad');
    badge.click();
    expect(marks.reveal).toHaveBeenCalledWith('c2');
  });

  it('leave with what shows them', async () => {
    const strips = await show([{ source: 'a', tags: ['load'] }]);
    strips.asDisposable().dispose();
    expect(chips(notebook)).toEqual([null]);
    setCellTag(notebook.model!.cells.get(0), 'train');
    await settled();
    expect(chips(notebook)).toEqual([null]);
  });
});

describe('tagging', () => {
  it('is one step of undo for several cells, and leaves tags of other tools alone', () => {
    const notebook = notebookOf([{ source: 'a', tags: ['hide'] }, 'b', 'c']);
    notebook.activeCellIndex = 0;
    notebook.select(notebook.widgets[1]);
    expect(tagSelectedCells(notebook, 'features')).toBe(2);
    expect(tagsOf(notebook)).toEqual([['hide', 'features'], ['features'], undefined]);
    tagSelectedCells(notebook, 'train');
    notebook.model!.sharedModel.undo();
    expect(tagsOf(notebook)).toEqual([['hide', 'features'], ['features'], undefined]);
    notebook.model!.sharedModel.undo();
    expect(tagsOf(notebook)).toEqual([['hide'], undefined, undefined]);
    notebook.dispose();
  });
});
