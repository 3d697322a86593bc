"""What a cell used and brought, from its text and the notebook's variables."""

from __future__ import annotations

import types
from typing import Any

import numpy as np
import pytest

from jupyter_mlops.workflows.cellvalues import evaluated, parameters_used, scalars_bound, used_names


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("auc = score(y)", {"auc"}),
        ("auc: float = score(y)", {"auc"}),
        ("a, b = score(y), 3", {"a"}),
        ("rmse, mae = both(y)", {"rmse", "mae"}),
        ("with open('f') as f:\n    auc = score(f)", {"auc"}),
        ("if (auc := score(y)) > 1:\n    pass", set()),
        ("print(auc := score(y))", {"auc"}),
        ("n = 5\nname = 'x'\nlimit = -0.5", set()),
        ("for i in range(3):\n    loss = step(i)", set()),
        ("def f():\n    auc = score(1)", set()),
        ("_hidden = score(y)\nok = score(y) > 0.5", set()),
        ("model.best = score(y)", set()),
        ("%matplotlib inline\nauc = score(y)", {"auc"}),
        ("auc = score(y", set()),
    ],
)
def test_scalars(source: str, names: set[str]) -> None:
    namespace: dict[str, Any] = dict.fromkeys("auc a b rmse mae loss i n limit".split(), 0.5) | {
        "ok": True, "name": "x", "_hidden": 1.0, "f": None,
    }  # fmt: skip
    assert set(scalars_bound(source, namespace)) == names


@pytest.mark.parametrize(
    ("value", "number"),
    [(1, 1.0), (np.float32(0.5), 0.5), (np.int64(3), 3.0), (np.array(2.0), 2.0), (True, None), (np.bool_(True), None), ("1", None),
     (np.array([1.0]), None), (10**400, None), (1 + 2j, None), (None, None)],
)  # fmt: skip
def test_numbers(value: Any, number: float | None) -> None:
    assert scalars_bound("x = f()", {"x": value}) == ({} if number is None else {"x": number})


def test_a_branch_that_was_not_taken() -> None:
    old = 0.123456
    assert scalars_bound("if c:\n    auc = f()", {"auc": old}, before={"auc": old}) == {}
    assert scalars_bound("if c:\n    auc = f()", {"auc": float("0.2")}, before={"auc": old}) == {"auc": 0.2}


def test_names_through_functions() -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec("def inner():\n    return rate\n\ndef outer():\n    return [inner() for _ in range(2)]\n\nrate = 3", namespace)
    assert {"outer", "inner", "rate"} <= used_names("outer()", namespace)
    assert parameters_used("x = outer()", namespace, ["rate", "other"]) == {"rate": "3"}
    exec("class A:\n    def fit(self):\n        return rate\n\na = A()", namespace)
    assert "rate" in used_names("a.fit()", namespace)
    # a library's functions are not looked into
    assert "rate" not in used_names("json()", {"json": types.ModuleType("json"), "rate": 1})


def test_expressions() -> None:
    values, problems = evaluated(
        ["auc", "f1=scores['f1']", "auc * 2", "gone", "'text'", "n=auc if auc == 0.5 else 0"],
        {"auc": 0.5, "scores": {"f1": 0.25}},
    )
    assert values == {"auc": 0.5, "f1": 0.25, "auc_2": 1.0, "n": 0.5}
    assert len(problems) == 2 and "NameError" in problems[0] and "str" in problems[1]
