"""Versions of data files agree with what DVC itself computes and records, without DVC being imported."""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from jupyter_mlops.data.dvc_files import cached, manifest, read_config, tracked_by, tracked_files
from jupyter_mlops.data.versions import DvcState, content_md5, data_tags, data_version

pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """DVC's log handlers keep the streams that the first test had, which are closed by now."""
    import dvc.logger

    monkeypatch.setattr(logging.getLogger(dvc.logger.__name__.partition(".")[0]), "handlers", [])


def _run(folder: Path, *command: str) -> str:
    env = {**os.environ, "DVC_NO_ANALYTICS": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    return subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True, text=True).stdout.strip()


def _init(folder: Path, *, git: bool = False) -> None:
    """DVC's own library: a call of its command takes two seconds."""
    from dvc.repo import Repo

    with Repo.init(str(folder), no_scm=not git):
        pass


def _add(folder: Path, *names: str) -> None:
    from dvc.repo import Repo

    with Repo(str(folder)) as repo:
        repo.add([str(folder / name) for name in names])


def _commit(folder: Path, message: str = "one") -> str:
    _run(folder, "git", "add", "--all")
    _run(folder, "git", "-c", "user.name=n", "-c", "user.email=n@example.org", "commit", "--quiet", "-m", message)
    return _run(folder, "git", "rev-parse", "HEAD")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Files that DVC tracks: one with spaces and umlauts in its name, a folder, one of a folder."""
    _run(tmp_path, "git", "init", "--quiet")
    _init(tmp_path, git=True)
    data = tmp_path / "data"
    (data / "parts" / "größe é").mkdir(parents=True)
    (data / "ein name ü.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (data / "parts" / "a.parquet").write_bytes(b"\x00\x01" * 1000)
    (data / "parts" / "größe é" / "b c.csv").write_bytes(b"x\r\ny")
    _add(tmp_path, "data/ein name ü.csv", "data/parts")
    return tmp_path


def test_a_file_and_a_folder_have_the_md5_that_dvc_recorded(project: Path) -> None:
    commit = _commit(project)
    for name in ("data/ein name ü.csv", "data/parts"):
        recorded = yaml.safe_load((project / f"{name}.dvc").read_text(encoding="utf-8"))["outs"][0]
        found = data_version(project / name)
        assert found.md5 == recorded["md5"]
        assert found.size == recorded["size"]
        assert found.path == name
        assert found.dvc == DvcState(f"{name}.dvc", recorded["md5"], "unchanged", commit)


def test_a_file_in_a_tracked_folder_is_known_from_the_manifest_in_the_cache(project: Path) -> None:
    file = project / "data" / "parts" / "größe é" / "b c.csv"
    found = data_version(file)
    assert found.dvc is not None
    assert found.dvc.file == "data/parts.dvc"
    assert found.dvc.md5 == found.md5
    file.write_bytes(b"other")
    changed = data_version(file)
    assert changed.dvc is not None
    assert (changed.dvc.state, changed.dvc.md5) == ("modified", found.md5)
    for one in read_config(project).cache.rglob("*.dir"):
        one.unlink()
    assert data_version(file).dvc is None  # not known, and not guessed


def test_a_change_is_seen_and_an_uncommitted_record_has_no_commit(project: Path) -> None:
    file = project / "data" / "ein name ü.csv"
    assert data_version(file).dvc.commit is None  # type: ignore[union-attr]
    commit = _commit(project)
    before = data_version(file)
    file.write_text("a,b\n1,3\n", encoding="utf-8")  # of the same size
    after = data_version(file)
    assert after.dvc is not None
    assert (after.dvc.state, after.dvc.commit, after.dvc.md5) == ("modified", commit, before.md5)
    assert after.md5 != before.md5
    _add(project, "data/ein name ü.csv")
    again = data_version(file)
    assert again.dvc is not None
    assert (again.dvc.state, again.dvc.commit) == ("unchanged", None)


def test_links_into_the_cache_are_followed(tmp_path: Path) -> None:
    _init(tmp_path)
    config = tmp_path / ".dvc" / "config"
    config.write_text(f"{config.read_text()}[cache]\n    dir = ../shared cache\n    type = symlink\n")
    (tmp_path / "x.csv").write_text("1\n")
    _add(tmp_path, "x.csv")
    assert (tmp_path / "x.csv").is_symlink()
    found = data_version(tmp_path / "x.csv")
    assert found.path == "x.csv"
    assert found.dvc == DvcState("x.csv.dvc", found.md5 or "", "unchanged", None)
    cache = read_config(tmp_path).cache
    assert cache == tmp_path / "shared cache"
    assert cached(cache, found.md5 or "") is not None


def test_outputs_and_inputs_of_stages_are_found_in_the_lock_file(tmp_path: Path) -> None:
    _init(tmp_path)
    work = tmp_path / "work"
    work.mkdir()
    (work / "raw.csv").write_text("1\n")
    (tmp_path / "copy.py").write_text("import shutil; shutil.copyfile('raw.csv', 'clean.csv')")
    (tmp_path / "dvc.yaml").write_text(
        f"stages:\n  clean:\n    wdir: work\n    cmd: {sys.executable} ../copy.py\n    deps: [raw.csv]\n    outs: [clean.csv]\n"
    )
    _run(tmp_path, sys.executable, "-P", "-m", "dvc", "repro")
    for name in ("raw.csv", "clean.csv"):
        found = data_version(work / name)
        assert found.dvc == DvcState("dvc.lock", found.md5 or "", "unchanged", None)
    (work / "raw.csv").write_text("2\n")
    changed = data_version(work / "raw.csv").dvc
    assert changed is not None
    assert changed.state == "modified"
    assert [one.path.name for one in tracked_files(tmp_path)] == ["clean.csv"]


def test_records_of_dvc_2_are_compared_as_dvc_2_did(tmp_path: Path) -> None:
    from dvc_data.hashfile.hash import file_md5

    _init(tmp_path)
    text = tmp_path / "text.csv"
    text.write_bytes(b"a,b\r\n1,2\r\n" * 200_000)  # more than one piece
    binary = tmp_path / "binary.bin"
    binary.write_bytes(b"\x00\r\n" * 1000)
    for file in (text, binary):
        old = file_md5(str(file), name="md5-dos2unix")
        file.with_name(f"{file.name}.dvc").write_text(f"outs:\n- md5: {old}\n  size: 3\n  path: {file.name}\n")
        assert content_md5(file, dos2unix=True) == old
        found = data_version(file)
        assert found.md5 == hashlib.md5(file.read_bytes()).hexdigest()
        assert found.dvc == DvcState(f"{file.name}.dvc", old, "unchanged", None)
    text.write_bytes(b"a,b\r\n1,3\r\n")
    changed = data_version(text).dvc
    assert changed is not None
    assert changed.state == "modified"


def test_dvcignore_leaves_files_of_a_folder_out_as_dvc_does(tmp_path: Path) -> None:
    _init(tmp_path)
    (tmp_path / ".dvcignore").write_text("# mine\n*.tmp\n/d/skipped/\n")
    for name in ("d/a.csv", "d/b.tmp", "d/skipped/c.csv", "d/sub/.hidden"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    _add(tmp_path, "d")
    state = data_version(tmp_path / "d").dvc
    assert state is not None
    assert state.state == "unchanged"


def test_without_dvc_and_without_git(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("1\n")
    found = data_version(file, how="given")
    assert found.as_dict() == {
        "path": str(file), "size": 2, "md5": "b026324c6904b2a9cb4b88d6d61c81d1", "how": "given", "dvc": None, "changed": False,
    }  # fmt: skip
    gone = data_version(tmp_path / "gone.csv")
    assert (gone.md5, gone.size, gone.dvc) == (None, 0, None)


def test_a_known_file_is_not_read_again_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "x.bin"
    file.write_bytes(b"1" * 100)
    first = content_md5(file)
    monkeypatch.setattr(hashlib, "md5", lambda **_: pytest.fail("it was read again"))
    assert content_md5(file) == first
    monkeypatch.undo()
    file.write_bytes(b"2" * 100)
    assert content_md5(file) != first


def test_damaged_records_are_no_records(tmp_path: Path) -> None:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "x.csv").write_text("1\n")
    for text in ("", "outs: 3", "outs:\n- md5: ../../etc\n  path: x.csv\n", "outs: [", "outs:\n- path: x.csv\n", "\x00"):
        (tmp_path / "x.csv.dvc").write_text(text)
        assert tracked_by(tmp_path / "x.csv") == []
        assert data_version(tmp_path / "x.csv").dvc is None


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", "a\\b", ""])
def test_a_manifest_that_leads_out_of_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "object.dir"
    file.write_text(
        f'[{{"md5": "{"0" * 32}", "relpath": {name!r}}}]'.replace("'", '"').replace("\\", "\\\\").replace("\\\\\\\\", "\\\\")
    )
    assert manifest(file) is None


def test_versions_are_found_without_importing_dvc() -> None:
    code = "import sys; from jupyter_mlops.data.versions import data_version; from pathlib import Path; data_version(Path('x.csv')); print('dvc' in sys.modules, 'yaml' in sys.modules)"
    assert _run(Path.cwd(), sys.executable, "-c", code) == "False False"


def test_tags_name_files_whose_content_is_known(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x\n1\n")
    known, gone = data_version(tmp_path / "a.csv"), data_version(tmp_path / "gone.csv")
    assert data_tags([gone, known]) == {"data.a.csv": f"md5:{known.md5}"}
    # Every run has to fit into what MLflow takes at once.
    assert len(data_tags(replace(known, path=f"{n}.csv") for n in range(50))) == 20
