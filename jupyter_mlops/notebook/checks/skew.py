"""Rows that are prepared in another way for the test, or for serving, than they were for training."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_mlops.notebook.checks import kinds
from jupyter_mlops.notebook.checks.context import Context
from jupyter_mlops.notebook.checks.leakage import kinds_fitted
from jupyter_mlops.notebook.checks.registry import Edit, Finding, rule
from jupyter_mlops.notebook.checks.rows import Event

_HEAD = (
    "import pandas as pd\nfrom sklearn.model_selection import train_test_split\n"
    "from sklearn.preprocessing import StandardScaler\nfrom sklearn.linear_model import Ridge\n"
    "df = pd.read_csv('data.csv')\nX, y = df.drop(columns='price'), df['price']\n"
    "X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)\n"
)
_LEARNS = {"categories", "statistics", "selection", "target-encoding"}


@rule(
    "refit-on-test",
    "warning",
    "A transformer is fitted again on the test rows, so that they are prepared unlike the training rows.",
    bad=_HEAD + "scaler = StandardScaler()\nX_train = scaler.fit_transform(X_train)\nX_test = scaler.fit_transform(X_test)\n",
    good=_HEAD + "scaler = StandardScaler()\nX_train = scaler.fit_transform(X_train)\nX_test = scaler.transform(X_test)\n",
    mends=True,
)
def refit_on_test(context: Context) -> Iterator[Finding]:
    """What was learned in training is what a single row in production meets; a test row must meet it too."""
    seen: set[int] = set()
    fits = [e for e in context.events if e.kind == "fit"]
    for event in fits:
        if id(event.node) in seen or event.value.parts != {"test"} or not (kinds_fitted(context, event) & _LEARNS):
            continue
        before = [e for e in fits[: fits.index(event)] if e.name == event.name and e.value.parts & {"train", "whole"}]
        before = [e for e in before if "test" not in e.value.parts]
        if not before:
            continue
        seen.add(id(event.node))
        same = bool(event.models) and any(e.models == event.models for e in before)
        edits: tuple[Edit, ...] = ()
        if same and isinstance(event.node, ast.Call) and isinstance(event.node.func, ast.Attribute):
            func = event.node.func
            if (
                func.attr == "fit_transform"
                and len(event.node.args) == 1
                and func.end_lineno is not None
                and func.end_col_offset is not None
            ):
                start = func.end_col_offset - len("fit_transform")
                edits = context.span(event.cell, func.end_lineno, start, func.end_lineno, func.end_col_offset, "transform")
        yield Finding(
            event.cell,
            event.line,
            f"{event.name} is fitted again on the test rows: the same value means something else than in training (cell {before[-1].cell}).",
            "Call only transform on the test rows, with the object that was fitted on the training rows.",
            edits,
        )


@rule(
    "statistic-of-test",
    "warning",
    "Test rows are filled or scaled with a statistic of the test rows.",
    bad=_HEAD + "X_test['age'] = X_test['age'].fillna(X_test['age'].mean())\n",
    good=_HEAD + "X_test['age'] = X_test['age'].fillna(X_train['age'].mean())\n",
)
def statistic_of_test(context: Context) -> Iterator[Finding]:
    """In production there is one row, and no such statistic."""
    seen: set[int] = set()
    for event in context.events:
        if event.kind != "fill" or id(event.node) in seen or event.value.parts != {"test"}:
            continue
        if {one.part for one in event.other.summary} != {"test"} or event.value.predicted or event.other.predicted:
            continue
        if event.name == "scaling" and _is_target(event.node):
            continue
        seen.add(id(event.node))
        what = "scaled" if event.name == "scaling" else "filled"
        yield Finding(
            event.cell,
            event.line,
            f"The test rows are {what} with a statistic of their own: a single row in production has none.",
            "Use the statistic of the training rows.",
        )


def _is_target(node: ast.expr) -> bool:
    """``y_test - y_test.mean()`` is how R² is computed by hand."""
    return isinstance(node, ast.BinOp) and ast.unparse(node.left).lower().startswith(("y", "target", "label"))


@rule(
    "dummies-per-part",
    "warning",
    "get_dummies is called on training and test rows separately: each gets columns for its own values only.",
    bad=_HEAD + "X_train = pd.get_dummies(X_train)\nX_test = pd.get_dummies(X_test)\n",
    good=_HEAD
    + "X_train = pd.get_dummies(X_train)\nX_test = pd.get_dummies(X_test).reindex(columns=X_train.columns, fill_value=0)\n",
)
def dummies_per_part(context: Context) -> Iterator[Finding]:
    """Columns that are aligned afterwards are fine."""
    if any(call.name in ("reindex", "align", "reindex_like") for call in context.calls):
        return
    seen: set[int] = set()
    calls = [e for e in context.events if e.kind == "dummies"]
    for event in calls:
        others = [e for e in calls if e.order < event.order and "test" not in e.value.parts and e.value.parts]
        if event.value.parts == {"test"} and others and id(event.node) not in seen:
            # A table that was made into dummies before it was split is another matter than its parts.
            if not any(e.value.parts == {"train"} for e in others) and not _from_file(context, event):
                continue
            seen.add(id(event.node))
            yield Finding(
                event.cell,
                event.line,
                "get_dummies is called on the test rows alone: a value that is missing in them is a column that is missing.",
                "Use a OneHotEncoder that is fitted on the training rows, or reindex to the training columns.",
            )


def _from_file(context: Context, event: Event) -> bool:
    return any(one.of not in context.followed.splits for one in event.value.rows)


@rule(
    "prepared-differently",
    "warning",
    "The model is asked for rows that went through other transformers than the rows that it was fitted on.",
    bad=_HEAD + "scaler = StandardScaler().fit(X_train)\nmodel = Ridge().fit(scaler.transform(X_train), y_train)\n"
    "print(model.score(X_test, y_test))\n",
    good=_HEAD + "scaler = StandardScaler().fit(X_train)\nmodel = Ridge().fit(scaler.transform(X_train), y_train)\n"
    "print(model.score(scaler.transform(X_test), y_test))\n",
)  # fmt: skip
def prepared_differently(context: Context) -> Iterator[Finding]:
    """Compared are the transformers by class, on rows of one split, and rows that are written out as numbers."""
    latest: dict[int, Event] = {}
    seen: set[int] = set()
    for event in context.events:
        if event.kind == "fit":
            latest.update(dict.fromkeys(event.models, event))
        asks = event.kind == "predict" or (event.kind == "evaluate" and isinstance(event.node, ast.Call) and _on_model(event))
        if not asks or len(event.models) != 1 or id(event.node) in seen:
            continue
        fit = latest.get(next(iter(event.models)))
        if fit is None or not fit.other.rows or fit.value.parts != {"train"}:
            continue
        missing = fit.value.prepared - event.value.prepared - kinds.RESAMPLERS
        more = event.value.prepared - fit.value.prepared - kinds.RESAMPLERS
        literal = _is_literal_rows(event.node)
        same_split = event.value.parts == {"test"} and {r.of for r in event.value.rows} == {r.of for r in fit.value.rows}
        if not ((same_split and (missing or more)) or (literal and missing & kinds.SCALERS)):
            continue
        seen.add(id(event.node))
        names = ", ".join(sorted(missing or more))
        what = f"did not go through {names}" if missing else f"went through {names}"
        than = (
            "as the rows that the model was fitted on did" if missing else "which the rows that the model was fitted on did not"
        )
        yield Finding(
            event.cell,
            event.line,
            f"These rows {what}, {than} (cell {fit.cell}).",
            "Put the preparation and the model into one Pipeline, so that both always go together.",
        )


def _on_model(event: Event) -> bool:
    return event.name in ("score", "evaluate")


def _is_literal_rows(node: ast.expr) -> bool:
    """``[[5.1, 3.5]]``: a row as someone would send it."""
    if not isinstance(node, ast.Call) or not node.args:
        return False
    rows = node.args[0]
    if isinstance(rows, ast.Call) and rows.args and isinstance(rows.func, ast.Attribute) and rows.func.attr == "array":
        rows = rows.args[0]
    if not (isinstance(rows, ast.List) and rows.elts and isinstance(rows.elts[0], ast.List)):
        return False
    return all(isinstance(one, (ast.Constant, ast.UnaryOp)) for one in rows.elts[0].elts)
