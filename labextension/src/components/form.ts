import type { ReadonlyJSONObject, ReadonlyJSONValue } from '@lumino/coreutils';
import type { ErrorSchema, RJSFSchema, UiSchema } from '@rjsf/utils';

/** A field of a form: the name that it stands for, and the plain key under which the form has it. */
interface FormField {
  key: string;
  name: string;
  /** An empty field is null, which says that the value is missing. */
  nullable: boolean;
}

/** What a form is made from. Names of columns may hold spaces and dots, which ids of elements and paths cannot. */
export interface FormShape {
  schema: RJSFSchema;
  uiSchema: UiSchema<ReadonlyJSONObject>;
  fields: readonly FormField[];
}

/** A problem that a server found; `name` is the field that it is about, null for all of it. */
export interface FieldProblem {
  name: string | null;
  message: string;
}

type Schema = Record<string, unknown>;

/** A form for an object with the properties of a JSON Schema. */
export function shapeOf(schema: Schema, emptyText = ''): FormShape {
  const required = new Set(Array.isArray(schema.required) ? (schema.required as string[]) : []);
  const properties: Record<string, Schema> = {};
  const uiSchema: UiSchema<ReadonlyJSONObject> = { 'ui:submitButtonOptions': { norender: true } };
  const needed: string[] = [];
  const fields = Object.entries((schema.properties ?? {}) as Record<string, Schema>).map(([name, given], index) => {
    const key = `c${index}`;
    const { schema: plain, nullable } = withoutNull(given);
    properties[key] = { ...plain, title: name };
    if (plain.enum) {
      uiSchema[key] = { 'ui:placeholder': emptyText };
    } else if (plain.type === 'boolean' && nullable) {
      properties[key].enum = [true, false]; // a box cannot say that nothing is known
      uiSchema[key] = { 'ui:widget': 'select', 'ui:placeholder': emptyText };
    }
    if (required.has(name) && !nullable) {
      needed.push(key);
    }
    return { key, name, nullable };
  });
  const form: RJSFSchema = { type: 'object', properties: properties as RJSFSchema['properties'], required: needed };
  if (schema.$defs) {
    form.$defs = schema.$defs as RJSFSchema['$defs'];
  }
  return { schema: form, uiSchema, fields };
}

/** An object as the form has it. */
export function toForm(shape: FormShape, row: Readonly<Record<string, unknown>>): ReadonlyJSONObject {
  const given = shape.fields.filter(field => row[field.name] !== null && row[field.name] !== undefined);
  return Object.fromEntries(given.map(field => [field.key, row[field.name] as ReadonlyJSONValue]));
}

/** The object that a form's content stands for. */
export function fromForm(shape: FormShape, data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (const { key, name, nullable } of shape.fields) {
    const value = data[key];
    if (value !== undefined && value !== null) {
      row[name] = value;
    } else if (nullable) {
      row[name] = null;
    }
  }
  return row;
}

/** Problems at the fields that they are about. */
export function problemsAt(shape: FormShape, problems: readonly FieldProblem[]): ErrorSchema<ReadonlyJSONObject> {
  const found: Record<string, { __errors: string[] }> = {};
  for (const { name, message } of problems) {
    const field = shape.fields.find(one => one.name === name);
    if (field) {
      (found[field.key] ??= { __errors: [] }).__errors.push(message);
    }
  }
  return found as ErrorSchema<ReadonlyJSONObject>;
}

/** A schema without the null that it allows. */
function withoutNull(given: Schema): { schema: Schema; nullable: boolean } {
  const { anyOf, oneOf, default: initial, ...rest } = given;
  const choices = (anyOf ?? oneOf) as Schema[] | undefined;
  let schema: Schema = { ...rest };
  let nullable = false;
  if (choices) {
    const kept = choices.filter(one => one.type !== 'null');
    nullable = kept.length < choices.length;
    schema = kept.length === 1 ? { ...kept[0], ...rest } : { ...rest, anyOf: kept };
  }
  if (Array.isArray(schema.type)) {
    const kept = schema.type.filter(one => one !== 'null');
    nullable ||= kept.length < schema.type.length;
    schema.type = kept.length === 1 ? kept[0] : kept;
  }
  if (Array.isArray(schema.enum)) {
    const kept = schema.enum.filter(one => one !== null);
    nullable ||= kept.length < schema.enum.length;
    schema.enum = kept;
    schema.type ??= typeof kept[0] === 'number' ? 'number' : typeof kept[0] === 'boolean' ? 'boolean' : 'string';
  }
  if (initial !== undefined && initial !== null) {
    schema.default = initial;
  }
  if (schema.type === 'string') {
    delete schema.format; // a browser's own field for times would change the zone
  }
  return { schema, nullable };
}
