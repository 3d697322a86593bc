import type { TranslationBundle } from '@jupyterlab/translation';
import { useRef } from 'react';

import { useKeptFocus } from '../../components/focus';
import { Empty, Failure } from '../../components/state';
import { useSignal } from '../../components/signals';
import type { CurrentNotebook } from '../current/model';
import type { ServerState } from '../sidebar/status';
import { Problems } from './problems';
import type { Review } from './review';
import { Stages } from './stages';
import type { Start } from './start';
import { StartCard } from './start-card';
import { Suggestions } from './suggestions';

interface NotebookPanelProps {
  review: Review;
  start: Start;
  server: ServerState;
  trans: TranslationBundle;
}

/** The section "Notebook": the way to production, stages, suggested tags and problems. */
export function NotebookSection(props: NotebookPanelProps): JSX.Element {
  const { review, start, server, trans } = props;
  const { current } = review;
  useSignal(review.changed);
  useSignal(server.changed);
  const section = useRef<HTMLDivElement>(null);
  useKeptFocus(section, '.jp-mlops-Message');
  return (
    <div ref={section} className="jp-mlops-Notebook">
      <StartCard start={start} trans={trans} />
      <p className="jp-mlops-Message" role="status" tabIndex={-1}>
        {review.message}
      </p>
      <Busy current={current} trans={trans} />
      {current.panel ? <Analysis {...props} /> : null}
    </div>
  );
}

/** Draws itself alone, since it comes and goes with every pause while somebody types. */
function Busy({ current, trans }: { current: CurrentNotebook; trans: TranslationBundle }): JSX.Element | null {
  useSignal(current.changed);
  return current.busy ? <span className="jp-mlops-Busy" title={trans.__('The notebook is being checked.')} /> : null;
}

function Analysis({ review, server, trans }: NotebookPanelProps): JSX.Element {
  const { current } = review;
  const { view, error } = current;
  // The banner of the sidebar says the same of a server that does not answer.
  const failure = error && !server.error ? <Failure error={error} trans={trans} retry={() => void current.refresh()} /> : null;
  if (!view) {
    return failure ?? <Empty title={error ? trans.__('Nothing is known about this notebook while the server does not answer.') : trans.__('Reading the notebook…')} />;
  }
  const { unreadable } = current;
  if (unreadable) {
    return (
      <>
        {failure}
        <Empty title={trans.__('Nothing can be made of this notebook.')}>
          {unreadable.message} {unreadable.fix}
        </Empty>
      </>
    );
  }
  const order = new Map(Array.from(current.panel?.content.model?.cells ?? [], (cell, i) => [cell.id, i + 1]));
  const goTo = (cell: string, line: number | null = null): void => void current.goTo(cell, line);
  return (
    <>
      {failure}
      <section className="jp-mlops-Part" aria-labelledby="jp-mlops-stages">
        <h3 id="jp-mlops-stages">{trans.__('Stages')}</h3>
        {view.stages.length ? (
          <Stages view={view} numberOf={cell => order.get(cell) ?? null} goTo={goTo} trans={trans} />
        ) : (
          <p>{trans.__('No cell is tagged, and no model was found to suggest tags around. Tag cells with the key T.')}</p>
        )}
        {view.model && (
          <p className="jp-mlops-Model">
            {trans.__('Model: ')}
            <code>{view.model.variable}</code> ({view.model.reason})
          </p>
        )}
      </section>
      <Suggestions review={review} goTo={goTo} trans={trans} />
      <Problems review={review} goTo={goTo} trans={trans} />
    </>
  );
}
