"""A model trained again on another version of its data, which DVC keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jupyter_mlops.cli import main
from jupyter_mlops.errors import DataError, UsageError
from jupyter_mlops.tracking.lifecycle import find_version
from jupyter_mlops.workflows.convert import ConvertOptions, convert
from jupyter_mlops.workflows.data import add, read_run
from jupyter_mlops.workflows.retraining import RetrainOptions, retrain
from tests.notebooks import Cell, write_notebook

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")]
NOTEBOOK: list[Cell] = [
    ("imports", "import pandas as pd\nfrom sklearn.linear_model import LinearRegression\nfrom sklearn.metrics import r2_score"),
    ("load", 'houses = pd.read_csv("houses.csv")'),
    ("train", 'model = LinearRegression().fit(houses[["area", "rooms"]][:150], houses["price"][:150])'),
    ("evaluate", 'score = r2_score(houses["price"][150:], model.predict(houses[["area", "rooms"]][150:]))'),
]


def _houses(path: Path, seed: int) -> bytes:
    random = np.random.default_rng(seed)
    made = pd.DataFrame({"area": random.normal(100, 20, 200).round(1), "rooms": random.integers(1, 6, 200)})
    made.assign(price=3 * made["area"] + seed * made["rooms"] + random.normal(0, 5, 200)).to_csv(path, index=False)
    return path.read_bytes()


def test_the_version_that_a_run_saw_is_what_it_is_trained_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    file = tmp_path / "houses.csv"
    monkeypatch.chdir(tmp_path)
    first = _houses(file, 1)
    add([file], tmp_path)
    made = convert(write_notebook(tmp_path / "houses.ipynb", NOTEBOOK), tmp_path / "houses", ConvertOptions(tracking_uri=uri))
    assert made.ok, made.report.error
    run = find_version(uri, "houses", "1").run_id
    second = _houses(file, 7)
    add([file], tmp_path)

    again = retrain("houses", "1", RetrainOptions(folder=tmp_path, data=run, promote=False))
    assert (again.status, again.challenger) == ("registered", "2")
    assert file.read_bytes() == first
    seen = [read_run(find_version(uri, "houses", number).run_id, uri).files[0] for number in ("1", "2")]
    assert seen[0]["md5"] == seen[1]["md5"]
    # As a command, with what DVC's files say by now.
    assert main(["retrain", "houses@1", "--data", "tracked", "--no-promote"]) == 0
    assert file.read_bytes() == second
    assert read_run(find_version(uri, "houses", "3").run_id, uri).files[0]["md5"] != seen[0]["md5"]


def test_without_its_data_nothing_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    file = tmp_path / "houses.csv"
    monkeypatch.chdir(tmp_path)
    _houses(file, 1)
    made = convert(write_notebook(tmp_path / "houses.ipynb", NOTEBOOK), tmp_path / "houses", ConvertOptions(tracking_uri=uri))
    run = made.report.run_id
    assert made.ok and run is not None
    other = _houses(file, 2)
    options = RetrainOptions(folder=tmp_path, data=run, tracking_uri=uri)
    with pytest.raises(DataError, match=r"houses\.csv of .* cannot be had, so nothing was trained: .*DVC is not set up"):
        retrain("houses", "1", options)
    with pytest.raises(UsageError, match="nothing-like-it"):
        retrain("houses", "1", RetrainOptions(folder=tmp_path, data="nothing-like-it", tracking_uri=uri))
    assert file.read_bytes() == other
    assert not (tmp_path / "houses-retrained").exists() and not list(tmp_path.glob(".*.ipynb"))
