"""The fold: what a promotion's entries add up to, and how it is shown."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_mlops.promotion.journal import Entry
from jupyter_mlops.promotion.state import PromotionState, fold
from jupyter_mlops.promotion.view import view
from tests.messages import check_message

STEPS = [["tests", "Tests of the project"], ["parity", "Parity"], ["approval", "Approval"], ["lifecycle", "Into production"]]


Told = tuple[Any, ...]  # what, data, and who if it was not Ada


def entries(*told: Told) -> list[Entry]:
    data = {"steps": STEPS, "digest": "d1", "author": "ada", "champion": "1", "runner": {"pid": 7}}
    made = [Entry("pr-1", 1, "sqlite", "churn", "2", 1000, "ada", "started", data)]
    for number, (what, more, *who) in enumerate(told, 2):
        made.append(Entry("pr-1", number, "sqlite", "churn", "2", 1000 * number, who[0] if who else "ada", what, more))
    return made


def statuses(state: PromotionState) -> list[str]:
    return [one.status for one in state.steps]


PASSED: list[Told] = [
    ("step-started", {"step": "tests"}), ("step-passed", {"step": "tests", "message": "3 passed", "seconds": 2.5, "figures": {"tests": 3}}),
    ("step-started", {"step": "parity"}), ("step-passed", {"step": "parity"}),
]  # fmt: skip
WAITING: list[Told] = [*PASSED, ("waiting", {"message": "somebody", "rule": {"required": True, "approvers": [], "self": False}})]
APPROVED: list[Told] = [*WAITING, ("approved", {"comment": "fine", "digest": "d1"}, "ben")]


@pytest.mark.parametrize(
    ("told", "status", "steps"),
    [
        ([], "running", ["pending"] * 4),
        (PASSED[:1], "running", ["running", "pending", "pending", "pending"]),
        (PASSED, "running", ["passed", "passed", "pending", "pending"]),
        (WAITING, "waiting", ["passed", "passed", "waiting", "pending"]),
        (APPROVED, "running", ["passed", "passed", "passed", "pending"]),
        ([*WAITING, ("rejected", {"comment": "no"}, "ben")], "rejected", ["passed", "passed", "failed", "pending"]),
        ([*WAITING, ("cancelled", {})], "cancelled", ["passed", "passed", "skipped", "pending"]),
        ([*PASSED[:1], ("resumed", {"runner": {"pid": 8}})], "running", ["pending"] * 4),
        ([*PASSED[:3], ("interrupted", {"message": "gone"})], "running", ["passed", "pending", "pending", "pending"]),
        ([("step-failed", {"step": "tests"}), ("failed", {"message": "x"})], "failed", ["failed", "pending", "pending", "pending"]),
        ([("step-inconclusive", {"step": "tests"})], "running", ["inconclusive", "pending", "pending", "pending"]),
        ([*APPROVED, ("step-started", {"step": "lifecycle"}), ("lifecycle-changed", {"production": "2", "previous": "1"})],
         "running", ["passed", "passed", "passed", "running"]),
        ([*APPROVED, ("step-passed", {"step": "lifecycle"}), ("promoted", {})], "promoted", ["passed"] * 4),
        ([("promoted", {}), ("failed", {}), ("step-failed", {"step": "tests"})], "promoted", ["pending"] * 4),  # after its end: nothing
        ([("what a later version writes", {"step": "tests"})], "running", ["pending"] * 4),
    ],
)  # fmt: skip
def test_entries_add_up(told: list[Any], status: str, steps: list[str]) -> None:
    state = fold(entries(*told))
    assert (state.status, statuses(state)) == (status, steps)
    assert state.active == (status in ("running", "waiting"))
    assert state.last.number == len(told) + 1


def test_what_it_knows() -> None:
    state = fold(entries(*APPROVED, ("lifecycle-changed", {"production": "2", "previous": "1"})))
    assert (state.digest, state.champion, state.author, state.started_by) == ("d1", "1", "ada", "ada")
    assert state.approval is not None
    assert (state.approval.who, state.approval.digest, state.approval.comment) == ("ben", "d1", "fine")
    assert state.lifecycle == {"production": "2", "previous": "1"}
    tests = state.step("tests")
    assert (tests.message, tests.seconds, tests.figures) == ("3 passed", 2.5, {"tests": 3})
    assert state.runner is None  # nobody works on it since it waited
    assert fold(entries(*APPROVED, ("resumed", {"runner": {"pid": 9}}))).runner == {"pid": 9}


def test_the_view_is_the_message_of_the_schema() -> None:
    cases: list[list[Told]] = [[], PASSED, WAITING, APPROVED, [*WAITING, ("rejected", {"comment": "no"}, "ben")]]
    for told in cases:
        check_message("models", "Promotion", view(entries(*told), "ben"))
    shown = view(entries(*WAITING), "ben")
    assert (shown["mayDecide"], shown["whyNot"], shown["ended"]) == (True, None, None)
    assert shown["journal"][2]["message"] == "Tests of the project passed: 3 passed"
    by_author = view(entries(*WAITING), "ada")
    assert not by_author["mayDecide"]
    assert "colleague" in by_author["whyNot"]
    assert "do not" not in view(entries(*PASSED), "ben")["whyNot"]
    assert "steps before" in view(entries(*PASSED), "ben")["whyNot"]
