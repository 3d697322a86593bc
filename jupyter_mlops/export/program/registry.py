"""The table of operations: what a pandas or numpy operation does to the columns inside the graph.

To add one, write a function in one of the modules of this package and decorate it with what it serves:

    @method("Series", "between")
    def between(t: Tracer, out: Any, x: Symbol, left: Any, right: Any, inclusive: str = "both") -> list[Cell]: ...

It takes the operation's own arguments under their own names, so that an argument which it does not know is refused by
Python itself. `out` is what pandas made of the sample rows (its dtypes and columns can be relied on); the function
returns the cells of `out`, one for each column, and raises `Unsupported` for whatever it does not repeat exactly: think
of missing values, values never seen, integers and floats. Then add a case to `tests/unit/export/program/cases.py`.

`tabulates=True` says that the operation looks at one value at a time. Where it has no ONNX form, and all values that the
column can have are known, pandas is asked once for each of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Operation", "find_function", "find_method", "function", "method"]


@dataclass(frozen=True)
class Operation:
    """A registered function."""

    run: Callable[..., Any]
    tabulates: bool = False


_METHODS: dict[tuple[str, str], Operation] = {}
_FUNCTIONS: dict[str, Operation] = {}


def method(kinds: str, *names: str, tabulates: bool = False) -> Callable[[Any], Any]:
    """Register a method of some kinds of objects, such as "Series DataFrame", or of accessors ("str", "dt")."""

    def register(run: Any) -> Any:
        for kind in kinds.split():
            for name in names:
                if (kind, name) in _METHODS:
                    raise ValueError(f"two operations for {kind}.{name}")
                _METHODS[kind, name] = Operation(run, tabulates)
        return run

    return register


def function(*names: str) -> Callable[[Any], Any]:
    """Register a function by its full name, such as "pandas.concat"; "state.codes_of" and "schema.complete"
    are the generated package's own."""

    def register(run: Any) -> Any:
        for name in names:
            if name in _FUNCTIONS:
                raise ValueError(f"two operations for {name}")
            _FUNCTIONS[name] = Operation(run)
        return run

    return register


def _load() -> None:
    import importlib

    for name in ("dates", "levels", "lookups", "missing", "numbers", "strings", "tables"):
        importlib.import_module(f"jupyter_mlops.export.program.{name}")


def find_method(kind: str, name: str) -> Operation | None:
    """The operation of a method, or None."""
    _load()
    return _METHODS.get((kind, name))


def find_function(called: Any) -> Operation | None:
    """The operation of a function object, or None. numpy's element-wise functions go by their name."""
    _load()
    name = getattr(called, "__name__", "")
    module = str(getattr(called, "__module__", "") or "")
    if type(called).__name__ == "ufunc":
        return _FUNCTIONS.get(f"numpy.{name}")
    root = module.split(".")[0]
    if root in ("pandas", "numpy", "math", "builtins", "scipy"):
        return _FUNCTIONS.get(f"{root}.{name}")
    home = module.rpartition(".")[2]
    return _FUNCTIONS.get(f"{home}.{name}") if home in ("schema", "state") else None
