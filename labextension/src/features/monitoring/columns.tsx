import type { TranslationBundle } from '@jupyterlab/translation';
import { useState } from 'react';

import type { Column, MonitorReport } from '../../api/messages/monitor';
import { roughText } from '../../components/format';
import { Button } from '../../components/state';
import { farthestFirst, overLimit } from './model';

const SHOWN = 6; // unasked
const [LEAST, MOST] = [2, 5]; // limits that a bar has room for

/** The predictions and the columns, those first that are the farthest from the reference, with a bar against the limit. */
export function Columns({ report, trans }: { report: MonitorReport; trans: TranslationBundle }): JSX.Element | null {
  const [all, setAll] = useState(false);
  const columns = farthestFirst(report.columns);
  if (!columns.length && !report.prediction) {
    return null;
  }
  const room = Math.min(MOST, Math.max(LEAST, ...columns.map(overLimit), report.prediction ? overLimit(report.prediction) : 0));
  const rest = columns.length - SHOWN;
  return (
    <>
      <table className="jp-mlops-Table jp-mlops-Drift" aria-label={trans.__('Distance of each column from the reference')}>
        <thead>
          <tr>
            <th scope="col">{trans.__('Column')}</th>
            <th scope="col" colSpan={2} title={trans.__('Numbers: Wasserstein distance in standard deviations of the reference. Categories: Jensen-Shannon distance, 0 to 1. Texts: how well they are told from the reference, 0.5 to 1.')}>
              {trans.__('Distance, and limit')}
            </th>
          </tr>
        </thead>
        <tbody>
          {report.prediction && <Row column={report.prediction} name={<em>{trans.__('predictions')}</em>} room={room} trans={trans} />}
          {columns.slice(0, all ? undefined : SHOWN).map(one => (
            <Row key={one.column} column={one} name={one.column} room={room} trans={trans} />
          ))}
        </tbody>
      </table>
      {rest > 0 && (
        <Button kind="link" onClick={() => setAll(!all)}>
          {all ? trans.__('Show Fewer Columns') : trans._n('Show %1 More Column', 'Show %1 More Columns', rest)}
        </Button>
      )}
    </>
  );
}

function Row(props: { column: Column; name: JSX.Element | string; room: number; trans: TranslationBundle }): JSX.Element {
  const { column, name, room, trans } = props;
  const part = (limits: number): string => `${Math.round(Math.min(1, limits / room) * 1000) / 10}%`;
  return (
    <tr data-drifted={column.drifted || undefined}>
      <th scope="row">{name}</th>
      <td className="jp-mlops-Drift-room">
        <span className="jp-mlops-Drift-track" aria-hidden="true">
          <span className="jp-mlops-Drift-bar" style={{ width: part(overLimit(column)) }} />
          <span className="jp-mlops-Drift-limit" style={{ left: part(1) }} />
        </span>
      </td>
      <td>
        {column.distance === null ? '–' : roughText(column.distance)} / {roughText(column.threshold)}
        {column.drifted && <span className="jp-mlops-Heard">{trans.__('drifted')}</span>}
      </td>
    </tr>
  );
}
