"""What runs inside of the notebook's kernel while the notebook runs as it stands.

The source of this module is sent to the kernel and executed in a namespace of its own, so it may import nothing of
this package and leaves no name in the notebook's. Calls such as ``model.predict(X)`` in the notebook's code are
rewritten, at syntax level, to go through `Recorder.call`, which makes the very same call and notes what went in and
what came out. Nothing else about the notebook changes.
"""

from __future__ import annotations

import ast
import json
import pickle
import random
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # In the kernel they stand in this same namespace: `capture.run_notebook` puts them there, with the sources behind this one.
    from jupyter_mlops.convert.evaluations import Evaluations, Measures  # noqa: TC004
    from jupyter_mlops.convert.lifting.observer import Observer  # noqa: TC004

    def get_ipython() -> Any: ...


METHODS = {"fit", "predict", "predict_proba", "score", "fit_predict", "decision_function"}
ANSWERS = {"predict", "predict_proba", "fit_predict", "decision_function"}
HOOK = "__mlops_call__"
MOST_COPIED = 50 * 2**20  # bytes of one data file
SAMPLE = 2_000  # rows kept of one call
CODE = {".py", ".pyc", ".pyi", ".so", ".pth", ".pyd"}  # files that importing reads
LITERAL = 20_000  # characters of a plain value worth keeping


class _Wrap(ast.NodeTransformer):
    """``value.method(...)`` -> ``__mlops_call__(line, "value", value, "method", ...)`` for the methods of interest."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if not (isinstance(node.func, ast.Attribute) and node.func.attr in METHODS):
            return node
        where: list[ast.expr] = [ast.Constant(node.lineno), ast.Constant(ast.unparse(node.func.value))]
        call = ast.Call(
            func=ast.Name(HOOK, ast.Load()),
            args=[*where, node.func.value, ast.Constant(node.func.attr), *node.args],
            keywords=node.keywords,
        )
        return ast.fix_missing_locations(ast.copy_location(call, node))


def _rows(value: Any) -> int | None:
    shape = getattr(value, "shape", None)
    if shape:
        return int(shape[0])
    return len(value) if isinstance(value, (list, tuple)) else None


def kept_positions(rows: int) -> Any:
    """Which of so many rows are kept: the same ones of a model's input, of its answers and of the labels beside them."""
    import numpy as np

    return np.unique(np.linspace(0, rows - 1, min(rows, SAMPLE)).astype(int)) if rows else np.array([], dtype=int)


def _take(value: Any, positions: Any) -> Any:
    if hasattr(value, "iloc"):
        return value.iloc[positions].copy()
    if hasattr(value, "toarray"):
        return value[positions]
    if hasattr(value, "shape"):
        return value[positions].copy()
    return [value[position] for position in positions]


def _table(value: Any) -> tuple[Any, str]:
    """A copy of a raw table as a frame, and what the notebook holds it in; (None, "") for anything else."""
    if hasattr(value, "columns") and hasattr(value, "iloc"):
        return value.copy(), "frame"
    import pandas as pd

    if isinstance(value, dict) and type(value).__name__ == "Bunch" and getattr(value.get("data"), "ndim", 0) == 2:
        data = value["data"]
        if hasattr(data, "iloc"):
            return data.copy(), "bunch-frame"
        names = value.get("feature_names")
        columns = list(map(str, names)) if names is not None and len(names) == data.shape[1] else _numbered(data)
        return pd.DataFrame(data, columns=columns), "bunch-array"
    if type(value).__module__ == "numpy" and getattr(value, "ndim", 0) == 2 and value.dtype.kind in "fiub":
        return pd.DataFrame(value.copy(), columns=_numbered(value)), "array"
    return None, ""


def _numbered(data: Any) -> list[str]:
    return [f"x{position}" for position in range(data.shape[1])]


