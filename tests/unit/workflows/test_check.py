"""`check` on any file: it never fails for what is in a notebook, writes only what it says, and ends as documented."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.conversion import hundred_cells
from jupyter_mlops.cli import main
from jupyter_mlops.errors import UsageError
from jupyter_mlops.notebook.read import read_notebook
from jupyter_mlops.workflows.check import Checked, CheckOptions, check
from jupyter_mlops.workflows.rerun import unstable_cells
from tests.notebooks import PENGUINS, write_notebook
from tests.unit.notebook.checks.helpers import write

ODD: dict[str, bytes] = {
    "empty file": b"",
    "no JSON": b"<html>",
    "not UTF-8": b'{"cells": "\xff\xfe"}',
    "JSON of something else": b"[1, 2]",
    "old format": json.dumps({"nbformat": 3, "worksheets": [{"cells": []}]}).encode(),
    "another language": json.dumps({"cells": [], "nbformat": 4, "metadata": {"kernelspec": {"name": "ir", "language": "R"}}}).encode(),
    "a cell that is none": json.dumps({"cells": [3], "nbformat": 4}).encode(),
}  # fmt: skip
READ: dict[str, dict[str, Any]] = {
    "no cells": {"cells": []},
    "an empty cell": {"cells": [{"cell_type": "code", "source": ""}]},
    "only markdown": {"cells": [{"cell_type": "markdown", "source": ["# a"]}]},
    "cells without anything": {"cells": [{}, {"cell_type": "code"}, {"cell_type": "code", "source": None}]},
    "broken syntax": {"cells": [{"cell_type": "code", "source": "def f(:"}, {"cell_type": "code", "source": "x ="}]},
    "magics only": {"cells": [{"cell_type": "code", "source": "%%bash\nls"}, {"cell_type": "code", "source": "!ls | wc"}]},
    "nulls": {"cells": [{"cell_type": "code", "source": "x = 1\x00"}]},
    "deep": {"cells": [{"cell_type": "code", "source": "x = " + "(" * 150 + "1" + ")" * 150}]},
    "long": {"cells": [{"cell_type": "code", "source": "x = " + " + ".join(["1"] * 600)}]},
    "recursion": {"cells": [{"cell_type": "code", "source": "def f(d):\n    return f(d)\ndef g(a, b):\n    return g(b, f(a))\nimport pandas as pd\nf(g(pd.read_csv('a'), 1))"}]},
    "strange calls": {"cells": [{"cell_type": "code", "source": "import sklearn\nfrom sklearn.model_selection import *\ntrain_test_split()\na, *b = train_test_split(*x, **y)\nx.fit()\n().fit_transform\nf()()[0].fit(1)(2)\nx[0].y.fillna()\nlambda: x.fit(y)\nstr.split('a')"}]},
}  # fmt: skip


def _file(path: Path, content: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, **content}), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ODD)
def test_a_file_that_is_no_python_notebook_is_one_problem(name: str, tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    path.write_bytes(ODD[name])
    assert [one.code for one in check(path, CheckOptions()).problems] == ["unreadable"]


@pytest.mark.parametrize("name", READ)
def test_any_notebook_is_checked(name: str, tmp_path: Path) -> None:
    found = check(_file(tmp_path / "n.ipynb", READ[name]), CheckOptions())
    assert isinstance(found, Checked)
    assert found.notebook is not None


def test_a_clean_notebook_has_nothing(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "penguins.ipynb", PENGUINS)
    assert check(path, CheckOptions()).problems == ()


def test_a_hundred_cells_take_less_than_half_a_second(tmp_path: Path) -> None:
    path = hundred_cells(tmp_path / "hundred.ipynb")
    check(path, CheckOptions())
    started = time.thread_time()  # what other threads of the test process do does not count
    check(path, CheckOptions())
    assert time.thread_time() - started < 0.5


def test_exit_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = write(tmp_path / "bad.ipynb", ("import numpy as np\nx = np.float(1)",))
    meh = write(tmp_path / "meh.ipynb", ("print(a)",))
    good = write(tmp_path / "good.ipynb", ("x = 1",))
    assert main(["check", str(good)]) == 0
    assert main(["check", str(meh)]) == 0
    assert main(["check", str(meh), "--strict"]) == 1
    assert main(["check", str(meh), "--strict", "--ignore", "names"]) == 0
    assert main(["check", str(bad), str(good)]) == 1
    assert main(["check", str(bad), "--select", "leakage"]) == 0
    assert main(["check", str(tmp_path)]) == 1
    capsys.readouterr()
    assert main(["check", str(good), "--select", "no-such-rule"]) == 2
    assert main(["check", str(tmp_path / "none.ipynb")]) == 2
    assert main(["check", str(good), "--in-place"]) == 2
    assert "no-such-rule" in capsys.readouterr().err


def test_json_has_one_object_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "bad.ipynb", ("import numpy as np\nx = np.float(1)\nprint(y)",))
    main(["check", str(path), "--json"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(r["code"], r["cell"], r["line"], r["mends"]) for r in rows] == [
        ("removed-call", 1, 2, True),
        ("undefined-name", 1, 3, False),
    ]
    assert rows[0].keys() == {"notebook", "code", "severity", "message", "cell", "line", "fix", "mends"}


def test_fix_shows_a_diff_and_writes_only_where_it_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "n.ipynb"
    text = '{"nbformat": 4,\n "cells": [{"cell_type":"code","metadata":{"x": "\\u00f6"},\r\n  "source": ["import numpy as np\\n",\n "x = np.float(1)  # ö\\n", "y = 2"], "outputs": []}],\n    "metadata": {}, "nbformat_minor": 4}\n'
    path.write_bytes(text.encode())
    main(["check", str(path), "--fix"])
    out = capsys.readouterr().out
    assert f"--- {path}:cell 1" in out
    assert "-x = np.float(1)  # ö\n+x = float(1)  # ö" in out
    assert path.read_bytes() == text.encode()
    copy = tmp_path / "out" / "copy.ipynb"
    assert main(["check", str(path), "--fix", "-o", str(copy)]) == 0
    assert path.read_bytes() == text.encode()
    assert main(["check", str(path), "--fix", "--in-place"]) == 0
    assert path.read_bytes() == copy.read_bytes() == text.replace("np.float(1)", "float(1)").encode()


def test_what_does_not_exist_is_a_wrong_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        check(tmp_path / "n.ipynb", CheckOptions())


def test_a_second_run_that_differs_names_the_first_cell(tmp_path: Path) -> None:
    cells = (
        "a = 1\nprint('time:', 3)",
        "import random\nnumbers = [random.random() for _ in range(3)]",
        "total = sum(numbers)",
        "object()",
    )
    (problem,) = unstable_cells(read_notebook(write(tmp_path / "n.ipynb", cells)))
    assert (problem.code, problem.cell) == ("not-repeatable", 2)
    assert "numbers" in problem.message


def test_a_second_run_that_is_the_same_or_fails(tmp_path: Path) -> None:
    import_seed = "import random, time\nrandom.seed(0)\nx = random.random()\nstarted = 3\n%time y = {'a': x}\nobject()"
    assert unstable_cells(read_notebook(write(tmp_path / "n.ipynb", (import_seed, "print(x)")))) == []
    (problem,) = unstable_cells(read_notebook(write(tmp_path / "f.ipynb", ("x = 1", "1 / 0", "y = 2"))))
    assert (problem.code, problem.severity, problem.cell) == ("cell-fails", "error", 2)
    assert "ZeroDivisionError" in problem.message
