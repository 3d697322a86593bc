import type { TranslationBundle } from '@jupyterlab/translation';

import type { Parameter } from '../../api/messages/notebook';
import { FieldProblem, FormShape, shapeOf } from '../../components/form';
import { literalText, parseLiteral } from './literal';

/** A form for the parameters of a notebook. */
export interface IParameterForm {
  shape: FormShape;
  /** What it starts with, by name. */
  value: Record<string, unknown>;
  /** A sentence for each value of the run that it does not start with. */
  notes: string[];
}

const LITERAL: ReadonlySet<Parameter['type']> = new Set(['list', 'object', 'none']);
const MASKED = '***';

/** A form that starts at a run's values, as MLflow has them, or without them at the notebook's own. */
export function parameterForm(
  parameters: readonly Parameter[],
  given: Readonly<Record<string, string>>,
  trans: TranslationBundle
): IParameterForm {
  const fields = parameters.filter(isEditable);
  const notes = parameters
    .filter(one => !isEditable(one))
    .map(one => trans.__('“%1” is %2 in the notebook, which this form cannot hold. It stays so.', one.name, one.literal));
  const value: Record<string, unknown> = {};
  for (const one of fields) {
    value[one.name] = LITERAL.has(one.type) ? one.literal : one.value;
    const text = given[one.name];
    if (text === undefined) {
      continue;
    }
    const found = text === MASKED ? undefined : fromRun(one, text);
    if (found === undefined) {
      notes.push(
        text === MASKED
          ? trans.__('“%1” was masked in the run, so it starts at the notebook’s value.', one.name)
          : trans.__('“%1” was %2 in the run, which does not fit. It starts at the notebook’s value.', one.name, shortened(text))
      );
    } else {
      value[one.name] = found;
    }
  }
  return { shape: shapeOf(parameterSchema(fields, trans)), value, notes };
}

/** A JSON Schema of the parameters; what is no plain value is given as a Python literal. */
export function parameterSchema(parameters: readonly Parameter[], trans: TranslationBundle): Record<string, unknown> {
  const properties = parameters.map(one => [
    one.name,
    {
      type: LITERAL.has(one.type) ? 'string' : one.type,
      description: LITERAL.has(one.type)
        ? trans.__('In Python; the notebook has %1', shortened(one.literal))
        : trans.__('The notebook has %1', shortened(one.literal))
    }
  ]);
  const needed = parameters.filter(one => one.type === 'integer' || one.type === 'number').map(one => one.name);
  return { type: 'object', properties: Object.fromEntries(properties), required: needed };
}

/** The values to run with, those that are not the notebook's own, and what is wrong with some. */
export function chosenValues(
  parameters: readonly Parameter[],
  data: Readonly<Record<string, unknown>>,
  trans: TranslationBundle
): { values: Record<string, unknown>; problems: FieldProblem[] } {
  const values: Record<string, unknown> = {};
  const problems: FieldProblem[] = [];
  for (const one of parameters.filter(isEditable)) {
    let value = data[one.name];
    if (LITERAL.has(one.type)) {
      const text = String(value ?? '').trim();
      const read = readLiteral(one, text);
      if (read === undefined) {
        problems.push({ name: one.name, message: wrongLiteral(one.type, trans) });
        continue;
      }
      value = read;
    } else if (one.type === 'string') {
      value ??= ''; // an empty field has no value
    }
    if (value !== undefined && !equal(value, one.value)) {
      values[one.name] = value;
    }
  }
  return { values, problems };
}

/** A value of which JSON has another idea than Python cannot be edited as a number. */
function isEditable(one: Parameter): boolean {
  const value: unknown = one.value;
  return (one.type !== 'integer' && one.type !== 'number') || typeof value === 'number';
}

/** What a run's text stands for, in the field of a parameter; undefined if it does not fit. */
function fromRun(one: Parameter, text: string): unknown {
  if (one.type === 'string') {
    return text;
  }
  if (one.type === 'none') {
    return text;
  }
  try {
    const value = parseLiteral(text);
    switch (one.type) {
      case 'boolean':
        return typeof value === 'boolean' ? value : undefined;
      case 'integer':
        return Number.isSafeInteger(value) ? value : undefined;
      case 'number':
        return typeof value === 'number' ? value : undefined;
      case 'list':
        return Array.isArray(value) ? text : undefined;
      default:
        return isObject(value) ? text : undefined;
    }
  } catch {
    return undefined;
  }
}

function readLiteral(one: Parameter, text: string): unknown {
  if (one.type === 'none' && text === '') {
    return null;
  }
  try {
    const value = parseLiteral(text);
    const fits = one.type === 'none' || (one.type === 'list' ? Array.isArray(value) : isObject(value));
    return fits ? value : undefined;
  } catch {
    return one.type === 'none' ? text : undefined; // a text may take the place of None
  }
}

function wrongLiteral(type: Parameter['type'], trans: TranslationBundle): string {
  return type === 'list'
    ? trans.__('This is no list. Write it as in Python: [1, 2, 3]')
    : trans.__('This is no dictionary. Write it as in Python: {"a": 1}');
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function equal(a: unknown, b: unknown): boolean {
  return literalText(a) === literalText(b);
}

function shortened(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}
