import type { CellEdit, NotebookProblem } from '../../api/messages/notebook';
import { smallestChange } from '../current/model';

/** What fixing several problems at once comes to. */
interface Fixes {
  /** At most one for each cell. */
  edits: CellEdit[];
  /** Problems that these edits mend. */
  mended: NotebookProblem[];
  /** Those whose cells have changed since they were checked. */
  stale: NotebookProblem[];
  /** Those that touch what another one changes: mended after the next check. */
  later: NotebookProblem[];
}

interface Change {
  start: number;
  end: number;
  text: string;
}

/**
 * Put the edits of several problems together.
 *
 * Each edit is a whole source made from the same former one, so what it changes is found first. A problem is mended as a
 * whole or not at all.
 */
export function combine(problems: readonly NotebookProblem[], sourceOf: (cell: string) => string | null): Fixes {
  const fixes: Fixes = { edits: [], mended: [], stale: [], later: [] };
  const changes = new Map<string, Change[]>();
  for (const problem of problems.filter(one => one.edits.length)) {
    if (problem.edits.some(edit => sourceOf(edit.cell) !== edit.before)) {
      fixes.stale.push(problem);
      continue;
    }
    const own = problem.edits.map(edit => ({ cell: edit.cell, change: smallestChange(edit.before, edit.source) }));
    if (own.some(({ cell, change }) => changes.get(cell)?.some(other => clash(change, other)))) {
      fixes.later.push(problem);
      continue;
    }
    for (const { cell, change } of own) {
      const known = changes.get(cell) ?? [];
      changes.set(cell, known.some(other => same(change, other)) ? known : [...known, change]);
    }
    fixes.mended.push(problem);
  }
  for (const [cell, of] of changes) {
    const before = sourceOf(cell)!;
    fixes.edits.push({ cell, before, source: applied(before, of) });
  }
  return fixes;
}

function same(a: Change, b: Change): boolean {
  return a.start === b.start && a.end === b.end && a.text === b.text;
}

/** Whether two changes cannot both be made; the very same one twice can. Insertions at one place have no order. */
function clash(a: Change, b: Change): boolean {
  return !same(a, b) && a.start <= b.end && b.start <= a.end;
}

function applied(source: string, changes: readonly Change[]): string {
  return [...changes]
    .sort((a, b) => b.start - a.start)
    .reduce((text, { start, end, text: replacement }) => text.slice(0, start) + replacement + text.slice(end), source);
}
