import type { TranslationBundle } from '@jupyterlab/translation';

import type { Parameter, Restored } from '../../api/messages/notebook';
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

/** A run's values, as MLflow has them, and what the server says about putting them into the notebook. */
export interface IRunValues extends Pick<Restored, 'changed' | 'refused'> {
  values: Readonly<Record<string, string>>;
}

const LITERAL: ReadonlySet<Parameter['type']> = new Set(['list', 'object', 'none']);

/** A form that starts at a run's values, or without them at the notebook's own. */
export function parameterForm(parameters: readonly Parameter[], given: IRunValues | null, trans: TranslationBundle): IParameterForm {
  const notes = [...(given?.refused ?? [])];
  const held: Parameter[] = [];
  const value: Record<string, unknown> = {};
  for (const one of parameters) {
    if (!isEditable(one)) {
      notes.push(trans.__('“%1” is %2 in the notebook, which this form cannot hold. It stays so.', one.name, one.literal));
      continue;
    }
    held.push(one);
    value[one.name] = LITERAL.has(one.type) ? one.literal : one.value;
    if (given?.changed.includes(one.name)) {
      const text = given.values[one.name];
      const found = fieldValue(one, text);
      if (found === undefined) {
        notes.push(trans.__('“%1” was %2 in the run, which this form cannot hold. It starts at the notebook’s value.', one.name, shortened(text)));
      } else {
        value[one.name] = found;
      }
    }
  }
  return { shape: shapeOf(parameterSchema(held, trans)), value, notes };
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

/** A run's text, which the server would take, in the field of a parameter; undefined for a number that JavaScript cannot hold. */
function fieldValue(one: Parameter, text: string): unknown {
  if (one.type === 'string' || LITERAL.has(one.type)) {
    return text;
  }
  if (one.type === 'boolean') {
    return text.toLowerCase() === 'true';
  }
  const value = Number(text.replaceAll('_', ''));
  return (one.type === 'integer' ? Number.isSafeInteger(value) : Number.isFinite(value)) ? value : undefined;
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
