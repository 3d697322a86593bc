"""`jupyter mlops data` on real DVC projects with a real remote folder: nothing is lost, and what a run saw comes back."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.cli import main
from jupyter_mlops.data.versions import data_version
from jupyter_mlops.tracking.store import experiment_id, store

pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """`jupyter mlops data ...` in a folder: exit code, standard output, standard error."""

    def call(folder: Path, *arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        before = Path.cwd()
        os.chdir(folder)
        try:
            code = main(["data", *arguments])
        finally:
            os.chdir(before)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def _git(folder: Path, *arguments: str) -> None:
    command = ["git", "-c", "user.name=n", "-c", "user.email=n@example.org", *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def _use_remote(project: Path, remote: Path) -> None:
    config = project / ".dvc" / "config"
    text = config.read_text()
    core = "" if "[core]" in text else "[core]\n"
    config.write_text(f"{text}{core}    remote = shelf\n['remote \"shelf\"']\n    url = {remote}\n")


def _record(uri: str, name: str, entries: list[dict[str, Any]] | str) -> str:
    """A run with a data.json, as %%track writes it."""
    with store(uri) as client:
        run = client.create_run(experiment_id(client, "data", uri), run_name=name)
        text = entries if isinstance(entries, str) else json.dumps(entries)
        client.log_text(run.info.run_id, text, "data.json")
        client.set_terminated(run.info.run_id)
        return str(run.info.run_id)


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One MLflow store for all tests: making one takes seconds."""
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'mlflow.db'}"


def _saw(*paths: Path) -> list[dict[str, Any]]:
    return [asdict(data_version(path)) for path in paths]


