"""Output folders: replaced whole, never over a user's edits."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlops.errors import OutputError
from jupyter_mlops.workflows.output import check_target, edited_files, publish, staging


def _project(folder: Path, text: str = "one") -> Path | None:
    with staging(folder) as place:
        (place / "src").mkdir()
        (place / "src" / "a.py").write_text(text, encoding="utf-8")
        return publish(place, folder)


def test_a_second_conversion_replaces_the_first(tmp_path: Path) -> None:
    target = tmp_path / "out"
    _project(target)
    check_target(target, force=False)
    assert _project(target, "two") is None
    assert (target / "src" / "a.py").read_text(encoding="utf-8") == "two"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_an_edited_project_is_refused_and_with_force_kept(tmp_path: Path) -> None:
    target = tmp_path / "out"
    _project(target)
    (target / "src" / "a.py").write_text("mine", encoding="utf-8")
    (target / "notes.txt").write_text("mine too", encoding="utf-8")
    assert edited_files(target) == ["notes.txt", "src/a.py"]
    with pytest.raises(OutputError, match=r"notes\.txt, src/a\.py"):
        check_target(target, force=False)
    check_target(target, force=True)
    kept = _project(target, "two")
    assert kept is not None
    assert (kept / "src" / "a.py").read_text(encoding="utf-8") == "mine"
    assert (target / "src" / "a.py").read_text(encoding="utf-8") == "two"


def test_running_the_project_is_no_edit(tmp_path: Path) -> None:
    target = tmp_path / "out"
    _project(target)
    (target / "src" / "__pycache__").mkdir()
    (target / "src" / "__pycache__" / "a.pyc").write_bytes(b"x")
    assert edited_files(target) == []


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work", encoding="utf-8")
    with pytest.raises(OutputError, match="not made by a conversion"):
        check_target(tmp_path, force=True)


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x", encoding="utf-8")
    with pytest.raises(OutputError, match="is a file"):
        check_target(tmp_path / "out", force=False)


def test_an_error_leaves_the_former_project_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "out"
    _project(target)

    def fail() -> None:
        with staging(target) as place:
            (place / "half").write_text("x", encoding="utf-8")
            raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        fail()
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert edited_files(target) == []


def test_what_a_killed_conversion_left_is_removed_by_the_next(tmp_path: Path) -> None:
    target = tmp_path / "out"
    left = tmp_path / ".out.999999999.partial"
    left.mkdir()
    _project(target)
    assert not left.exists()
