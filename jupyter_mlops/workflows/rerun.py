"""Run a notebook twice as it stands, in kernels of its own, and find the first cells that do not give the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jupyter_mlops.environment import inherited
from jupyter_mlops.notebook.problems import Problem

if TYPE_CHECKING:
    from jupyter_mlops.notebook.cells import Notebook

__all__ = ["CellResult", "compare", "unstable_cells"]

# Runs in the kernel after each cell: what every name holds, as something that can be compared. Objects are left out
# unless they are plain values, arrays or frames, and names that begin with an underscore always.
_PROBE = """
def __mlops_probe():
    import hashlib
    def plain(v, depth=0):
        if v is None or isinstance(v, (bool, int, str, bytes)):
            return repr(v)[:2000]
        if isinstance(v, float):
            return format(v, '.12g')
        if type(v).__module__ == 'numpy' and getattr(v, 'ndim', 1) == 0 and hasattr(v, 'item'):
            return plain(v.item(), depth)
        if type(v).__module__ == 'numpy' and type(v).__name__ == 'ndarray' and v.dtype.kind in 'biufcSUmM':
            return 'array ' + hashlib.md5(v.tobytes()).hexdigest() + str(v.shape)
        if type(v).__name__ in ('DataFrame', 'Series') and type(v).__module__.startswith('pandas.'):
            import pandas
            return 'frame ' + hashlib.md5(pandas.util.hash_pandas_object(v).values.tobytes()).hexdigest() + str(v.shape)
        if isinstance(v, (list, tuple)) and len(v) <= 1000 and depth < 3:
            return type(v).__name__ + '(' + ','.join(plain(x, depth + 1) or '?' for x in v) + ')'
        if isinstance(v, dict) and len(v) <= 1000 and depth < 3:
            return '{' + ','.join(repr(k)[:100] + ':' + (plain(x, depth + 1) or '?') for k, x in v.items()) + '}'
        return None
    found = {}
    for name, value in list(get_ipython().user_ns.items()):
        if name.startswith('_') or name in ('In', 'Out', 'exit', 'quit', 'get_ipython', 'open'):
            continue
        try:
            text = plain(value)
        except Exception:
            text = None
        if text is not None:
            found[name] = text if len(text) <= 200 else text[:80] + '... ' + hashlib.md5(text.encode('utf-8', 'replace')).hexdigest()
    import json
    return json.dumps(found)