class _Watched:
    """Hands the syntax of each cell to the observer, behind `_Wrap`."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def visit(self, module: ast.Module) -> ast.Module:
        made: ast.Module = self.recorder.observer.transform(module, self.recorder.cell)
        return made


class Recorder:
    """Notes of one run; `call` is what the notebook's own calls go through."""

    def __init__(self) -> None:
        self.cell = 0
        self.hidden = False
        self.events: list[dict[str, Any]] = []
        self.frames: dict[str, Any] = {}
        self.forms: dict[str, str] = {}
        self.files: dict[str, str | None] = {}  # read -> copy of it as it was then
        self.copies: Path | None = None
        self.seconds: dict[int, float] = {}
        self._started = time.perf_counter()
        self.observer: Any = None
        self.evaluations: Any = None

    def watch(self, plan: dict[str, Any]) -> None:
        """Watch the preparation, see `observer`, which runs in this same namespace."""
        import builtins

        self.observer = Observer(plan, self.snapshot)
        for name, hook in self.observer.hooks().items():
            setattr(builtins, name, hook)
        get_ipython().ast_transformers.append(_Watched(self))

    def measure(self) -> None:
        """Note what models are measured on, see `evaluations`, which runs in this same namespace. Call it behind `watch`."""
        import builtins

        self.evaluations = Evaluations(self)
        for name, hook in self.evaluations.hooks().items():
            setattr(builtins, name, hook)
        # Last: the observer finds its places in the syntax by what stands there.
        get_ipython().ast_transformers.append(Measures())

    def start(self, seed: int | None, copies: str | None = None) -> None:
        """Seed the global generators and begin to note calls and opened files, of which copies go to a folder."""
        self.copies = None if copies is None else Path(copies)
        shell = get_ipython()
        shell.ast_transformers.append(_Wrap())
        import builtins

        setattr(builtins, HOOK, self.call)
        sys.addaudithook(self._audit)
        if seed is not None:
            random.seed(seed)
            import numpy as np

            np.random.seed(seed)

    def enter(self, cell: int) -> None:
        """The driver says which cell runs next."""
        now = time.perf_counter()
        self.seconds[self.cell] = self.seconds.get(self.cell, 0.0) + now - self._started
        self.cell, self._started = cell, now

    def _audit(self, event: str, args: tuple[Any, ...]) -> None:
        if event != "open" or self.hidden or not self.cell:
            return
        path, mode = args[0], args[1]
        if not (isinstance(path, str) and isinstance(mode, str)) or not mode.startswith("r") or "+" in mode:
            return
        if Path(path).suffix in CODE or path in sys.path:
            return
        file = str(Path(path).absolute())
        if file not in self.files:
            self.files[file] = None
            self._keep_copy(Path(file))

    def _keep_copy(self, file: Path) -> None:
        """The file as it is read for the first time: a later cell may write over it."""
        if self.copies is None or not file.is_file() or not file.is_relative_to(Path.cwd()):
            return
        self.hidden = True  # our own reading is not the notebook's
        try:
            if file.stat().st_size <= MOST_COPIED:
                target = self.copies / f"{len(self.files)}{file.suffix}"
                target.write_bytes(file.read_bytes())
                self.files[file.as_posix()] = str(target)
        except OSError as error:
            print(f"jupyter-mlops: could not keep {file}: {error}", file=sys.stderr)
        finally:
            self.hidden = False

    def call(self, line: int, text: str, receiver: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        """Make the notebook's own call, then note it."""
        result = getattr(receiver, method)(*args, **kwargs)
        value = args[0] if args else kwargs.get("X", kwargs.get("raw_documents"))
        target = args[1] if len(args) > 1 else kwargs.get("y")
        if hasattr(receiver, "get_params") or hasattr(receiver, "predict"):
            try:
                self._note(line, text, receiver, method, value, target, result)
            except Exception as error:  # the notebook's run must never fail because of the notes
                print(f"jupyter-mlops: could not note {text}.{method}: {error!r}", file=sys.stderr)
        return result

    def _note(self, line: int, text: str, receiver: Any, method: str, value: Any, target: Any, result: Any) -> None:
        import numpy as np

        rows = _rows(value)
        if rows is None:
            return
        positions = kept_positions(rows)
        labelled = method in {"fit", "score"} and not hasattr(target, "toarray") and _rows(target) == rows
        event = {
            "order": len(self.events),
            "cell": self.cell,
            "line": line,
            "text": text,
            "method": method,
            "object": receiver,
            "rows": rows,
            "input": _take(value, positions),
            "result": _take(np.asarray(result), positions) if method in ANSWERS else None,
            "target": _take(np.asarray(target), positions) if labelled else None,
            "index": getattr(value, "index", None) if method == "fit" and hasattr(value, "iloc") else None,
            "score": float(result) if method == "score" else None,
        }
        same = [e for e in self.events if (e["cell"], e["line"], e["text"], e["method"]) == (self.cell, line, text, method)]
        if len(same) >= 20:  # a loop: the last passes are enough
            self.events.remove(same[0])
        self.events.append(event)

    def snapshot(self, names: list[str]) -> None:
        """Keep copies of the tables that the load cells bound, before a later cell changes them."""
        space = get_ipython().user_ns
        for name in names:
            value = space.get(name)
            table, form = _table(value)
            if table is not None:
                self.frames[name], self.forms[name] = table, form
                if self.observer is not None:
                    self.observer.lengths.add(len(table))

    def _meant(self, estimator: str, at: list[int] | None, space: dict[str, Any]) -> Any:
        """The model: the one that was asked at a place, since a later cell may bind its name anew; else what has the name now."""
        named = [e for e in self.events if e["text"] == estimator]
        asked = [e for e in named if [e["cell"], e["line"]] == at]
        now = eval(estimator, space)  # noqa: S307 - the notebook's own name, in the notebook's own kernel
        if asked:
            return asked[-1]["object"]
        if named and not any(e["object"] is now for e in self.events):
            return named[-1]["object"]
        return now

    def finish(self, folder: str, estimator: str, wanted: dict[str, Any]) -> str:
        """Write what was noted into `folder`; returns a JSON line with what the driver should know at once."""
        self.enter(0)
        place = Path(folder)
        shell = get_ipython()
        space = shell.user_ns
        at = wanted.get("at")  # None: it is never asked about rows of the raw table, what it was fitted on is what counts
        model = self._meant(estimator, at, space)
        answers = [e for e in self.events if e["object"] is model and e["method"] in ANSWERS | {"score"}]
        # A grid search or a pipeline may be fitted under one name and asked under another: same object is what counts.
        fits = [e for e in self.events if e["object"] is model and e["method"] in {"fit", "fit_predict"}]
        preferred = [] if at is None else [e for e in answers if [e["cell"], e["line"]] == at] or answers
        by_method = {e["method"]: e for e in preferred}
        last = by_method.get("predict") or by_method.get("fit_predict") or (preferred[-1] if preferred else None)
        proba = None
        if last is not None:
            near = [e for e in answers if e["method"] == "predict_proba" and e["rows"] == last["rows"]]
            proba = near[-1]["result"] if near else None
        refit = bool(last and fits and fits[-1]["order"] > last["order"])
        names: dict[str, str] = {}
        values: dict[str, Any] = {}
        for name, value in list(space.items()):
            if name.startswith("_") or name in {"In", "Out", "exit", "quit", "get_ipython", "open"}:
                continue
            kind = type(value)
            names[name] = f"{kind.__module__}.{kind.__qualname__}"
            if kind.__module__ == "numpy" and getattr(value, "ndim", 1) == 0 and kind.__name__ != "ndarray":
                value = value.item()
            if isinstance(value, (bool, int, float, str, list, tuple, dict, set)):
                text = repr(value)
                try:
                    if len(text) < LITERAL:
                        ast.literal_eval(text)
                        values[name] = value
                    elif isinstance(value, (int, float)):
                        values[name] = value
                except (ValueError, SyntaxError):
                    if isinstance(value, float):  # nan, inf
                        values[name] = value
        plain: dict[str, Any] = {
            "names": names,
            "files": self.files,
            "forms": self.forms,
            "seconds": {str(cell): seconds for cell, seconds in self.seconds.items()},
            "python": sys.version.split()[0],
            "executable": sys.executable,
            "versions": {m: str(sys.modules[m].__version__) for m in ("sklearn", "numpy", "pandas") if m in sys.modules},
        }
        self.hidden = True
        if self.observer is not None:
            self.observer.finish(place)
        fit = fits[-1] if fits else None
        data = {
            "frames": self.frames,
            "values": values,
            "input": None if last is None else last["input"],
            "result": last["result"] if last is not None and last["method"] in {"predict", "fit_predict"} else None,
            "probabilities": proba,
            "rows": None if last is None else last["rows"],
            "refit": refit,
            "fit_input": None if fit is None else fit["input"],
            "where": None if last is None else [last["cell"], last["line"], last["text"], last["method"]],
            "evaluation": {} if last is None or self.evaluations is None else self.evaluations.about(last, fit),
        }
        with (place / "capture.pkl").open("wb") as file:
            pickle.dump(data, file, protocol=5)
        try:
            with (place / "estimator.pkl").open("wb") as file:
                pickle.dump(model, file, protocol=5)
            if wanted.get("fitted") in space:
                with (place / "fitted.pkl").open("wb") as file:
                    pickle.dump(space[wanted["fitted"]], file, protocol=5)
            plain["pickled"] = None
        except Exception as error:
            plain["pickled"] = f"{type(error).__name__}: {error}"
        plain["estimator_class"] = f"{type(model).__module__}.{type(model).__qualname__}"
        with (place / "capture.json").open("w", encoding="utf-8") as file:
            json.dump(plain, file)
        return "ok"
