"""The monitor's verdict on a hand-made log, against the reference data of a hand-made project."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_mlops.errors import MissingPackageError, UsageError
from jupyter_mlops.signature import Column, Output, Signature
from jupyter_mlops.workflows.monitoring import MonitorOptions, monitor
from tests.unit.monitor.logs import Written

pytestmark = pytest.mark.slow  # Evidently is imported

ROWS = 600
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


def _project(folder: Path, x: np.ndarray, labels: list[Any], chances: np.ndarray, classes: tuple[Any, ...]) -> Path:
    """What the monitor reads of a project."""
    signature = Signature((Column("x", "float64", "float"),), Output("classification", "object", classes, probabilities=True))
    holdout = {
        "rows": [{"x": one} for one in x.tolist()], "labels": labels, "predictions": [classes[int(one > 0.5)] for one in chances.tolist()],
        "probabilities": [[1 - one, one] for one in chances.tolist()], "measures": [{"name": "roc_auc_score"}], "evaluated_on": "rows held out",
    }  # fmt: skip
    for name, data in {"model/signature.json": {"raw": signature.as_dict()}, "holdout/holdout.json": holdout}.items():
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(json.dumps(data), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("classes", "kind", "told"), [((0, 1), "integer", int), ((0, 1), "integer", float), (("on time", "late"), "string", str)]
)
def test_a_model_is_scored_where_only_some_rows_have_a_label(
    tmp_path: Path, classes: tuple[Any, Any], kind: str, told: Callable[[Any], Any]
) -> None:
    random = np.random.default_rng(0)
    x = random.random(ROWS)
    truth = (random.random(ROWS) < x).astype(int)
    project = _project(tmp_path / "project", x, [classes[one] for one in truth], x, classes)
    log = Written(tmp_path / "log")
    times = [BEGIN + timedelta(seconds=n) for n in range(ROWS)]
    log.predictions(
        pd.DataFrame({"x": x}), [classes[int(one > 0.5)] for one in x], times, kind=kind, probabilities=[[1 - one, one] for one in x.tolist()]
    )  # fmt: skip
    log.feedback([(f"r-{n}", 0, told(classes[truth[n]]), times[n]) for n in range(0, ROWS, 2)])
    report, _ = monitor("m", "1", MonitorOptions(log=log.folder, project=project, output=tmp_path / "out"))
    assert (report.rows, report.labelled) == (ROWS, ROWS // 2)
    assert report.quality is not None
    assert (report.quality.score, report.quality.rows) == ("roc_auc", ROWS // 2)
    assert report.quality.value == pytest.approx(report.quality.reference, abs=0.06)
    assert report.quality.value > 0.7


def test_without_evidently_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "evidently", None)
    with pytest.raises(MissingPackageError, match=r"python -m pip install 'jupyter-mlops\[monitor\]'"):
        monitor("m")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"webhook": "ftp://host"}, "begins with https://"),
        ({"sample": 100}, "A sample of 100 rows is less than the 200 rows"),
        ({"window": timedelta(0)}, "must be a length of time"),
        ({"share": 2.0}, "--share is 2.0"),
    ],
)
def test_options_that_make_no_sense_are_refused(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    x = np.linspace(0, 1, 10)
    project = _project(tmp_path / "project", x, [0, 1] * 5, x, (0, 1))
    with pytest.raises(UsageError, match=said):
        monitor("m", "1", MonitorOptions(log=tmp_path / "log", project=project, **options))
