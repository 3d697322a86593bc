"""The generated `metrics.py`: what a service counts of its predictions, and that a canary is told from its champion by it."""

from __future__ import annotations

import math
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.convert.render import _environment
from jupyter_mlops.deploy.numbers import _parsed
from jupyter_mlops.promotion.verdicts.histograms import psi, shift_p_value

INFO = {"model_name": "prices", "model_version": "2", "engine": "onnx"}


def rendered(task: str) -> ModuleType:
    plan = SimpleNamespace(task=task, served_suites=[])
    text = _environment().get_template("service/metrics.py.j2").render(plan=plan)
    module = ModuleType(f"metrics_{task}")
    exec(compile(text, "metrics.py", "exec"), module.__dict__)
    return module


REGRESSION = rendered("regression")


def counted(module: ModuleType, labels: Any, predicted: list[Any]) -> dict[str, int]:
    metrics = module.Metrics(labels, INFO)
    for at in range(0, len(predicted), 7):
        metrics.predicted(predicted[at : at + 7])
    return dict(_parsed(metrics.text().decode()).predictions)


def test_classes_are_counted_one_by_one() -> None:
    found = counted(rendered("classification"), ["late", "punctual"], ["late", "late", "punctual", "unheard of"])
    assert found == {"late": 2, "punctual": 1}


def test_numbers_are_counted_in_bins_that_all_versions_share() -> None:
    found = counted(REGRESSION, None, [100.0, 101.0, 119.0, -100.0, 0.0, math.nan, math.inf, 1e-300, 5])
    assert sum(found.values()) == 9
    assert found["90.51"] == 2  # to 107.6: a quarter of a doubling
    assert found["0"] == 2
    assert {float(name) < 0 for name in found} == {True, False}


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=1e-10, max_value=1e10), st.sampled_from([1, -1]))
def test_a_bin_holds_its_numbers(size: float, sign: int) -> None:
    bound = float(REGRESSION._bound(REGRESSION._bin(sign * size))) * sign
    assert bound <= size * 1.001  # as it is printed
    assert size <= bound * 2 ** (1 / 4) * 1.001


def test_a_version_that_predicts_more_is_told_from_one_that_does_not() -> None:
    random = np.random.default_rng(0)

    def prices(factor: float) -> dict[str, int]:
        return counted(REGRESSION, None, (factor * random.lognormal(12, 0.4, 2000)).tolist())

    champion = prices(1.0)
    same, dearer = prices(1.0), prices(1.3)
    assert psi(champion, same) < 0.05
    assert shift_p_value(champion, same) > 1e-3
    assert psi(champion, dearer) > 0.25
    assert shift_p_value(champion, dearer) < 1e-4


def test_no_number_is_lost_among_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REGRESSION.FILE, "")  # what is set below is taken away again
    with REGRESSION.shared_numbers(2):
        first, second = (REGRESSION.Metrics(None, INFO) for _ in range(2))
        first.predicted([1.0, 2.0])
        second.predicted([2.0])
        assert _parsed(first.text().decode()).predictions == {"1": 1, "2": 2}
