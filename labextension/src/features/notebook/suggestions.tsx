import type { TranslationBundle } from '@jupyterlab/translation';

import { Button } from '../../components/state';
import type { Review } from './review';
import { canFollow, labelOf } from './split';

/** Tags that would fit, each with its reason. */
export function Suggestions(props: { review: Review; goTo: (cell: string) => void; trans: TranslationBundle }): JSX.Element | null {
  const { review, goTo, trans } = props;
  const { suggestions } = review;
  if (!suggestions.length) {
    return null;
  }
  const count = suggestions.length;
  return (
    <section className="jp-mlops-Part" aria-labelledby="jp-mlops-suggestions">
      <h3 id="jp-mlops-suggestions">{trans._n('%1 suggested tag', '%1 suggested tags', count)}</h3>
      <div className="jp-mlops-Actions">
        <Button kind="accept" onClick={() => review.acceptAll()} title={trans.__('Tag and split the cells as suggested; one step of undo')}>
          {trans.__('Accept All')}
        </Button>
        <Button onClick={() => (review.suggesting = !review.suggesting)}>
          {review.suggesting ? trans.__('Hide at the Cells') : trans.__('Show at the Cells')}
        </Button>
      </div>
      <ul className="jp-mlops-List">
        {suggestions.map(one => (
          <li key={`${one.cell} ${labelOf(one)}`}>
            <div className="jp-mlops-Line">
              <Button kind="link" onClick={() => goTo(one.cell)}>
                {trans.__('Cell %1', one.number)}
              </Button>
              {canFollow(one) && <span className="jp-mlops-Proposal-tag">{trans.__('%1?', labelOf(one))}</span>}
            </div>
            <p>{one.reason}</p>
            <div className="jp-mlops-Actions">
              {canFollow(one) && (
                <Button
                  onClick={() => review.accept(one.cell)}
                  label={
                    one.tag === null
                      ? trans.__('Split cell %1 into %2 and tag them', one.number, labelOf(one))
                      : trans.__('Tag cell %1 as %2', one.number, labelOf(one))
                  }
                >
                  {one.tag === null ? trans.__('Split and Tag') : trans.__('Accept')}
                </Button>
              )}
              <Button onClick={() => review.dismiss(one.cell)} label={trans.__('Dismiss the suggestion for cell %1', one.number)}>
                {trans.__('Dismiss')}
              </Button>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
