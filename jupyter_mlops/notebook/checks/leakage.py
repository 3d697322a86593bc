"""What the model, or what prepares its rows, knows of the rows that it is measured with."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_mlops.notebook.checks import kinds
from jupyter_mlops.notebook.checks.context import Context
from jupyter_mlops.notebook.checks.registry import Finding, rule
from jupyter_mlops.notebook.checks.rows import Event

_HEAD = "import pandas as pd\nfrom sklearn.model_selection import train_test_split\n"
_LOAD = "df = pd.read_csv('data.csv')\nX, y = df.drop(columns='price'), df['price']\n"
_SPLIT = "X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)\n"


class _Splits:
    """The splits of a notebook, and what their inputs depend on."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.events = [e for e in context.events if e.kind == "split" or (e.kind == "cross-validate")]
        self._slices: dict[int, frozenset[int]] = {}

    def needs(self, split: Event) -> frozenset[int]:
        """Statements that the statement of the split depends on."""
        index = split.statement.index
        if index not in self._slices:
            self._slices[index] = self.context.analysis.slice_statement(index)
        return self._slices[index]

    def after(self, event: Event, *, cross: bool = False) -> Event | None:
        """The split whose rows what happened at the event has a part in, if the event saw rows of all parts."""
        for split in self.events:
            if split.kind == "cross-validate" and not cross:
                continue
            if not self.context.followed.holds(event.value.rows, split.value.rows):
                continue
            if event.order < split.order and event.statement.index in self.needs(split):
                return split
        return None


def _splits(context: Context) -> _Splits:
    found = context.shared.get("splits")
    if not isinstance(found, _Splits):
        found = context.shared["splits"] = _Splits(context)
    return found


def kinds_fitted(context: Context, event: Event) -> set[str]:
    """What the estimators of a fit learn."""
    if event.models:
        return {context.followed.estimators[one].kind for one in event.models}
    return {kind for kind in (kinds.kind_of(event.name),) if kind != "model"}


def _unsplit(event: Event) -> bool:
    """All rows, as far as is known: no part of a split. Rows that were made up have no test set to learn from."""
    return event.value.parts <= {"whole"} and not event.value.synthetic


def _learned(context: Context, wanted: str) -> Iterator[tuple[Event, Event]]:
    """Fits of a kind on all rows, with the split that comes after them."""
    seen: set[int] = set()
    for event in context.events:
        if event.kind != "fit" or id(event.node) in seen or wanted not in kinds_fitted(context, event) or not _unsplit(event):
            continue
        split = _splits(context).after(event, cross=True)
        if split is None and not event.again:
            split = _used_after(context, event)
        if split is not None:
            seen.add(id(event.node))
            yield event, split


def _used_after(context: Context, fit: Event) -> Event | None:
    """The split before a fit on all of its rows, when the parts are transformed with what was fitted."""
    for event in context.events:
        if event.kind == "transform" and event.models & fit.models and event.value.parts & {"train", "test"}:
            for one in event.value.rows:
                split = context.followed.splits.get(one.of) if one.part != "whole" else None
                fitted_before = fit.order < event.order
                refitted = any(
                    e.kind == "fit" and e.models & fit.models and e.value.parts & {"train"} and e is not fit
                    for e in context.events[: event.order]
                )
                if split is not None and fitted_before and not refitted and fit.value.rows & split.value.rows:
                    return split
    return None


def _where(split: Event) -> str:
    how = "cross-validated" if split.kind == "cross-validate" else "split"
    return f"before they are {how} in cell {split.cell}"


@rule(
    "scaled-before-split",
    "info",
    "A scaler, imputer or the like is fitted on all rows, test rows included, before the split.",
    bad=_HEAD + "from sklearn.preprocessing import StandardScaler\n" + _LOAD + "X = StandardScaler().fit_transform(X)\n" + _SPLIT,
    good=_HEAD + "from sklearn.preprocessing import StandardScaler\n" + _LOAD + _SPLIT
    + "scaler = StandardScaler()\nX_train = scaler.fit_transform(X_train)\nX_test = scaler.transform(X_test)\n",
)  # fmt: skip
def scaled_before_split(context: Context) -> Iterator[Finding]:
    """Unsupervised preparation sees the test rows, though not their target: a mild leak."""
    for event, split in _learned(context, "statistics"):
        yield Finding(
            event.cell,
            event.line,
            f"{event.name} learns from all rows {_where(split)}: what it takes from the test rows leaks into training.",
            "Fit it on the training rows only, best as a step of a Pipeline.",
        )


