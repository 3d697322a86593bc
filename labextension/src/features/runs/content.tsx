import type { INotebookTracker } from '@jupyterlab/notebook';
import type { ReactElement } from 'react';

import { makeView, RunsPanel } from './panel';
import { CurrentTarget, FixedTarget } from './target';
import type { ActiveView, IRunsContext, IRunsView } from './view';

/** A table of runs: of the current notebook, or of one that stays the same. */
export function renderView(
  context: IRunsContext,
  active: ActiveView,
  fixed: { path: string; notebooks: INotebookTracker } | null
): { view: IRunsView; element: ReactElement } {
  const view = makeView(context, fixed ? new FixedTarget(fixed.path, fixed.notebooks) : new CurrentTarget(context.current));
  return { view, element: <RunsPanel context={context} view={view} use={one => active.set(one)} /> };
}
