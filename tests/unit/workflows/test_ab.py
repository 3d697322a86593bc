"""A/B reports from tables of answered requests."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jupyter_mlops.cli import main
from jupyter_mlops.errors import UsageError
from jupyter_mlops.promotion.verdicts.arms import compare_arms
from jupyter_mlops.workflows.ab import AbOptions, ab_report
from tests.unit.monitor.logs import Written


def answered(folder: Path, right: dict[str, float], rows: int = 2000, seed: int = 0) -> Path:
    """A table in which each version is right in a share of its requests."""
    random = np.random.default_rng(seed)
    parts = []
    for version, share in right.items():
        label = random.choice(["late", "punctual"], rows)
        good = random.random(rows) < share
        other = np.where(label == "late", "punctual", "late")
        parts.append(pd.DataFrame({"model_version": version, "label": label, "prediction": np.where(good, label, other)}))
    path = folder / "answered.csv"
    pd.concat(parts).sample(frac=1, random_state=0).to_csv(path, index=False)
    return path


def test_a_version_that_is_better_is_found(tmp_path: Path) -> None:
    report = ab_report([answered(tmp_path, {"10": 0.86, "9": 0.80})])
    assert [(one.version, one.rows) for one in report.arms] == [("9", 2000), ("10", 2000)]  # numbers, not texts
    [found] = report.contrasts
    assert found.version == "10"
    assert found.verdict == "better"
    assert 0 < found.low < found.difference < found.high
    assert found.difference == pytest.approx(report.arms[1].score - report.arms[0].score)
    for arm, share in zip(report.arms, (0.80, 0.86), strict=True):
        assert arm.low < share < arm.high
        # As wide as for a share of 2,000: four standard errors.
        assert arm.high - arm.low == pytest.approx(2 * 1.96 * (share * (1 - share) / 2000) ** 0.5, rel=0.15)


def test_versions_that_are_alike_are_seldom_told_apart() -> None:
    told = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        arms = {name: (np.ones(300), (random.random(300) < 0.8).astype(float)) for name in "ab"}
        _, [contrast] = compare_arms(arms, lambda truth, answers: float((truth == answers).mean()), resamples=300)
        told += contrast.verdict != "inconclusive"
    assert 2 <= told <= 20  # 5% of 200, and chance


def test_errors_are_shown_in_their_own_unit(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    truth = random.normal(100, 10, 4000)
    table = pd.DataFrame({"arm": ["old"] * 2000 + ["new"] * 2000, "price": truth})
    table["said"] = truth + np.where(table["arm"] == "old", random.normal(0, 4, 4000), random.normal(0, 2, 4000))
    table.to_parquet(tmp_path / "answered.parquet")
    report = ab_report([tmp_path / "answered.parquet"], AbOptions("arm", "price", "said", first="old"))
    assert (report.score, report.less_is_better) == ("rmse", True)
    assert [round(one.score) for one in report.arms] == [4, 2]
    assert report.contrasts[0].verdict == "better"
    assert report.contrasts[0].low < report.contrasts[0].difference < report.contrasts[0].high < 0
    assert all(one.low < one.score < one.high for one in report.arms)


def test_labels_that_have_not_arrived_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = answered(tmp_path, {"1": 0.9, "2": 0.7})
    table = pd.read_csv(path)
    table.loc[:99, "label"] = None
    table.to_csv(path, index=False)
    assert main(["ab", str(path)]) == 1
    out = capsys.readouterr().out
    assert "100 rows without a label" in out
    assert "version 2 against 1: -0.199" in out
    assert out.rstrip().splitlines()[-2].endswith("worse")
    assert main(["ab", str(path), "--first", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["contrasts"][0]["verdict"] == "better"


def test_an_empty_version_makes_no_version_of_its_own(tmp_path: Path) -> None:
    path = answered(tmp_path, {"1": 0.9, "2": 0.7}, rows=400)
    table = pd.read_csv(path)
    table.loc[:9, "model_version"] = None
    table.to_csv(path, index=False)
    report = ab_report([path])
    assert [one.version for one in report.arms] == ["1", "2"]
    assert report.unlabelled == 10


def test_fractions_that_are_predicted_are_no_classes(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    table = pd.DataFrame({"model_version": [1, 2] * 500, "label": random.integers(0, 50, 1000)})
    table["prediction"] = table["label"] + random.normal(0, 1, 1000)
    table.to_csv(tmp_path / "answered.csv", index=False)
    report = ab_report([tmp_path / "answered.csv"])
    assert report.score == "rmse"
    assert [round(one.score) for one in report.arms] == [1, 1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.csv"], "none.csv cannot be read"),
        (["answered.txt"], "is of no known kind"),
        (["answered.csv", "--arm", "who"], "has no column 'who'; it has model_version, label, prediction"),
        (["answered.csv", "--score", "roc_auc"], "is no score of labels or numbers"),
        (["answered.csv", "--score", "rmse"], "have to be numbers"),
        (["answered.csv", "--first", "7"], "No row with a label is of version 7; there are 1, 2"),
        (["answered.csv", "--confidence", "95"], "from 0.5 to below 1"),
    ],
)
def test_what_cannot_be_compared(
    arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answered(tmp_path, {"1": 0.9, "2": 0.7}, rows=50)
    monkeypatch.chdir(tmp_path)
    assert main(["ab", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_one_version_is_too_few(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Two versions with labels are needed, and the table has 1"):
        ab_report([answered(tmp_path, {"1": 0.9})])


def test_versions_of_a_prediction_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Version 2 is right more often; what has no label is left out, and so is what was only mirrored."""
    random = np.random.default_rng(0)
    written, now = Written(tmp_path), datetime.now(UTC)
    told = []
    for version, right, arm in (("1", 0.7, "stable"), ("2", 0.85, "canary"), ("3", 0.1, "shadow")):
        truth = random.integers(0, 2, 1000)
        answers = np.where(random.random(1000) < right, truth, 1 - truth)
        times = [now - timedelta(minutes=5) for _ in truth]
        frame = pd.DataFrame({"size": np.arange(1000.0)})
        written.predictions(frame, answers.tolist(), times, version=version, arm=arm, name=f"v{version}")
        told += [(f"v{version}-{at}", 0, int(label), now) for at, label in enumerate(truth[:900])]
    written.feedback(told)
    assert main(["ab", "--log", str(tmp_path), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [(arm["version"], arm["rows"]) for arm in report["arms"]] == [("1", 900), ("2", 900)]
    assert [(one["version"], one["verdict"]) for one in report["contrasts"]] == [("2", "better")]
    assert report["score"] == "accuracy" and report["unlabelled"] == 200
    assert main(["ab", "--log", str(tmp_path), "--window", "1m"]) == 2
    assert "Two versions with labels are needed" in capsys.readouterr().err
    assert main(["ab"]) == 2 and "Give files" in capsys.readouterr().err
