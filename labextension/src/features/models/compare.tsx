import type { TranslationBundle } from '@jupyterlab/translation';

import type { RunsComparison } from '../../api/messages/runs';
import { valueText } from '../../components/format';
import { LogText } from '../../components/log';

/** Two versions side by side, by their runs: metrics first, then the parameters that differ. */
export function Comparison(props: {
  comparison: RunsComparison;
  versions: readonly string[];
  trans: TranslationBundle;
}): JSX.Element {
  const { comparison, versions, trans } = props;
  const differing = comparison.params.filter(one => !one.same);
  const same = comparison.params.length - differing.length;
  return (
    <>
      <table className="jp-mlops-Table">
        <caption>{trans.__('Versions %1 and %2', versions[0], versions[1])}</caption>
        <thead>
          <tr>
            <th scope="col">{trans.__('Name')}</th>
            {versions.map(version => (
              <th key={version} scope="col">
                {trans.__('Version %1', version)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {comparison.metrics.map(one => (
            <tr key={`metric ${one.name}`}>
              <th scope="row">{one.name}</th>
              {one.values.map((value, index) => (
                <td key={index}>
                  {valueText(value)}
                  {one.best === index && <strong> {trans.__('(best)')}</strong>}
                </td>
              ))}
            </tr>
          ))}
          {differing.map(one => (
            <tr key={`param ${one.name}`}>
              <th scope="row">{one.name}</th>
              {one.values.map((value, index) => (
                <td key={index}>{valueText(value)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {same > 0 && <p className="jp-mlops-Quiet">{trans._n('%1 parameter is the same.', '%1 parameters are the same.', same)}</p>}
      {comparison.differences.map(one => (
        <details key={one.title} className="jp-mlops-Fold">
          <summary>{one.title}</summary>
          <LogText text={one.text} label={one.title} />
        </details>
      ))}
      {comparison.notes.map(note => (
        <p key={note}>{note}</p>
      ))}
    </>
  );
}
