"""The gates that judge on the holdout: on small holdouts whose truth, champion and challenger are known."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jupyter_mlops.errors import TrackingError
from jupyter_mlops.promotion.gates.holdout_data import HoldoutData
from jupyter_mlops.promotion.gates.kinds import Champion, GateResult, Subject
from jupyter_mlops.promotion.gates.metrics import Metrics
from jupyter_mlops.promotion.policy import Policy
from jupyter_mlops.promotion.rules import SCORES, MetricsRule
from jupyter_mlops.promotion.verdicts.scores import KINDS, called, scorer
from jupyter_mlops.signature import Column, Output, Signature

ROWS = 1000
COLUMNS = (
    Column("age", "float64", "float", nullable=True),
    Column("rooms", "int64", "integer"),
    Column("city", "object", "string", closed=True, categories=("north", "south", "west")),
    Column("since", "datetime64[ns]", "datetime"),
    Column("member", "bool", "boolean"),
)
CLASSES = Output("classification", "int64", (0, 1), True)
NUMBERS = Output("regression", "float64")


def table(count: int = ROWS) -> list[dict[str, Any]]:
    return [
        {"age": None if at % 7 == 0 else at / 3, "rooms": at % 5, "city": "north" if at % 2 else "south",
         "since": "2026-01-02T03:04:05", "member": at % 3 == 0}
        for at in range(count)
    ]  # fmt: skip


TRUTH = np.random.default_rng(1).integers(0, 2, ROWS)
AMOUNTS = np.random.default_rng(2).normal(100, 20, ROWS)


def right_in(share: float, seed: int, truth: Any = TRUTH) -> list[int]:
    """Answers that are right in so many rows."""
    wrong = np.random.default_rng(seed).permutation(len(truth)) >= round(share * len(truth))
    return [int(one) for one in np.where(wrong, 1 - truth, truth)]


def near(spread: float, seed: int) -> list[float]:
    return [float(one) for one in AMOUNTS + np.random.default_rng(seed).normal(0, spread, ROWS)]


def answers(predictions: Sequence[Any], output: Output = CLASSES, **changed: Any) -> dict[str, Any]:
    sure = None
    if output.probabilities:
        sure = [[0.8, 0.2] if one == 0 else [0.2, 0.8] for one in predictions]
    return {"predictions": predictions, "probabilities": sure, "classes": output.classes, "task": output.task, **changed}


def project(
    folder: Path, labels: Sequence[Any], output: Output = CLASSES, metrics: Mapping[str, float] | None = None, **changed: Any
) -> Path:
    """A project with a holdout of these labels."""
    data = {"rows": table(len(labels)), "labels": list(labels), "measures": [], "evaluated_on": "rows held out", **changed}
    for name, value in {
        "holdout/holdout.json": data,
        "model/signature.json": {"raw": Signature(COLUMNS, output).as_dict()},
        "model/metadata.json": {"package": "small", "metrics": metrics or {}},
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(value), encoding="utf-8")
    return folder


def subject(folder: Path, own: Any = None, other: Any = None, champion: Any = None, **rule: Any) -> Subject:
    """The challenger answers `own`; the champion, if there is one, `other`."""
    there = folder / "champion"
    if other is not None and champion is None:
        champion = Champion("3", lambda: folder, lambda: there)
    return Subject(
        model="m", version="4", project=folder, tags={}, python=sys.executable, compare=lambda tell: {}, registered=lambda: folder,
        policy=Policy(metrics=MetricsRule(**rule)), champion=champion, predict=lambda model, rows, tell: other if model == there else own,
    )  # fmt: skip


def judged(given: Subject) -> GateResult:
    return Metrics(resamples=400).run(given, lambda message, fraction: None)


def looked_at(folder: Path) -> GateResult:
    return HoldoutData().run(subject(folder), lambda message, fraction: None)


# -- the data -----------------------------------------------------------------------------------------------------------


def test_a_good_holdout_passes(tmp_path: Path) -> None:
    result = looked_at(project(tmp_path, TRUTH.tolist()))
    assert (result.status, result.message) == ("passed", "1,000 rows, 5 columns, 2 classes")
    assert result.figures == {"rows": 1000, "columns": 5, "classes": 2}


def test_without_a_holdout_whoever_approves_decides(tmp_path: Path) -> None:
    project(tmp_path, [0, 1])
    (tmp_path / "holdout" / "holdout.json").unlink()
    for result in (looked_at(tmp_path), judged(subject(tmp_path))):
        assert (result.status, result.ask) == ("inconclusive", True)
        assert "Evaluate the model in the notebook with a metric on rows held out" in result.message


def _without(name: str) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k != name} for row in table()]


def _with(count: int, **values: Any) -> list[dict[str, Any]]:
    return [{**row, **values} if at < count else row for at, row in enumerate(table())]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"rows": _without("rooms")}, "column rooms is missing. Mend"),
        ({"rows": [*_without("rooms")[:400], *table()[400:]]}, "column rooms is missing in 400 rows"),
        ({"rows": _with(12, extra=1)}, "the model knows no column extra"),
        ({"rows": _with(3, rooms=None)}, "column rooms is empty in 3 rows, and may not be"),
        ({"rows": _with(4, rooms=1.5)}, "column rooms is no integer in 4 rows, such as 1.5"),
        ({"rows": _with(5, age="old")}, "column age is no float in 5 rows, such as 'old'"),
        ({"rows": _with(6, city="east")}, "column city has no level 'east', which 6 rows hold"),
        ({"rows": _with(7, since="once")}, "column since is no datetime in 7 rows"),
        ({"rows": _with(8, member=1)}, "column member is no boolean in 8 rows"),
        ({"labels": TRUTH.tolist()[:990]}, "1,000 rows have 990 labels"),
        ({"labels": [None, float("nan"), *TRUTH.tolist()[2:]]}, "2 of 1,000 labels are missing"),
        ({"labels": ["yes", *TRUTH.tolist()[1:]]}, "1 labels, such as 'yes', are not of the kind of the model's classes (0, 1)"),
        ({"rows": [], "labels": []}, "has no rows"),
        ({"rows": None}, 'no lists "rows" and "labels"'),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_counts(tmp_path: Path, changed: Any, words: str) -> None:
    folder = project(tmp_path, changed.pop("labels", TRUTH.tolist()), **{"rows": table(), **changed})
    result = looked_at(folder)
    assert result.status == "failed"
    assert words in result.message
    assert judged(subject(folder, answers([0]))).status == "failed"


@pytest.mark.parametrize(
    ("labels", "output", "words"),
    [
        ([1] * 200, CLASSES, "All 200 labels of the holdout are 1"),
        ([2.5] * 200, NUMBERS, "All 200 labels of the holdout are 2.5"),
        ([0, 1] * 10, CLASSES, "20 rows only"),
    ],
)
def test_labels_that_tell_nothing(tmp_path: Path, labels: Any, output: Output, words: str) -> None:
    result = looked_at(project(tmp_path, labels, output))
    assert (result.status, result.ask) == ("inconclusive", True) and words in result.message


def test_training_rows_and_unknown_labels_are_said(tmp_path: Path) -> None:
    result = looked_at(project(tmp_path, [7, *TRUTH.tolist()[1:]], evaluated_on="training rows"))
    assert result.status == "passed"
    assert "1 labels are no class of the model; the notebook evaluates on training rows" in result.message


EXPECTATIONS = """
from dataclasses import dataclass
from types import SimpleNamespace
def read_suite(name): return {"name": name}
def row_rules(suite, columns):
    return [SimpleNamespace(suite=suite["name"], severity=how, columns=("rooms",), says=lambda values: f"{values[0]} breaks it") for how in ("critical", "warning")]
