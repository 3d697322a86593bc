"""Look at what a deployed version was asked in a window of time: drift, data quality, and how right it was (`jupyter mlops monitor`)."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from jupyter_mlops.errors import MissingPackageError, NotFoundError, TrackingError, UsageError
from jupyter_mlops.monitor.drift import PREDICTION, DriftReport, measure_drift
from jupyter_mlops.monitor.log import Logged, Window
from jupyter_mlops.monitor.page import write_page
from jupyter_mlops.monitor.prometheus import write_numbers
from jupyter_mlops.monitor.quality import QualityReport
from jupyter_mlops.monitor.reports import REPORT, Reports, monitoring_folder
from jupyter_mlops.monitor.rules import AlertKind, DriftRule, Rules, overridden, read_rules
from jupyter_mlops.promotion.verdicts.arms import compare_arms
from jupyter_mlops.promotion.verdicts.scores import KINDS, called, fast, scorer
from jupyter_mlops.tracking.lifecycle import tag_version
from jupyter_mlops.workflows.events import Event, Listener
from jupyter_mlops.workflows.reference import Reference, read_reference
from jupyter_mlops.workflows.watched import watched

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["Alert", "MonitorOptions", "MonitorReport", "monitor"]

_SCORED = 5_000  # labelled rows that are scored at most: each is scored hundreds of times
_RESAMPLES = 500


@dataclass(frozen=True)
class MonitorOptions:
    """What to look at, and what counts.

    Attributes
    ----------
    window
        Length of the window; it ends at `until`, else at the last logged row.
    rows, sample, numeric, categorical, text, share, margin
        Instead of what the version's `monitoring.yaml` says, see `jupyter_mlops.monitor.rules`; None (`window`, too): as it says.
    log, project
        Folders; None: those of the deployment on this machine. With a log from elsewhere, the project is fetched from the registry.
    output
        Where results go; None: beside the log.
    prometheus
        File for node_exporter's textfile collector.
    webhook
        Where a report with alerts is sent, as JSON.
    """

    window: timedelta | None = None
    until: datetime | None = None
    log: Path | None = None
    project: Path | None = None
    output: Path | None = None
    rows: int | None = None
    sample: int | None = None
    numeric: float | None = None
    categorical: float | None = None
    text: float | None = None
    share: float | None = None
    margin: float | None = None
    prometheus: Path | None = None
    webhook: str | None = None
    tracking_uri: str | None = None
    database: str | None = None


@dataclass(frozen=True)
class Alert:
    """Something that somebody should look at."""

    kind: AlertKind
    message: str


@dataclass(frozen=True)
class MonitorReport:
    """What was found; `as_dict` follows ``jupyter_mlops/schema/monitor.schema.json``.

    Attributes
    ----------
    rules
        What counted.
    reason
        Why there is no verdict.
    """

    model: str
    version: str
    window: Window
    rows: int
    sampled: int
    reference: str
    reference_rows: int
    drift: DriftReport | None
    quality: QualityReport | None
    labelled: int
    alerts: tuple[Alert, ...]
    rules: Rules
    reason: str = ""

    @property
    def verdict(self) -> Literal["ok", "alert", "inconclusive"]:
        """In one word."""
        return "alert" if self.alerts else "inconclusive" if self.reason else "ok"

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON; what JSON cannot hold is null."""
        drift, share = self.drift, None
        if drift is not None:
            share = len(drift.drifted) / max(1, len(drift.columns))
        made: dict[str, Any] = _finite(
            {
                "model": self.model, "version": self.version, "window": self.window.as_dict(), "verdict": self.verdict,
                "reason": self.reason, "rows": self.rows, "sampled": self.sampled,
                "reference": {"source": self.reference, "rows": self.reference_rows},
                "alerts": [asdict(one) for one in self.alerts], "driftedShare": share,
                "columns": [one.as_dict() for one in drift.columns] if drift is not None else [],
                "prediction": None if drift is None or drift.prediction is None else drift.prediction.as_dict(),
                "labelled": self.labelled, "quality": None if self.quality is None else self.quality.as_dict(),
            }
        )  # fmt: skip
        return made


