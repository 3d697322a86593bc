"""Where serving starts: at the raw row if that can be proven, else at the first frame that can be served, with the reason."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from jupyter_mlops.convert.features import serving_path
from jupyter_mlops.convert.lifting.program import Lift
from jupyter_mlops.convert.lifting.watch import Watch, watch
from jupyter_mlops.convert.plan import ProjectPlan
from jupyter_mlops.convert.planner import Selection
from jupyter_mlops.notebook.cells import Stage
from jupyter_mlops.notebook.problems import Problem

if TYPE_CHECKING:
    from jupyter_mlops.convert.capture import CaptureFacts
    from jupyter_mlops.notebook.dataflow import Analysis

__all__ = ["Attempts", "Boundary", "Run", "find_boundary", "resamples", "watched_path"]

_MAKES_UP_ROWS = frozenset({"fit_resample", "fit_sample"})
_RAW_FIX = "Keep what is learned from the data (means, levels, encoders) in a scikit-learn Pipeline that is part of the model."


@dataclass(frozen=True)
class Run:
    """What one run of the notebook showed, as far as the boundary depends on it."""

    facts: CaptureFacts
    lift: Lift
    frames: tuple[str, ...]  # tables that were kept


@dataclass(frozen=True)
class Boundary:
    """The plan that holds, the run that proves it, and what a request must bring.

    `table` is the table of the run whose rows are served; "" where requests hold the model's own input.
    """

    plan: ProjectPlan
    run: Run
    table: str = ""
    needed: tuple[str, ...] = ()
    synthetic: bool = False


@dataclass(frozen=True)
class Attempts:
    """How attempts are made: plan with options, write into the project's folder, compare in the prover, run once more."""

    plan: Callable[..., ProjectPlan]
    render: Callable[[ProjectPlan], None]
    check: Callable[..., dict[str, Any]]
    rerun: Callable[[int, str], Run]  # keep this table as it is behind this statement


def resamples(analysis: Analysis, kept: Sequence[int] | frozenset[int]) -> bool:
    """Whether the kept code makes up rows (SMOTE and its like)."""
    return any(
        isinstance(n, ast.Attribute) and n.attr in _MAKES_UP_ROWS for i in kept for n in ast.walk(analysis.statements[i].node)
    )


def watched_path(analysis: Analysis, selection: Selection, after: int | None, table: str) -> Watch:
    """What to watch while the notebook runs: all between the table that is served from and the rows that the model is asked about.

    Parameters
    ----------
    after, table
        The statement behind which the table is complete; None for the raw tables of the load cells.
    """
    complete: dict[int, list[str]] = {}
    if after is not None:
        complete[after] = [table]
    else:
        loads = [s for s in analysis.statements if s.stage is Stage.LOAD]
        for name in selection.raw_candidates:
            last = max((s.index for s in loads if name in s.binds | s.mutates), default=loads[-1].index)
            complete.setdefault(last, []).append(name)
    anchor = selection.model.asked or selection.model.fit
    if anchor is None or anchor.argument is None:
        return watch(analysis, [], None, complete)
    path = serving_path(analysis, anchor.statement, anchor.argument, after)
    return watch(analysis, path, (analysis.statements[anchor.statement].cell, anchor.argument), complete)


def find_boundary(analysis: Analysis, selection: Selection, run: Run, do: Attempts) -> tuple[Boundary, tuple[Problem, ...]]:
    """Try the raw table (each one, if several were loaded), then the first frame that can be served, with the reason.

    Returns
    -------
    (Boundary, problems)
        Problems say why the boundary is not the raw row.
    """
    synthetic = resamples(analysis, selection.kept)
    if not run.frames:
        reason, named = "the load cells bind no table (DataFrame)", list[Problem]()
    else:
        found, reason, named = _prove(run, run.frames, do, synthetic)
        if found is not None:
            return found, ()
        later = _behind(analysis, run, named, do)
        if later is not None:
            statement, table = later
            second = do.rerun(*later)
            found, _, _ = _prove(second, (table,), do, synthetic)
            if found is not None:
                cell = analysis.statements[statement].cell
                problem = Problem(
                    "engineered-boundary", "warning",
                    f"The service takes the table {table!r} as it is behind this statement, not the raw row: {reason}.",
                    cell, analysis.statements[statement].first_line, fix=_RAW_FIX,
                )  # fmt: skip
                plan = replace(found.plan, boundary="engineered", problems=(*found.plan.problems, problem, *named))
                do.render(plan)
                return replace(found, plan=plan), (problem, *named)
    plan = do.plan(boundary="engineered", raw_name=next(iter(run.frames), None))
    cells = plan.kept_cells
    problem = Problem(
        "engineered-boundary", "warning", f"The service takes the model's own input, not the raw row: {reason}.",
        next((s.cells[0] for s in plan.stages if s.stage == "features"), cells[-1] if cells else None), fix=_RAW_FIX,
    )  # fmt: skip
    plan = replace(plan, problems=(*plan.problems, problem, *named))
    do.render(plan)
    return Boundary(plan, run), (problem, *named)


def _prove(run: Run, tables: Sequence[str], do: Attempts, synthetic: bool) -> tuple[Boundary | None, str, list[Problem]]:
    """The first feature program that gives the notebook's own model input, else the reason and what was named."""
    reason, named, lift = "", list[Problem](), run.lift
    for table in tables:
        tried: list[str] = []
        for thrifty in (True, False):
            lift.problems.clear()
            plan = do.plan(thrifty=thrifty, raw_name=table, lift=lift)
            named = list(dict.fromkeys(lift.problems)) or named
            if plan.boundary != "raw":
                reason = reason or "a value that was learned in training stands between the raw table and the model's input"
                continue
            if plan.features.source in tried:
                continue
            tried.append(plan.features.source)
            do.render(plan)
            checked = do.check(run, plan, table, synthetic)
            if checked["ok"] and checked["completes"]:
                plan = do.plan(thrifty=thrifty, raw_name=table, lift=lift, complete=checked["completes"])
                do.render(plan)
                checked = do.check(run, plan, table, synthetic)
            if checked["ok"]:
                return Boundary(plan, run, table, tuple(checked["columns"]), synthetic), "", []
            where = f" (columns {', '.join(checked['columns'][:5])})" if checked["columns"] else ""
            reason = f"{checked['reason']}{where}"
    return None, reason, named


def _behind(analysis: Analysis, run: Run, named: Sequence[Problem], do: Attempts) -> tuple[int, str] | None:
    """The last statement that could not be lifted, and the one table that all that follows is made of."""
    places = [
        s.index for s in analysis.statements for p in named
        if p.line is not None and s.cell == p.cell and s.first_line <= p.line <= s.last_line
    ]  # fmt: skip
    if not places:
        return None
    last = max(places)
    lift = replace(run.lift, after=last, problems=[])
    statement = analysis.statements[last]
    for name in sorted(statement.binds | statement.mutates):
        if do.plan(raw_name=name, lift=lift, thrifty=False).boundary == "raw":
            return last, name
    return None