class RowChecks:
    def __init__(self, rules, columns): self.rules, self.at = rules, columns.index("rooms")
    def __call__(self, row): return [0] if row[self.at] == LEAST else []
"""


@pytest.mark.parametrize(("least", "status"), [(-1, "passed"), (4, "failed")])
def test_the_projects_own_expectations_are_asked_in_its_own_code(tmp_path: Path, least: int, status: str) -> None:
    folder = project(tmp_path, TRUTH.tolist())
    for name, text in {
        "src/small/__init__.py": "",
        "src/small/expectations.py": EXPECTATIONS.replace("LEAST", str(least)),
        "src/small/schema.py": "import pandas as pd\nCOLUMNS = dict.fromkeys(['age', 'rooms', 'city'])\ndef raw_frame(columns): return pd.DataFrame(dict(columns))\n",
        "service/__init__.py": "",
        "service/checks.py": "SUITES = ('raw',)\n",
        "expectations/raw.json": "{}",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    result = looked_at(folder)
    assert result.status == status, result
    if status == "failed":
        assert "column rooms: 4 breaks it in 200 rows (suite raw)" in result.message
    else:
        assert result.message.endswith("1 expectations hold")
    (folder / "src" / "small" / "expectations.py").write_text("import no_such_module\n", encoding="utf-8")
    assert "No module named 'no_such_module'" in looked_at(folder).message
    assert "small.expectations" not in sys.modules


# -- better than the champion -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "other", "rule", "status", "words"),
    [
        (0.9, 0.8, "better", "passed", "on 1,000 rows; better"),
        (0.8, 0.8, "better", "inconclusive", "more rows would tell whether it is better"),
        (0.8, 0.9, "better", "failed", "not better. Improve the model"),
        (0.9, 0.8, "not worse", "passed", "not worse by 0.01"),
        (0.8, 0.8, "not worse", "inconclusive", "more rows would tell whether it is worse by 0.01"),
        (0.8, 0.9, "not worse", "failed", "worse by more than 0.01"),
    ],
)
def test_challenger_and_champion(tmp_path: Path, own: float, other: float, rule: str, status: str, words: str) -> None:
    folder = project(tmp_path, TRUTH.tolist())
    result = judged(subject(folder, answers(right_in(own, 5)), answers(right_in(other, 6)), rule=rule))
    assert result.status == status, result.message
    assert words in result.message
    assert f"accuracy {own:g}, champion (version 3) {other:g}: " in result.message
    figures: Any = result.figures
    assert (figures["score"], figures["rule"], figures["rows"], figures["championVersion"]) == ("accuracy", rule, 1000, "3")
    assert figures["difference"] == pytest.approx(own - other) and figures["low"] <= figures["difference"] <= figures["high"]
    assert result.ask == (status == "inconclusive")


def test_stop_does_not_ask(tmp_path: Path) -> None:
    folder = project(tmp_path, TRUTH.tolist())
    given = subject(folder, answers(right_in(0.8, 5)), answers(right_in(0.8, 6)), rule="better", inconclusive="stop")
    assert (judged(given).status, judged(given).ask) == ("inconclusive", False)


def test_the_same_answers_are_not_worse(tmp_path: Path) -> None:
    same = answers(right_in(0.8, 5))
    assert judged(subject(project(tmp_path, TRUTH.tolist()), same, same)).status == "passed"


@pytest.mark.parametrize(
    ("own", "other", "margin", "status"), [(9, 10, 0.01, "passed"), (10.5, 10, 0.2, "passed"), (13, 10, 0.2, "failed")]
)
def test_errors_are_better_when_they_are_smaller(tmp_path: Path, own: float, other: float, margin: float, status: str) -> None:
    folder = project(tmp_path, AMOUNTS.tolist(), NUMBERS, measures=[{"name": "mean_squared_error"}])
    given = subject(folder, answers(near(own, 5), NUMBERS), answers(near(other, 6), NUMBERS), margin=margin)
    result = judged(given)
    assert result.status == status, result.message
    figures: Any = result.figures
    assert figures["score"] == "rmse" and figures["challenger"] == pytest.approx(own, rel=0.1)
    assert figures["margin"] == pytest.approx(margin * figures["champion"], abs=2e-6)
    assert (figures["difference"] < 0) == (own < other) and figures["low"] < figures["difference"] < figures["high"]
    assert f"worse by {'more than ' if status == 'failed' else ''}{100 * margin:g}% of it" in result.message
    assert "less is better" in result.message


@pytest.mark.parametrize(
    ("measures", "metrics", "score", "expected"),
    [
        ([{"name": "roc_auc_score"}, {"name": "accuracy_score"}], {}, "auto", "roc_auc"),
        ([{"name": "brier_score_loss"}, {"name": "f1_score", "average": "macro"}], {}, "auto", "f1"),
        ([{"name": "score"}], {}, "auto", "accuracy"),
        ([], {"brier": 0.1, "log_loss": 0.4}, "auto", "log_loss"),
        ([], {"gain": 1.0}, "auto", "accuracy"),
        ([{"name": "accuracy_score"}], {}, "average_precision", "average_precision"),
    ],
)
def test_the_score_is_the_notebooks_or_the_policys(
    tmp_path: Path, measures: Any, metrics: Any, score: str, expected: str
) -> None:
    folder = project(tmp_path, TRUTH.tolist(), measures=measures, metrics=metrics)
    result = judged(subject(folder, answers(right_in(0.9, 5)), answers(right_in(0.7, 6)), score=score))
    assert (result.status, result.figures["score"]) == ("passed", expected), result.message


def test_the_class_that_the_notebook_scores_is_scored(tmp_path: Path) -> None:
    from sklearn.metrics import precision_score

    own = [1 if at % 4 else int(one) for at, one in enumerate(TRUTH)]
    folder = project(tmp_path, TRUTH.tolist(), measures=[{"name": "precision_score", "pos_label": 0}])
    result = judged(subject(folder, answers(own), answers(right_in(0.7, 6))))
    assert precision_score(TRUTH, own, pos_label=0) == 1 > precision_score(TRUTH, own)
    assert (result.figures["score"], result.figures["challenger"]) == ("precision", 1)


def test_without_probabilities_another_score_is_taken_and_said(tmp_path: Path) -> None:
    folder = project(tmp_path, TRUTH.tolist(), measures=[{"name": "roc_auc_score"}])
    bare = answers(right_in(0.7, 6), probabilities=None)
    result = judged(subject(folder, answers(right_in(0.9, 5)), bare))
    assert result.figures["score"] == "accuracy"
    assert "accuracy instead of roc_auc: the one in production gives no probabilities" in result.message


def test_a_score_of_another_task_is_a_mistake_in_the_policy(tmp_path: Path) -> None:
    result = judged(subject(project(tmp_path, TRUTH.tolist()), answers(right_in(0.9, 5)), score="rmse"))
    assert result.status == "failed"
    assert "the score rmse, which does not measure a classification. Choose one of accuracy, " in result.message


def test_rows_that_the_model_was_trained_on_prove_nothing(tmp_path: Path) -> None:
    folder = project(tmp_path, TRUTH.tolist(), evaluated_on="training rows")
    result = judged(subject(folder, answers(right_in(1.0, 1)), answers(right_in(0.8, 2))))
    assert (result.status, result.ask) == ("inconclusive", True)
    assert "the notebook evaluates on training rows, so this is no proof" in result.message
    worse = judged(subject(folder, answers(right_in(0.7, 1)), answers(right_in(0.9, 2))))
    assert worse.status == "failed"  # even so


@pytest.mark.parametrize(("own", "status"), [(True, "failed"), (False, "inconclusive")])
def test_probabilities_that_are_no_numbers_do_not_pass(tmp_path: Path, own: bool, status: str) -> None:
    folder = project(tmp_path, TRUTH.tolist(), measures=[{"name": "roc_auc_score"}])
    good, bad = answers(right_in(0.8, 1)), answers(right_in(0.9, 2))
    bad["probabilities"][3] = [float("nan"), float("nan")]
    assert good["probabilities"] and bad["probabilities"]
    result = judged(subject(folder, bad, good) if own else subject(folder, good, bad))
    assert result.status == status
    assert "1 rows with probabilities that are no numbers" in result.message


def test_names_as_classes_in_another_order(tmp_path: Path) -> None:
    """Probabilities are lined up by class, not by position; the champion does not know all classes."""
    names = ("cat", "dog", "owl")
    truth = [names[at % 3] for at in range(ROWS)]
    output = Output("classification", "object", names, True)
    folder = project(tmp_path, truth, output, measures=[{"name": "log_loss"}])

    def sure(classes: Sequence[str], guessed: Sequence[str]) -> dict[str, Any]:
        spread = [[0.8 if name == one else 0.2 / (len(classes) - 1) for name in classes] for one in guessed]
        return {"predictions": guessed, "probabilities": spread, "classes": list(classes), "task": "classification"}

    guessed = [one if at % 10 else names[(at + 1) % 3] for at, one in enumerate(truth)]
    same = judged(subject(folder, sure(names, guessed), sure(("owl", "cat", "dog"), guessed)))
    assert same.status == "passed" and same.figures["difference"] == pytest.approx(0)
    less = judged(
        subject(folder, sure(names, guessed), sure(("dog", "cat"), [one if one != "owl" else "cat" for one in guessed]))
    )
    figures: Any = less.figures
    assert less.status == "passed" and figures["difference"] < -1
    other = judged(subject(folder, sure(names, guessed), sure(("a", "b"), ["a"] * ROWS)))
    assert (other.status, other.ask) == ("inconclusive", True) and "other classes ('a', 'b')" in other.message


# -- a champion that cannot be compared ---------------------------------------------------------------------------------


def test_a_champion_that_needs_other_columns(tmp_path: Path) -> None:
    missing = {"error": "it needs columns that the rows do not have: income", "missing": ["income"], "log": "the log"}
    result = judged(subject(project(tmp_path, TRUTH.tolist()), answers(right_in(0.9, 5)), missing))
    assert (result.status, result.ask) == ("inconclusive", True)
    assert (
        "Version 3, which is in production, needs columns that the holdout of this version does not have: income."
        in result.message
    )


def test_a_champion_that_refuses_rows_is_read_with_its_own_signature(tmp_path: Path) -> None:
    folder = project(tmp_path, TRUTH.tolist())
    closed = tuple(replace(one, categories=("south", "west")) if one.name == "city" else one for one in COLUMNS)
    made = folder / "champion" / "artifacts" / "model" / "signature.json"
    made.parent.mkdir(parents=True)
    made.write_text(json.dumps({"raw": Signature(closed, CLASSES).as_dict()}), encoding="utf-8")
    refused = {"error": "The registered model cannot be asked here: ValueError: unknown.", "log": "the log"}
    result = judged(subject(folder, answers(right_in(0.9, 5)), refused))
    assert (result.status, result.ask, result.log) == ("inconclusive", True, "the log")
    assert "column city has no level 'north', which 500 rows hold. The registered model cannot be asked" in result.message


@pytest.mark.parametrize("error", [LookupError("it was deleted"), TrackingError("it was deleted")])
def test_a_champion_that_cannot_be_fetched(tmp_path: Path, error: Exception) -> None:
    def gone() -> Path:
        raise error

    champion = Champion("3", gone, gone)
    result = judged(subject(project(tmp_path, TRUTH.tolist()), answers(right_in(0.9, 5)), champion=champion))
    assert (result.status, result.ask) == ("inconclusive", True)
    assert "cannot be fetched, so there is nothing to compare with: it was deleted" in result.message


def test_another_task_cannot_be_compared(tmp_path: Path) -> None:
    result = judged(subject(project(tmp_path, TRUTH.tolist()), answers(right_in(0.9, 5)), answers([0.5] * ROWS, NUMBERS)))
    assert (result.status, result.ask) == ("inconclusive", True) and "makes a regression" in result.message


def test_a_challenger_that_does_not_answer_its_own_holdout_fails(tmp_path: Path) -> None:
    result = judged(subject(project(tmp_path, TRUTH.tolist()), {"error": "It cannot be loaded.", "log": "the log"}))
    assert (result.status, result.log) == ("failed", "the log") and "It cannot be loaded." in result.message


# -- the first version --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("measure", "own", "status", "against"),
    [
        ("accuracy_score", 0.8, "passed", "always answering 1, the most frequent class 0.7"),
        ("accuracy_score", 0.6, "failed", "always answering 1, the most frequent class 0.7"),
        ("accuracy_score", 0.71, "inconclusive", "always answering 1, the most frequent class 0.7"),
        ("roc_auc_score", 0.8, "passed", "always answering the shares of the classes 0.5"),
        ("log_loss", 0.9, "passed", "always answering the shares of the classes 0.61"),
    ],
)
def test_a_first_version_is_compared_with_a_baseline(tmp_path: Path, measure: str, own: float, status: str, against: str) -> None:
    truth = np.array([0] * 300 + [1] * 700)
    folder = project(tmp_path, truth.tolist(), measures=[{"name": measure}])
    result = judged(subject(folder, answers(right_in(own, 5, truth))))
    assert result.status == status, result.message
    assert against in result.message
    assert "no version of m is in production, so a baseline takes the champion's place" in result.message
    assert result.figures["rule"] == "better" and "championVersion" not in result.figures


@pytest.mark.parametrize(("measure", "what"), [("r2_score", "the mean"), ("mean_absolute_error", "the median")])
def test_numbers_are_compared_with_their_middle(tmp_path: Path, measure: str, what: str) -> None:
    folder = project(tmp_path, AMOUNTS.tolist(), NUMBERS, measures=[{"name": measure}])
    good = judged(subject(folder, answers(near(10, 5), NUMBERS)))
    assert good.status == "passed" and f"always answering {what}" in good.message
    assert judged(subject(folder, answers(near(60, 5), NUMBERS))).status == "failed"


# -- segments -----------------------------------------------------------------------------------------------------------


def test_a_segment_that_is_worse_fails_and_is_named(tmp_path: Path) -> None:
    folder = project(tmp_path, TRUTH.tolist())
    before, after = right_in(0.8, 5), TRUTH.copy()
    north = np.array([row["city"] == "north" for row in table()])
    after[north] = np.array(right_in(0.6, 6, TRUTH[north]))  # 1.0 elsewhere: as good as before over all
    result = judged(
        subject(folder, answers(after.tolist()), answers(before), segments=("city", "rooms"), rule="not worse", margin=0.05)
    )
    assert result.status == "failed"
    assert "7 segments of city, rooms judged; worse by more than 0.05 in city north (accuracy 0.6, " in result.message
    assert result.figures["segments"] == 7 and result.figures["segmentsWorse"] == 1
    fine = judged(subject(folder, answers(before), answers(before), segments=("city", "rooms")))
    assert fine.status == "passed" and "7 segments of city, rooms judged" in fine.message


def test_segments_of_few_rows_are_said(tmp_path: Path) -> None:
    folder = project(tmp_path, TRUTH.tolist(), rows=_with(30, city="west"))
    same = answers(right_in(0.8, 5))
    result = judged(subject(folder, same, same, segments=("city",)))
    assert result.status == "passed"
    assert "2 segments of city judged, 1 with fewer than 100 rows not" in result.message


def test_a_segment_that_is_no_column_is_a_mistake_in_the_policy(tmp_path: Path) -> None:
    same = answers(right_in(0.8, 5))
    result = judged(subject(project(tmp_path, TRUTH.tolist()), same, same, segments=("town",)))
    assert result.status == "failed"
    assert (
        "segments of town, and the model's rows have no such column (there are age, rooms, city, since, member)" in result.message
    )


# -- scores -------------------------------------------------------------------------------------------------------------


def test_every_score_of_a_policy_is_one_and_more_is_better() -> None:
    assert set(KINDS) == set(SCORES)
    spread = np.column_stack([1 - np.array(right_in(0.9, 1)) * 0.6 - 0.2, np.array(right_in(0.9, 1)) * 0.6 + 0.2])
    guess = np.column_stack([1 - np.array(right_in(0.6, 2)) * 0.6 - 0.2, np.array(right_in(0.6, 2)) * 0.6 + 0.2])
    good = {"labels": np.array(right_in(0.9, 1)), "probabilities": spread, "numbers": np.array(near(5, 1))}
    bad = {"labels": np.array(right_in(0.6, 2)), "probabilities": guess, "numbers": np.array(near(15, 2))}
    for name, kind in KINDS.items():
        truth = AMOUNTS if kind.needs == "numbers" else TRUTH
        assert scorer(name, 2)(truth, good[kind.needs]) > scorer(name, 2)(truth, bad[kind.needs]), name


def test_what_notebooks_call_scores() -> None:
    assert (called("score", "regression"), called("score", "classification")) == ("r2", "accuracy")
    assert called("mean_squared_error", "regression") == "rmse"
    assert called("roc_auc_score", "regression") is None and called("brier_score_loss", "classification") is None


def test_options_of_the_notebooks_score_are_kept() -> None:
    from sklearn.metrics import f1_score, precision_score

    truth, guess = np.arange(ROWS) % 3, (np.arange(ROWS) * 7) % 3
    guess[::5] = 1
    assert scorer("f1", 3)(truth, guess) == pytest.approx(f1_score(truth, guess, average="macro"))
    assert scorer("f1", 3, {"average": "weighted"})(truth, guess) == pytest.approx(f1_score(truth, guess, average="weighted"))
    two = np.minimum(truth, 1), np.minimum(guess, 1)
    assert scorer("precision", 2, {"positive": 0})(*two) == pytest.approx(precision_score(*two, pos_label=0))


def test_a_long_comparison_asks_whether_to_go_on(tmp_path: Path) -> None:
    """The slowest of all: AUC of each class against the others."""
    names = tuple("abcde")
    random = np.random.default_rng(0)
    truth = [names[at] for at in random.integers(0, 5, 2000)]
    output = Output("classification", "object", names, True)
    folder = project(tmp_path, truth, output, measures=[{"name": "roc_auc_score"}])
    made = [{"predictions": truth, "probabilities": random.dirichlet(np.ones(5), 2000).tolist(), "classes": list(names), "task": "classification"} for _ in range(2)]  # fmt: skip
    told: list[str] = []
    Metrics(resamples=1000).run(subject(folder, *made), lambda message, fraction: told.append(message))
    assert told.count("") == 2 * 501 // 200  # a promotion that is cancelled meanwhile ends at one of these
