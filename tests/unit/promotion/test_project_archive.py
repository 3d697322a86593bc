"""A project as one file: the same for the same project, and nothing outside of its folder when it is unpacked."""

from __future__ import annotations

import hashlib
import os
import zipfile
from pathlib import Path

import pytest

from jupyter_mlops.checksums import file_digest, verify_checksums, write_checksums
from jupyter_mlops.errors import ConversionError
from jupyter_mlops.workflows import project_archive
from jupyter_mlops.workflows.project_archive import pack_project, unpack_project


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for name in (
        "src/a/x.py",
        "src/a/__pycache__/x.pyc",
        "tests/test_x.py",
        "data/Ü b.csv",
        ".pytest_cache/v",
        "mlruns/1/a",
        ".gitignore",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{name}\n" * 50, encoding="utf-8")
    return folder


def test_the_same_project_is_the_same_file(project: Path, tmp_path: Path) -> None:
    first = pack_project(project, tmp_path / "a.zip")
    for path in project.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o755)
    assert pack_project(project, tmp_path / "b.zip") == first == hashlib.sha256((tmp_path / "a.zip").read_bytes()).hexdigest()
    (project / "src/a/x.py").write_text("other", encoding="utf-8")
    assert pack_project(project, tmp_path / "c.zip") != first


def test_there_and_back_without_what_running_it_left(project: Path, tmp_path: Path) -> None:
    pack_project(project, tmp_path / "a.zip")
    back = files(unpack_project(tmp_path / "a.zip", tmp_path / "back"))
    assert set(back) == {"src/a/x.py", "tests/test_x.py", "data/Ü b.csv", ".gitignore"}
    assert all(back[name] == (project / name).read_bytes() for name in back)


def test_the_runtime_of_the_page_comes_back_from_the_installation(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where this installation has the very same; else the bundle's checksums do without it."""
    edge, installed = project / "edge", tmp_path / "installed"
    (edge / "vendor").mkdir(parents=True)
    (installed / "web").mkdir(parents=True)
    (edge / "model.onnx").write_bytes(b"model")
    for name in ("ort.wasm", "ort.mjs"):
        (edge / "vendor" / name).write_bytes(name.encode() * 1000)
        (installed / "web" / name).write_bytes(name.encode() * 1000)
    write_checksums(edge)
    pack_project(project, tmp_path / "a.zip")
    assert not [n for n in zipfile.ZipFile(tmp_path / "a.zip").namelist() if "vendor" in n]
    monkeypatch.setattr(project_archive, "files", lambda package: installed)
    back = unpack_project(tmp_path / "a.zip", tmp_path / "back")
    assert files(back / "edge") == files(edge)
    (installed / "web" / "ort.wasm").write_bytes(b"of another version")
    again = unpack_project(tmp_path / "a.zip", tmp_path / "again")
    assert (again / "edge" / "vendor" / "ort.mjs").is_file()
    assert not (again / "edge" / "vendor" / "ort.wasm").exists()
    assert verify_checksums(again / "edge") == []


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside-of-it", "a/../../outside"])
def test_nothing_is_written_outside(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(name, "x")
    with pytest.raises(ConversionError, match="leads out of it"):
        unpack_project(tmp_path / "a.zip", tmp_path / "in" / "back")
    assert files(tmp_path / "in") == {}


def test_what_is_no_archive_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_text("no archive", encoding="utf-8")
    with pytest.raises(ConversionError, match="cannot be unpacked"):
        unpack_project(tmp_path / "a.zip", tmp_path / "back")
    assert len(file_digest(tmp_path / "a.zip")) == 64
