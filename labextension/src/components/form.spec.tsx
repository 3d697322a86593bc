import { nullTranslator } from '@jupyterlab/translation';
import { act, fireEvent, render, screen } from '@testing-library/react';

import { seriousFindings } from '../testing/axe';
import { fromForm, problemsAt, shapeOf, toForm } from './form';
import JsonForm from './json-form';

const trans = nullTranslator.load('jupyter_mlops');
// As msgspec writes the row of a generated service.
const ROW = {
  title: 'Row',
  type: 'object',
  additionalProperties: false,
  properties: {
    'bill length (mm)': { description: 'float64; 32 to 60 in training', anyOf: [{ type: 'number' }, { type: 'null' }], default: null, examples: [39.1] },
    year: { description: 'int64', type: 'integer', minimum: -9223372036854775808, maximum: 9223372036854775807 },
    island: { description: 'string', anyOf: [{ enum: ['Biscoe', 'Dream'] }, { type: 'null' }], default: null },
    tagged: { type: 'boolean' },
    banded: { anyOf: [{ type: 'boolean' }, { type: 'null' }], default: null },
    'a.b': { type: 'string', format: 'date-time' }
  },
  required: ['year', 'tagged', 'a.b']
};
const EXAMPLE = { 'bill length (mm)': 39.1, year: 2007, island: 'Dream', tagged: true, banded: null, 'a.b': 'x' };

describe('a shape', () => {
  const shape = shapeOf(ROW, '(missing)');

  it('has a plain key for each name, and knows what may be missing', () => {
    expect(shape.fields.map(one => [one.key, one.nullable])).toEqual([
      ['c0', true], ['c1', false], ['c2', true], ['c3', false], ['c4', true], ['c5', false]
    ]);
    expect(shape.schema.required).toEqual(['c1', 'c3', 'c5']);
    expect(shape.schema.properties!.c0).toMatchObject({ type: 'number', title: 'bill length (mm)' });
    expect(shape.schema.properties!.c2).toMatchObject({ type: 'string', enum: ['Biscoe', 'Dream'] });
  });

  it('brings a row there and back', () => {
    expect(fromForm(shape, toForm(shape, EXAMPLE))).toEqual(EXAMPLE);
  });

  it('sends null for what was emptied, and leaves out what must not be', () => {
    expect(fromForm(shape, {})).toEqual({ 'bill length (mm)': null, island: null, banded: null });
  });

  it('puts problems at fields', () => {
    const found = problemsAt(shape, [
      { name: 'year', message: 'too late' },
      { name: 'year', message: 'odd' },
      { name: null, message: 'elsewhere' }
    ]);
    expect(found).toEqual({ c1: { __errors: ['too late', 'odd'] } });
  });

  it('takes types in lists and enums with null', () => {
    const other = shapeOf({ properties: { a: { type: ['integer', 'null'] }, b: { enum: [1, 2, null] } } });
    expect(other.fields.map(one => one.nullable)).toEqual([true, true]);
    expect(other.schema.properties).toMatchObject({ c0: { type: 'integer' }, c1: { enum: [1, 2], type: 'number' } });
  });
});

describe('a form', () => {
  const shape = shapeOf(ROW, '(missing)');

  it('has a label for every field, and no serious finding of axe', async () => {
    const { container } = render(
      <JsonForm id="f" label="Row" shape={shape} value={EXAMPLE} trans={trans} submit={{ label: 'Send', run: jest.fn() }} />
    );
    for (const name of Object.keys(EXAMPLE)) {
      expect(screen.getByLabelText(name)).toBeTruthy();
    }
    expect(await seriousFindings(container)).toEqual([]);
  });

  it('sends the row, with null for an emptied field', async () => {
    const run = jest.fn();
    render(<JsonForm id="f" label="Row" shape={shape} value={EXAMPLE} trans={trans} submit={{ label: 'Send', run }} />);
    await act(async () => {
      fireEvent.change(screen.getByLabelText('bill length (mm)'), { target: { value: '' } });
    });
    await act(async () => {
      fireEvent.change(screen.getByLabelText('year'), { target: { value: '2009' } });
    });
    await act(async () => {
      fireEvent.change(screen.getByLabelText('island'), { target: { value: '' } });
    });
    await act(async () => {
      fireEvent.click(screen.getByRole('button', { name: 'Send' }));
    });
    expect(run).toHaveBeenCalledWith({ ...EXAMPLE, 'bill length (mm)': null, year: 2009, island: null });
  });

  it('says what is wrong before anything is sent', async () => {
    const run = jest.fn();
    render(<JsonForm id="f" label="Row" shape={shape} value={EXAMPLE} trans={trans} submit={{ label: 'Send', run }} />);
    await act(async () => {
      fireEvent.change(screen.getByLabelText('year'), { target: { value: '' } });
    });
    await act(async () => {
      fireEvent.click(screen.getByRole('button', { name: 'Send' }));
    });
    expect(run).not.toHaveBeenCalled();
    expect(document.getElementById('f_c1__error')?.textContent).toBe('A value is needed here.');
  });

  it('shows what the server found at its field, until that is taken back', async () => {
    const make = (problems: { name: string; message: string }[]): JSX.Element => (
      <JsonForm id="f" label="Row" shape={shape} value={EXAMPLE} trans={trans} problems={problems} />
    );
    const { rerender } = render(make([{ name: 'a.b', message: 'no time' }]));
    expect(document.getElementById('f_c5__error')?.textContent).toBe('no time');
    await act(async () => rerender(make([])));
    expect(document.getElementById('f_c5__error')).toBeNull();
  });
});