@rule(
    "statistic-before-split",
    "info",
    "Gaps are filled, or numbers scaled, with a statistic of all rows before the split.",
    bad=_HEAD + _LOAD.replace("X, y", "df['age'] = df['age'].fillna(df['age'].mean())\nX, y") + _SPLIT,
    good=_HEAD + _LOAD + _SPLIT + "age = X_train['age'].mean()\nX_train['age'] = X_train['age'].fillna(age)\n"
    "X_test['age'] = X_test['age'].fillna(age)\n",
)  # fmt: skip
def statistic_before_split(context: Context) -> Iterator[Finding]:
    """The same leak, in loose pandas."""
    seen: set[int] = set()
    for event in context.events:
        if event.kind != "fill" or id(event.node) in seen or not _unsplit(event):
            continue
        if not {one.part for one in event.other.summary} <= {"whole"}:
            continue
        split = _splits(context).after(event)
        if split is not None:
            seen.add(id(event.node))
            what = "Numbers are scaled" if event.name == "scaling" else "Gaps are filled"
            yield Finding(
                event.cell,
                event.line,
                f"{what} with a statistic of all rows {_where(split)}: the test rows have a part in it.",
                "Take the statistic from the training rows after the split, or use a transformer in a Pipeline.",
            )


@rule(
    "selected-before-split",
    "warning",
    "Columns are chosen by how well they explain the target in all rows, test rows included.",
    bad=_HEAD + "from sklearn.feature_selection import SelectKBest\n" + _LOAD + "X = SelectKBest(k=5).fit_transform(X, y)\n" + _SPLIT,
    good=_HEAD + "from sklearn.feature_selection import SelectKBest\n" + _LOAD + _SPLIT
    + "best = SelectKBest(k=5).fit(X_train, y_train)\nX_train, X_test = best.transform(X_train), best.transform(X_test)\n",
)  # fmt: skip
def selected_before_split(context: Context) -> Iterator[Finding]:
    """Selection with the target on all rows makes a score of pure noise look good."""
    for event, split in _learned(context, "selection"):
        yield Finding(
            event.cell,
            event.line,
            f"{event.name} chooses columns with the target of all rows {_where(split)}: the test score is too good.",
            "Choose columns on the training rows only, best as a step of a Pipeline.",
        )
    yield from _selected_by_importance(context)


def _selected_by_importance(context: Context) -> Iterator[Finding]:
    """A model that is fitted on all rows, whose importances decide on columns before the split."""
    splits = _splits(context)
    for event in context.events:
        if event.kind != "fit" or "model" not in kinds_fitted(context, event) or not _unsplit(event) or not event.other.rows:
            continue
        split = splits.after(event)
        if split is None:
            continue
        needed = splits.needs(split)
        told = any(
            isinstance(node, ast.Attribute) and node.attr in ("feature_importances_", "coef_", "ranking_", "support_")
            for statement, node in context.nodes
            if statement.index in needed
        )
        if told:
            yield Finding(
                event.cell,
                event.line,
                f"{event.name} is fitted on all rows, and what it finds important chooses columns {_where(split)}.",
                "Choose columns on the training rows only, for instance with SelectFromModel in a Pipeline.",
            )


@rule(
    "target-encoded-before-split",
    "warning",
    "A category is encoded by the mean of the target over all rows, test rows included.",
    bad=_HEAD + "df = pd.read_csv('data.csv')\ndf['city'] = df['city'].map(df.groupby('city')['price'].mean())\n"
    "X, y = df.drop(columns='price'), df['price']\n" + _SPLIT,
    good=_HEAD + _LOAD + _SPLIT + "mean = y_train.groupby(X_train['city']).mean()\n"
    "X_train['city'] = X_train['city'].map(mean)\nX_test['city'] = X_test['city'].map(mean)\n",
)  # fmt: skip
def target_encoded_before_split(context: Context) -> Iterator[Finding]:
    """The target of each test row is part of its own feature."""
    for event, split in _learned(context, "target-encoding"):
        yield Finding(
            event.cell,
            event.line,
            f"{event.name} encodes with the target of all rows {_where(split)}: each row's target is in its feature.",
            "Fit it on the training rows only; scikit-learn's TargetEncoder in a Pipeline also cross-fits.",
        )
    splits = _splits(context)
    for event in context.events:
        if event.kind != "statistic" or event.name != "group" or not event.column or not _unsplit(event):
            continue
        after = splits.after(event)
        if after is not None and event.column in after.other.columns:
            yield Finding(
                event.cell,
                event.line,
                f"The mean of the target {event.column!r} by group is taken over all rows {_where(after)}: each row's target is in its feature.",
                "Take it from the training rows only, or use scikit-learn's TargetEncoder in a Pipeline.",
            )


