"""Drift of data and predictions, measured by Evidently on samples.

Distances rather than p-values: with many rows every difference is significant, however small it is. A distance of a small
sample is too large by chance, so that windows and references need `WindowRule.rows`.

References
----------
https://docs.evidentlyai.com/metrics/explainer_drift
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from jupyter_mlops.monitor.rules import DriftRule
    from jupyter_mlops.signature import Signature

__all__ = ["PREDICTION", "ColumnDrift", "DriftReport", "measure_drift"]

PREDICTION = "prediction"
_NUMERIC, _CATEGORICAL, _TEXT = "wasserstein", "jensenshannon", "abs_text_content_drift"
_LEVELS = 50  # the most frequent ones of a text column; what is beyond is one level of its own
_OTHER = "(other)"
_COVERED = 0.5  # of the reference, by its most frequent levels: a column with less is text


@dataclass(frozen=True)
class ColumnDrift:
    """How far a column is from the reference.

    Attributes
    ----------
    missing, missing_before
        Shares of rows without a value, in the window and in the reference.
    new_levels
        Share of the sampled rows with a level that the reference does not have; None for numbers and texts.
    """

    column: str
    kind: str
    method: str
    distance: float
    threshold: float
    missing: float
    missing_before: float
    new_levels: float | None = None

    @property
    def drifted(self) -> bool:
        """Whether the distance is beyond the threshold."""
        return self.distance > self.threshold

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**asdict(self), "drifted": self.drifted}


@dataclass(frozen=True)
class DriftReport:
    """Drift of a window against the reference; `html` is Evidently's own report of it."""

    columns: tuple[ColumnDrift, ...]
    prediction: ColumnDrift | None
    html: str

    @property
    def drifted(self) -> tuple[ColumnDrift, ...]:
        """The columns that drifted, the farthest first."""
        found = [one for one in self.columns if one.drifted]
        return tuple(sorted(found, key=lambda one: one.threshold / one.distance))


def measure_drift(
    current: pd.DataFrame, reference: pd.DataFrame, signature: Signature, rule: DriftRule,
    *, missing: dict[str, float] | None = None,
) -> DriftReport:  # fmt: skip
    """Compare two samples column by column.

    Parameters
    ----------
    current, reference
        Columns of the input by name, and `PREDICTION` where it is known in both. Shape (rows, columns).
    missing
        Shares of missing values in the whole window, where `current` is a sample of it.
    """
    import pandas as pd

    kinds = {one.name: one.kind for one in signature.inputs}
    names = [name for name in kinds if name in current and name in reference and name not in rule.ignore]
    with_prediction = PREDICTION in current and PREDICTION in reference
    if with_prediction:
        names.append(PREDICTION)
        kinds[PREDICTION] = "float" if signature.output.task == "regression" else "string"
    made: dict[str, tuple[Any, Any]] = {}
    methods: dict[str, str] = {}
    new_levels: dict[str, float] = {}
    for name in names:
        now, before = current[name], reference[name]
        if kinds[name] in ("float", "integer"):
            methods[name], made[name] = (
                _NUMERIC,
                tuple(pd.to_numeric(one, errors="coerce").astype(float) for one in (now, before)),
            )
            continue
        if kinds[name] == "datetime":
            moments = (pd.to_datetime(one, errors="coerce") for one in (now, before))
            methods[name], made[name] = _NUMERIC, tuple(one.map(_seconds).astype(float) for one in moments)
            continue
        now, before = _text(now), _text(before)
        levels = before.value_counts()
        if levels[:_LEVELS].sum() < _COVERED * levels.sum() and all(_words(one) for one in (now, before)):
            methods[name], made[name] = _TEXT, (now, before)
            continue
        new_levels[name] = float((now.notna() & ~now.isin(levels.index)).mean()) if len(now) else 0.0
        methods[name] = _CATEGORICAL
        made[name] = tuple(one.where(one.isna() | one.isin(levels.index[:_LEVELS]), _OTHER) for one in (now, before))
    usable = {name: method for name, method in methods.items() if all(one.notna().any() for one in made[name])}
    found, html = _evidently(
        pd.DataFrame({name: made[name][0] for name in usable}),
        pd.DataFrame({name: made[name][1] for name in usable}),
        usable,
        rule,
    )
    limits = _limits(rule)
    columns = {
        name: ColumnDrift(
            name, kinds[name], method, found.get(name, 0.0), rule.columns.get(name, limits[method]),
            (missing or {}).get(name, _share_missing(current[name])), _share_missing(reference[name]), new_levels.get(name),
        )
        for name, method in methods.items()
    }  # fmt: skip
    prediction = columns.pop(PREDICTION) if with_prediction else None
    return DriftReport(tuple(columns.values()), prediction, html)


def _limits(rule: DriftRule) -> dict[str, float]:
    return {_NUMERIC: rule.numeric, _CATEGORICAL: rule.categorical, _TEXT: rule.text}


def _evidently(
    current: pd.DataFrame, reference: pd.DataFrame, methods: Mapping[str, str], rule: DriftRule
) -> tuple[dict[str, float], str]:
    """Distances by column, and the report as a page."""
    os.environ.setdefault("DO_NOT_TRACK", "1")  # its telemetry
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from evidently import DataDefinition, Dataset, Report
        from evidently.metrics import ValueDrift
        from evidently.presets import DataDriftPreset, DataSummaryPreset

        if not methods:
            return {}, ""
        numeric, categorical, texts = (
            [name for name in methods if methods[name] == one] for one in (_NUMERIC, _CATEGORICAL, _TEXT)
        )
        about = DataDefinition(numerical_columns=numeric, categorical_columns=categorical, text_columns=texts)
        columns = [name for name in methods if name != PREDICTION]
        limits = _limits(rule)
        parts: list[Any] = []
        if PREDICTION in methods:
            method = methods[PREDICTION]
            parts.append(ValueDrift(column=PREDICTION, method=method, threshold=limits[method]))
        if columns:
            preset = DataDriftPreset(
                columns=columns, drift_share=rule.share, num_method=_NUMERIC, num_threshold=limits[_NUMERIC],
                cat_method=_CATEGORICAL, cat_threshold=limits[_CATEGORICAL], text_method=_TEXT, text_threshold=limits[_TEXT],
                per_column_threshold={name: limit for name, limit in rule.columns.items() if name in columns},
            )  # fmt: skip
            parts += [preset, DataSummaryPreset(columns=columns)]
        made = Report(parts).run(
            Dataset.from_pandas(current, data_definition=about), Dataset.from_pandas(reference, data_definition=about)
        )
        return dict(_distances(made.dict()["metrics"])), made.get_html_str(as_iframe=False)


def _distances(metrics: Iterable[dict[str, Any]]) -> Iterable[tuple[str, float]]:
    for one in metrics:
        if one["config"]["type"] == "evidently:metric_v2:ValueDrift":
            yield one["config"]["column"], float(one["value"])


def _text(values: Any) -> Any:
    return values.map(lambda one: None if one is None or one != one else str(one)).astype(object)


def _words(texts: Any) -> bool:
    """Whether half of them at least have words that the classifier can tell apart: it fails where nobody has any."""
    present = texts.dropna()
    return bool(len(present) and present.str.contains(r"\w{3}", regex=True).mean() >= _COVERED)


def _seconds(moment: Any) -> float:
    return float("nan") if moment is None or moment != moment else moment.timestamp()


def _share_missing(values: Any) -> float:
    return float(values.isna().mean()) if len(values) else 0.0