@pytest.mark.parametrize("git", [True, False], ids=["git", "no-git"])
def test_from_the_first_file_to_a_fresh_clone(tmp_path: Path, cli: Cli, uri: str, git: bool) -> None:
    project, remote = tmp_path / "mein projekt ü", tmp_path / "remote"
    table, parts = project / "data" / "tabelle ä.csv", project / "data" / "parts"
    parts.mkdir(parents=True)
    (project / "random.py").write_text("raise RuntimeError('a module of the project stood in for the library')")
    table.write_text("a\n1\n")
    (parts / "one.parquet").write_bytes(b"one")
    if git:
        _git(project, "init", "--quiet")

    assert cli(project, "status")[0] == 2
    code, out, err = cli(project, "add", "data/tabelle ä.csv", "data/parts")
    assert code == 0, err
    assert ("dvc init --no-scm" in out) is not git
    assert (project / ".dvc").is_dir()
    code, _, err = cli(project, "push")
    assert code == 2
    assert "dvc remote add -d" in err
    _use_remote(project, remote)
    states = [json.loads(line) for line in cli(project, "status", "--json")[1].splitlines()]
    assert [(one["path"], one["state"], one["pushed"]) for one in states] == [
        ("data/parts", "unchanged", False), ("data/tabelle ä.csv", "unchanged", False),
    ]  # fmt: skip
    assert cli(project, "push")[0] == 0
    assert all(json.loads(line)["pushed"] for line in cli(project, "status", "--json")[1].splitlines())
    first = _record(uri, "first run", _saw(table, parts))
    if git:
        _git(project, "add", "--all")
        _git(project, "commit", "--quiet", "-m", "one")

    table.write_text("a\n2\n")
    (parts / "two.parquet").write_bytes(b"two")
    assert cli(project, "status")[1].count("modified") == 2
    assert cli(project, "add", "data/tabelle ä.csv", "data/parts")[0] == 0
    assert cli(project, "push")[0] == 0
    second = _record(uri, f"second of {git}", _saw(table, parts))

    # The first run's data comes back, then the second's, by id, by the beginning of the id, and by name.
    code, out, err = cli(project, "checkout", first, "--tracking-uri", uri)
    assert (code, err) == (0, "")
    assert table.read_text() == "a\n1\n"
    assert [one.name for one in parts.iterdir()] == ["one.parquet"]
    assert cli(project, "checkout", second[:20], "--tracking-uri", uri)[0] == 0
    assert table.read_text() == "a\n2\n"
    assert cli(project, "checkout", f"second of {git}", "--tracking-uri", uri)[1].count("already here") == 2
    assert cli(project, "checkout", first, "data/parts", "--tracking-uri", uri)[0] == 0
    assert [one.name for one in parts.iterdir()] == ["one.parquet"]
    assert table.read_text() == "a\n2\n"

    # A clone has no cache, but the remote has everything, also what the clone's .dvc files do not name.
    clone = tmp_path / "clone"
    shutil.copytree(project, clone, ignore=shutil.ignore_patterns("cache", "tmp", "*.csv", "parts"))
    (clone / "data").mkdir(exist_ok=True)
    code, _, err = cli(clone, "checkout", first, "--tracking-uri", uri)
    assert (code, err) == (0, "")
    assert (clone / "data" / "tabelle ä.csv").read_text() == "a\n1\n"
    assert (clone / "data" / "parts" / "one.parquet").read_bytes() == b"one"
    code, out, err = cli(clone, "pull")
    assert (code, err) == (0, "")
    assert (clone / "data" / "tabelle ä.csv").read_text() == "a\n2\n"
    assert (clone / "data" / "parts" / "two.parquet").read_bytes() == b"two"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which DVC tracks x.csv, without git. Each call of DVC takes seconds: it is made once."""
    from jupyter_mlops.workflows.data import add

    folder = tmp_path_factory.mktemp("made") / "project"
    folder.mkdir()
    (folder / "x.csv").write_text("1\n")
    add([folder / "x.csv"], folder)
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    """A copy of it for one test."""
    return Path(shutil.copytree(made, tmp_path / "project"))


def test_a_file_whose_version_is_nowhere_stays_as_it_is(project: Path, cli: Cli, uri: str, tmp_path: Path) -> None:
    first = _record(uri, "gone", _saw(project / "x.csv"))
    (project / "x.csv").write_text("2\n")
    assert cli(project, "add", "x.csv")[0] == 0
    for one in (project / ".dvc" / "cache").rglob("*"):
        if one.is_file() and one.read_text() == "1\n":
            one.chmod(0o644)
            one.unlink()
    code, _, err = cli(project, "checkout", first, "--tracking-uri", uri)
    assert code == 1
    assert "x.csv: version b026324c" in err
    assert "dvc remote add" in err  # there is no remote to look at
    assert (project / "x.csv").read_text() == "2\n"
    _use_remote(project, tmp_path / "empty remote")
    code, _, err = cli(project, "checkout", first, "--tracking-uri", uri)
    assert code == 1
    assert "The remote does not have it either" in err
    assert (project / "x.csv").read_text() == "2\n"

    # The same with pull, where DVC itself removes the file.
    (project / "x.csv.dvc").write_text(
        (project / "x.csv.dvc").read_text().replace("26ab0db90d72e28ad0ba1e22ee510510", "b026324c6904b2a9cb4b88d6d61c81d1")
    )
    assert cli(project, "pull")[0] == 1
    assert (project / "x.csv").read_text() == "2\n"


def test_content_that_is_kept_nowhere_is_not_replaced(project: Path, cli: Cli, uri: str) -> None:
    first = _record(uri, "kept", _saw(project / "x.csv"))
    (project / "x.csv").write_text("mine\n")
    code, _, err = cli(project, "checkout", first, "--tracking-uri", uri)
    assert code == 1
    assert "--force" in err
    assert (project / "x.csv").read_text() == "mine\n"
    assert cli(project, "checkout", first, "--force", "--tracking-uri", uri)[0] == 0
    assert (project / "x.csv").read_text() == "1\n"
    (kept,) = project.glob("x.csv.*.kept")
    assert kept.read_text() == "mine\n"
    assert not [one for one in project.iterdir() if "partial" in one.name or "former" in one.name]


def test_a_folder_with_content_of_its_own_is_kept_whole(project: Path, cli: Cli, uri: str) -> None:
    parts = project / "parts"
    parts.mkdir()
    (parts / "a").write_text("a")
    assert cli(project, "add", "parts")[0] == 0
    first = _record(uri, "folder", _saw(parts))
    (parts / "b").write_text("only here")
    assert cli(project, "checkout", first, "--tracking-uri", uri)[0] == 1
    assert (parts / "b").exists()
    assert cli(project, "checkout", first, "--force", "--tracking-uri", uri)[0] == 0
    assert [one.name for one in parts.iterdir()] == ["a"]
    (kept,) = project.glob("parts.*.kept")
    assert (kept / "b").read_text() == "only here"


def test_a_damaged_object_is_not_put_in_place(project: Path, cli: Cli, uri: str) -> None:
    first = _record(uri, "damaged", _saw(project / "x.csv"))
    (project / "x.csv").write_text("2\n")
    assert cli(project, "add", "x.csv")[0] == 0
    for one in (project / ".dvc" / "cache").rglob("*"):
        if one.is_file() and one.read_text() == "1\n":
            one.chmod(0o644)
            one.write_text("7\n")
    code, _, err = cli(project, "checkout", first, "--tracking-uri", uri)
    assert code == 1
    assert "damaged" in err
    assert (project / "x.csv").read_text() == "2\n"


@pytest.mark.parametrize(
    "path", ["../evil.csv", "sub/../../evil.csv", "{outside}/evil.csv", ".git/hooks/pre-commit", ".dvc/config", "link/evil.csv"]
)
def test_a_run_cannot_write_outside_of_the_project(project: Path, cli: Cli, uri: str, tmp_path: Path, path: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (project / "link").symlink_to(outside)
    entry = {**_saw(project / "x.csv")[0], "path": path.format(outside=outside)}
    run = _record(uri, "evil", [entry])
    config = (project / ".dvc" / "config").read_text()
    code, _, err = cli(project, "checkout", run, "--tracking-uri", uri)
    assert code == 1
    assert "outside" in err
    assert not list(outside.iterdir())
    assert not (tmp_path / "evil.csv").exists()
    assert (project / ".dvc" / "config").read_text() == config
    if path.endswith("evil.csv") and "link" not in path:  # what already is there with that content is fine
        (project / path.format(outside=outside)).resolve().write_text("1\n") if "sub" not in path else (
            tmp_path / "evil.csv"
        ).write_text("1\n")
        assert cli(project, "checkout", run, "--tracking-uri", uri)[0] == 0


@pytest.mark.parametrize(
    "text",
    ["{}", "[1]", "not json", '[{"path": 3}]', '[{"path": "x.csv", "md5": "../../x"}]', '[{"path": "x", "md5": null, "dvc": 3}]'],
)
def test_a_data_json_of_another_kind_is_refused(project: Path, cli: Cli, uri: str, text: str) -> None:
    code, _, err = cli(project, "checkout", _record(uri, "odd", text), "--tracking-uri", uri)
    assert code == 2
    assert "data.json" in err


def test_what_is_asked_for_wrongly_is_said(project: Path, cli: Cli, uri: str, tmp_path: Path) -> None:
    run = _record(uri, 'it\'s "mine"', _saw(project / "x.csv"))
    twice = [_record(uri, "twice", []), _record(uri, "twice", [])]
    for arguments, words in (
        (("checkout", "no such run", "--tracking-uri", uri), "no run with id or name"),
        (("checkout", "twice", "--tracking-uri", uri), twice[0][:12]),
        (("checkout", "x", "--tracking-uri", f"sqlite:///{tmp_path}/none.db"), "no such file"),
        (("checkout", run, "y.csv", "--tracking-uri", uri), "It read: x.csv"),
        (("add", "nothing.csv"), "There is no nothing.csv"),
        (("add", str(tmp_path)), "not inside"),
        (("push", "-r", "other"), "no remote 'other'"),
    ):
        code, _, err = cli(project, *arguments)
        assert code == 2, (arguments, err)
        assert words in err
    config = project / ".dvc" / "config"
    for url, package in (("s3://bucket/x", "dvc-s3"), ("azure://box/x", "dvc-azure")):
        before = config.read_text()
        config.write_text(f"{before}['remote \"cloud\"']\n    url = {url}\n")
        code, _, err = cli(project, "push", "-r", "cloud")
        assert code == 2
        assert f"pip install {package}" in err
        config.write_text(before)
    assert not (tmp_path / "none.db").exists()


def test_without_dvc_the_package_to_install_is_named(project: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    import jupyter_mlops.data.dvc as module

    monkeypatch.setattr(module, "find_spec", lambda name: None)
    code, _, err = cli(project, "add", "x.csv")
    assert code == 2
    assert "pip install 'jupyter-mlops[data]'" in err
    assert cli(project, "status")[0] == 0  # reads DVC's files, and needs no DVC


def test_a_remote_that_cannot_be_read_is_named(project: Path, cli: Cli, uri: str, tmp_path: Path) -> None:
    first = _record(uri, "unreadable", _saw(project / "x.csv"))
    _use_remote(project, tmp_path / "remote")
    assert cli(project, "push")[0] == 0
    shutil.rmtree(project / ".dvc" / "cache")
    (project / "x.csv").unlink()
    for one in (tmp_path / "remote").rglob("*"):
        if one.is_file():
            one.chmod(0o644)
            one.write_text("damaged")
    code, _, err = cli(project, "checkout", first, "--tracking-uri", uri)
    assert code == 1
    assert "x.csv: version b026324c" in err
    assert not (project / "x.csv").exists()
