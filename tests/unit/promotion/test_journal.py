"""The journal: only ever added to, one active promotion a model, nothing decided on an old state."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jupyter_mlops.database import Taken
from jupyter_mlops.promotion.journal import _ENTRIES, Active, Entry, Journal, Moved

REGISTRY = "sqlite:////somewhere/mlflow.db"
STEPS = {"steps": [["tests", "Tests"], ["approval", "Approval"], ["lifecycle", "Into production"]]}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'mlops.db'}"


def test_entries_are_read_as_they_were_written(url: str) -> None:
    first = Journal(url).start(REGISTRY, "churn", "3", "ada", {**STEPS, "digest": "ab", "note": "größer"})
    second = Journal(url).append(first, "ben", "step-started", {"step": "tests"})
    assert Journal(url).entries(first.promotion) == [first, second]
    assert (first.number, second.number, second.version) == (1, 2, "3")
    assert first.data["note"] == "größer"
    assert 1_700_000_000_000 < first.at <= second.at
    assert Journal(url).entries("pr-unknown") == []


def test_a_model_has_one_active_promotion(url: str) -> None:
    journal = Journal(url)
    first = journal.start(REGISTRY, "churn", "3", "ada", STEPS)
    with pytest.raises(Active, match=first.promotion):
        journal.start(REGISTRY, "churn", "4", "ben", STEPS)
    other = journal.start(REGISTRY, "prices", "1", "ben", STEPS)  # another model
    elsewhere = journal.start("http://mlflow:5000", "churn", "1", "ben", STEPS)  # another registry
    assert len({first.promotion, other.promotion, elsewhere.promotion}) == 3
    journal.append(first, "ada", "cancelled")
    second = journal.start(REGISTRY, "churn", "4", "ben", STEPS)
    assert journal.active(REGISTRY, "churn") == second.promotion
    assert [one[0].promotion for one in journal.of_model(REGISTRY, "churn")] == [second.promotion, first.promotion]
    assert [one[0].promotion for one in journal.of_model(REGISTRY, "prices")] == [other.promotion]


@pytest.mark.parametrize("end", ["promoted", "rejected", "cancelled", "failed"])
def test_each_end_frees_the_model(url: str, end: str) -> None:
    journal = Journal(url)
    journal.append(journal.start(REGISTRY, "churn", "1", "ada", STEPS), "ada", end)
    assert journal.active(REGISTRY, "churn") is None
    journal.start(REGISTRY, "churn", "2", "ada", STEPS)


def test_of_many_that_start_at_once_one_does(url: str) -> None:
    Journal(url)

    def begin(number: int) -> str:
        try:
            return Journal(url).start(REGISTRY, "churn", str(number), f"user {number}", STEPS).promotion
        except Active as active:
            return f"not {active}"

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(begin, range(24)))
    begun = [one for one in found if not one.startswith("not ")]
    assert len(begun) == 1
    assert set(found) == {begun[0], f"not {begun[0]}"}


def test_the_database_itself_refuses_a_second_one(url: str) -> None:
    """Also where the look before the writing saw nothing, as between two processes."""
    journal = Journal(url)
    journal.start(REGISTRY, "churn", "1", "ada", STEPS)
    entry = Entry("pr-second", 1, REGISTRY, "churn", "2", 0, "ben", "started", STEPS)
    with pytest.raises(Taken, match="turn"):
        journal._write(entry, turn=1)
    assert journal.entries("pr-second") == []


def test_what_was_decided_on_an_older_state_is_not_written(url: str) -> None:
    journal = Journal(url)
    first = journal.start(REGISTRY, "churn", "1", "ada", STEPS)
    journal.append(first, "ada", "waiting")
    with pytest.raises(Moved):
        journal.append(first, "ben", "cancelled")
    assert [one.what for one in journal.entries(first.promotion)] == ["started", "waiting"]


def test_the_table_can_be_made_on_postgresql() -> None:
    from sqlalchemy import create_mock_engine
    from sqlalchemy.schema import CreateTable

    postgresql = create_mock_engine("postgresql://", lambda statement, *_: None).dialect  # it needs no driver
    text = str(CreateTable(_ENTRIES).compile(dialect=postgresql))
    assert "BIGSERIAL" in text
    assert "UNIQUE (subject, turn)" in text
