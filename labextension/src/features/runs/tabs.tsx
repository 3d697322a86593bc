import type { ReactElement } from 'react';

import type { RunsQuery } from '../../api/client';
import { CompareTab } from './compare';
import { ScatterTab } from './scatter';
import type { IRunsContext } from './view';

export function compareTab(context: IRunsContext, path: string, runs: readonly string[]): ReactElement {
  return <CompareTab context={context} path={path} runs={runs} />;
}

export function scatterTab(context: IRunsContext, query: RunsQuery): ReactElement {
  return <ScatterTab context={context} query={query} />;
}
