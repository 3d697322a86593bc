"""An A/B report: how each version does on the requests that it answered, now that their labels are known (`jupyter mlops ab`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.errors import UsageError
from jupyter_mlops.monitor.log import PredictionLog, Window
from jupyter_mlops.promotion.verdicts.arms import Arm, Contrast, compare_arms
from jupyter_mlops.promotion.verdicts.scores import KINDS, fast, scorer

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ROWS", "SCORES", "AbOptions", "AbReport", "ab_report", "ab_report_of_log"]

ROWS = 50_000  # of a version, that are looked at in a log
SCORES = tuple(name for name, kind in KINDS.items() if kind.needs != "probabilities")
_READERS = {".csv": "read_csv", ".gz": "read_csv", ".parquet": "read_parquet", ".json": "read_json", ".jsonl": "read_json"}


@dataclass(frozen=True)
class AbOptions:
    """What the columns of the table are called, and what to score by.

    Attributes
    ----------
    first
        Version that the others are compared with; None: the one with the lowest number.
    score
        One of `SCORES`; None: rmse for numbers with a fraction, else accuracy.
    """

    arm: str = "model_version"
    label: str = "label"
    prediction: str = "prediction"
    first: str | None = None
    score: str | None = None
    confidence: float = 0.95


@dataclass(frozen=True)
class AbReport:
    """Scores in their own unit: where `less_is_better`, so are differences.

    Attributes
    ----------
    unlabelled
        Rows that have no label (or version, or prediction) yet, and were left out.
    """

    score: str
    less_is_better: bool
    confidence: float
    arms: tuple[Arm, ...]
    contrasts: tuple[Contrast, ...]
    unlabelled: int

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def ab_report(files: Sequence[Path], options: AbOptions | None = None) -> AbReport:
    """Compare versions by a table with a row for each answered request.

    Parameters
    ----------
    files
        CSV, Parquet or JSON lines, one under the other.

    Raises
    ------
    UsageError
        A file cannot be read, a column is missing, or there are fewer than two versions with labels.
    """
    options = options or AbOptions()
    return _report(_read(files, options), options)


def ab_report_of_log(log: PredictionLog, window: Window, options: AbOptions | None = None) -> AbReport:
    """Compare versions by a prediction log, with the labels that were told since.

    Of each version, at most `ROWS` rows are looked at, drawn at random.

    Raises
    ------
    UsageError
        There are fewer than two versions with labels.
    """
    import pandas as pd

    options = replace(options or AbOptions(), arm="version", label="label", prediction="prediction")
    told = log.labels(window.since).astype({"row": "int64"})
    parts = [pd.DataFrame({"version": [], "prediction": [], "label": []})]
    for version in log.versions(window):
        meta = log.read(version, window, sample=ROWS).meta
        if not meta.empty and not told.empty:
            joined = meta[["id", "row", "prediction"]].astype({"row": "int64"}).merge(told, on=["id", "row"], how="left")
            parts.append(joined.assign(version=version)[["version", "prediction", "label"]])
    return _report(pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0], options)


def _report(table: pd.DataFrame, options: AbOptions) -> AbReport:
    import numpy as np

    known = table[table[[options.arm, options.label, options.prediction]].notna().all(axis=1)]
    sides = {str(version): part for version, part in known.groupby(known[options.arm].map(_named), sort=False)}
    order = sorted(sides, key=lambda one: (one != options.first, not one.isdecimal(), int(one) if one.isdecimal() else 0, one))
    if options.first is not None and options.first not in sides:
        raise UsageError(f"No row with a label is of version {options.first}; there are {', '.join(order) or 'none'}.")
    if len(order) < 2:
        raise UsageError(
            f"Two versions with labels are needed, and the table has {', '.join(order) or 'none'} (column {options.arm})."
        )
    numbers = any(
        known[name].dtype.kind == "f" and not np.equal(np.mod(known[name], 1), 0).all()
        for name in (options.label, options.prediction)
    )
    score = options.score or ("rmse" if numbers else "accuracy")
    kind = KINDS[score]
    values = {*known[options.label], *known[options.prediction]} if kind.needs == "labels" else ()
    codes = {value: code for code, value in enumerate(sorted(values, key=str))}
    arrays = {one: _arrays(sides[one], options, codes) for one in order}
    try:
        with fast():
            arms, contrasts = compare_arms(arrays, scorer(score, len(codes)), confidence=options.confidence)
    except ValueError as error:
        raise UsageError(
            f"{score} cannot be computed: {error}. Choose another score (--score), or wait for more labels."
        ) from None
    if kind.error:
        arms = [Arm(one.version, one.rows, -one.score, -one.high, -one.low) for one in arms]
        contrasts = [Contrast(one.version, -one.difference, -one.high, -one.low, one.verdict) for one in contrasts]
    return AbReport(score, kind.error, options.confidence, tuple(arms), tuple(contrasts), len(table) - len(known))


def _named(version: Any) -> str:
    """2 and 2.0, which pandas makes of it where a cell is empty, are one version."""
    return str(int(version)) if isinstance(version, float) and version.is_integer() else str(version)


def _arrays(part: pd.DataFrame, options: AbOptions, codes: Mapping[Any, int]) -> tuple[Any, Any]:
    """Labels and predictions: codes, or numbers where there are none."""
    label, prediction = part[options.label], part[options.prediction]
    if codes:
        return label.map(codes).to_numpy(), prediction.map(codes).to_numpy()
    try:
        return label.astype(float).to_numpy(), prediction.astype(float).to_numpy()
    except (ValueError, TypeError) as error:
        raise UsageError(f"Labels and predictions have to be numbers for such a score: {error}.") from None


def _read(files: Sequence[Path], options: AbOptions) -> pd.DataFrame:
    import pandas as pd

    parts = []
    for path in files:
        reader = _READERS.get(path.suffix.lower())
        if reader is None:
            raise UsageError(f"{path} is of no known kind. Give CSV, Parquet or JSON lines.")
        try:
            made: pd.DataFrame = getattr(pd, reader)(path, **({"lines": True} if reader == "read_json" else {}))
        except (OSError, ValueError, ImportError) as error:
            raise UsageError(f"{path} cannot be read: {error}.") from None
        for column in (options.arm, options.label, options.prediction):
            if column not in made.columns:
                raise UsageError(
                    f"{path} has no column {column!r}; it has {', '.join(map(str, made.columns[:20]))}. Name it: --arm, --label, "
                    "--prediction."
                )
        parts.append(made)
    return pd.concat(parts, ignore_index=True)