def monitor(
    model: str, version: str | None = None, options: MonitorOptions | None = None, listen: Listener = lambda event: None
) -> tuple[MonitorReport, Path]:
    """Compare what a version was asked with its reference data.

    Parameters
    ----------
    version
        None: the one that has the traffic.

    Returns
    -------
    tuple
        What was found, and the folder with ``report.json``, ``report.html`` and ``drift.html``.

    Raises
    ------
    NotFoundError
        Nothing was logged, or see `watched`.
    MissingPackageError
        Evidently is not installed.
    UsageError
        The options make no sense.
    """
    options = options or MonitorOptions()
    _check(options)
    with tempfile.TemporaryDirectory(prefix="jupyter-mlops-") as scratch:
        subject = watched(
            model, version, log=options.log, project=options.project, explicit_uri=options.tracking_uri, database=options.database,
            scratch=Path(scratch),
        )  # fmt: skip
        reference = read_reference(subject.project)
        rules = _rules(subject.project, options)
    version, log = subject.version, subject.log
    last = log.last(version)
    if last is None:
        raise NotFoundError(
            f"Nothing that version {version} of {model} was asked is in {log.folder}. Services log where SERVICE_LOG_DIR is set, as "
            "`jupyter mlops deploy` does."
        )
    until = options.until or last + timedelta(microseconds=1)
    window = Window(until - rules.window.length, until)
    listen(Event("read", "started", f"version {version}, {window.since:%Y-%m-%d %H:%M} to {window.until:%Y-%m-%d %H:%M} UTC"))
    logged = log.read(version, window, sample=rules.window.sample)
    listen(Event("read", "done", f"{logged.rows:,} rows, {len(logged.frame):,} of them compared"))
    labels, labelled = _with_labels(logged, log.labels(window.since))
    listen(Event("drift", "started", f"against {len(reference.frame):,} {reference.source}"))
    drift, reason = _drift(logged, reference, rules)
    listen(Event("drift", "done" if drift else "skipped", reason or f"{len(drift.drifted) if drift else 0} columns drifted"))
    quality = _quality(logged, labels, reference, rules)
    listen(_said(quality, labelled))
    found = MonitorReport(
        model, version, window, logged.rows, len(logged.frame), reference.source, len(reference.frame), drift, quality, labelled,
        tuple(_alerts(drift, quality, rules.drift)), rules, reason,
    )  # fmt: skip
    reports = Reports(options.output or monitoring_folder(log.folder), version)
    folder = _write(found, reports)
    _tell(found, options, subject.registry, listen)
    return found, folder


def _check(options: MonitorOptions) -> None:
    from importlib.util import find_spec

    if options.webhook is not None and not options.webhook.startswith(("https://", "http://")):
        raise UsageError("The webhook is no address that begins with https:// (or http://).")
    if find_spec("evidently") is None:
        raise MissingPackageError("Evidently is not installed. Install it: python -m pip install 'jupyter-mlops[monitor]'.")


def _rules(project: Path, options: MonitorOptions) -> Rules:
    """What the version's file says, and the options above it."""
    rules = read_rules(project)
    window = overridden(rules.window, length=options.window, rows=options.rows, sample=options.sample)
    if window.sample < window.rows:
        raise UsageError(
            f"A sample of {window.sample} rows is less than the {window.rows} rows that are needed to compare (--sample, --rows)."
        )
    drift = overridden(
        rules.drift, numeric=options.numeric, categorical=options.categorical, text=options.text, share=options.share
    )
    return replace(rules, window=window, drift=drift, quality=overridden(rules.quality, margin=options.margin))


