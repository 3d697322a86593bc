import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useRef } from 'react';

import type { NotebookProblem } from '../../api/messages/notebook';
import { Button } from '../../components/state';
import type { Review } from './review';

type Severity = NotebookProblem['severity'];

const SEVERITIES: readonly Severity[] = ['error', 'warning', 'info'];
const SIGNS: Readonly<Record<Severity, string>> = { error: '✕', warning: '⚠', info: 'ℹ' };

interface Props {
  review: Review;
  goTo: (cell: string, line: number | null) => void;
  trans: TranslationBundle;
}

/** What `check` found, the worst first. */
export function Problems(props: Props): JSX.Element {
  const { review, trans } = props;
  const part = useRef<HTMLElement>(null);
  useTarget(part, review);
  return (
    <section ref={part} className="jp-mlops-Part" aria-labelledby="jp-mlops-problems">
      <h3 id="jp-mlops-problems">{trans.__('Problems')}</h3>
      {review.problems.length === 0 && <p>{trans.__('No problems found.')}</p>}
      {review.fixable > 1 && (
        <div className="jp-mlops-Actions">
          <Button kind="accept" onClick={() => review.fixAll()} title={trans.__('Mend all that needs no decision; one step of undo')}>
            {trans.__('Fix All (%1)', review.fixable)}
          </Button>
        </div>
      )}
      {SEVERITIES.map(severity => (
        <Group key={severity} {...props} severity={severity} />
      ))}
    </section>
  );
}

function Group(props: Props & { severity: Severity }): JSX.Element | null {
  const { review, severity, trans } = props;
  const problems = review.problems.filter(one => one.severity === severity);
  const count = problems.length;
  if (!count) {
    return null;
  }
  const titles: Record<Severity, string> = {
    error: trans._n('%1 error', '%1 errors', count),
    warning: trans._n('%1 warning', '%1 warnings', count),
    info: trans._n('%1 note', '%1 notes', count)
  };
  const seen = new Map<string, number>();
  return (
    <details className="jp-mlops-Group" open={severity !== 'info'}>
      <summary>
        <span className="jp-mlops-Sign" data-severity={severity} aria-hidden="true">
          {SIGNS[severity]}
        </span>{' '}
        {titles[severity]}
      </summary>
      <ul className="jp-mlops-List">
        {problems.map(one => {
          const name = JSON.stringify([one.code, one.cell, one.message]);
          const nth = seen.get(name) ?? 0;
          seen.set(name, nth + 1);
          return <Problem key={`${name} ${nth}`} {...props} problem={one} />;
        })}
      </ul>
    </details>
  );
}

function Problem({ problem, review, goTo, trans }: Props & { problem: NotebookProblem }): JSX.Element {
  const { cell, number, line } = problem;
  const where = line === null ? trans.__('Cell %1', number ?? '–') : trans.__('Cell %1, line %2', number ?? '–', line);
  return (
    <li data-cell={cell ?? undefined}>
      <div className="jp-mlops-Line">
        {cell !== null && (
          <Button kind="link" onClick={() => goTo(cell, line)}>
            {where}
          </Button>
        )}
        <code className="jp-mlops-Code">{problem.code}</code>
      </div>
      <p>{problem.message}</p>
      {problem.fix && <p className="jp-mlops-Fix">{problem.fix}</p>}
      {problem.edits.length > 0 && (
        <div className="jp-mlops-Actions">
          <Button onClick={() => review.fix(problem)} label={trans.__('Fix %1 in cell %2', problem.code, number ?? '–')}>
            {trans.__('Fix')}
          </Button>
        </div>
      )}
    </li>
  );
}

/** Go to the problems of a cell when somebody asks for them at the cell. */
function useTarget(part: React.RefObject<HTMLElement>, review: Review): void {
  useEffect(() => {
    if (review.target === null) {
      return;
    }
    const found = Array.from(part.current?.querySelectorAll<HTMLElement>('[data-cell]') ?? []).find(one => one.dataset.cell === review.target);
    review.target = null;
    if (found) {
      found.closest('details')!.open = true;
      found.scrollIntoView?.({ block: 'nearest' });
      (found.querySelector('button') ?? part.current)?.focus({ preventScroll: true });
    }
  });
}
