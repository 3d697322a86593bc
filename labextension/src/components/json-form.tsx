import type { TranslationBundle } from '@jupyterlab/translation';
import { FormComponent } from '@jupyterlab/ui-components';
import { descriptionId, errorId, FieldTemplateProps, ObjectFieldTemplateProps } from '@rjsf/utils';
import { customizeValidator } from '@rjsf/validator-ajv8';
import type { ReadonlyJSONObject } from '@lumino/coreutils';
import { useMemo, useState } from 'react';

import { FieldProblem, FormShape, fromForm, problemsAt, toForm } from './form';
import { Button } from './state';

const validator = customizeValidator<ReadonlyJSONObject>();
// JupyterLab's own templates give fields no label that a screen reader finds.
const TEMPLATES = { FieldTemplate: LabelledField, ObjectFieldTemplate: PlainObject };

/**
 * A form for one object, with JupyterLab's own form component. It loads the validator: import it lazily.
 *
 * `problems` stand at the fields that they are about; those about none are the caller's to show.
 */
export default function JsonForm(props: {
  id: string;
  label: string;
  shape: FormShape;
  value: Readonly<Record<string, unknown>>;
  trans: TranslationBundle;
  problems?: readonly FieldProblem[];
  onChange?: (value: Record<string, unknown>) => void;
  /** Without it the form has no button. */
  submit?: { label: string; disabled?: boolean; run: (value: Record<string, unknown>) => void };
}): JSX.Element {
  const { shape, submit } = props;
  const [data, setData] = useState(() => toForm(shape, props.value));
  const errors = useMemo(() => problemsAt(shape, props.problems ?? []), [shape, props.problems]);
  return (
    <div className="jp-mlops-Form" role="group" aria-label={props.label}>
      <FormComponent
        schema={shape.schema}
        uiSchema={shape.uiSchema}
        formData={data}
        validator={validator}
        templates={TEMPLATES}
        idPrefix={props.id}
        noHtml5Validate
        showErrorList={false}
        focusOnFirstError
        extraErrors={errors}
        transformErrors={found =>
          found.map(one => (one.name === 'required' ? { ...one, message: props.trans.__('A value is needed here.') } : one))
        }
        onError={() => undefined} // they stand at the fields
        tagName={submit ? 'form' : 'div'}
        onChange={event => {
          const changed = event.formData ?? {};
          setData(changed);
          props.onChange?.(fromForm(shape, changed));
        }}
        onSubmit={event => !submit?.disabled && submit?.run(fromForm(shape, event.formData ?? {}))}
      >
        {submit ? (
          <div className="jp-mlops-Actions">
            <Button kind="accept" disabled={submit.disabled}>
              {submit.label}
            </Button>
            <Button onClick={() => setData(toForm(shape, props.value))}>{props.trans.__('Reset')}</Button>
          </div>
        ) : (
          <></>
        )}
      </FormComponent>
    </div>
  );
}

function LabelledField(props: FieldTemplateProps<ReadonlyJSONObject>): JSX.Element {
  const { id, rawErrors, rawDescription } = props;
  if (props.hidden || props.schema.type === 'object') {
    return <div hidden={props.hidden}>{props.children}</div>;
  }
  return (
    <div className="jp-mlops-Field" data-wrong={rawErrors?.length ? true : undefined}>
      {props.displayLabel && <label htmlFor={id}>{props.label}</label>}
      {props.children}
      {props.displayLabel && rawDescription && (
        <div id={descriptionId(id)} className="jp-mlops-Field-description">
          {rawDescription}
        </div>
      )}
      {rawErrors && rawErrors.length > 0 && (
        <ul id={errorId(id)} className="jp-mlops-Field-errors">
          {[...new Set(rawErrors)].map(one => (
            <li key={one}>{one}</li>
          ))}
        </ul>
      )}
    </div>
  );
}

function PlainObject(props: ObjectFieldTemplateProps<ReadonlyJSONObject>): JSX.Element {
  return <>{props.properties.map(one => one.content)}</>;
}
