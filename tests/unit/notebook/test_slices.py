"""A slice computes what the notebook computed: programs are generated, run whole and sliced, and compared."""

from __future__ import annotations

import ast
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_mlops.notebook.dataflow import analyse
from jupyter_mlops.notebook.read import read_notebook
from tests.notebooks import write_notebook

START = """\
n0, n1, n2 = 1, 2, 3
l0 = [1, 2]
l1 = [3]
d0 = {"a": 1, "k": [0]}
class Box:
    total = 0
    def __init__(self, items):
        self.items = items
    def push(self, value):
        self.items.append(value)
        Box.total += 1
        return len(self.items)
def make():
    seen = [0]
    def add(value):
        seen.append(value)
        return sum(seen)
    return add
box = Box(l0)
counter = make()
"""
NUMBERS = st.sampled_from(["n0", "n1", "n2"])
LISTS = st.sampled_from(["l0", "l1"])


def _say(template: str) -> st.SearchStrategy[str]:
    """A statement with names put in: ``@`` a number, ``#`` a list."""
    count = template.count("@"), template.count("#")
    return st.tuples(st.tuples(*[NUMBERS] * count[0]), st.tuples(*[LISTS] * count[1])).map(
        lambda names: _fill(template, list(names[0]), list(names[1]))
    )


def _fill(template: str, numbers: list[str], lists: list[str]) -> str:
    return "".join(numbers.pop(0) if c == "@" else lists.pop(0) if c == "#" else c for c in template)


SIMPLE = st.one_of(
    *map(
        _say,
        [
            "@ = @ + 1", "@ += @ % 7", "@ = len(#)", "@ = sum(#[:4]) % 97", "@ = d0.get('a', 0)", "@, @ = @, @",
            "# = [@, @]", "# = #[:3] + #[:3]", "# = list(#)", "# = #", "#.append(@)", "# += [@]", "#[0] = @", "#.sort()",
            "#.extend(#[:2])", "d0['a'] = @", "d0['k'] = #", "d0['k'].append(@)", "d0.update(a=@)", "d0.setdefault('z', #).append(@)",
            "# = d0['k']", "# = [x + @ for x in #[:4]]", "# = [(@ := x) for x in #[:3]]", "@ = max(x % 5 for x in #)",
            "@ = box.push(@)", "@ = Box.total", "box.items = #", "box = Box(#)", "# = box.items", "@ = counter(@)",
            "counter = make()", "@ = (lambda v: v + @)(@)", "# = sorted(#, key=lambda v: v * @)", "print(#, @)",
            "@ = (@ if @ % 2 else @)", "# = list(map(lambda v: v + @, #))", "setattr(box, 'items', #)", "spare = @\ndel spare",
            "assert @ is not None", "with open(__import__('os').devnull) as file:\n    @ = len(file.read())",
            "match @ % 3:\n    case 0:\n        @ = 5\n    case _:\n        #.append(1)",
        ],
    )
)  # fmt: skip


def _indent(text: str) -> str:
    return "\n".join("    " + line for line in text.split("\n"))


def _nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Statements that hold others."""
    body = st.lists(inner, min_size=1, max_size=3).map(lambda lines: _indent("\n".join(lines)))
    return st.one_of(
        st.tuples(NUMBERS, body, body).map(lambda p: f"if {p[0]} % 2:\n{p[1]}\nelse:\n{p[2]}"),
        st.tuples(LISTS, body).map(lambda p: f"for item in list({p[0]})[:3]:\n{p[1]}"),
        st.tuples(NUMBERS, body).map(lambda p: f"for {p[0]} in range(2):\n{p[1]}"),
        st.tuples(body, body).map(lambda p: f"try:\n{p[0]}\n    raise ValueError\nexcept ValueError:\n{p[1]}"),
        st.tuples(body, body).map(lambda p: f"try:\n{p[0]}\nfinally:\n{p[1]}"),
        body.map(lambda b: f"def helper():\n    global n0, n1, n2, l0, l1, d0, box, counter\n{b}\nhelper()"),
        st.tuples(LISTS, NUMBERS).map(lambda p: f"def change(given, by=1):\n    given.append({p[1]} + by)\n    return given\nchange({p[0]})"),
        st.tuples(LISTS, LISTS).map(lambda p: f"def outer(given):\n    def inner():\n        given.append(1)\n    inner()\n    return given\n{p[1]} = outer({p[0]})"),
        st.tuples(NUMBERS, LISTS).map(lambda p: f"def wrap(function):\n    def run(*args):\n        {p[1]}.append(1)\n        return function(*args)\n    return run\n@wrap\ndef shown(v):\n    return v + 1\n{p[0]} = shown({p[0]})"),
        st.tuples(NUMBERS, body).map(lambda p: f"while {p[0]} > 1000:\n{p[1]}\n    break"),
    )  # fmt: skip


STATEMENTS = st.recursive(SIMPLE, _nested, max_leaves=6)
PROGRAMS = st.lists(STATEMENTS, min_size=2, max_size=14)
TARGETS = st.sampled_from(["n0", "n1", "n2", "l0", "l1", "d0", "box.items", "Box.total"])


def _run(statements: list[str]) -> str:
    space: dict[str, Any] = {"print": lambda *values: None}
    for text in statements:
        exec(compile(text, "cell", "exec"), space)
    return repr(space["result"])


@settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(program=PROGRAMS, target=TARGETS, cut=st.integers(1, 4))
def test_a_slice_computes_what_the_notebook_computed(program: list[str], target: str, cut: int) -> None:
    cells = [START, *("\n".join(program[i : i + cut]) for i in range(0, len(program), cut)), f"result = {target}"]
    with tempfile.TemporaryDirectory() as folder:
        analysis = analyse(read_notebook(write_notebook(Path(folder) / "case.ipynb", [("", cell) for cell in cells])))
    texts = [ast.unparse(s.node) for s in analysis.statements]
    try:
        whole = _run(texts)
    except Exception:  # a generated program that fails computes nothing
        return
    sliced = sorted(analysis.slice_statement(analysis.statements[-1].index))
    kept = [texts[i] for i in sliced]
    if analysis.statements[-1].index not in sliced:
        kept.append(texts[-1])
    assert _run(kept) == whole, "\n".join(kept)


def test_what_does_not_matter_is_left_out() -> None:
    cells = ["a = [1]\nb = [2]", "b.append(3)\nprint(a, b)", "def f(x):\n    return x + 1\nc = f(a[0])", "a.append(4)"]
    with tempfile.TemporaryDirectory() as folder:
        analysis = analyse(read_notebook(write_notebook(Path(folder) / "case.ipynb", [("", cell) for cell in cells])))
    texts = {s.index: ast.unparse(s.node) for s in analysis.statements}
    c = next(i for i, text in texts.items() if text.startswith("c ="))
    kept = {texts[i] for i in analysis.slice_statement(c)} | {texts[c]}
    assert kept == {"a = [1]", "def f(x):\n    return x + 1", "c = f(a[0])"}
