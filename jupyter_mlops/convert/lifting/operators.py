"""Operators that give one row for each row and learn from all of them nevertheless.

To add one: write a class with the names of the calls it answers to, a function ``learned_<capture>`` in the template
``captures.py`` that says what such a call learned (it runs in the notebook's kernel, and in the generated project when that
trains again), and `replay`, which turns the call into one that takes what was learned from the state. Add it to `OPERATORS`,
its name to ``CAPTURES``, a notebook with it to `tests/family/`, and, where ONNX can hold it, a handler to `export/program/`.
"""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from jupyter_mlops.convert.edits import Edit

__all__ = ["DRAWS", "MIXES", "OPERATORS", "Operator", "called_name", "operator_of"]

# Methods that look at other rows, in an order or a window, and what to write instead.
MIXES: Mapping[str, str] = {
    **dict.fromkeys(("shift", "diff", "pct_change", "cumsum", "cumprod", "cummax", "cummin", "cumcount", "ngroup"),
                    "compute it where the table is loaded, so that a request brings it as a column"),
    **dict.fromkeys(("rolling", "expanding", "ewm", "resample"),
                    "compute the window where the table is loaded, so that a request brings it as a column"),
    **dict.fromkeys(("ffill", "bfill", "pad", "interpolate"),
                    "fill with a value learned in training (a median, a most frequent value), or in the load cell"),
    "rank": "use a QuantileTransformer, which keeps what it learned",
    "fit_predict": "use fit, then predict",
}  # fmt: skip


# Methods of random generators.
DRAWS = frozenset(
    {"rand", "randn", "randint", "random", "random_sample", "uniform", "normal", "standard_normal", "choice", "choices", "integers",
     "permutation", "shuffle", "gauss", "sample"}
)  # fmt: skip


def called_name(call: ast.Call) -> str:
    """Last part of what is called: ``get_dummies`` of ``pd.get_dummies(...)``."""
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


class Operator(ABC):
    """One fitted, row-aligned operator."""

    calls: ClassVar[frozenset[str]]
    capture: ClassVar[str]  # `learned_<capture>` in the template `captures.py`
    always: ClassVar[bool] = False  # False: facts["fitted"] of the run says whether this call learned something

    @abstractmethod
    def replay(self, call: ast.Call, state: str, facts: Mapping[str, Any]) -> list[Edit]:
        """Edits that make the call take `state` (an expression) instead of learning."""


def _begin(node: ast.expr | ast.keyword) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _end(node: ast.expr | ast.keyword) -> tuple[int, int]:
    assert node.end_lineno is not None and node.end_col_offset is not None
    return node.end_lineno, node.end_col_offset


def _between(start: tuple[int, int], stop: tuple[int, int], text: str) -> Edit:
    return Edit(*start, *stop, text)


def _rows(call: ast.Call) -> ast.expr:
    """The argument that holds the rows: the first one, by position or by name."""
    return call.args[0] if call.args else call.keywords[0].value


class _GetDummies(Operator):
    """``pd.get_dummies``: the columns are cast to the levels of training, then spread out by the same call."""

    calls = frozenset({"get_dummies"})
    capture = "levels"
    always = True

    def replay(self, call: ast.Call, state: str, facts: Mapping[str, Any]) -> list[Edit]:
        rows = _rows(call)
        return [_between(_begin(rows), _begin(rows), "with_levels("), _between(_end(rows), _end(rows), f", {state})")]


class _AsType(Operator):
    """``astype("category")``: cast to the categories of training."""

    calls = frozenset({"astype"})
    capture = "dtype"

    def replay(self, call: ast.Call, state: str, facts: Mapping[str, Any]) -> list[Edit]:
        given = _rows(call)
        if isinstance(given, ast.Dict):
            last = _end(given)
            comma = ", " if given.keys else ""
            return [_between((last[0], last[1] - 1), (last[0], last[1] - 1), f"{comma}**{state}")]
        return [Edit.of(given, state)]


class _Categorical(Operator):
    """``pd.Categorical(values)``: with the categories of training."""

    calls = frozenset({"Categorical"})
    capture = "dtype"

    def replay(self, call: ast.Call, state: str, facts: Mapping[str, Any]) -> list[Edit]:
        return [_between(_end(_rows(call)), _end(call), f", dtype={state})")]


