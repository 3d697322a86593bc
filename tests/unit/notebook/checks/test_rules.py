"""Every rule finds what it must, and leaves near misses alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlops.notebook.checks.registry import rules
from tests.unit.notebook.checks.helpers import codes
from tests.unit.notebook.checks.labelled import BAD, GOOD, Cells

# Found by the file itself, by its tags, or by running it: their tests stand elsewhere.
ELSEWHERE = {"unreadable", "conflicting-tags", "cell-fails", "not-repeatable"} | {
    f"kale-{name}"
    for name in ("missing-prev", "notebook", "resources", "several-steps", "step-apart", "step-name", "unknown-prev")
}


def _cases(table: dict[str, list[Cells]]) -> list[object]:
    return [pytest.param(code, cells, id=f"{code}-{n}") for code, many in table.items() for n, cells in enumerate(many)]


@pytest.mark.parametrize(("code", "cells"), _cases(BAD))
def test_it_is_found(code: str, cells: Cells, tmp_path: Path) -> None:
    assert code in codes(tmp_path / "n.ipynb", cells)


@pytest.mark.parametrize(("code", "cells"), _cases(GOOD))
def test_a_near_miss_is_left_alone(code: str, cells: Cells, tmp_path: Path) -> None:
    assert code not in codes(tmp_path / "n.ipynb", cells)


def test_every_rule_has_three_of_each() -> None:
    for code in rules().keys() - ELSEWHERE:
        assert len(BAD.get(code, [])) >= 3, code
        assert len(GOOD.get(code, [])) >= 3, code


@pytest.mark.parametrize("code", list(rules()))
def test_the_examples_of_the_page_are_true(code: str, tmp_path: Path) -> None:
    one = rules()[code]
    assert one.good
    assert code not in codes(tmp_path / "good.ipynb", one.good)
    if one.bad:
        assert code in codes(tmp_path / "bad.ipynb", one.bad)
