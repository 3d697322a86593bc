import type { TranslationBundle } from '@jupyterlab/translation';

import type { ReportOfAConversion, Side } from '../../api/messages/report';
import { numberText } from '../../components/format';

type Parity = NonNullable<ReportOfAConversion['parity']>;
const SIDES = ['package', 'service', 'bundle'] as const;

/** What package, service and bundle predict, against the notebook. */
export function ParityTable(props: { parity: Parity; trans: TranslationBundle }): JSX.Element {
  const { parity, trans } = props;
  const titles = { package: trans.__('Package'), service: trans.__('Service'), bundle: trans.__('Bundle') };
  return (
    <>
      <table className="jp-mlops-Table jp-mod-words">
        <caption>{trans._n('Parity with the notebook, %1 row', 'Parity with the notebook, %1 rows', parity.rows)}</caption>
        <thead>
          <tr>
            <th scope="col">{trans.__('Side')}</th>
            <th scope="col">{trans.__('Labels')}</th>
            <th scope="col">{trans.__('Largest difference')}</th>
            <th scope="col">{trans.__('Mismatches')}</th>
          </tr>
        </thead>
        <tbody>
          {SIDES.map(name => (
            <tr key={name} data-verdict={verdict(parity[name])}>
              <th scope="row">{titles[name]}</th>
              <SideCells side={parity[name]} rows={parity.rows} reason={parity.reasons?.[name]} trans={trans} />
            </tr>
          ))}
        </tbody>
      </table>
      {parity.carried === 'notebook' && <p>{trans.__('The model that the notebook itself fitted is carried and proven.')}</p>}
      {typeof parity.tolerance.why === 'string' && (
        <details className="jp-mlops-Fold">
          <summary>{trans.__('Tolerance')}</summary>
          <p className="jp-mlops-Quiet">{parity.tolerance.why}</p>
        </details>
      )}
    </>
  );
}

function verdict(side: Side): 'equal' | 'differs' | 'none' {
  return side === null ? 'none' : side.mismatches === 0 ? 'equal' : 'differs';
}

function SideCells(props: { side: Side; rows: number; reason?: string; trans: TranslationBundle }): JSX.Element {
  const { side, trans } = props;
  if (side === null) {
    return <td colSpan={3}>{props.reason ? trans.__('Not compared: %1', props.reason) : trans.__('Not compared')}</td>;
  }
  const rows = side.rows ?? props.rows;
  return (
    <>
      <td>{side.labels_equal ? trans.__('equal') : trans.__('differ')}</td>
      <td>{side.max_abs_diff === null ? trans.__('not a number') : numberText(side.max_abs_diff)}</td>
      <td>
        {side.mismatches === 0
          ? trans._n('none of %1', 'none of %1', rows)
          : trans.__('%1 of %2', numberText(side.mismatches), numberText(rows))}
      </td>
    </>
  );
}
