"""Which files count as data that was read."""

from __future__ import annotations

import time
from pathlib import Path

import pandas as pd
import pytest

from jupyter_mlops.data.reads import Reads, is_data_file, named_files


def test_files_that_are_read(tmp_path: Path) -> None:
    for name in ("a.csv", "b.parquet", "c.txt", "code.py", "mlflow.db", "unread.csv"):
        (tmp_path / name).write_text("x,y\n1,2\n")
    pd.DataFrame({"x": [1]}).to_parquet(tmp_path / "b.parquet")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "h.csv").write_text("x\n1\n")
    time.sleep(0.01)
    since = time.time_ns()
    with Reads() as reads:
        pd.read_csv(tmp_path / "a.csv")
        pd.read_parquet(str(tmp_path / "b.parquet"))
        (tmp_path / "c.txt").read_bytes()
        for name in ("code.py", "mlflow.db", ".hidden/h.csv"):
            (tmp_path / name).read_bytes()
        (tmp_path / "made.csv").write_text("x\n1\n")
        pd.read_csv(tmp_path / "made.csv")  # what the code itself wrote is no input
    (tmp_path / "unread.csv").read_bytes()
    assert [path.name for path in reads.files(since)] == ["a.csv", "b.parquet", "c.txt"]


def test_a_file_that_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x\n1\n")
    with Reads() as reads:
        frame = pd.read_csv(path)
        assert not reads.changed(path)
        frame.assign(y=1).to_csv(path)
    assert reads.changed(path)
    path.unlink()
    assert reads.changed(path)


def test_files_that_are_named(tmp_path: Path, monkeypatch: object) -> None:
    (tmp_path / "a.csv").write_text("x\n1\n")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "0.parquet").write_bytes(b"")
    (tmp_path / "other").mkdir()
    source = f"pl.read_csv('{tmp_path}/a.csv')\npl.read_parquet(FOLDER)\nopen('{tmp_path}/other')\nx = 'a title'"
    found = named_files(source, {"FOLDER": tmp_path / "parts", "unused": str(tmp_path / "a.csv")}, {"FOLDER", "x"})
    assert found == [tmp_path / "a.csv", tmp_path / "parts"]
    assert named_files("this is no python", {}, ()) == []


def test_hidden_folders_count_below_the_notebook_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / ".project"  # as of a notebook that is run in a hidden folder
    data, cached = home / "data" / "a.csv", home / ".cache" / "b.csv"
    for path in (data, cached):
        path.parent.mkdir(parents=True)
        path.write_text("x\n1\n")
    assert is_data_file(data, home) and not is_data_file(cached, home)
    monkeypatch.chdir(tmp_path)
    assert not is_data_file(data)  # seen from here, its folder is hidden
    monkeypatch.chdir(home)
    assert is_data_file(data)
    assert not is_data_file(home / "data", home) and not is_data_file(home / "data" / "gone.csv", home)
