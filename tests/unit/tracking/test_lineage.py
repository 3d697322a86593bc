"""Git state, data files, and which store is talked to."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from jupyter_mlops.errors import TrackingError
from jupyter_mlops.signature import Column, Output, Signature
from jupyter_mlops.tracking.lineage import environment, git_state
from jupyter_mlops.tracking.registry import mlflow_signature
from jupyter_mlops.tracking.store import check_reachable, shown, tracking_uri


def _git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", folder, *identity, *arguments], check=True, capture_output=True)


def test_a_folder_without_git_has_no_state(tmp_path: Path) -> None:
    state = git_state(tmp_path)
    assert (state.commit, state.branch, state.dirty, state.diff) == (None, None, False, "")


def test_a_repository_without_a_commit_has_no_state(tmp_path: Path) -> None:
    _git(tmp_path, "init", "-q")
    assert git_state(tmp_path).commit is None


def test_commit_branch_and_what_differs(tmp_path: Path) -> None:
    _git(tmp_path, "init", "-q", "-b", "trunk")
    file = tmp_path / "a.py"
    file.write_text("x = 1\n", encoding="utf-8")
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-qm", "one")
    clean = git_state(tmp_path)
    assert clean.commit is not None and len(clean.commit) == 40
    assert (clean.branch, clean.dirty, clean.diff) == ("trunk", False, "")
    file.write_text("x = 2\nremote = 'https://me:secret@example.org/x'\n", encoding="utf-8")
    _git(tmp_path, "add", ".")  # staged changes are uncommitted too
    dirty = git_state(tmp_path)
    assert dirty.dirty
    assert "+x = 2" in dirty.diff
    assert "secret" not in dirty.diff


def test_the_environment_is_named() -> None:
    made = environment({"b": "2", "a": "1"})
    assert list(made["distributions"]) == ["a", "b"]
    assert made["python"].startswith("3.")


def test_the_store_is_the_given_one_else_the_variable_else_a_file_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert tracking_uri(None, tmp_path) == f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert tracking_uri(None, tmp_path) == "http://127.0.0.1:5000"
    assert tracking_uri("sqlite:///x.db", tmp_path) == "sqlite:///x.db"


def test_a_dead_server_is_noticed_at_once_and_no_password_is_shown() -> None:
    started = time.monotonic()
    with pytest.raises(TrackingError) as raised:
        check_reachable("http://me:secret@127.0.0.1:9")
    assert time.monotonic() - started < 10
    assert "http://127.0.0.1:9" in str(raised.value)
    assert "secret" not in str(raised.value)
    assert shown("https://me:secret@example.org:80/x") == "https://example.org:80/x"


def test_a_plain_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrackingError, match="sqlite"):
        check_reachable(str(tmp_path / "mlruns"))


def test_the_signature_lets_missing_integers_through() -> None:
    columns = (
        Column("n", "int64", "integer", nullable=True),
        Column("i", "int64", "integer"),
        Column("s", "object", "string", nullable=True),
        Column("when", "datetime64[ns]", "datetime"),
    )
    made = mlflow_signature(Signature(columns, Output("classification", "object", ("a", "b"), probabilities=True)))
    kinds = {c.name: (c.type.name, c.required) for c in made.inputs.inputs}
    assert kinds == {"n": ("double", False), "i": ("long", True), "s": ("string", False), "when": ("datetime", True)}
    assert [c.name for c in made.outputs.inputs] == ["prediction", "probability_a", "probability_b"]
