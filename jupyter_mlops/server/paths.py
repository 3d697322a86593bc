"""Paths of the browser: relative to the server's root, and never out of it."""

from __future__ import annotations

import os
from pathlib import Path

from jupyter_mlops.server.errors import ApiError
from jupyter_mlops.workflows.output import MANIFEST

__all__ = ["Root"]


class Root:
    """The folder that the server shows.

    Parameters
    ----------
    folder
        `root_dir` of the contents manager.
    hidden
        Whether hidden files are shown, too.
    """

    def __init__(self, folder: Path, *, hidden: bool = False) -> None:
        self.folder = Path(os.path.realpath(folder))
        self.hidden = hidden

    def notebook(self, path: str, *, exists: bool = True) -> Path:
        """The absolute path of a notebook.

        Raises
        ------
        ApiError
            ``outside-root`` (403), ``usage`` (400) for what is no notebook, ``not-found`` (404).
        """
        found = self._confined(path)
        if found.suffix != ".ipynb" or found.is_dir():
            raise ApiError(400, "usage", f"{path!r} is no notebook: its name has to end with .ipynb.", "Open a notebook.")
        if exists and not found.is_file():
            raise _missing(path)
        if not found.parent.is_dir():
            raise _missing(path)
        return found

    def project(self, path: str) -> Path:
        """The absolute path of a generated project.

        Raises
        ------
        ApiError
            As for a notebook.
        """
        found = self._confined(path)
        if not found.is_dir():
            raise _missing(path, "Convert the notebook first, or look whether its project was moved.")
        if not (found / MANIFEST).is_file():
            raise ApiError(400, "usage", f"{path!r} is no project that a conversion made.", "Convert the notebook first.")
        return found

    def target(self, path: str) -> Path:
        """The absolute path of a folder that is there, or will be.

        Raises
        ------
        ApiError
            It is outside, or the root itself.
        """
        found = self._confined(path)
        if found == self.folder:
            raise ApiError(400, "usage", "The project needs a folder of its own below the server's root.", "Name another folder.")
        return found

    def relative(self, path: Path) -> str:
        """The path as the browser knows it."""
        return Path(os.path.realpath(path.parent), path.name).relative_to(self.folder).as_posix()

    def _confined(self, path: str) -> Path:
        """The path with the symbolic links of its folder resolved.

        The last name is kept: a notebook that is a link runs in the folder of the link. What it points to has to be inside
        all the same.
        """
        from jupyter_core.paths import is_hidden

        parts = path.replace(os.sep, "/").split("/")
        if (
            not path
            or path.startswith("/")
            or "\0" in path
            or ".." in parts
            or Path(path).is_absolute()
            or os.path.splitdrive(path)[0]
        ):
            raise _outside(path)
        try:
            full = self.folder.joinpath(*parts)
            found = Path(os.path.realpath(full.parent), full.name) if full != self.folder else full
            resolved = Path(os.path.realpath(found))
            inside = found.is_relative_to(self.folder) and resolved.is_relative_to(self.folder)
            hidden = inside and not self.hidden and any(is_hidden(one, self.folder) for one in (full, found, resolved))
        except (OSError, ValueError):  # too long, or not of this file system's characters
            raise _missing(path) from None
        if not inside:
            raise _outside(path)
        if hidden:
            raise ApiError(
                403, "outside-root", f"{path!r} is hidden, and this server does not show hidden files.",
                "Move it, or set ContentsManager.allow_hidden.",
            )  # fmt: skip
        return found


def _outside(path: str) -> ApiError:
    return ApiError(
        403, "outside-root", f"{path[:200]!r} is not below the folder that this server shows.",
        "Move the file there, or start Jupyter in a folder that holds it.",
    )  # fmt: skip


def _missing(path: str, fix: str = "Save the notebook, or look whether it was moved.") -> ApiError:
    return ApiError(404, "not-found", f"There is no {path[:200]!r} on the server.", fix)
