"""SHA256SUMS: the format of sha256sum, and every kind of change is told."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from jupyter_mlops.checksums import NAME, verify_checksums, write_checksums


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three files, one of them below, one with an odd name."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "b.txt").write_text("b", encoding="utf-8")
    (tmp_path / "sub" / "a.bin").write_bytes(bytes(range(256)))
    (tmp_path / "grün und  weit.txt").write_text("ü", encoding="utf-8")
    write_checksums(tmp_path)
    return tmp_path


def test_the_file_is_sorted_and_holds_sha256(folder: Path) -> None:
    lines = (folder / NAME).read_text(encoding="utf-8").splitlines()
    assert lines[0] == f"{hashlib.sha256(b'b').hexdigest()}  b.txt"
    assert [line.partition("  ")[2] for line in lines] == ["b.txt", "grün und  weit.txt", "sub/a.bin"]
    assert verify_checksums(folder) == []


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not installed")
def test_sha256sum_reads_it(folder: Path) -> None:
    subprocess.run(["sha256sum", "--check", "--strict", NAME], cwd=folder, check=True, capture_output=True)


def test_each_kind_of_change_is_told(folder: Path) -> None:
    (folder / "b.txt").write_text("B", encoding="utf-8")
    (folder / "sub" / "a.bin").unlink()
    (folder / "new.txt").touch()
    assert verify_checksums(folder) == ["sub/a.bin is missing", "new.txt is not listed", "b.txt was changed"]


def test_one_flipped_bit_is_seen(folder: Path) -> None:
    path = folder / "sub" / "a.bin"
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    assert verify_checksums(folder) == ["sub/a.bin was changed"]


def test_a_missing_list_is_told(tmp_path: Path) -> None:
    assert verify_checksums(tmp_path) == [f"{NAME} is missing"]


def test_writing_again_is_the_same_and_caches_are_left_out(folder: Path) -> None:
    before = (folder / NAME).read_bytes()
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "x.pyc").touch()
    assert verify_checksums(folder) == []
    write_checksums(folder)
    assert (folder / NAME).read_bytes() == before
