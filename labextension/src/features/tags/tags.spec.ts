import { CodeCellModel } from '@jupyterlab/cells';

import { isTag, tagOf, TAGS, withTag } from '../../tags';
import { cellTag, setCellTag } from './model';

describe('tags', () => {
  it('are those of the converter', () => {
    expect(TAGS).toEqual(['imports', 'functions', 'parameters', 'load', 'validate', 'features', 'train', 'evaluate', 'test', 'skip']);
    expect(isTag('train')).toBe(true);
    expect(isTag('Train')).toBe(false);
    expect(isTag(1)).toBe(false);
  });

  it('are found among those of other tools', () => {
    expect(tagOf(['hide-input', 'train', 'skip'])).toBe('train');
    expect(tagOf(['hide-input'])).toBeNull();
    expect(tagOf(undefined)).toBeNull();
  });

  it('replace one another and leave other tags alone', () => {
    expect(withTag(['a', 'train', 'b'], 'load')).toEqual(['a', 'b', 'load']);
    expect(withTag(['a', 'train'], null)).toEqual(['a']);
    expect(withTag(undefined, 'test')).toEqual(['test']);
  });
});

describe('a cell', () => {
  it('keeps its tag in its metadata', () => {
    const cell = new CodeCellModel();
    setCellTag(cell, 'features');
    expect(cell.getMetadata('tags')).toEqual(['features']);
    expect(cellTag(cell)).toBe('features');
    setCellTag(cell, 'train');
    expect(cell.getMetadata('tags')).toEqual(['train']);
    setCellTag(cell, null);
    expect(cell.getMetadata('tags')).toBeUndefined();
    cell.dispose();
  });

  it('is not written when nothing changes', () => {
    const cell = new CodeCellModel();
    setCellTag(cell, 'load');
    let changes = 0;
    cell.metadataChanged.connect(() => changes++);
    setCellTag(cell, 'load');
    expect(changes).toBe(0);
    cell.dispose();
  });
});
