"""What a score is worth."""

from __future__ import annotations

from collections.abc import Iterator

from jupyter_mlops.notebook.checks import kinds
from jupyter_mlops.notebook.checks.context import Context
from jupyter_mlops.notebook.checks.registry import Finding, rule
from jupyter_mlops.notebook.checks.rows import Event

_HEAD = (
    "import pandas as pd\nfrom sklearn.linear_model import Ridge\nfrom sklearn.metrics import r2_score\n"
    "df = pd.read_csv('data.csv')\nX, y = df.drop(columns='price'), df['price']\n"
)


@rule(
    "evaluated-on-training-rows",
    "warning",
    "A model is measured only with the rows that it was fitted on.",
    bad=_HEAD + "model = Ridge().fit(X, y)\nprint(r2_score(y, model.predict(X)))\n",
    good=_HEAD + "from sklearn.model_selection import cross_val_score\nmodel = Ridge().fit(X, y)\n"
    "print(r2_score(y, model.predict(X)))\nprint(cross_val_score(Ridge(), X, y).mean())\n",
)
def evaluated_on_training_rows(context: Context) -> Iterator[Finding]:
    """A training score beside one on other rows, or beside a cross-validation, is good practice."""
    estimators = context.followed.estimators
    fits: dict[int, list[Event]] = {}
    asked: dict[int, list[Event]] = {}
    validated: set[str] = set()
    for event in context.events:
        for model in event.models:
            if event.kind == "fit":
                fits.setdefault(model, []).append(event)
            elif event.kind in ("predict", "evaluate"):
                asked.setdefault(model, []).append(event)
            elif event.kind == "cross-validate":
                validated.add(estimators[model].name)
    if any(event.kind == "cross-validate" and not event.models for event in context.events):
        return  # of what, is not known
    for model, events in asked.items():
        one = estimators[model]
        mine = fits.get(model, [])
        measured = [e for e in events if e.kind == "evaluate" and e.models == {model}]
        if one.kind != "model" or one.name in kinds.SEARCHES or one.name.endswith("CV") or one.name in validated:
            continue
        if not measured or not mine or not all(e.other.rows for e in mine) or _out_of_bag(context, model):
            continue
        trained = frozenset().union(*(e.value.rows for e in mine))
        if any(not e.value.rows or not e.value.rows <= trained or e.value.parts == {"test"} for e in events):
            continue
        last = measured[-1]
        yield Finding(
            last.cell,
            last.line,
            f"{one.name} is measured only with the rows that it was fitted on: the score says nothing about new rows.",
            "Measure it with held-out rows (train_test_split) or with cross_val_score.",
        )


def _out_of_bag(context: Context, model: int) -> bool:
    return any(k.arg == "oob_score" for k in context.followed.estimators[model].node.keywords)
