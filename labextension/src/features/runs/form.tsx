import type { TranslationBundle } from '@jupyterlab/translation';
import { lazy, Suspense, useEffect, useRef } from 'react';

import { Button, Empty, Failure } from '../../components/state';
import type { IRerunForm, Rerun } from './rerun';

// The validator of JSON Schemas is only needed here.
const JsonForm = lazy(() => import('../../components/json-form'));

/** The values to run the notebook with. */
export function RerunFormView(props: { rerun: Rerun; form: IRerunForm; name: string; trans: TranslationBundle }): JSX.Element {
  const { rerun, form, trans } = props;
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), [form.number]);
  const general = form.problems.filter(one => one.name === null);
  return (
    <section className="jp-mlops-RerunForm" aria-label={trans.__('Re-run')}>
      <h3 ref={title} tabIndex={-1}>
        {form.from ? trans.__('Re-run %1 from the values of “%2”', props.name, form.from) : trans.__('Re-run %1', props.name)}
      </h3>
      {rerun.error && <Failure error={rerun.error} trans={trans} />}
      {form.notes.length > 0 && (
        <ul>
          {form.notes.map(one => (
            <li key={one}>{one}</li>
          ))}
        </ul>
      )}
      {form.parameters.length === 0 ? (
        <Empty
          title={trans.__('The notebook declares no parameters.')}
          actions={
            <Button kind="accept" disabled={rerun.starting} onClick={() => void rerun.start({})}>
              {trans.__('Save and Run')}
            </Button>
          }
        >
          {trans.__('It can be run as it is. To vary values, put them into one cell at the top and tag it “parameters”.')}
        </Empty>
      ) : (
        <Suspense fallback={<Empty title={trans.__('Loading…')} />}>
          <JsonForm
            key={form.number}
            id={`mlops-rerun-${form.number}`}
            label={trans.__('Parameters')}
            shape={form.shape}
            value={form.value}
            problems={form.problems}
            trans={trans}
            submit={{
              label: rerun.starting ? trans.__('Starting…') : trans.__('Save and Run'),
              disabled: rerun.starting,
              run: data => void rerun.start(data)
            }}
          />
        </Suspense>
      )}
      {general.map(one => (
        <p key={one.message} role="alert">
          {one.message}
        </p>
      ))}
      <div className="jp-mlops-Actions">
        <Button onClick={() => rerun.cancelForm()}>{trans.__('Cancel')}</Button>
      </div>
    </section>
  );
}
