// Predicts in the browser with onnxruntime-web (WebAssembly, one thread, files of this folder).
import * as ort from './vendor/ort.wasm.min.mjs';

ort.env.wasm.wasmPaths = new URL('vendor/', import.meta.url).href;
ort.env.wasm.numThreads = 1;

const $ = id => document.getElementById(id);
const TOLERANCE = 1e-6;

/** The model and what a row of it holds. */
class Bundle {
  constructor(session, signature) {
    this.session = session;
    this.columns = signature.raw.inputs;
    this.output = signature.raw.output;
    this.onnx = signature.onnx;
    const { label, prediction, probabilities } = signature.onnx.outputs;
    this.names = [label ?? prediction, probabilities].filter(Boolean);
  }

  static async load() {
    const sums = await checksums();
    const signature = JSON.parse(new TextDecoder().decode(await file('signature.json', sums)));
    const model = await file('model.onnx', sums);
    return new Bundle(await ort.InferenceSession.create(new Uint8Array(model)), signature);
  }

  /** Rows to the inputs of the model. */
  feeds(rows) {
    const byName = new Map(this.columns.map(column => [column.name, column]));
    const feeds = {};
    for (const input of this.onnx.inputs) {
      const names = input.column === null ? this.columns.map(column => column.name) : [input.column];
      const values = rows.flatMap(row => names.map(name => this.value(row[name], input, byName.get(name))));
      feeds[input.name] = tensor(input.type, values, [rows.length, names.length]);
    }
    return feeds;
  }

  value(value, input, column) {
    if (value === null || value === undefined) {
      return input.type === 'string' ? this.onnx.null_string : NaN;
    }
    if (input.type === 'string') {
      return typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value);
    }
    if (column.kind === 'datetime') {
      return microseconds(value);
    }
    return column.dtype === 'float32' ? Math.fround(Number(value)) : Number(value);
  }

  async predict(rows) {
    const results = await this.session.run(this.feeds(rows), this.names);
    const labels = Array.from(results[this.names[0]].data, value => this.label(value));
    const classes = this.output.classes;
    const flat = this.names.length > 1 ? results[this.names[1]].data : null;
    return labels.map((prediction, at) => ({
      prediction,
      probabilities: flat && classes.map((_, k) => flat[at * classes.length + k])
    }));
  }

  label(value) {
    const plain = typeof value === 'bigint' ? Number(value) : value;
    return this.output.dtype.startsWith('bool') ? Boolean(plain) : plain;
  }
}

/** An ISO 8601 date as microseconds since 1970; the model knows no time zones. */
function microseconds(text) {
  const found = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,6})\d*)?)?$/.exec(text);
  const moment = found ? Date.parse(`${found[1]}T${found[2] ?? '00:00'}Z`) : NaN;
  if (Number.isNaN(moment)) {
    throw new Error(`${text} is no date.`);
  }
  return moment * 1000 + Number((found[3] ?? '').padEnd(6, '0'));
}

function tensor(type, values, shape) {
  switch (type) {
    case 'string':
      return new ort.Tensor('string', values, shape);
    case 'int64':
      return new ort.Tensor('int64', BigInt64Array.from(values, value => BigInt(Math.trunc(value))), shape);
    case 'bool':
      return new ort.Tensor('bool', Uint8Array.from(values, Number), shape);
    default:
      return new ort.Tensor('float64', Float64Array.from(values), shape);
  }
}

async function checksums() {
  const text = new TextDecoder().decode(await fetched('SHA256SUMS'));
  return new Map(text.trim().split('\n').map(line => line.split('  ').reverse()));
}

async function fetched(name) {
  const answer = await fetch(name);
  if (!answer.ok) {
    throw new Error(`${name} cannot be read (${answer.status}).`);
  }
  return answer.arrayBuffer();
}

/** A file of the bundle, refused when it is not the one that was proven. */
async function file(name, sums) {
  const data = await fetched(name);
  if (globalThis.crypto?.subtle) {
    // Browsers offer it on https and on this machine only.
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
    const hex = Array.from(digest, byte => byte.toString(16).padStart(2, '0')).join('');
    if (sums.get(name) !== hex) {
      throw new Error(`${name} was changed: it is not the file that was proven.`);
    }
  }
  return data;
}