@rule(
    "resampled-before-split",
    "warning",
    "Rows are multiplied, made up or left out to balance classes before the split.",
    bad=_HEAD + "from imblearn.over_sampling import SMOTE\n" + _LOAD + "X, y = SMOTE(random_state=0).fit_resample(X, y)\n" + _SPLIT,
    good=_HEAD + "from imblearn.over_sampling import SMOTE\n" + _LOAD + _SPLIT
    + "X_train, y_train = SMOTE(random_state=0).fit_resample(X_train, y_train)\n",
)  # fmt: skip
def resampled_before_split(context: Context) -> Iterator[Finding]:
    """Copies of test rows, or neighbours made from them, are among the training rows."""
    seen: set[int] = set()
    splits = _splits(context)
    for event in context.events:
        resampler = event.name == "resample" or "resampling" in kinds_fitted(context, event)
        if event.kind != "fit" or not resampler or id(event.node) in seen or not event.value.parts <= {"whole"}:
            continue
        split = splits.after(event, cross=True)
        if split is None:
            continue
        seen.add(id(event.node))
        over = event.name in kinds.OVERSAMPLERS or (event.name == "resample" and _replaces(event.node))
        why = (
            "copies and neighbours of test rows are trained on"
            if over
            else "the test rows no longer have the classes' real shares"
        )
        yield Finding(
            event.cell,
            event.line,
            f"{event.name} balances the classes of all rows {_where(split)}: {why}.",
            "Resample the training rows only, after the split, or inside of imblearn's Pipeline.",
        )


def _replaces(node: ast.expr) -> bool:
    if not isinstance(node, ast.Call):
        return False
    given = next((k.value for k in node.keywords if k.arg == "replace"), None)
    return not (isinstance(given, ast.Constant) and given.value is False)


@rule(
    "trained-on-test-rows",
    "warning",
    "A model is measured with rows that it was fitted on, though a split was made.",
    bad=_HEAD + "from sklearn.linear_model import Ridge\n" + _LOAD + _SPLIT + "model = Ridge().fit(X, y)\nprint(model.score(X_test, y_test))\n",
    good=_HEAD + "from sklearn.linear_model import Ridge\n" + _LOAD + _SPLIT
    + "model = Ridge().fit(X_train, y_train)\nprint(model.score(X_test, y_test))\nfinal = Ridge().fit(X, y)\n",
)  # fmt: skip
def trained_on_test_rows(context: Context) -> Iterator[Finding]:
    """The latest fit before a measurement took the whole table that the split took, or its test part."""
    seen: set[int] = set()
    for event in context.events:
        if event.kind != "evaluate" or event.value.parts != {"test"} or len(event.models) != 1:
            continue
        fit = _fit_before(context, event)
        if fit is None or id(fit.node) in seen or "model" not in kinds_fitted(context, fit) or not fit.other.rows:
            continue
        measured = event.value.rows
        inputs = {
            rows for one in measured if one.of in context.followed.splits for rows in context.followed.splits[one.of].value.rows
        }
        if measured <= fit.value.rows or (fit.value.parts == {"whole"} and inputs and inputs & fit.value.rows):
            seen.add(id(fit.node))
            yield Finding(
                fit.cell,
                fit.line,
                f"{fit.name} is fitted on rows that it is measured with in cell {event.cell}: the score says nothing about new rows.",
                "Fit on the training rows only.",
            )


def _fit_before(context: Context, measured: Event) -> Event | None:
    """The fit that a model had behind it when it was asked, not when its answer was measured."""
    asked = min(measured.asked, default=measured.order)
    for event in reversed(context.events[:asked]):
        if event.kind == "fit" and event.models & measured.models:
            return event
    return None


@rule(
    "target-in-features",
    "warning",
    "The target is one of the columns that the model is given.",
    bad=_HEAD + "df = pd.read_csv('data.csv')\nX = df[['rooms', 'price']]\ny = df['price']\n" + _SPLIT,
    good=_HEAD + "df = pd.read_csv('data.csv')\nX = df[['rooms', 'area']]\ny = df['price']\n" + _SPLIT,
)
def target_in_features(context: Context) -> Iterator[Finding]:
    """Only columns that are chosen by name are known."""
    for event in context.events:
        if event.kind != "split" or event.name != "train_test_split":
            continue
        both = event.first.columns & event.other.columns
        if both and len(event.other.columns) == 1:
            yield Finding(
                event.cell,
                event.line,
                f"The target {min(both)!r} is among the columns of the features: the model is told the answer.",
                "Leave it out of the features.",
            )