"""
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# Where an object lies in memory, how long something took: these differ and mean nothing.
_NOISE = re.compile(
    r"0x[0-9a-f]{6,}|\d+(?:\.\d+)? ?(?:ns|µs|us|ms|s|min|h)\b(?: ± [^\n]*)?|\d+:\d\d(?::\d\d)?|\d+(?:\.\d+)?\s*(?:it/s|s/it)"
)

_TIMES = re.compile(r"^(?:CPU times|Wall time|Compiler)\b.*\n?", re.MULTILINE)  # of %time


@dataclass(frozen=True)
class CellResult:
    """What one cell gave: its text outputs and the values of names behind it; `error` if it raised."""

    cell: int
    text: str
    values: dict[str, str] = field(default_factory=dict)
    error: str | None = None


def unstable_cells(
    notebook: Notebook, progress: Callable[[str], None] = lambda text: None, cell_timeout: float | None = None
) -> list[Problem]:
    """Problems that only running shows: a cell that fails, a cell that gives something else in a second run.

    Raises
    ------
    KernelError
        The notebook's kernel is unknown, does not start or dies.
    """
    runs: list[list[CellResult]] = []
    for number in (1, 2):
        progress(f"run {number} of 2: {notebook.path}")
        results = list(_execute(notebook, cell_timeout))
        runs.append(results)
        if results and results[-1].error is not None:
            break
    if len(runs) == 1:
        last = runs[0][-1]
        return [
            Problem(
                "cell-fails", "error", f"The cell fails when the notebook is run from the top: {last.error}", last.cell, None,
                "Mend the cell; what is below it was not run.",
            )
        ]  # fmt: skip
    return compare(*runs)


def compare(first: list[CellResult], second: list[CellResult]) -> list[Problem]:
    """The first cell that differs between two runs, and what differs in it."""
    for one, other in zip(first, second, strict=False):
        if other.error is not None:
            return [
                Problem("not-repeatable", "warning", f"The cell failed in the second run only: {other.error}", other.cell, None,
                        "Look for what the first run left behind (files, a database).")
            ]  # fmt: skip
        names = sorted(name for name in one.values if name in other.values and one.values[name] != other.values[name])
        shown = _plain(one.text) != _plain(other.text)
        if not names and not shown:
            continue
        parts = [f"{name} ({_short(one.values[name])}, then {_short(other.values[name])})" for name in names[:3]]
        what = ", ".join(parts) + (f" and {len(names) - 3} more" if len(names) > 3 else "") if names else "what it prints"
        return [
            Problem(
                "not-repeatable", "warning",
                f"A second run gives something else here first: {what}.",
                one.cell, None, "Seed what is random, and take the date and the order of sets and files out of the results.",
            )
        ]  # fmt: skip
    return []


def _plain(text: str) -> str:
    return _NOISE.sub("", _TIMES.sub("", _ANSI.sub("", text)))


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."


def _execute(notebook: Notebook, cell_timeout: float | None) -> Iterator[CellResult]:

    import nbformat
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    from jupyter_mlops.errors import KernelError

    nb: Any = nbformat.read(notebook.path, as_version=4)
    client = NotebookClient(
        nb,
        timeout=cell_timeout,
        kernel_name=notebook.kernel_name or "python3",
        resources={"metadata": {"path": str(notebook.path.absolute().parent)}},
        extra_arguments=["--log-level=40"],
    )
    # Hashes of strings differ from process to process, and with them the order of sets: that is one of the things to find.
    env = inherited("PYTHONHASHSEED")
    env["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    number = 0
    try:
        with client.setup_kernel(env=env):
            for number, cell in enumerate(nb.cells, start=1):
                if cell.cell_type != "code" or not cell.source.strip():
                    continue
                try:
                    client.execute_cell(cell, number - 1)
                except CellExecutionError as error:
                    yield CellResult(number, "", error=f"{error.ename}: {error.evalue}"[:300])
                    return
                except CellTimeoutError:
                    yield CellResult(number, "", error=f"it did not finish within {cell_timeout:.0f} s")
                    return
                yield CellResult(number, _text(cell.outputs), _values(client))
    except DeadKernelError as error:
        raise KernelError(f"The kernel died while cell {number} ran. Often it ran out of memory: try fewer rows.") from error
    except NoSuchKernel as error:
        raise KernelError(
            f"The notebook asks for the kernel {notebook.kernel_name!r}, which is not installed here. "
            "Install it (python -m ipykernel install --user --name NAME) or choose another in JupyterLab and save."
        ) from error


def _values(client: Any) -> dict[str, str]:
    """Ask the kernel, unseen by its history and its counts; nothing where the cell left no answer."""
    import ast
    import json

    code = _PROBE + "\n__mlops_values = __mlops_probe()\n"
    message = client.kc.execute(code, silent=True, store_history=False, user_expressions={"values": "__mlops_values"})
    content = client.wait_for_reply(message)["content"]
    answer = content.get("user_expressions", {}).get("values", {})
    if answer.get("status") != "ok":
        return {}
    found = json.loads(ast.literal_eval(answer["data"]["text/plain"]))
    return {str(name): str(value) for name, value in found.items()}


def _text(outputs: list[Any]) -> str:
    """What the outputs say in text; warnings and pictures are left out."""
    parts: list[str] = []
    for one in outputs:
        if one.output_type == "stream" and one.name == "stdout":
            parts.append(one.text)
        elif one.output_type in ("execute_result", "display_data"):
            data = one.data
            if not any(kind.startswith("image/") for kind in data):
                parts.append(str(data.get("text/plain", "")))
    return "\n".join(parts)