/** One labelled input per column, filled with a row of the training data. */
function makeField(column) {
  const box = document.createElement('div');
  const label = document.createElement('label');
  const id = `column-${column.name}`;
  label.htmlFor = id;
  label.textContent = column.name;
  let input;
  if (column.kind === 'boolean' || (column.categories && column.categories.length <= 60)) {
    input = document.createElement('select');
    const levels = column.kind === 'boolean' ? [true, false] : column.categories;
    for (const level of [...(column.nullable ? [null] : []), ...levels]) {
      const option = new Option(level === null ? '(missing)' : String(level), JSON.stringify(level));
      option.selected = level === column.example;
      input.add(option);
    }
  } else {
    input = document.createElement('input');
    const numeric = column.kind === 'float' || column.kind === 'integer';
    input.type = numeric ? 'number' : column.kind === 'datetime' ? 'datetime-local' : 'text';
    if (numeric) {
      input.step = column.kind === 'float' ? 'any' : '1';
    }
    input.required = !column.nullable;
    input.value = column.example ?? '';
  }
  input.id = id;
  input.name = column.name;
  box.append(label, input);
  if (column.minimum !== null || column.nullable) {
    const hint = document.createElement('span');
    hint.className = 'hint';
    hint.id = `${id}-hint`;
    const range = column.minimum === null ? '' : `seen from ${column.minimum} to ${column.maximum}`;
    hint.textContent = [range, column.nullable ? 'may be empty' : ''].filter(Boolean).join(', ');
    input.setAttribute('aria-describedby', hint.id);
    box.append(hint);
  }
  return box;
}

/** The form's row; the first wrong field gets the focus. */
function readRow(columns) {
  const row = {};
  for (const column of columns) {
    const input = $(`column-${column.name}`);
    input.removeAttribute('aria-invalid');
    if (input instanceof HTMLSelectElement) {
      row[column.name] = JSON.parse(input.value);
      continue;
    }
    const text = input.value;
    const numeric = input.type === 'number';
    const empty = text === '';
    if ((empty && !column.nullable && column.kind !== 'string') || !input.checkValidity()) {
      input.setAttribute('aria-invalid', 'true');
      input.focus();
      throw new Error(`${column.name}: ${input.validationMessage || 'a value is needed'}`);
    }
    row[column.name] = empty && (numeric || column.nullable) ? null : numeric ? Number(text) : text;
  }
  return row;
}

function show(answer, classes) {
  $('prediction').textContent = String(answer.prediction);
  const list = $('probabilities');
  list.replaceChildren();
  (answer.probabilities ?? []).forEach((value, at) => {
    const term = document.createElement('dt');
    const detail = document.createElement('dd');
    term.textContent = String(classes[at]);
    detail.textContent = value.toFixed(6);
    list.append(term, detail);
  });
  $('answer').hidden = false;
}

/** How many golden rows get the notebook's own prediction. */
async function checkGolden(bundle) {
  const golden = JSON.parse(new TextDecoder().decode(await fetched('golden.json')));
  const answers = await bundle.predict(golden.rows);
  let equal = 0;
  answers.forEach((answer, at) => {
    const expected = golden.predictions[at];
    const same =
      typeof expected === 'number' && !bundle.output.classes
        ? Math.abs(answer.prediction - expected) <= TOLERANCE * Math.max(1, Math.abs(expected))
        : answer.prediction === expected;
    const wanted = golden.probabilities?.[at];
    const near = !wanted || !answer.probabilities || wanted.every((p, k) => Math.abs(p - answer.probabilities[k]) <= TOLERANCE);
    equal += same && near;
  });
  return [equal, answers.length];
}

async function main() {
  const bundle = await Bundle.load();
  $('fields').append(...bundle.columns.map(makeField));
  $('form').addEventListener('submit', async event => {
    event.preventDefault();
    $('error').textContent = '';
    try {
      const [answer] = await bundle.predict([readRow(bundle.columns)]);
      show(answer, bundle.output.classes);
    } catch (error) {
      $('answer').hidden = true;
      $('error').textContent = error.message;
    }
  });
  $('check').addEventListener('click', async () => {
    $('checked').textContent = 'Checking…';
    try {
      const [equal, all] = await checkGolden(bundle);
      $('checked').textContent = `${equal} of ${all} golden rows agree with the notebook.`;
    } catch (error) {
      $('checked').textContent = error.message;
    }
  });
  for (const button of document.querySelectorAll('button')) {
    button.disabled = false;
  }
  $('status').textContent = 'The model is loaded.';
}

main().catch(error => {
  $('status').textContent = '';
  $('error').textContent = `The bundle cannot be used: ${error.message}`;
});
