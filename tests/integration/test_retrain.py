"""A model in production trained again: by hand, and when the monitor gives a reason."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from jupyter_mlops.cli import main
from jupyter_mlops.errors import NotFoundError, UsageError
from jupyter_mlops.monitor.rules import read_rules
from jupyter_mlops.tracking.lifecycle import apply_lifecycle, fetch_notebook, find_version, tag_version
from jupyter_mlops.tracking.store import store
from jupyter_mlops.workflows.retraining import RetrainOptions, filled, retrain
from tests.conftest import Converted
from tests.promotable import MODEL, add_quick_version
from tests.unit.monitor.logs import Written

pytestmark = pytest.mark.slow


def test_dates_in_values() -> None:
    day = datetime(2026, 3, 1, 23, tzinfo=UTC)
    assert filled("{today-90d} to {today}, {today+1d}", day) == "2025-12-01 to 2026-03-01, 2026-03-02"
    assert filled("{yesterday} {}", day) == "{yesterday} {}"


def test_a_drifted_model_is_trained_again_once(
    deployable: str,
    converted: Callable[[str], Converted],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", deployable)
    monkeypatch.setenv("JUPYTER_MLOPS_DATABASE", f"sqlite:///{tmp_path / 'mlops.db'}")
    with pytest.raises(NotFoundError, match="No version of penguins is in production"):
        retrain(MODEL, options=RetrainOptions(folder=tmp_path))
    # A version whose promotion.yaml names who decides, and that is trained again for missing values only; the folder has other rules.
    policy = "approval: {approvers: [anna]}\n"
    strict = "window: {rows: 50}\nretrain: {reasons: [missing-values]}\n"
    quick = add_quick_version(deployable, tmp_path / "quick", policy, monitoring=strict)
    champion = _with_notebook(deployable, quick, tmp_path)
    apply_lifecycle(deployable, MODEL, champion, None)
    watch = "window: {rows: 40}\nlog: {omit: [island], hash: [sex], days: 30}\n"
    (tmp_path / "monitoring.yaml").write_text(watch)
    before = sorted(path.name for path in tmp_path.iterdir())
    failed = retrain(MODEL, options=RetrainOptions([("n_trees", "3")], tmp_path, promote=False))
    assert failed.status == "failed" and "n_trees" in failed.reason and failed.exit_code == 1
    with pytest.raises(UsageError, match="is no folder"):
        retrain(MODEL, options=RetrainOptions(folder=tmp_path / "nowhere"))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*before, f"{MODEL}-retrained"])
    assert not list((tmp_path / f"{MODEL}-retrained").glob("src"))

    # What it is asked looks like what it was trained on: there is no reason.
    holdout = json.loads((converted(MODEL).folder / "holdout/holdout.json").read_text())
    frame, answers = pd.DataFrame(holdout["rows"] * 3), holdout["predictions"] * 3
    log = Written(tmp_path / "log")
    begin = datetime.now(UTC) - timedelta(days=60)
    log.predictions(frame, answers, [begin + timedelta(seconds=n) for n in range(len(frame))], kind="string", version=champion)
    ask = [
        "retrain", MODEL, "--log", str(tmp_path / "log"), "--folder", str(tmp_path), "--no-promote", "--json", "-p", "n_estimators", "10",
    ]  # fmt: skip

    def told(*on: str) -> dict[str, object]:
        capsys.readouterr()
        assert main([*ask, "--on", *on]) == 0
        result: dict[str, object] = json.loads(capsys.readouterr().out.splitlines()[-1])
        return result

    assert (told("data-drift,concept-drift")["status"], find_version(deployable, MODEL).version) == ("not needed", champion)

    # Larger animals: it is trained again, and only once.
    numbers = frame.select_dtypes("number").columns
    later = begin + timedelta(days=30)
    log.predictions(
        frame.assign(**{name: 1.5 * frame[name] for name in numbers}),
        answers,
        [later + timedelta(seconds=n) for n in range(len(frame))],
        kind="string",
        version=champion,
    )
    unasked = told()  # for the reasons of the version's own monitoring.yaml
    assert (unasked["status"], unasked["reason"]) == ("not needed", "the alerts (data-drift) are none of missing-values")
    made = told("data-drift,concept-drift")
    assert (made["status"], made["champion"], made["challenger"]) == ("registered", champion, "3")
    assert "data-drift" in str(made["reason"])
    new = find_version(deployable, MODEL, "3")
    assert new.tags["retrained_from"] == champion and "data-drift" in new.tags["retrain.reason"]
    assert new.champion == champion  # nothing was promoted
    report = json.loads((tmp_path / f"{MODEL}-retrained" / "report.json").read_text())
    assert report["model_version"] == "3"
    settings = (tmp_path / f"{MODEL}-retrained" / "params.yaml").read_text()
    assert "n_estimators: 10" in settings
    assert not list(tmp_path.glob(".*.ipynb"))
    # The rules of its folder hold, and where there are none, those of the version that it would replace.
    project = tmp_path / f"{MODEL}-retrained"
    assert (project / "promotion.yaml").read_text() == policy
    assert (project / "monitoring.yaml").read_text() == watch
    rules = read_rules(project)
    assert (rules.window.rows, rules.log.omit, rules.log.hash) == (40, ("island",), ("sex",))
    assert "log_days: int = 30" in (project / "service/config.py").read_text()
    assert "SERVICE_LOG_HASH_KEY: ${SERVICE_LOG_HASH_KEY:?" in (project / "compose.yaml").read_text()
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_prediction_log.py"]
    ran = subprocess.run(tests, cwd=project, capture_output=True, text=True, timeout=300, check=False)
    assert "6 passed" in ran.stdout, ran.stdout  # one of them by what monitoring.yaml leaves out and hides
    again = told("data-drift,concept-drift")
    assert again["status"] == "not needed" and "version 3, Staging" in str(again["reason"])


def _with_notebook(uri: str, version: str, folder: Path) -> str:
    """Keep the notebook of version 1 with another one, as a conversion does."""
    facts = find_version(uri, MODEL, "1")
    notebook = fetch_notebook(uri, facts, folder)
    assert notebook is not None
    with store(uri) as client:
        client.log_artifact(find_version(uri, MODEL, version).run_id, str(notebook), "notebook")
    tag_version(uri, MODEL, version, {"notebook": notebook.name})
    notebook.unlink()
    return version


def test_what_makes_no_sense_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, said in (
        (["--watch", "1h"], "--watch needs --on"), (["--on", "rain"], "'rain' is no alert"), (["--on", "any", "--window", "soon"], "'soon' is not a length"),
    ):  # fmt: skip
        assert main(["retrain", "m", *arguments]) == 2
        assert said in capsys.readouterr().err
