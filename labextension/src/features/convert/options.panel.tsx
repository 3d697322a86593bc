import type { TranslationBundle } from '@jupyterlab/translation';
import { lazy, Suspense, useMemo, useState } from 'react';

import type { Parameter } from '../../api/messages/notebook';
import type { FieldProblem } from '../../components/form';
import { literalText } from '../runs/literal';
import { chosenValues, parameterForm } from '../runs/parameter-form';
import type { ConvertModel } from './model';
import type { ConvertOptions } from './options';

const JsonForm = lazy(() => import('../../components/json-form'));

/** How to convert, folded away: the defaults do the right thing. */
export function OptionsForm(props: { model: ConvertModel; trans: TranslationBundle }): JSX.Element {
  const { model, trans } = props;
  const { options } = model;
  const view = model.current.view;
  const [opened, setOpened] = useState(false); // the form's validator is loaded then
  const text = (key: 'output' | 'name' | 'model', label: string, placeholder: string): JSX.Element => (
    <div className="jp-mlops-Field">
      <label htmlFor={`mlops-convert-${key}`}>{label}</label>
      <input
        id={`mlops-convert-${key}`}
        className="jp-mod-styled"
        type="text"
        spellCheck={false}
        value={options[key]}
        placeholder={placeholder}
        onChange={event => model.setOptions({ [key]: event.target.value })}
      />
    </div>
  );
  const box = (key: 'register' | 'force' | 'allowMismatch', label: string): JSX.Element => (
    <label className="jp-mlops-Check">
      <input
        type="checkbox"
        checked={options[key]}
        onChange={event => model.setOptions({ [key]: event.target.checked } as Partial<ConvertOptions>)}
      />
      {label}
    </label>
  );
  return (
    <details className="jp-mlops-Fold" onToggle={() => setOpened(true)}>
      <summary>{trans.__('Options')}</summary>
      <fieldset className="jp-mlops-Form">
        <legend className="jp-mlops-Heard">{trans.__('Options of the conversion')}</legend>
        {text('output', trans.__('Folder of the project'), trans.__('beside the notebook, with its name'))}
        {text('name', trans.__('Name of the project and the model'), trans.__('that of the notebook'))}
        {text('model', trans.__('Variable of the model'), view?.model?.variable ?? trans.__('the one that is evaluated'))}
        {box('register', trans.__('Register the model'))}
        {box('force', trans.__('Replace a project that was edited (it is kept beside)'))}
        {box('allowMismatch', trans.__('Register even if predictions differ from the notebook (that is recorded)'))}
        {opened && view && view.parameters.length > 0 && (
          <Parameters key={model.path + JSON.stringify(view.parameters)} parameters={view.parameters} model={model} trans={trans} />
        )}
      </fieldset>
    </details>
  );
}

function Parameters(props: { parameters: readonly Parameter[]; model: ConvertModel; trans: TranslationBundle }): JSX.Element {
  const { parameters, model, trans } = props;
  const form = useMemo(() => parameterForm(parameters, null, trans), [parameters, trans]);
  const [initial] = useState(() => startValues(form.value, model.options.parameters));
  const [problems, setProblems] = useState<readonly FieldProblem[]>([]);
  return (
    <>
      <h4>{trans.__('Parameters')}</h4>
      {form.notes.map(note => (
        <p key={note}>{note}</p>
      ))}
      <Suspense fallback={<p>{trans.__('Loading…')}</p>}>
        <JsonForm
          id="mlops-convert-parameter"
          label={trans.__('Parameters of the notebook')}
          shape={form.shape}
          value={initial}
          trans={trans}
          problems={problems}
          onChange={row => {
            const chosen = chosenValues(parameters, row, trans);
            setProblems(chosen.problems);
            model.setOptions({ parameters: chosen.values });
          }}
        />
      </Suspense>
    </>
  );
}

/** What the form begins with: the notebook's values, and those that were changed here before. */
function startValues(values: Readonly<Record<string, unknown>>, changed: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const texts = Object.entries(changed).map(([name, value]) => [name, typeof value === 'object' ? literalText(value) : value]);
  return { ...values, ...Object.fromEntries(texts) };
}
