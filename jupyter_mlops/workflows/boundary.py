"""Where serving starts: at the raw row if that can be proven, else at the first frame that can be served, with the reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from jupyter_mlops.convert.lifting.program import Lift
from jupyter_mlops.convert.plan import ProjectPlan
from jupyter_mlops.convert.planner import Selection
from jupyter_mlops.notebook.problems import Problem

if TYPE_CHECKING:
    from jupyter_mlops.notebook.dataflow import Analysis

__all__ = ["Boundary", "Attempts", "find_boundary", "resamples"]

_RESAMPLERS = frozenset({"fit_resample", "fit_sample"})
_RAW_FIX = "Keep what is learned from the data (means, levels, encoders) in a scikit-learn Pipeline that is part of the model."


@dataclass(frozen=True)
class Boundary:
    """The plan that holds, and what a request must bring."""

    plan: ProjectPlan
    kind: str  # "raw" | "engineered"
    needed: tuple[str, ...] = ()
    synthetic: bool = False


@dataclass(frozen=True)
class Attempts:
    """How attempts are made: plan with options, write into the project's folder, compare in the prover."""

    plan: Callable[..., ProjectPlan]
    render: Callable[[ProjectPlan], None]
    check: Callable[..., dict[str, Any]]


def resamples(analysis: Analysis, kept: Sequence[int] | frozenset[int]) -> bool:
    """Whether the kept code makes up rows (SMOTE and its like)."""
    import ast

    return any(
        isinstance(n, ast.Attribute) and n.attr in _RESAMPLERS for i in kept for n in ast.walk(analysis.statements[i].node)
    )


def find_boundary(
    analysis: Analysis, selection: Selection, frames: Sequence[str], lift: Lift, do: Attempts, *, odd_columns: bool
) -> tuple[Boundary, tuple[Problem, ...]]:
    """Try the raw table (each one, if several were loaded), then give it up with the reason.

    Returns
    -------
    (Boundary, problems)
        Problems say why the boundary is not the raw row, or that rows were left out of the proof.
    """
    synthetic = resamples(analysis, selection.kept)
    reason, named = "", list[Problem]()
    if not frames:
        reason = "the load cells bind no table (DataFrame)"
    elif odd_columns:
        reason = "the columns of the model's input have no names"
    for raw_name in frames if not odd_columns else ():
        tried: list[str] = []
        for thrifty in (True, False):
            lift.problems.clear()
            plan = do.plan(thrifty=thrifty, raw_name=raw_name, lift=lift)
            named = list(dict.fromkeys(lift.problems)) or named
            if plan.boundary != "raw":
                reason = reason or "a value that was learned in training stands between the raw table and the model's input"
                continue
            if plan.features.source in tried:
                continue
            tried.append(plan.features.source)
            do.render(plan)
            checked = do.check(plan, raw_name, synthetic=synthetic)
            if checked["ok"] and checked["completes"]:
                plan = do.plan(thrifty=thrifty, raw_name=raw_name, lift=lift, complete=True)
                do.render(plan)
                checked = do.check(plan, raw_name, synthetic=synthetic, complete=True)
            if checked["ok"]:
                return Boundary(plan, "raw", tuple(checked["columns"]), synthetic), ()
            where = f" (columns {', '.join(checked['columns'][:5])})" if checked["columns"] else ""
            reason = f"{checked['reason']}{where}"
    plan = do.plan(boundary="engineered", raw_name=next(iter(frames), None))
    cells = plan.kept_cells
    problem = Problem(
        "engineered-boundary", "warning", f"The service takes the engineered features, not the raw row: {reason}.",
        next((s.cells[0] for s in plan.stages if s.stage == "features"), cells[-1] if cells else None), fix=_RAW_FIX,
    )  # fmt: skip
    problems = (problem, *named)
    plan = replace(plan, problems=(*plan.problems, *problems))
    do.render(plan)
    return Boundary(plan, "engineered"), problems
