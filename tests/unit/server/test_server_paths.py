"""Paths of the browser never leave the server's root."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlops.server.errors import ApiError
from jupyter_mlops.server.paths import Root


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """A root with notebooks, links and hidden files; there are secrets outside."""
    inside, outside = tmp_path / "work", tmp_path / "outside"
    for folder in (inside / "sub", inside / ".hidden", inside / "project", outside):
        folder.mkdir(parents=True)
    for path in ("a.ipynb", "sub/b.ipynb", ".c.ipynb", ".hidden/d.ipynb"):
        (inside / path).write_text("{}")
    (inside / "text.txt").touch()
    (outside / "secret.ipynb").write_text("{}")
    (inside / "project" / ".jupyter-mlops.json").write_text("{}")
    (inside / "out.ipynb").symlink_to(outside / "secret.ipynb")
    (inside / "way").symlink_to(outside, target_is_directory=True)
    (inside / "link.ipynb").symlink_to(inside / "sub" / "b.ipynb")
    (inside / "linked").symlink_to(inside / "sub", target_is_directory=True)
    (inside / "seen.ipynb").symlink_to(inside / ".c.ipynb")
    (inside / "loop").symlink_to(inside / "loop")
    return Root(inside)


TRICKS = [
    "../outside/secret.ipynb", "sub/../../outside/secret.ipynb", "sub/../a.ipynb", "/etc/x.ipynb", "//etc/x.ipynb", "..", "",
    "out.ipynb", "way/secret.ipynb", "a.ipynb\0", "\0", "../work/a.ipynb", ".c.ipynb", ".hidden/d.ipynb", "seen.ipynb",
]  # fmt: skip


@pytest.mark.parametrize("path", TRICKS)
def test_tricks_are_refused(root: Root, path: str) -> None:
    for ask in (root.notebook, root.project, root.target):
        with pytest.raises(ApiError) as refused:
            ask(path)
        assert (refused.value.status_code, refused.value.code) == (403, "outside-root")


@pytest.mark.parametrize(
    "path", ["%2e%2e/outside/secret.ipynb", "none.ipynb", "none/a.ipynb", "loop/a.ipynb", "x" * 5000 + ".ipynb", "\ud800.ipynb"]
)
def test_what_is_not_there_is_said(root: Root, path: str) -> None:
    with pytest.raises(ApiError) as refused:
        root.notebook(path)
    assert (refused.value.status_code, refused.value.code) == (404, "not-found")


@pytest.mark.parametrize("path", ["text.txt", "sub", "project", "."])
def test_only_notebooks_are_notebooks(root: Root, path: str) -> None:
    with pytest.raises(ApiError, match=r"\.ipynb"):
        root.notebook(path)


def test_a_notebook_is_found_where_its_kernel_runs(root: Root) -> None:
    assert root.notebook("sub/b.ipynb") == root.folder / "sub" / "b.ipynb"
    assert root.notebook("./a.ipynb") == root.folder / "a.ipynb"
    # The kernel of a link runs beside the link, that of a linked folder in the folder itself.
    assert root.notebook("link.ipynb") == root.folder / "link.ipynb"
    assert root.notebook("linked/b.ipynb") == root.folder / "sub" / "b.ipynb"
    assert root.relative(root.notebook("linked/b.ipynb")) == "sub/b.ipynb"


def test_a_notebook_that_is_not_saved_yet_has_a_folder(root: Root) -> None:
    assert root.notebook("sub/new.ipynb", exists=False) == root.folder / "sub" / "new.ipynb"
    with pytest.raises(ApiError):
        root.notebook("nowhere/new.ipynb", exists=False)


def test_hidden_files_are_for_servers_that_show_them(root: Root) -> None:
    shown = Root(root.folder, hidden=True)
    assert shown.notebook(".hidden/d.ipynb").name == "d.ipynb"
    assert shown.notebook("seen.ipynb").name == "seen.ipynb"


def test_only_what_a_conversion_made_is_a_project(root: Root) -> None:
    assert root.project("project") == root.folder / "project"
    for path, status in (("sub", 400), ("a.ipynb", 404), ("none", 404)):
        with pytest.raises(ApiError) as refused:
            root.project(path)
        assert refused.value.status_code == status
        assert refused.value.fix is not None and refused.value.fix.startswith("Convert the notebook first")


def test_a_project_is_made_below_the_root(root: Root) -> None:
    assert root.target("sub/made") == root.folder / "sub" / "made"
    with pytest.raises(ApiError):
        root.target(".")
    with pytest.raises(ApiError):
        root.target("way/made")