def _drift(logged: Logged, reference: Reference, rules: Rules) -> tuple[DriftReport | None, str]:
    for rows, what in ((len(logged.frame), "were asked in the window"), (len(reference.frame), "are in the reference")):
        if rows < rules.window.rows:
            return None, f"only {rows:,} rows {what}, and {rules.window.rows} are needed to tell drift from chance"
    current, before = logged.frame.copy(), reference.frame.copy()
    if reference.predictions is not None:
        current[PREDICTION], before[PREDICTION] = logged.meta["prediction"].to_numpy(), reference.predictions
        if reference.signature.output.task != "regression":
            current[PREDICTION], before[PREDICTION] = (one[PREDICTION].map(_label) for one in (current, before))
    missing = {name: count / max(1, logged.rows) for name, count in logged.missing.items()}
    return measure_drift(current, before, reference.signature, rules.drift, missing=missing), ""


def _label(value: Any) -> str:
    """A class, written alike whether it comes from JSON, from Parquet, or from a column that has become one of fractions.

    pandas makes fractions of whole numbers where some rows have no label yet, which is how it always is.
    """
    plain = value.item() if hasattr(value, "item") else value
    return json.dumps(int(plain) if isinstance(plain, float) and plain.is_integer() else plain)


# -- how right it was -----------------------------------------------------------------------------------------------------


def _with_labels(logged: Logged, told: pd.DataFrame) -> tuple[pd.Series | None, int]:
    """The truth about each sampled row, where it is known; and how many have one."""
    if logged.meta.empty or told.empty:
        return None, 0
    keys = logged.meta[["id", "row"]].astype({"row": "int64"})
    joined = keys.merge(told.astype({"row": "int64"}), on=["id", "row"], how="left", validate="many_to_one")
    return joined["label"], int(joined["label"].notna().sum())


def _quality(logged: Logged, labels: pd.Series | None, reference: Reference, rules: Rules) -> QualityReport | None:
    import numpy as np

    if labels is None or reference.labels is None or reference.predictions is None:
        return None
    known = np.flatnonzero(labels.notna().to_numpy())
    if len(known) < rules.window.rows:
        return None
    known = known[np.unique(np.linspace(0, len(known) - 1, min(len(known), _SCORED)).astype(int))]
    score = _score(reference, logged)
    kind = KINDS[score]
    classes = list(
        reference.signature.output.classes or sorted({*map(_label, labels.iloc[known]), *map(_label, reference.labels)})
    )
    arms = {
        "reference": _sides(kind.needs, classes, reference.labels, reference.predictions, reference.probabilities),
        "window": _sides(
            kind.needs, classes, labels.iloc[known].tolist(), logged.meta["prediction"].iloc[known].tolist(),
            logged.meta["probabilities"].iloc[known].tolist(),
        ),
    }  # fmt: skip
    try:
        with fast():
            (before, now), (contrast,) = compare_arms(
                arms, scorer(score, len(classes)), confidence=rules.quality.confidence, resamples=_RESAMPLES
            )
    except ValueError:
        return None  # one class only, say: there is nothing to score yet
    sign = -1.0 if kind.error else 1.0
    margin = rules.quality.margin * abs(before.score) if kind.error else rules.quality.margin
    verdict: Literal["worse", "not worse", "inconclusive"] = "inconclusive"
    if contrast.high < -margin:
        verdict = "worse"
    elif contrast.low > -margin:
        verdict = "not worse"
    low, high = sorted((sign * contrast.low, sign * contrast.high))
    return QualityReport(
        score, kind.error, now.rows, sign * now.score, before.rows, sign * before.score, sign * contrast.difference, low, high,
        margin, rules.quality.confidence, verdict,
    )  # fmt: skip


def _score(reference: Reference, logged: Logged) -> str:
    """What the notebook measures, where that can be computed of the log."""
    task = reference.signature.output.task
    with_probabilities = reference.probabilities is not None and logged.meta["probabilities"].notna().all()
    for one in reference.measures:
        found = called(str(one["name"]), task)
        if found is not None and (KINDS[found].needs != "probabilities" or with_probabilities):
            return found
    return "rmse" if task == "regression" else "accuracy"