class _Factorize(Operator):
    """``pd.factorize``: the position of a value among the levels of training, -1 for others."""

    calls = frozenset({"factorize"})
    capture = "uniques"
    always = True

    def replay(self, call: ast.Call, state: str, facts: Mapping[str, Any]) -> list[Edit]:
        method = isinstance(call.func, ast.Attribute) and not call.args
        rows = call.func.value if method and isinstance(call.func, ast.Attribute) else _rows(call)
        return [
            _between(_begin(call), _begin(rows), "(codes_of("),
            _between(_end(rows), _end(call), f", {state}), {state})"),
        ]


class _Cut(Operator):
    """``pd.cut`` with a number of bins and ``pd.qcut``: the edges of training."""

    calls = frozenset({"cut", "qcut"})
    capture = "bins"

    def replay(self, call: ast.Call, state: str, facts: Mapping[str, Any]) -> list[Edit]:
        quantiles = called_name(call) == "qcut"
        edits = []
        if quantiles:
            module = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else "pd"
            edits.append(Edit.of(call.func, f"{module}.cut"))
        lowest = ", include_lowest=True" if quantiles else ""
        if len(call.args) > 1:
            edits.append(Edit.of(call.args[1], state))
            after = max([*(_end(a) for a in call.args)])
            edits.append(_between(after, after, lowest))
        for keyword in call.keywords:
            if keyword.arg in ("bins", "q"):
                edits.append(Edit.of(keyword, f"bins={state}{lowest}"))
        return edits


class _GroupTransform(Operator):
    """``df.groupby(k)[c].transform("mean")``: the value that the row's group had in training."""

    calls = frozenset({"transform"})
    capture = "groups"

    def replay(self, call: ast.Call, state: str, facts: Mapping[str, Any]) -> list[Edit]:
        base: ast.expr = call.func
        while not (isinstance(base, ast.Call) and called_name(base) == "groupby"):
            if isinstance(base, (ast.Attribute, ast.Subscript)):
                base = base.value
            elif isinstance(base, ast.Call):
                base = base.func
            else:
                return []
        assert isinstance(base.func, ast.Attribute)
        rows = base.func.value
        return [
            _between(_begin(call), _begin(rows), "by_group("),
            _between(_end(rows), _end(call), f", {list(facts['keys'])!r}, {state})"),
        ]


class _FitTransform(Operator):
    """``encoder.fit_transform(rows)``: the encoder as it was behind this call."""

    calls = frozenset({"fit_transform"})
    capture = "transformer"
    always = True

    def replay(self, call: ast.Call, state: str, facts: Mapping[str, Any]) -> list[Edit]:
        rows = _rows(call)
        return [_between(_begin(call), _begin(rows), f"{state}.transform("), _between(_end(rows), _end(call), ")")]


class _ApplyEncoder(Operator):
    """``df.apply(encoder.fit_transform)``: one encoder for each column."""

    calls = frozenset({"apply"})
    capture = "encoders"

    def replay(self, call: ast.Call, state: str, facts: Mapping[str, Any]) -> list[Edit]:
        return [Edit.of(_rows(call), f"lambda column: {state}[column.name].transform(column)")]


class _Moments(Operator):
    """``scipy.stats.zscore`` and ``sklearn.preprocessing.scale``: mean and standard deviation of training."""

    calls = frozenset({"zscore", "scale"})
    capture = "moments"
    always = True

    def replay(self, call: ast.Call, state: str, facts: Mapping[str, Any]) -> list[Edit]:
        rows = _rows(call)
        return [_between(_begin(call), _begin(rows), "(("), _between(_end(rows), _end(call), f") - {state}[0]) / {state}[1]")]


class _BoxCox(Operator):
    """``scipy.stats.boxcox(values)``: the lambda of training."""

    calls = frozenset({"boxcox", "yeojohnson"})
    capture = "power"

    def replay(self, call: ast.Call, state: str, facts: Mapping[str, Any]) -> list[Edit]:
        return [_between(_begin(call), _begin(call), "("), _between(_end(_rows(call)), _end(call), f", {state}), {state})")]


OPERATORS: tuple[Operator, ...] = (
    _GetDummies(), _AsType(), _Categorical(), _Factorize(), _Cut(), _GroupTransform(), _FitTransform(), _ApplyEncoder(), _Moments(), _BoxCox(),
)  # fmt: skip


def operator_of(call: ast.Call) -> Operator | None:
    """The operator that a call may be an instance of, by the name of what is called."""
    name = called_name(call)
    if not (call.args or call.keywords) and name != "factorize":
        return None
    return next((one for one in OPERATORS if name in one.calls), None)
