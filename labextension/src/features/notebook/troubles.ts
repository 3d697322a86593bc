import type { NotebookProblem } from '../../api/messages/notebook';
import type { Trouble } from '../tags/marks';

/** Errors and warnings by cell; what is only worth knowing is not marked. */
export function troubles(problems: readonly NotebookProblem[]): Map<string, Trouble> {
  const found = new Map<string, Trouble & { messages: string[] }>();
  for (const one of problems) {
    if (one.cell === null || one.severity === 'info') {
      continue;
    }
    const trouble = found.get(one.cell) ?? { errors: 0, warnings: 0, messages: [] };
    trouble[one.severity === 'error' ? 'errors' : 'warnings']++;
    trouble.messages.push(one.message);
    found.set(one.cell, trouble);
  }
  return found;
}
