"""What is decided about a request before its process starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.errors import OutputError, UsageError
from jupyter_mlops.jobs.kinds import KINDS, kind_of, notebook_of, store_of, subject_of
from jupyter_mlops.jobs.processes import MARK, end, marked
from jupyter_mlops.processes import created, is_alive
from jupyter_mlops.workflows.output import write_manifest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "a.ipynb").write_text("{}")
    return tmp_path


def prepare(request: dict[str, Any], root: Path) -> dict[str, Any]:
    """A request as a job of it is started with."""
    return kind_of(request).prepare(request, notebook_of(request, root), root)


def test_a_project_goes_beside_its_notebook(root: Path) -> None:
    request = {"kind": "convert", "path": "work/a.ipynb"}
    assert prepare(request, root)["output"] == "work/a"
    (root / "work" / "a").mkdir()
    assert prepare(request, root)["output"] == "work/a", "an empty folder is free"
    (root / "work" / "a" / "data.csv").write_text("x\n1\n")
    assert prepare(request, root)["output"] == "work/a_project", "the user's own folder of that name stays"
    write_manifest(root / "work" / "a")
    assert prepare(request, root)["output"] == "work/a", "a generated project is replaced"
    (root / "work" / "a" / "data.csv").write_text("edited")
    with pytest.raises(OutputError, match="edited"):
        prepare(request, root)
    assert prepare({**request, "force": True}, root)["output"] == "work/a"


def test_nothing_outside_of_the_root(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "b.ipynb").write_text("{}")
    (root / "link").symlink_to(outside)
    for path in ("../b.ipynb", str(outside / "b.ipynb"), "link/b.ipynb", "", "a\0.ipynb", None):
        with pytest.raises(UsageError):
            prepare({"kind": "run", "path": path, "parameters": {}}, root)
    for output in ("..", "../x", "link/x", "work", "."):
        with pytest.raises(UsageError):
            prepare({"kind": "convert", "path": "work/a.ipynb", "output": output}, root)
    with pytest.raises(UsageError, match="Save it"):
        prepare({"kind": "run", "path": "work/none.ipynb", "parameters": {}}, root)
    with pytest.raises(UsageError, match="convert, run, promote"):
        kind_of({"kind": "delete"})


def test_titles_keep_secrets() -> None:
    request = {"kind": "run", "path": "work/a.ipynb", "parameters": {"depth": 3, "db_password": "hunter2000"}}
    assert KINDS["run"].title(request) == "Run a.ipynb with depth = 3, db_password = ***"


def test_a_promotion_a_rollback_and_a_deployment_name_what_they_are_about(root: Path) -> None:
    about = {"path": "work/a.ipynb", "model": "m", "version": "3"}
    for kind in ("promote", "rollback"):
        assert prepare({"kind": kind, **about}, root)["version"] == "3"
        for wrong in ({"model": ""}, {"version": ""}, {"version": "latest"}):
            with pytest.raises(UsageError, match=r"needs the name of a registered model and the number of its version"):
                prepare({"kind": kind, **about, **wrong}, root)
    assert prepare({"kind": "deploy", "path": "work/a.ipynb", "model": "m"}, root)["model"] == "m"
    with pytest.raises(UsageError, match=r"needs the name of a registered model"):
        prepare({"kind": "deploy", "path": "work/a.ipynb"}, root)
    kinds = [KINDS[kind] for kind in ("promote", "rollback", "deploy")]
    assert [one.title(about) for one in kinds] == ["Promote m version 3", "Roll m back to version 3", "Deploy m"]
    assert [subject_of({**about, "kind": kind}) for kind in ("promote", "rollback", "deploy", "of-the-future")] == [
        "m/3",
        "m/3",
        "m",
        None,
    ]


def test_a_look_at_a_deployment_names_its_window(root: Path) -> None:
    request = {"kind": "monitor", "path": "work/a.ipynb", "model": "m"}
    assert prepare(request, root) == request
    assert prepare({**request, "window": "90m"}, root)["window"] == "90m"
    for wrong, said in (
        ({"model": ""}, "registered model"),
        ({"window": "a week"}, "is not a length of time"),
        ({"window": "0h"}, "is not a length"),
    ):
        with pytest.raises(UsageError, match=said):
            prepare({**request, **wrong}, root)
    assert KINDS["monitor"].title(request) == "Look at what m was asked"
    assert subject_of(request) == "m"


def test_the_store_is_that_of_tracked_cells(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = root / "work" / "a.ipynb"
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert store_of(None, notebook) == f"sqlite:///{root}/work/mlflow.db"
    assert store_of("http://host:5000", notebook) == "http://host:5000"
    # The notebook's kernel runs in its folder, and would look there.
    assert store_of("sqlite:///own.db", notebook) == f"sqlite:///{root}/work/own.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////abs/x.db")
    assert store_of(None, notebook) == "sqlite:////abs/x.db"


def test_a_killed_conversion_leaves_no_half_project(root: Path) -> None:
    request = {"kind": "convert", "path": "work/a.ipynb", "output": "work/a"}
    mine, others = root / "work" / ".a.77.partial", root / "work" / ".a.78.partial"
    mine.mkdir()
    others.mkdir()
    KINDS["convert"].clear(request, root, 77)
    assert not mine.exists()
    assert others.exists()


def test_processes_are_known_by_id_and_birth() -> None:
    code = "import time; print('here', flush=True); time.sleep(60)"
    sleeper = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, MARK: "j1"}, stdout=subprocess.PIPE, text=True)
    try:
        assert sleeper.stdout is not None
        assert sleeper.stdout.readline() == "here\n"  # in the moment of its start its environment cannot be read yet
        born = created(sleeper.pid)
        assert born is not None
        assert is_alive(sleeper.pid, born)
        assert not is_alive(sleeper.pid, born - 100), "another process had this id"
        assert {one.pid for one in marked("j1")} == {sleeper.pid}
        assert not marked("j2")
        end(marked("j1"))
        assert not is_alive(sleeper.pid, born), "what is left of it until its parent looks does not count"
    finally:
        sleeper.kill()
        sleeper.communicate()
    assert created(sleeper.pid) is None


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system keeps the time of day")
def test_a_clock_that_is_set_changes_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    import psutil

    since = created(os.getpid())
    set_by = psutil._pslinux.boot_time() + 3600  # what a corrected clock makes of the machine's start
    monkeypatch.setattr(psutil._pslinux, "boot_time", lambda: set_by)
    assert is_alive(os.getpid(), since)
