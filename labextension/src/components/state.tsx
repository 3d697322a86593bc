import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactNode } from 'react';

import { ApiError } from '../api/client';

/** What a part says when it has nothing to show: what that is, and what to do next. */
export function Empty(props: { title: string; children?: ReactNode; actions?: ReactNode }): JSX.Element {
  return (
    // Without a button it has to be focusable itself, to be scrolled by keyboard in a low section.
    <div className="jp-mlops-Empty" tabIndex={props.actions ? undefined : 0}>
      <p className="jp-mlops-Empty-title">{props.title}</p>
      {props.children && <div className="jp-mlops-Empty-text">{props.children}</div>}
      {props.actions && <div className="jp-mlops-Actions">{props.actions}</div>}
    </div>
  );
}

/** A call that failed, with what to do, and a button to try again where that makes sense. */
export function Failure(props: { error: ApiError; trans: TranslationBundle; retry?: () => void }): JSX.Element {
  const { error, trans } = props;
  return (
    <div className="jp-mlops-Failure" role="alert">
      <p className="jp-mlops-Failure-message">{error.message}</p>
      {error.fix && <p>{error.fix}</p>}
      {props.retry && (
        <div className="jp-mlops-Actions">
          <Button onClick={props.retry}>{trans.__('Try Again')}</Button>
        </div>
      )}
    </div>
  );
}

/**
 * A button in JupyterLab's own style, or like a link; without `onClick` it submits its form. One that cannot be used now keeps
 * the focus, so that the keyboard goes on from it.
 */
export function Button(props: {
  children: ReactNode;
  onClick?: () => void;
  kind?: 'accept' | 'reject' | 'warn' | 'link';
  disabled?: boolean;
  label?: string;
  title?: string;
}): JSX.Element {
  const { kind = 'reject' } = props;
  return (
    <button
      type={props.onClick ? 'button' : 'submit'}
      className={kind === 'link' ? 'jp-mlops-Link' : `jp-mlops-Button jp-mod-styled jp-mod-${kind}`}
      onClick={props.disabled ? undefined : props.onClick}
      aria-disabled={props.disabled || undefined}
      aria-label={props.label}
      title={props.title}
    >
      {props.children}
    </button>
  );
}

/** How far something is; without a fraction it only says that it goes on. */
export function ProgressBar(props: { fraction: number | null; label: string }): JSX.Element {
  const value = props.fraction === null ? undefined : Math.max(0, Math.min(1, props.fraction));
  return <progress className="jp-mlops-Progress" max={1} value={value} aria-label={props.label} />;
}
