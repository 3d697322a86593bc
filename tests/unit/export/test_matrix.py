"""Estimators and pipelines of the matrix: exact in ONNX, or refused with the reason. Never a wrong number."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from jupyter_mlops.export.compiler import class_name, registered
from tests.unit.export.holding import exact_or_refused
from tests.unit.export.matrix import CASES, Case, load
from tests.unit.export.traps import TRAPS, Trap

pytestmark = pytest.mark.filterwarnings("ignore")  # scikit-learn's about small data and unseen categories


@cache
def _fitted(case: Case | Trap) -> Any:
    return case.fit()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_exact_or_refused(case: Case) -> None:
    exact_or_refused(_fitted(case), load(case.data), case.task, case.refused)


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.name)
def test_a_trap_is_held_or_refused(trap: Trap) -> None:
    exact_or_refused(_fitted(trap), trap.data(), trap.task, trap.refused)


def _flat(value: Any) -> list[Any]:
    """What an attribute of an estimator holds: itself, or the members of lists, tuples, dicts and arrays."""
    if isinstance(value, dict):
        return [one for inner in value.values() for one in _flat(inner)]
    if isinstance(value, (list, tuple)):
        return [one for inner in value for one in _flat(inner)]
    if isinstance(value, np.ndarray):
        return value.ravel().tolist() if value.dtype == object else []
    return [value]


def test_every_converter_is_in_the_matrix() -> None:
    seen: set[str] = set()

    def visit(thing: Any, depth: int = 0) -> None:
        seen.add(class_name(thing))
        for value in vars(thing).values() if hasattr(thing, "__dict__") else ():
            for one in _flat(value):
                if depth < 8 and class_name(one).split(".")[0] in {"sklearn", "xgboost", "lightgbm"}:
                    visit(one, depth + 1)

    everything: list[Case | Trap] = [*CASES, *TRAPS]
    for case in everything:
        if case.refused is None:
            visit(_fitted(case))
    served = {name for names in registered().values() for name in names}
    assert sorted(served - seen) == []
