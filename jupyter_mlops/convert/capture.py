"""Run the notebook as it stands and bring back what its parity proof needs.

The notebook runs in its own kernel, in its own folder. Hidden requests between the cells tell `recorder` where the
run is; they leave no trace in the execution counts, the history or the notebook's names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.environment import inherited
from jupyter_mlops.errors import CellFailedError, KernelError, MissingPackageError

if TYPE_CHECKING:
    from jupyter_mlops.notebook.cells import Notebook

__all__ = ["CaptureFacts", "CaptureRequest", "run_notebook"]

SEED = 0  # both sides, notebook and package, start from the same global seed


@dataclass(frozen=True)
class CaptureRequest:
    """What to look for while the notebook runs."""

    estimator: str  # expression that names the fitted estimator at the end
    evaluated_at: tuple[int, int] | None = None  # cell and line of the evaluated predict
    fitted: str = ""  # a further fitted object to keep
    watch: Mapping[str, Any] = field(default_factory=dict)  # payload of `lifting.watch`, which says what tables to keep


@dataclass(frozen=True)
class CaptureFacts:
    """Plain facts about the run; the frames and the estimator stay in `folder` until a process that needs pandas."""

    folder: Path
    names: Mapping[str, str]  # name -> "module.Class" of its value at the end
    files: Mapping[Path, Path | None]  # read while the cells ran -> a copy of the file as it was then
    seconds: Mapping[int, float]  # per cell
    python: str
    executable: str
    versions: Mapping[str, str]
    estimator_class: str
    unpicklable: str | None
    executed: Path  # the notebook with its outputs

    @classmethod
    def load(cls, folder: Path) -> CaptureFacts:
        """Read the facts that `recorder` left in `folder`."""
        data = json.loads((folder / "capture.json").read_text(encoding="utf-8"))
        return cls(
            folder=folder,
            names=data["names"],
            files={Path(file): None if copy is None else Path(copy) for file, copy in data["files"].items()},
            seconds={int(cell): seconds for cell, seconds in data["seconds"].items()},
            python=data["python"],
            executable=data["executable"],
            versions=data["versions"],
            estimator_class=data["estimator_class"],
            unpicklable=data["pickled"],
            executed=folder / "executed.ipynb",
        )


class _HiddenFailed(Exception):
    """A hidden request raised; the message is the exception in the kernel."""


def _hidden(client: Any, code: str) -> None:
    """Run code in the kernel between the cells, unseen by its history, counts and outputs."""
    message = client.kc.execute(code, silent=True, store_history=False)
    content = client.wait_for_reply(message)["content"]
    if content["status"] != "ok":
        raise _HiddenFailed(f"{content.get('ename')}: {content.get('evalue')}")


def run_notebook(
    notebook: Notebook,
    request: CaptureRequest,
    folder: Path,
    *,
    parameters: Mapping[str, Any],
    progress: Callable[[int, int, int], None] = lambda cell, done, total: None,
    cell_timeout: float | None = None,
) -> CaptureFacts:
    """Execute every cell in order, as *Run All* does, and write what was noted into `folder`.

    In a notebook that is tagged for Kale, cells tagged ``skip`` are not run, as Kale does not.

    Parameters
    ----------
    parameters
        Values for names of the `parameters` cell, injected behind it as papermill does.
    progress
        Called with the cell's number, cells done and cells in all.

    Raises
    ------
    KernelError
        The kernel is unknown, does not start, or dies (with the cell at which it died).
    CellFailedError
        A cell raised; the message has cell number, line and the exception.
    """
    import nbformat
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
    from nbformat.v4 import new_code_cell

    nb: Any = nbformat.read(notebook.path, as_version=4)
    here = Path(__file__).parent
    # The generated project learns with the same functions.
    captures = here / "templates" / "project" / "src" / "__package__" / "captures.py"
    copies = folder / "files"
    copies.mkdir(exist_ok=True)
    sources = [here / "recorder.py", captures, here / "lifting" / "observer.py", here / "evaluations.py"]
    setup = (
        "import types as _mlops_types\n"
        "_mlops_module = _mlops_types.ModuleType('jupyter_mlops_recorder')\n"
        "_mlops_module.get_ipython = get_ipython\n"
        + "".join(
            f"exec(compile({source.read_text(encoding='utf-8')!r}, 'jupyter_mlops_recorder', 'exec'), _mlops_module.__dict__)\n"
            for source in sources
        )
        + "import builtins as _mlops_builtins\n"
        "_mlops_builtins.__mlops__ = _mlops_module.Recorder()\n"
        f"__mlops__.start({SEED}, {str(copies)!r})\n"
        + (f"__mlops__.watch({dict(request.watch)!r})\n" if request.watch else "")
        + "__mlops__.measure()\n"
        + "del _mlops_types, _mlops_module, _mlops_builtins\n"
    )
    client = NotebookClient(
        nb,
        timeout=cell_timeout,
        kernel_name=notebook.kernel_name or "python3",
        resources={"metadata": {"path": str(notebook.path.parent)}},
        allow_errors=False,
        extra_arguments=["--log-level=40"],  # ipykernel's notice about its transport is not the user's concern
    )
    # Plots are drawn into the notebook's outputs; a kernel must not open windows or wait for input.
    env = {**inherited(), "MPLBACKEND": "module://matplotlib_inline.backend_inline", "PYTHONHASHSEED": "0"}
    env["JUPYTER_MLOPS_TRACKING"] = "off"  # a conversion is no experiment: cells under %%track run without a run
    wanted = {"at": None if request.evaluated_at is None else list(request.evaluated_at), "fitted": request.fitted}
    last_parameters = max((c.number for c in notebook.cells if c.stage == "parameters"), default=0)
    left = {c.number for c in notebook.cells if notebook.steps and c.stage == "skip"}
    code = [
        (number, cell)
        for number, cell in enumerate(nb.cells, start=1)
        if cell.cell_type == "code" and cell.source.strip() and number not in left
    ]
    number = 0
    log = (folder / "kernel.log").open("w+", encoding="utf-8", errors="replace")
    try:
        with log, client.setup_kernel(env=env, stdout=log, stderr=log):
            try:
                _hidden(client, setup)
            except _HiddenFailed as error:
                raise KernelError(f"The kernel could not be prepared: {error}") from error
            if parameters and not last_parameters:
                _inject(client, parameters)
            for done, (number, cell) in enumerate(code):
                progress(number, done, len(code))
                _hidden(client, f"__mlops__.enter({number})")
                client.execute_cell(cell, number - 1)
                if number == last_parameters and parameters:
                    _inject(client, parameters)
            progress(number, len(code), len(code))
            if parameters:
                body = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
                injected = new_code_cell(body, metadata={"tags": ["injected-parameters"]})
                nb.cells.insert(last_parameters, injected)
            nbformat.write(nb, folder / "executed.ipynb")
            try:
                _hidden(client, f"__mlops__.finish({str(folder)!r}, {request.estimator!r}, {wanted!r})")
            except _HiddenFailed as error:
                raise KernelError(
                    f"The notebook ran, but its fitted model {request.estimator!r} could not be read: {error}"
                ) from error
    except CellExecutionError as error:
        raise _cell_failed(number, code, error) from error
    except CellTimeoutError as error:
        raise CellFailedError(f"Cell {number} did not finish within {cell_timeout:.0f} s.") from error
    except DeadKernelError as error:
        raise KernelError(
            f"The kernel died while cell {number} ran. Often it ran out of memory: try fewer rows (-p) first."
            + _tail(folder / "kernel.log")
        ) from error
    except NoSuchKernel as error:
        raise KernelError(
            f"The notebook asks for the kernel {notebook.kernel_name!r}, which is not installed here. "
            "Install it (python -m ipykernel install --user --name NAME) or choose another in JupyterLab and save."
        ) from error
    return CaptureFacts.load(folder)


def _tail(log: Path) -> str:
    text = log.read_text(encoding="utf-8", errors="replace").strip()
    return f" The kernel's last words:\n{text[-800:]}" if text else ""


def _inject(client: Any, parameters: Mapping[str, Any]) -> None:
    _hidden(client, "\n".join(f"{name} = {value!r}" for name, value in parameters.items()))


def _cell_failed(number: int, code: list[tuple[int, Any]], error: Any) -> Exception:
    """The failing cell with its line, the exception and what to do."""
    import re

    source = next(cell.source for n, cell in code if n == number)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", error.traceback or "")
    lines = re.findall(r"^-+> ?(\d+) ", plain, flags=re.MULTILINE)
    place = ""
    if lines and 0 < int(lines[0]) <= len(source.split("\n")):
        place = f", line {lines[0]} ({source.split(chr(10))[int(lines[0]) - 1].strip()[:80]})"
    what = f"{error.ename}: {error.evalue}"[:500]
    if error.ename == "ModuleNotFoundError":
        return MissingPackageError(
            f"Cell {number}{place} imports a package that the notebook's kernel does not have: {error.evalue}. "
            "Install it into the kernel's environment and convert again."
        )
    advice = "Run the notebook from the top (Restart and Run All) and mend the cell."
    if error.ename == "StdinNotImplementedError":
        advice = "A notebook that asks with input() cannot run by itself: put the value into the parameters cell."
    return CellFailedError(f"Cell {number}{place} failed: {what}. {advice}")