def _sides(
    needs: str, classes: Sequence[Any], labels: Sequence[Any], predictions: Sequence[Any], probabilities: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Truth and answers as `scorer` takes them; labels that are no class get a code of their own."""
    import numpy as np

    if needs == "numbers":
        return np.asarray(labels, dtype=float), np.asarray(predictions, dtype=float)
    codes = {_label(one): code for code, one in enumerate(classes)}
    truth = np.array([codes.get(_label(one), len(codes)) for one in labels])
    if needs == "probabilities":
        known = truth < len(codes)
        return truth[known], np.array([list(row) for row in probabilities], dtype=float)[known]
    return truth, np.array([codes.get(_label(one), len(codes)) for one in predictions])


# -- what is said ---------------------------------------------------------------------------------------------------------


def _said(quality: QualityReport | None, labelled: int) -> Event:
    if quality is None:
        return Event(
            "quality", "skipped", f"{labelled:,} of the rows have a label, too few to score" if labelled else "no labels yet"
        )
    return Event(
        "quality", "done", f"{quality.score} {quality.value:.4g} on {quality.rows:,} rows, {quality.reference:.4g} before"
    )


def _alerts(drift: DriftReport | None, quality: QualityReport | None, rule: DriftRule) -> list[Alert]:
    found: list[Alert] = []
    if drift is not None:
        far = drift.drifted
        if drift.columns and len(far) / len(drift.columns) >= rule.share:
            names = ", ".join(f"{one.column} ({one.distance:.2g})" for one in far[:5])
            found.append(Alert("data-drift", f"{len(far)} of {len(drift.columns)} columns drifted: {names}"))
        one = drift.prediction
        if one is not None and one.drifted:
            found.append(
                Alert("prediction-drift", f"the predictions drifted: {one.method} {one.distance:.3g}, limit {one.threshold:g}")
            )
        for column in drift.columns:
            if column.missing - column.missing_before > rule.missing:
                text = f"{column.column} is missing in {column.missing:.1%} of the rows, {column.missing_before:.1%} in the reference"
                found.append(Alert("missing-values", text))
    if quality is not None and quality.verdict == "worse":
        interval = f"{quality.difference:+.3g} ({quality.low:+.3g} to {quality.high:+.3g})"
        text = f"{quality.score} {quality.value:.4g}, {quality.reference:.4g} on the reference: {interval}"
        found.append(Alert("concept-drift", text))
    return found


def _tell(found: MonitorReport, options: MonitorOptions, registry: str | None, listen: Listener) -> None:
    """Prometheus, the registry, and whoever listens to alerts. One that does not answer is said, and loses no report."""
    if options.prometheus is not None:
        write_numbers(found.as_dict(), options.prometheus)
    if registry is not None:
        try:
            tags = {"monitor": found.verdict, "monitor.until": found.window.until.isoformat()}
            tag_version(registry, found.model, found.version, tags)
        except TrackingError as error:
            listen(Event("tell", "failed", f"the registry does not know of it: {error}"))
    if options.webhook is not None and found.alerts:
        import httpx

        try:
            httpx.post(options.webhook, json=found.as_dict(), timeout=10).raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL) as error:  # its address may hold a secret
            listen(Event("tell", "failed", f"the webhook did not take the report ({type(error).__name__})"))
        else:
            listen(Event("tell", "done", "sent to the webhook"))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, list) else value


def _write(found: MonitorReport, reports: Reports) -> Path:
    folder = reports.place(found.window.until)
    folder.mkdir(parents=True, exist_ok=True)
    if found.drift is not None:
        _replace(folder / "drift.html", found.drift.html)
    else:
        (folder / "drift.html").unlink(missing_ok=True)  # of a look at this window that had enough rows
    _replace(folder / REPORT, json.dumps(found.as_dict(), indent=1, ensure_ascii=False) + "\n")
    history = [one for window in reports.windows() if (one := reports.read(window)) is not None]
    write_page(found.as_dict(), history, folder / "report.html")
    return folder


def _replace(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
