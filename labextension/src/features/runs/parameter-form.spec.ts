import { nullTranslator } from '@jupyterlab/translation';

import type { Parameter } from '../../api/messages/notebook';
import { literalText, parseLiteral } from './literal';
import { chosenValues, parameterForm, parameterSchema } from './parameter-form';

const trans = nullTranslator.load('jupyter_mlops');

function parameter(name: string, type: Parameter['type'], value: unknown, literal: string): Parameter {
  return { name, type, value, literal };
}

const PARAMETERS = [
  parameter('depth', 'integer', 5, '5'),
  parameter('lr', 'number', 0.1, '0.1'),
  parameter('model', 'string', 'tree', "'tree'"),
  parameter('scale', 'boolean', true, 'True'),
  parameter('lags', 'list', [1, 2], '[1, 2]'),
  parameter('grid', 'object', { a: 1 }, "{'a': 1}"),
  parameter('limit', 'none', null, 'None'),
  parameter('huge', 'integer', '123456789012345678901', '123456789012345678901')
];

describe('a literal', () => {
  it.each([
    ['1', 1],
    ['-2.5e-3', -0.0025],
    ['1_000', 1000],
    ['.5', 0.5],
    ['True', true],
    ['null', null],
    ["'it\\'s\\n\\u00e9'", "it's\né"],
    ['"a"', 'a'],
    ["[1, 'a', None,]", [1, 'a', null]],
    ['(1,)', [1]],
    ['(1)', 1],
    ['()', []],
    ["{'a': [1, {}], 'b': False}", { a: [1, {}], b: false }]
  ])('%s is read', (text, value) => {
    expect(parseLiteral(text)).toEqual(value);
  });

  it.each(['', 'x', '[1', '1 2', '{1: 2}', "'a", '[1 2]', 'nan', '"\\x1"'])('%s is none', text => {
    expect(() => parseLiteral(text)).toThrow(SyntaxError);
  });

  it('is written as Python does', () => {
    expect(literalText({ a: [1, true, null], b: 'x' })).toBe('{"a": [1, True, None], "b": "x"}');
  });
});

describe('the form of the parameters', () => {
  it('has a field of the right type for each, and Python for what is no plain value', () => {
    const schema = parameterSchema(PARAMETERS.slice(0, 7), trans) as { properties: Record<string, { type: string }>; required: string[] };
    expect(Object.entries(schema.properties).map(([name, one]) => [name, one.type])).toEqual([
      ['depth', 'integer'],
      ['lr', 'number'],
      ['model', 'string'],
      ['scale', 'boolean'],
      ['lags', 'string'],
      ['grid', 'string'],
      ['limit', 'string']
    ]);
    expect(schema.required).toEqual(['depth', 'lr']);
  });

  it('starts at the notebook’s values', () => {
    const form = parameterForm(PARAMETERS, null, trans);
    expect(form.value).toEqual({ depth: 5, lr: 0.1, model: 'tree', scale: true, lags: '[1, 2]', grid: "{'a': 1}", limit: 'None' });
    expect(form.notes).toEqual([expect.stringContaining('huge')]);
  });

  it('starts at those values of a run that the server would put into the notebook', () => {
    const values = { depth: '7', lr: '1e-05', model: 'forest', scale: 'False', lags: "['a', 3]", grid: '{cut...', limit: '12', other: '1' };
    const changed = ['depth', 'lr', 'model', 'scale', 'lags', 'limit'];
    const form = parameterForm(PARAMETERS.slice(0, 7), { values, changed, refused: ['grid was cut.'] }, trans);
    expect(form.value).toEqual({ depth: 7, lr: 1e-5, model: 'forest', scale: false, lags: "['a', 3]", grid: "{'a': 1}", limit: '12' });
    expect(form.notes).toEqual(['grid was cut.']);
  });

  it('leaves a value that the server refuses, and a number that is not exact here', () => {
    const refused = ['model was too long for MLflow and was cut.'];
    const values = { model: 'forest... (6000 characters)', depth: '9007199254740993' };
    const form = parameterForm(PARAMETERS.slice(0, 3), { values, changed: ['depth'], refused }, trans);
    expect(form.value).toEqual({ depth: 5, lr: 0.1, model: 'tree' });
    expect(form.notes).toEqual([...refused, expect.stringContaining('9007199254740993')]);
  });

  it('gives the values that are not the notebook’s own', () => {
    const form = parameterForm(PARAMETERS, null, trans);
    expect(chosenValues(PARAMETERS, form.value, trans)).toEqual({ values: {}, problems: [] });
    const data = { ...form.value, depth: 6, model: undefined, scale: false, lags: "('x', None)", grid: '{"a": 2}', limit: 'ten' };
    expect(chosenValues(PARAMETERS, data, trans).values).toEqual({ depth: 6, model: '', scale: false, lags: ['x', null], grid: { a: 2 }, limit: 'ten' });
  });

  it('says what is no list and no dictionary', () => {
    const form = parameterForm(PARAMETERS, null, trans);
    const { problems } = chosenValues(PARAMETERS, { ...form.value, lags: '1, 2', grid: '[1]', limit: '' }, trans);
    expect(problems.map(one => one.name)).toEqual(['lags', 'grid']);
  });
});
