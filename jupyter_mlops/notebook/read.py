"""From an .ipynb file to typed cells. The file is read as JSON: importing nbformat alone costs seconds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jupyter_mlops.errors import NotebookError
from jupyter_mlops.notebook.cells import Cell, CellKind, Install, Magic, Notebook, Stage
from jupyter_mlops.notebook.kale import read_kale
from jupyter_mlops.notebook.magics import is_known, neutralise, requirements_of
from jupyter_mlops.notebook.problems import Problem

__all__ = ["notebook_from_cells", "read_notebook"]

_STAGES = {str(stage): stage for stage in Stage} | {"injected-parameters": Stage.PARAMETERS}
# Kernels that are told by their name when the file does not say the language.
_FOREIGN_KERNELS = {
    "ir": "R", "julia": "Julia", "xcpp": "C++", "bash": "bash", "javascript": "JavaScript", "deno": "TypeScript",
    "java": "Java", "ijava": "Java", "scala": "Scala", "almond": "Scala", "spark": "Scala", "octave": "Octave",
    "rust": "Rust", "evcxr": "Rust", "gophernotes": "Go", "gonb": "Go", "ruby": "Ruby", "kotlin": "Kotlin", "sas": "SAS",
}  # fmt: skip


def read_notebook(path: Path) -> Notebook:
    """Read a notebook.

    Parameters
    ----------
    path
        An ``.ipynb`` file of nbformat 4, in Python.

    Returns
    -------
    Notebook
        With what was found in its cells as `problems`.

    Raises
    ------
    NotebookError
        The file cannot be read, is no notebook, is of another major format or in another language.
    """
    path = Path(path)
    data = _load(path)
    version = _version(data, path)
    kernel, language = _declared_language(data)
    return notebook_from_cells(path, data["cells"], kernel=kernel, language=language, nbformat=version)


def notebook_from_cells(
    path: Path, cells: Iterable[Any], *, kernel: str = "", language: str = "", nbformat: tuple[int, int] = (4, 5)
) -> Notebook:
    """A notebook from cells in memory, such as those of an editor.

    Parameters
    ----------
    path
        Where it is or would be saved.
    cells
        As in the file: mappings with ``cell_type``, ``source``, ``metadata`` and ``id``.
    kernel
        Its name; empty where it is not known.
    language
        Of the kernel; where it is empty, the kernel's name tells.

    Raises
    ------
    NotebookError
        It is in another language, or something is no cell.
    """
    language = _python(path, kernel, language)
    read: list[Cell] = []
    ordered: dict[int, list[str]] = {}
    problems: list[Problem] = []
    installs: list[Install] = []
    for number, raw in enumerate(cells, start=1):
        if not isinstance(raw, dict):
            raise NotebookError(f"{path}: cell {number} is not a cell. Open the notebook in JupyterLab and save it again.")
        ordered[number] = _tags(raw)
        read.append(_cell(number, raw, ordered[number], problems, installs))
    kale = read_kale(read, ordered)
    return Notebook(
        path, kale.cells, kernel, language, nbformat, (*problems, *kale.problems), tuple(installs), kale.steps, kale.metrics
    )  # fmt: skip


def _load(path: Path) -> dict[str, Any]:
    try:
        # utf-8-sig: a byte order mark is no part of JSON, but editors write it.
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise NotebookError(f"{path} does not exist. Give the path of an .ipynb file.") from None
    except IsADirectoryError:
        raise NotebookError(f"{path} is a folder. Give the path of an .ipynb file in it.") from None
    except OSError as error:
        raise NotebookError(f"{path} cannot be read ({error.strerror}). Check its permissions.") from error
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno}: {error.msg})" if isinstance(error, json.JSONDecodeError) else ""
        raise NotebookError(
            f"{path} is not JSON{where}, so it is no notebook. Open it in JupyterLab and save it again, or look for "
            "merge conflict marks in it."
        ) from None
    if not isinstance(data, dict) or not ({"cells", "worksheets", "nbformat"} & data.keys()):
        raise NotebookError(f"{path} is JSON but no notebook: it has no cells. Give the path of an .ipynb file.")
    return data


def _version(data: dict[str, Any], path: Path) -> tuple[int, int]:
    major, minor = data.get("nbformat", 4), data.get("nbformat_minor", 0)
    major = major if isinstance(major, int) else 4
    if "worksheets" in data and "cells" not in data:
        major = min(major, 3)
    if major < 4:
        raise NotebookError(
            f"{path} is in the old notebook format {major}. Upgrade it first: "
            f"jupyter nbconvert --to notebook --nbformat 4 --output {path.stem}-v4 {path}"
        )
    if major > 4:
        raise NotebookError(
            f"{path} is in notebook format {major}, which is newer than this program. Save it as format 4: "
            f"jupyter nbconvert --to notebook --nbformat 4 --output {path.stem}-v4 {path}"
        )
    if not isinstance(data.get("cells"), list):
        raise NotebookError(f"{path} is JSON but no notebook: it has no list of cells. Save it again in JupyterLab.")
    return major, minor if isinstance(minor, int) else 0


def _declared_language(data: dict[str, Any]) -> tuple[str, str]:
    metadata = _mapping(data.get("metadata"))
    spec, info = _mapping(metadata.get("kernelspec")), _mapping(metadata.get("language_info"))
    kernel = _text(spec.get("name")) or "python3"
    return kernel, _text(spec.get("language")) or _text(info.get("name"))


def _python(path: Path, kernel: str, language: str) -> str:
    language = language.lower()
    if not language:
        base = kernel.lower().rstrip("0123456789.-")
        language = _FOREIGN_KERNELS.get(base, "python")
    if language not in ("python", "ipython", "python3"):
        written = f"for the kernel {kernel!r} in {language}" if kernel else f"in {language}"
        raise NotebookError(
            f"{path} is written {written}. Only Python notebooks can be converted: "
            "choose a Python kernel if the cells are Python, and save."
        )
    return "python"


def _tags(raw: dict[str, Any]) -> list[str]:
    given = _mapping(raw.get("metadata")).get("tags")
    return [tag.strip() for tag in given if isinstance(tag, str)] if isinstance(given, list) else []


def _cell(number: int, raw: dict[str, Any], ordered: list[str], problems: list[Problem], installs: list[Install]) -> Cell:
    declared = raw.get("cell_type")
    kind: CellKind = "code" if declared == "code" else "markdown" if declared == "markdown" else "raw"
    source = raw.get("source", "")
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    source = source.replace("\r\n", "\n").replace("\r", "\n") if isinstance(source, str) else ""
    stage = _stage(number, ordered, problems) if kind == "code" else None
    count = raw.get("execution_count")
    code, magics = _code(number, source, problems, installs) if kind == "code" else ("", ())
    return Cell(
        number=number,
        kind=kind,
        source=source,
        code=code,
        tags=frozenset(ordered),
        stage=stage,
        execution_count=count if isinstance(count, int) else None,
        id=_text(raw.get("id")) or None,
        magics=magics,
    )


def _stage(number: int, tags: list[str], problems: list[Problem]) -> Stage | None:
    stages = list(dict.fromkeys(_STAGES[tag.lower()] for tag in tags if tag.lower() in _STAGES))
    if len(stages) > 1:
        problems.append(
            Problem(
                "conflicting-tags",
                "warning",
                f"The cell has several stage tags ({', '.join(stages)}); {stages[0]!s} is used.",
                number,
                None,
                "Keep one stage tag on the cell, or split it.",
            )  # fmt: skip
        )
    return stages[0] if stages else None


def _code(number: int, source: str, problems: list[Problem], installs: list[Install]) -> tuple[str, tuple[Magic, ...]]:
    result = neutralise(source)
    for magic in result.magics:
        _judge(number, magic, result.foreign, problems, installs)
    if result.error is not None:
        line = min(max(result.error.lineno or 1, 1), source.count("\n") + 1)
        problems.append(
            Problem(
                "syntax-error",
                "error",
                f"The cell is not valid Python: {result.error.msg}.",
                number,
                line,
                "Mend the cell, or tag it `skip` and turn it into a markdown or raw cell.",
            )  # fmt: skip
        )
    return result.code, tuple(result.magics)


def _judge(number: int, magic: Magic, foreign: bool, problems: list[Problem], installs: list[Install]) -> None:
    requirements = None if magic.kind == "cell" else requirements_of(magic)
    if requirements is not None:
        installs.extend(Install(requirement, number, magic.line) for requirement in requirements)
    elif magic.kind == "shell":
        problems.append(
            Problem(
                "shell-line",
                "warning",
                f"The shell line `!{magic.args}` is left out of the converted code.",
                number,
                magic.line,
                "Do the same in Python if later cells need what it does.",
            )  # fmt: skip
        )
    elif not is_known(magic):
        sign = "%%" if magic.kind == "cell" else "%"
        what = "the cell" if foreign else "it"
        problems.append(
            Problem(
                "magic",
                "warning",
                f"The magic `{sign}{magic.name}` has no meaning outside of Jupyter; {what} is left out.",
                number,
                magic.line,
                "Write it in Python if later cells need what it does.",
            )  # fmt: skip
        )


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
