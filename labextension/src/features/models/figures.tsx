import type { TranslationBundle } from '@jupyterlab/translation';

import type { PromotionStep } from '../../api/messages/models';
import { percentText, valueText } from '../../components/format';
import { LogText } from '../../components/log';
import type { Step } from '../../components/steps';
import { CANARY, PromotionModel } from './promotion';

type Figures = PromotionStep['figures'];

/** One figure as it is shown; `means` says what it is. */
interface Figure {
  name: string;
  text: string;
  means?: string;
}

/** The steps with their figures and logs: folded away, but for the canary's while traffic moves. */
export function withFigures(steps: readonly Step[], model: PromotionModel, trans: TranslationBundle): Step[] {
  return steps.map(step => {
    const known = model.promotion?.steps.find(one => one.name === step.name);
    const live = step.status === 'running' ? model.lastFigures(step.name) : null;
    const figures = figuresOf(step, { ...known?.figures, ...live }, trans);
    const log = known?.log ?? null;
    if (figures.length === 0 && log === null) {
      return step;
    }
    const table = figures.length > 0 && <FiguresTable figures={figures} title={step.title} trans={trans} />;
    const more =
      step.name === CANARY && step.status === 'running' ? (
        table
      ) : (
        <details className="jp-mlops-Fold">
          <summary>
            {!table ? trans.__('Log') : log ? trans.__('Figures and log') : trans.__('Figures')}
            <span className="jp-mlops-Heard">{trans.__('of %1', step.title)}</span>
          </summary>
          {table}
          {log && <LogText text={log} label={trans.__('Log of %1', step.title)} />}
        </details>
      );
    return { ...step, more };
  });
}

function FiguresTable(props: { figures: readonly Figure[]; title: string; trans: TranslationBundle }): JSX.Element {
  return (
    <table className="jp-mlops-Table" aria-label={props.trans.__('Figures of %1', props.title)}>
      <tbody>
        {props.figures.map(({ name, text, means }) => (
          <tr key={name} title={means}>
            <th scope="row">{name}</th>
            <td>{text}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function figuresOf(step: Step, figures: Figures, trans: TranslationBundle): Figure[] {
  if (step.name === CANARY) {
    return canaryFigures(figures, step.status === 'running', trans);
  }
  return Object.entries(figures).map(([name, value]) => ({
    name,
    text: typeof value === 'boolean' ? (value ? trans.__('yes') : trans.__('no')) : valueText(value)
  }));
}

/** What a look at a canary says, in words. */
function canaryFigures(figures: Figures, running: boolean, trans: TranslationBundle): Figure[] {
  const { share, requests, evidence, latencyRatio, slowLooks, url } = figures;
  const found: Figure[] = [];
  const add = (value: unknown, name: string, means: string, text = valueText(value)): void => {
    if (value !== undefined) {
      found.push({ name, text, means });
    }
  };
  add(
    share,
    trans.__('Share of the traffic'),
    trans.__('Part of the requests that the new version answers'),
    share === 0 && running ? trans.__('copies only (shadow)') : percentText(Number(share) / 100)
  );
  add(requests, trans.__('Requests'), trans.__('That the new version has answered in this step; a step needs some before the next one'));
  add(
    evidence,
    trans.__('Evidence against it'),
    trans.__('How far its errors are beyond those of the version in production: about 1 is none; at abort.evidence (20 unless promotion.yaml says another) it is taken off')
  );
  add(
    latencyRatio,
    trans.__('Latency ratio'),
    trans.__('Its latency divided by that of the version in production: 1 is equal, more is slower; not known while there are few requests')
  );
  add(
    slowLooks,
    trans.__('Slow looks in a row'),
    trans.__('Looks one after the other at which it was too slow; at abort.latency_looks (3 unless promotion.yaml says another) it is taken off')
  );
  add(url, trans.__('Served at'), trans.__('Address on the server’s machine'));
  return found;
}
