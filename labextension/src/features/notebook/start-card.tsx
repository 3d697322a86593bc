import type { TranslationBundle } from '@jupyterlab/translation';

import { useSignal } from '../../components/signals';
import { Button } from '../../components/state';
import type { Start, Step } from './start';

const SIGNS: Readonly<Record<Step['state'], string>> = { done: '✓', next: '➜', later: '○' };

/** The way from a notebook to production as a list to tick off. */
export function StartCard(props: { start: Start; trans: TranslationBundle }): JSX.Element {
  const { start, trans } = props;
  useSignal(start.changed);
  const steps = start.steps();
  const done = steps.filter(one => one.state === 'done').length;
  const words = { done: trans.__('Done'), next: trans.__('Next'), later: trans.__('Later') };
  return (
    <details className="jp-mlops-Start" open={done < steps.length}>
      <summary>{trans.__('To production: %1 of %2', done, steps.length)}</summary>
      <ol className="jp-mlops-Steps">
        {steps.map(step => (
          <li key={step.id} className={`jp-mlops-Step jp-mod-${step.state}`} aria-current={step.state === 'next' ? 'step' : undefined}>
            <div className="jp-mlops-Line">
              <span className="jp-mlops-Step-sign" aria-hidden="true">
                {SIGNS[step.state]}
              </span>
              <strong>{step.title}</strong>
              <span className="jp-mlops-Step-state">{words[step.state]}</span>
            </div>
            {step.state === 'next' && (
              <>
                <p>{step.text}</p>
                {step.action && (
                  <div className="jp-mlops-Actions">
                    <Button kind="accept" onClick={step.action.run}>
                      {step.action.label}
                    </Button>
                  </div>
                )}
              </>
            )}
          </li>
        ))}
      </ol>
    </details>
  );
}
