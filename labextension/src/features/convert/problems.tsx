import type { TranslationBundle } from '@jupyterlab/translation';

import type { ReportOfAConversion } from '../../api/messages/report';
import { Button } from '../../components/state';
import type { CurrentNotebook } from '../current/model';

type Problem = ReportOfAConversion['problems'][number];
const ORDER = ['error', 'warning', 'info'];

/** What a conversion found, the worst first; those of a cell lead there. */
export function Problems(props: { problems: readonly Problem[]; current: CurrentNotebook; trans: TranslationBundle }): JSX.Element | null {
  const { trans } = props;
  const words: Record<string, string> = { error: trans.__('Error'), warning: trans.__('Warning'), info: trans.__('Note') };
  const problems = [...props.problems].sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
  return problems.length === 0 ? null : (
    <ul className="jp-mlops-Problems" aria-label={trans.__('What the conversion found')}>
      {problems.map((one, index) => (
        <li key={index} data-severity={one.severity}>
          <p>
            <strong>{words[one.severity]}</strong>{' '}
            {one.cell != null && (
              <Button onClick={() => void goToNumber(props.current, one.cell!, one.line ?? null)}>
                {one.line != null ? trans.__('Cell %1, line %2', one.cell, one.line) : trans.__('Cell %1', one.cell)}
              </Button>
            )}
          </p>
          <p>{one.message}</p>
          {one.fix && <p className="jp-mlops-Quiet">{one.fix}</p>}
        </li>
      ))}
    </ul>
  );
}

/** Go to a cell by its number, as reports have it; it may be gone by now. */
async function goToNumber(current: CurrentNotebook, number: number, line: number | null): Promise<void> {
  const cell = current.cells()[number - 1];
  if (cell) {
    await current.goTo(cell.id, line);
  }
}
