"""A conversion up to its boundary without a kernel and without a subprocess: hundreds of small notebooks in a minute.

The recorder and the observer run in this process as they run in a kernel: their source in a namespace of its own, the
cells' syntax through their transformers. What follows is the conversion's own step.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import importlib
import io
import os
import random
import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import jupyter_mlops.convert
from jupyter_mlops.convert.capture import CaptureFacts, CaptureRequest
from jupyter_mlops.convert.planner import select
from jupyter_mlops.convert.render import render
from jupyter_mlops.notebook.dataflow import analyse
from jupyter_mlops.notebook.read import read_notebook
from jupyter_mlops.workflows import convert as conversion
from jupyter_mlops.workflows import prover
from jupyter_mlops.workflows.boundary import Boundary
from jupyter_mlops.workflows.events import Progress
from jupyter_mlops.workflows.report import Report

__all__ = ["Lifted", "lift_in_process"]

_CONVERT = Path(jupyter_mlops.convert.__file__).parent
_CAPTURES = "templates/project/src/__package__/captures.py"


_imported: set[str] = set()  # packages of former conversions


@dataclass
class _Shell:
    """What the recorder needs of IPython."""

    user_ns: dict[str, Any] = field(default_factory=lambda: {"__name__": "__main__"})
    ast_transformers: list[Any] = field(default_factory=list)


class _Worker:
    """Calls the prover here."""

    def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        """One call, as `worker.Worker` makes it."""
        made: dict[str, Any] = getattr(prover, name)(**arguments)
        return made


class _Quick(conversion._Conversion):
    """A conversion that writes the package only, and does not format it."""

    tried: tuple[str, ...] = ()  # feature programs, the one that holds last

    def _run_notebook(self, analysis: Any, selection: Any, parameters: Any, scratch: Path, watched: Any) -> CaptureFacts:
        asked = selection.model.asked
        request = CaptureRequest(
            estimator=selection.model.variable,
            evaluated_at=None if asked is None else (asked.cell, asked.line),
            watch=watched.payload(),
        )
        return _run(analysis, request, scratch)

    def _render(self, plan: Any, place: Path) -> None:
        self.tried += (plan.features.source,)
        for name, text in render(plan).items():
            if name.startswith("src/"):
                path = place / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class Lifted:
    """Where serving starts, with the project's package and the feature programs that were tried."""

    boundary: Boundary
    report: Report
    project: Path
    tried: tuple[str, ...]

    @property
    def kind(self) -> str:
        """ "raw" or "engineered"."""
        return self.boundary.plan.boundary

    @property
    def reason(self) -> str:
        """Why serving starts below the raw row; "" where it does not."""
        codes = ("engineered-boundary", "not-lifted", "looks-at-other-rows")
        return " ".join(p.message for p in self.report.problems if p.code in codes)

    @property
    def source(self) -> str:
        """The feature program."""
        return self.boundary.plan.features.source

    def package(self, module: str) -> Any:
        """A module of the generated package."""
        return prover._package(self.project, self.boundary.plan.package, module)


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before, path, hooks = Path.cwd(), list(sys.path), set(vars(builtins))
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
        sys.path[:] = path
        for name in set(vars(builtins)) - hooks:
            delattr(builtins, name)


def _run(analysis: Any, request: CaptureRequest, folder: Path) -> CaptureFacts:
    import numpy as np

    shell = _Shell()
    module = ModuleType("jupyter_mlops_recorder")
    vars(module)["get_ipython"] = lambda: shell
    for name in ("recorder.py", _CAPTURES, "lifting/observer.py"):
        source = _CONVERT / name
        exec(compile(source.read_text(encoding="utf-8"), str(source), "exec"), vars(module))
    recorder = module.Recorder()
    shell.ast_transformers.append(module._Wrap())
    setattr(builtins, module.HOOK, recorder.call)
    recorder.watch(dict(request.watch))
    random.seed(0)
    np.random.seed(0)
    for cell in analysis.notebook.code_cells:
        recorder.enter(cell.number)
        tree = ast.parse(cell.code)
        for transformer in shell.ast_transformers:
            tree = transformer.visit(tree)
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(ast.fix_missing_locations(tree), f"cell {cell.number}", "exec"), shell.user_ns)
    at = request.evaluated_at
    sys.modules["__main__"], main = _as_main(shell.user_ns), sys.modules["__main__"]
    try:
        recorder.finish(str(folder), request.estimator, {"at": None if at is None else list(at)})
    finally:
        sys.modules["__main__"] = main
    return CaptureFacts.load(folder)


def _as_main(space: Mapping[str, Any]) -> ModuleType:
    """Classes of the notebook are pickled by reference, as in a kernel."""
    made = ModuleType("__main__")
    vars(made).update(space)
    return made


def lift_in_process(notebook: Path, folder: Path) -> Lifted:
    """Run a notebook here and find its boundary; the package is written into `folder`."""
    report = Report()
    job = _Quick(notebook, folder, conversion.ConvertOptions(), report, Progress(lambda event: None))
    run = folder / "run"
    run.mkdir(parents=True)
    for name in [n for n in sys.modules if n.split(".")[0] in _imported]:
        del sys.modules[name]
    with _inside(notebook.parent), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        analysis = analyse(read_notebook(notebook))
        selection = select(analysis)
        assert not isinstance(selection, list), selection
        worker: Any = _Worker()
        boundary = job._lift(analysis, selection, {}, worker, folder, run)
        _imported.add(str(boundary.plan.package))
    importlib.invalidate_caches()
    return Lifted(boundary, report, folder, job.tried)
