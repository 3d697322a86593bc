"""What a slice of a variable takes along, construct by construct."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jupyter_mlops.notebook.dataflow import analyse
from jupyter_mlops.notebook.read import read_notebook
from tests.conftest import ROOT
from tests.notebooks import write_notebook

# Cells, and the lines (of all cells, "#" marks those that `result` does not need) of the slice of `result`.
CASES = {
    "alias": ["a = [1]", "b = a", "b.append(2)", "c = [9]  #", "result = a"],
    "in place by a method": ["a = [3, 1]", "a.sort()", "len(a)  #", "result = a"],
    "inplace=True": ["import pandas as pd", "df = pd.DataFrame({'a': [1, None]})", "df.dropna(inplace=True)", "df.describe()  #", "result = df"],
    "a copy is another": ["a = [1]", "b = a.copy()  #", "b.append(2)  #", "result = a"],
    "subscript store": ["d = {}", "d['x'] = 1", "e = {}  #", "e['x'] = 2  #", "result = d"],
    "attribute store": ["class A: pass", "a = A()", "a.x = 1", "result = a.x"],
    "augmented assignment": ["n = 1", "n += 2", "m = 1  #", "m += 2  #", "result = n"],
    "augmented list": ["a = [1]", "b = a", "b += [2]", "result = a"],
    "mutation in a called function": ["a = []", "def f(x):\n    x.append(1)", "f(a)", "result = a"],
    "a function reads a global": ["k = 2", "def f(x):\n    return x * k", "j = 3  #", "result = f(1)"],
    "a global at the time of the call": ["k = 2  #", "def f():\n    return k", "k = 3", "result = f()"],
    "global statement": ["n = 0", "def f():\n    global n\n    n += 1", "f()", "result = n"],
    "closure": ["def make():\n    n = [0]\n    def add():\n        n.append(1)\n        return len(n)\n    return add", "f = make()", "f()", "result = f()"],
    "decorator": ["def double(g):\n    return lambda x: 2 * g(x)", "@double\ndef f(x):\n    return x", "result = f(1)"],
    "class and method": ["class A:\n    def __init__(self):\n        self.n = []\n    def add(self):\n        self.n.append(1)", "a = A()", "a.add()", "result = len(a.n)"],
    "loop that carries state": ["total = 0", "rows = [1, 2]", "for r in rows:\n    total += r", "other = 0  #", "result = total"],
    "comprehension": ["rows = [1, 2]", "k = 3", "squares = [r * k for r in rows]", "r = 5  #", "result = squares"],
    "walrus": ["rows = [1, 2]", "if (n := len(rows)) > 1:\n    pass", "result = n"],
    "del": ["a = 1", "b = a", "del a  #", "result = b"],
    "conditional definition": ["flag = True", "if flag:\n    k = 1\nelse:\n    k = 2", "result = k"],
    "import in try": ["try:\n    import json as j\nexcept ImportError:\n    j = None", "import re  #", "result = j.dumps(1)"],
    "star import": ["from math import *", "import os  #", "result = sqrt(4)"],
    "lambda in apply": ["import pandas as pd", "k = 2", "s = pd.Series([1])", "result = s.apply(lambda v: v * k)"],
    "plots and displays": ["import pandas as pd", "import matplotlib.pyplot as plt  #", "df = pd.DataFrame({'a': [1]})", "plt.plot(df)  #", "df.head()  #", "print(df)  #", "df.info()  #", "df['a'].hist()  #", "result = df"],
    "tuple": ["a, b = 1, 2", "c = 3  #", "result = b"],
    "with": ["import tempfile", "with tempfile.TemporaryDirectory() as d:\n    n = len(d)", "result = n > 0"],
    "an object in a container": ["a = [1]", "d = {'x': a}", "d['x'].append(2)", "result = a"],
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_slice_takes_what_is_needed_and_nothing_else(name: str, tmp_path: Path) -> None:
    cells = CASES[name]
    path = write_notebook(tmp_path / "case.ipynb", [("", cell.removesuffix("  #")) for cell in cells])
    analysis = analyse(read_notebook(path))
    assert len(analysis.statements) == len(cells)
    kept = {*analysis.slice_statement(analysis.statements[-1].index), len(cells) - 1}
    wanted = {i for i, cell in enumerate(cells) if not cell.endswith("  #")}
    assert kept == wanted, [cells[i] for i in sorted(kept ^ wanted)]
    space: dict[str, object] = {}
    for i in sorted(kept):
        exec(compile(ast.unparse(analysis.statements[i].node), "cell", "exec"), space)
    assert "result" in space


def test_an_instance_that_a_library_calls_back_is_followed_once(tmp_path: Path) -> None:
    """A transformer whose methods hand their arguments to numpy: following every way back took minutes."""
    own = "\n".join(
        f"class Step{n}(BaseEstimator, TransformerMixin):\n    def fit(self, X, y=None):\n        self.a_ = np.nanquantile(X, 0.1)\n"
        f"        self.b_ = np.clip(X, self.a_, np.nanmax(X))\n        return self\n    def transform(self, X):\n"
        f"        return np.clip(X, self.a_, np.asarray(self.b_))"
        for n in range(4)
    )
    cells = [
        "import numpy as np\nfrom sklearn.base import BaseEstimator, TransformerMixin\nfrom sklearn.pipeline import make_pipeline",
        own,
        "X = np.ones((3, 2))\nmodel = make_pipeline(Step0(), Step1(), Step2(), Step3())\nmodel.fit(X)",
        "result = model.transform(X)",
    ]
    notebook = read_notebook(write_notebook(tmp_path / "case.ipynb", [("", cell) for cell in cells]))
    started = time.process_time()
    analysis = analyse(notebook)
    assert time.process_time() - started < 20
    assert len(analysis.slice_statement(analysis.statements[-1].index)) >= len(analysis.statements) - 1


@pytest.mark.parametrize("name", ["flight_delays", "house_prices", "food_reviews", "penguins_messy"])
def test_the_example_notebooks_are_understood(name: str) -> None:
    analysis = analyse(read_notebook(ROOT / "example_notebooks" / f"{name}.ipynb"))
    assert not [p for p in analysis.problems if p.severity == "error"]
    assert analysis.defined_by("model")


def test_the_analysis_is_the_same_in_each_process() -> None:
    """Sets of names and objects have another order in another process; what is found must not depend on it."""
    code = (
        "from pathlib import Path\n"
        "from jupyter_mlops.notebook.dataflow import analyse\n"
        "from jupyter_mlops.notebook.read import read_notebook\n"
        "for s in analyse(read_notebook(Path('example_notebooks/penguins_messy.ipynb'))).statements:\n"
        "    print(sorted(s.mutates), sorted(s.uses), sorted(s.binds))\n"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3", "4")
    }
    assert len(found) == 1 and found != {""}
