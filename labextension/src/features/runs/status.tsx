import type { TranslationBundle } from '@jupyterlab/translation';
import { checkIcon, errorIcon, historyIcon, LabIcon, runIcon, stopIcon } from '@jupyterlab/ui-components';

import type { RunRow } from '../../api/messages/runs';

const ICONS: Record<RunRow['status'], LabIcon> = {
  FINISHED: checkIcon,
  FAILED: errorIcon,
  KILLED: stopIcon,
  RUNNING: runIcon,
  SCHEDULED: historyIcon
};

/** A status as an icon and a word. */
export function StatusMark({ status, word }: { status: RunRow['status']; word: string }): JSX.Element {
  const Icon = ICONS[status];
  return (
    <span className="jp-mlops-RunStatus" data-status={status}>
      <Icon.react tag="span" className="jp-mlops-RunStatus-icon" width="14px" height="14px" aria-hidden="true" />
      <span>{word}</span>
    </span>
  );
}

export function statusWord(status: string, trans: TranslationBundle): string {
  const words: Record<string, string> = {
    FINISHED: trans.__('finished'),
    FAILED: trans.__('failed'),
    KILLED: trans.__('killed'),
    RUNNING: trans.__('running'),
    SCHEDULED: trans.__('scheduled')
  };
  return words[status] ?? status.toLowerCase();
}
