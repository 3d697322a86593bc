import type { TranslationBundle } from '@jupyterlab/translation';
import { useId } from 'react';

import { numberText } from '../../components/format';
import { safeLink } from '../../components/links';
import { useSignal } from '../../components/signals';
import { Button } from '../../components/state';
import type { RunsModel } from './model';
import { COMMANDS } from './view';

/** The filter, and how many runs there are. */
export function FilterBar({ model, trans }: { model: RunsModel; trans: TranslationBundle }): JSX.Element {
  useSignal(model.changed);
  const id = useId();
  const { page, filterError } = model;
  return (
    <div className="jp-mlops-RunsFilter">
      <label htmlFor={id}>{trans.__('Filter')}</label>
      <input
        id={id}
        type="search"
        className="jp-mod-styled"
        value={model.filter}
        placeholder={trans.__('tree auc>0.8 status=failed')}
        aria-describedby={`${id}-help`}
        aria-invalid={filterError !== null}
        spellCheck={false}
        onChange={event => model.setFilter(event.target.value)}
      />
      <details className="jp-mlops-RunsHelp">
        <summary>{trans.__('How to filter')}</summary>
        <p id={`${id}-help`}>
          {trans.__(
            'Words must all occur. Comparisons such as auc>0.8, lr=0.1, status=failed or when>2026-01-31 are of metrics, parameters and tags; metric:, param: or tag: before the name says which. Texts with spaces stand in quotes.'
          )}
        </p>
      </details>
      {filterError && (
        <div className="jp-mlops-RunsFilter-error" role="alert">
          {filterError.message} {filterError.fix}
        </div>
      )}
      <div className="jp-mlops-RunsCount" role="status" aria-live="polite">
        {page && countText(model, trans)}
      </div>
    </div>
  );
}

function countText(model: RunsModel, trans: TranslationBundle): string {
  const { matching, known, complete } = model.page!;
  const all = trans._n('%2 run', '%2 runs', known, numberText(known));
  const text = model.filter.trim() ? trans.__('%1 of %2', numberText(matching), all) : all;
  return complete ? text : trans.__('%1 so far, more are being read…', text);
}

/** What can be done with the selected runs. */
export function SelectionBar(props: {
  model: RunsModel;
  execute: (command: string) => void;
  trans: TranslationBundle;
}): JSX.Element {
  const { model, execute, trans } = props;
  useSignal(model.selection.changed);
  const size = model.selection.size;
  const only = model.selection.only;
  const link = safeLink(only?.run.link ?? null);
  return (
    <div className="jp-mlops-RunsSelection">
      <span role="status" aria-live="polite">
        {size === 0
          ? trans.__('Select runs to work with them; several with Ctrl, Shift or the boxes.')
          : only
            ? trans.__('“%1” is selected.', only.run.name)
            : trans._n('%1 run is selected.', '%1 runs are selected.', size)}
        {size > 10 && ' ' + trans.__('At most 10 can be compared.')}
      </span>
      {size > 0 && (
        <div className="jp-mlops-Actions">
          {only && (
            <>
              <Button onClick={() => execute(COMMANDS.restore)}>{trans.__('Restore Parameters…')}</Button>
              <Button onClick={() => execute(COMMANDS.rerun)}>{trans.__('Re-run…')}</Button>
              {link ? (
                <a className="jp-mlops-Button jp-mlops-ButtonLink" href={link} target="_blank" rel="noopener noreferrer">
                  {trans.__('Open in MLflow')}
                </a>
              ) : (
                <Button onClick={() => execute(COMMANDS.mlflow)}>{trans.__('See in MLflow…')}</Button>
              )}
            </>
          )}
          {size > 1 && (
            <Button kind="accept" disabled={size > 10} onClick={() => execute(COMMANDS.compare)}>
              {trans.__('Compare')}
            </Button>
          )}
          <Button onClick={() => model.selection.clear()}>{trans.__('Clear the Selection')}</Button>
        </div>
      )}
    </div>
  );
}
