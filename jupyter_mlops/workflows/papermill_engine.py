"""The papermill engine of re-runs: tells about each cell, reads metrics at the end, and knows how a run ended.

This module imports papermill at its top; it is imported where a notebook is run.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbclient.exceptions import CellExecutionError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.translators import PythonTranslator, papermill_translators

__all__ = ["ENGINE", "LANGUAGE", "Watch", "save"]

ENGINE = "jupyter-mlops"
LANGUAGE = "jupyter-mlops-python"  # the name under which our translator of parameters is registered

# What the names hold at the end. One expression: nothing is left in the kernel.
_PROBE = """(lambda names, found: __import__('json').dumps({{
    n: float(found[n]) for n in names if n in found and (
        (isinstance(found[n], __import__('numbers').Real) and not isinstance(found[n], bool))
        or (hasattr(found[n], 'item') and getattr(found[n], 'shape', None) == () and 'bool' not in str(getattr(found[n], 'dtype', '')))
    )
}}))({names!r}, get_ipython().user_ns)"""


class _Translator(PythonTranslator):  # type: ignore[misc]
    """Parameters as the literals that they are: papermill's own makes texts of tuples and of the keys of dictionaries."""

    @classmethod
    def translate(cls, val: Any) -> str:
        if isinstance(val, float):
            return str(cls.translate_float(val))
        if isinstance(val, dict):
            return "{" + ", ".join(f"{cls.translate(k)}: {cls.translate(v)}" for k, v in val.items()) + "}"
        if isinstance(val, list):
            return "[" + ", ".join(cls.translate(v) for v in val) + "]"
        if isinstance(val, tuple):
            return "(" + "".join(f"{cls.translate(v)}, " for v in val).removesuffix(" ") + ")"
        return repr(val)


papermill_translators.register(LANGUAGE, _Translator)


@dataclass
class Watch:
    """What is seen of one run.

    Parameters
    ----------
    environment
        Variables of the kernel.
    folder
        Where the kernel runs.
    log
        What the kernel's process prints beside the notebook.
    names
        Variables to read at the end.
    on_cell
        Called with the position of a cell and what happens to it: ``started``, ``output`` (and its last line), ``done``,
        ``failed``.
    """

    environment: Mapping[str, str]
    folder: Path
    log: Any
    names: tuple[str, ...] = ()
    on_cell: Callable[[int, str, str], None] = lambda index, what, text: None
    values: dict[str, float] = field(default_factory=dict)
    memory: float | None = None  # MiB
    started: bool = False  # the kernel is there
    current: int | None = None  # position of the cell that runs, or at which the run ended
    error: CellExecutionError | None = None
    exit_code: int | None = None  # of a kernel that died; negative: the signal


def save(nb: Any, path: Path) -> None:
    """Write a notebook; a reader never sees half of it."""
    part = path.with_name(f".{path.name}.partial")
    part.write_text(nbformat.writes(nb), encoding="utf-8")
    part.replace(path)


class _Client(PapermillNotebookClient):  # type: ignore[misc]
    def __init__(self, nb_man: Any, watch: Watch, **options: Any) -> None:
        super().__init__(nb_man, **options)
        self.watch = watch

    def papermill_execute_cells(self) -> None:
        watch = self.watch
        watch.started = True
        # A kernel that is asked to go takes five seconds over a cell that runs; only a run that ended well has
        # something to finish in its kernel.
        self.shutdown_kernel = "immediate"
        for index, cell in enumerate(self.nb.cells):
            runs = cell.cell_type == "code" and bool(cell.source.strip())
            self.nb_man.cell_start(cell, index)
            if runs:
                watch.current = index
                watch.on_cell(index, "started", "")
            try:
                self.execute_cell(cell, index)
            except CellExecutionError as error:
                if error.ename == "SystemExit" and error.evalue in ("", "0", "None"):
                    self.nb_man.cell_complete(cell, cell_index=index)
                    watch.on_cell(index, "done", "")
                    break
                watch.error = error
                self.nb_man.cell_exception(cell, cell_index=index, exception=error)
                self.nb_man.cell_complete(cell, cell_index=index)
                watch.on_cell(index, "failed", f"{error.ename}: {error.evalue}")
                return
            except DeadKernelError:
                watch.exit_code = self._exit_code()
                raise
            self.nb_man.cell_complete(cell, cell_index=index)
            if runs:
                watch.on_cell(index, "done", "")
        self._read_values()
        watch.memory = self._peak_memory()
        self.shutdown_kernel = "graceful"

    def _exit_code(self) -> int | None:
        process = getattr(getattr(self.km, "provisioner", None), "process", None)
        return None if process is None else process.poll()

    def _read_values(self) -> None:
        """Ask the kernel, unseen by its history and counts; nothing where it is no IPython kernel."""
        question = {"values": _PROBE.format(names=self.watch.names)}
        message = self.kc.execute("", silent=True, store_history=False, user_expressions=question)
        content = self.wait_for_reply(message)["content"]
        answer = content.get("user_expressions", {}).get("values", {})
        if answer.get("status") != "ok":
            return
        values = json.loads(ast.literal_eval(answer["data"]["text/plain"]))
        self.watch.values = {str(name): float(value) for name, value in values.items()}

    def _peak_memory(self) -> float | None:
        """MiB, where the system tells it of another process. (`getrusage` in the kernel would count us, who forked it.)"""
        try:
            status = Path(f"/proc/{self.km.provisioner.pid}/status").read_text(encoding="utf-8")
        except (OSError, AttributeError):
            return None
        found = re.search(r"^VmHWM:\s+(\d+) kB", status, flags=re.MULTILINE)
        return int(found[1]) / 1024 if found else None

    def process_message(self, *arguments: Any, **options: Any) -> Any:
        output = super().process_message(*arguments, **options)
        if output and output.get("output_type") == "stream" and self.watch.current is not None:
            lines = str(output.text).replace("\r", "\n").strip().split("\n")
            self.watch.on_cell(self.watch.current, "output", lines[-1])
        return output


class _Engine(NBClientEngine):  # type: ignore[misc]
    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, *, watch: Watch, cell_timeout: float | None = None, start_timeout: float = 60,
        output: Path, **ignored: Any,
    ) -> None:  # fmt: skip
        # papermill writes over the file in place: a run that is killed in that moment would leave half of it.
        def keep(**given: Any) -> None:
            save(nb_man.nb, output)
            nb_man.last_save_time = nb_man.now()

        nb_man.save = keep
        client = _Client(
            nb_man,
            watch,
            kernel_name=kernel_name,
            timeout=cell_timeout,
            startup_timeout=start_timeout,
            resources={"metadata": {"path": str(watch.folder)}},
            extra_arguments=["--log-level=40"],  # ipykernel's notice about its transport is not the user's concern
        )
        client.execute(env=dict(watch.environment), stdout=watch.log, stderr=watch.log)


papermill_engines.register(ENGINE, _Engine)
