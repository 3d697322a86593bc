"""Train a model in production again: its own notebook, run with other parameters, becomes a challenger (`jupyter mlops retrain`).

The notebook is the one that is kept with the version, not the one that lies in the folder by now. It is run once, by the
conversion, which proves what it carries; then the version goes through the gates and waits for an approval like any other.
"""

from __future__ import annotations

import re
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from jupyter_mlops.errors import DataError, NotFoundError, UsageError
from jupyter_mlops.monitor.rules import FILE as MONITORING
from jupyter_mlops.promotion.policy import FILE as POLICY
from jupyter_mlops.tracking.lifecycle import VersionFacts, fetch_notebook, find_to_deploy, find_version, tag_version
from jupyter_mlops.tracking.store import tracking_uri
from jupyter_mlops.workflows.artifact import Artifact, ArtifactError
from jupyter_mlops.workflows.convert import ConvertOptions, convert
from jupyter_mlops.workflows.data import checkout, pull
from jupyter_mlops.workflows.events import Event, Listener
from jupyter_mlops.workflows.monitoring import MonitorOptions, MonitorReport, monitor
from jupyter_mlops.workflows.promote import PromoteOptions, PromoteResult, promote

__all__ = ["TRACKED", "RetrainOptions", "RetrainResult", "filled", "retrain", "retrain_when_needed"]

TRACKED = "tracked"
FROM, REASON, AT, BY = "retrained_from", "retrain.reason", "retrain.at", "retrain.version"  # tags
_MARK = re.compile(r"^\.(?P<stem>.+)-retrain-[0-9a-f]{8}$")
_DATE = re.compile(r"\{today(?:(?P<sign>[+-])(?P<days>\d+)d)?\}")


@dataclass(frozen=True)
class RetrainOptions:
    """How to train again.

    Attributes
    ----------
    parameters
        Names of the notebook's `parameters` cell and their values; see `filled`.
    folder
        Where the notebook finds its data: it is run there.
    data
        Data version that is brought into the folder first: a run, for what it saw, or `TRACKED`, for what the folder's .dvc files say.
    output
        Folder of the challenger's project; None: ``<model>-retrained`` in `folder`.
    promote
        Whether the challenger goes through its gates at once.
    again_after
        How long a version is not trained again for the same reasons; None: as its `monitoring.yaml` says.
    """

    parameters: Sequence[tuple[str, str]] = ()
    folder: Path = field(default_factory=Path.cwd)
    data: str | None = None
    output: Path | None = None
    promote: bool = True
    reason: str = "by hand"
    again_after: timedelta | None = None
    tracking_uri: str | None = None
    database: str | None = None


@dataclass(frozen=True)
class RetrainResult:
    """What came of it.

    Attributes
    ----------
    status
        ``not needed``, ``failed`` (the conversion), ``registered``, or that of the promotion.
    reason
        Why it was trained again, or why not.
    """

    model: str
    champion: str
    status: str
    reason: str
    challenger: str | None = None
    project: Path | None = None
    promotion: PromoteResult | None = None

    @property
    def exit_code(self) -> int:
        """0 done (or nothing to do), 1 the notebook, a gate or a person said no."""
        return int(self.status in ("failed", "rejected", "cancelled"))

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "model": self.model, "champion": self.champion, "status": self.status, "reason": self.reason, "challenger": self.challenger,
            "project": None if self.project is None else str(self.project),
            "promotion": None if self.promotion is None else self.promotion.promotion,
        }  # fmt: skip


def filled(text: str, today: datetime | None = None) -> str:
    """A parameter's value with ``{today}``, ``{today-90d}`` and the like as dates (ISO 8601, UTC)."""
    day = (today or datetime.now(UTC)).date()

    def date(found: re.Match[str]) -> str:
        days = int(found["days"] or 0) * (-1 if found["sign"] == "-" else 1)
        return (day + timedelta(days=days)).isoformat()

    return _DATE.sub(date, text)


def retrain(
    model: str, version: str | None = None, options: RetrainOptions | None = None, listen: Listener = lambda event: None
) -> RetrainResult:
    """Run the notebook of a version again and register what comes out as a challenger.

    Parameters
    ----------
    version
        None: the one in production.

    Raises
    ------
    NotFoundError
        There is no such model, none is in production, or its notebook was not kept.
    UsageError
        A parameter is none of the notebook's, or the folder is not there.
    DataError
        The data version cannot be brought here; nothing was trained.
    EnvironmentLackError
        The registry does not answer.
    """
    options = options or RetrainOptions()
    if not options.folder.is_dir():
        raise UsageError(f"{options.folder} is no folder. Give the one in which the notebook finds its data (--folder).")
    uri = tracking_uri(options.tracking_uri, options.folder)
    facts = find_to_deploy(uri, model, version)
    _bring_data(options, uri, listen)
    output = options.output or options.folder.absolute() / f"{model}-retrained"
    with tempfile.TemporaryDirectory(prefix="jupyter-mlops-") as scratch:
        kept = fetch_notebook(uri, facts, Path(scratch))
        if kept is None:
            raise NotFoundError(
                f"The notebook of version {facts.version} of {model} was not kept with it, so it cannot be run again. Convert it anew."
            )
        listen(Event("notebook", "done", f"{kept.name} of version {facts.version}"))
        marked = _MARK.match(kept.stem)
        stem = marked["stem"] if marked else kept.stem
        # Beside its data, under a name of its own: the one that lies there by now may be another.
        notebook = options.folder.absolute() / f".{stem}-retrain-{uuid.uuid4().hex[:8]}.ipynb"
        convert_options = ConvertOptions(
            [(name, filled(value)) for name, value in options.parameters], name=model, tracking_uri=uri, force=True,
            settings=_settings(uri, facts, options.folder, Path(scratch)),
        )  # fmt: skip
        try:
            notebook.write_bytes(kept.read_bytes())
            done = convert(notebook, output, convert_options, listen)
        finally:
            notebook.unlink(missing_ok=True)
    if not done.ok or done.report.model_version is None:
        return RetrainResult(model, facts.version, "failed", done.report.error or "the conversion failed", None, output)
    challenger = done.report.model_version
    tag_version(uri, model, challenger, {FROM: facts.version, REASON: options.reason})
    tag_version(uri, model, facts.version, {AT: datetime.now(UTC).isoformat(timespec="seconds"), BY: challenger})
    if not options.promote:
        return RetrainResult(model, facts.version, "registered", options.reason, challenger, output)
    comment = f"trained again: {options.reason}"
    made = promote(
        model, challenger, PromoteOptions(uri, options.folder, options.database, comment=comment), listen
    )  # fmt: skip
    return RetrainResult(model, facts.version, made.status, options.reason, challenger, output, made)


def _bring_data(options: RetrainOptions, uri: str, listen: Listener) -> None:
    if options.data is None:
        return
    listen(Event("data", "started", options.data))
    outcomes = pull(options.folder) if options.data == TRACKED else checkout(options.data, (), options.folder, uri=uri)[1]
    lost = [one for one in outcomes if one.status not in ("present", "restored")]
    if lost:
        raise DataError(f"{lost[0].path} of {options.data} cannot be had, so nothing was trained: {lost[0].message}.")
    restored = sum(one.status == "restored" for one in outcomes)
    listen(Event("data", "done", f"{len(outcomes)} files of {options.data}, {restored} of them brought here"))


def _settings(uri: str, facts: VersionFacts, folder: Path, scratch: Path) -> Path | None:
    """The project of the version, whose rules hold for the next one where the folder has none."""
    if (folder / POLICY).exists() and (folder / MONITORING).exists():
        return None
    try:
        return Artifact(uri, facts.model, facts.version, facts.digest, facts.run_id, scratch).project()
    except ArtifactError as error:
        raise NotFoundError(
            f"The rules of version {facts.version} cannot be taken over: {error} Put {POLICY} and {MONITORING} into {folder}."
        ) from None


def retrain_when_needed(
    model: str, reasons: Sequence[str], options: RetrainOptions, watch: MonitorOptions, listen: Listener = lambda event: None
) -> RetrainResult:
    """Look at what the deployed model is asked, and train it again where there is a reason.

    Parameters
    ----------
    reasons
        Kinds of alerts that are one, of `jupyter_mlops.monitor.rules.REASONS`; none: those in the version's `monitoring.yaml`.

    Raises
    ------
    See `monitor` and `retrain`.
    """
    uri = tracking_uri(options.tracking_uri, options.folder)
    facts = find_to_deploy(uri, model)
    report, _ = monitor(model, facts.version, replace(watch, tracking_uri=uri, database=options.database), listen)
    rule = report.rules.retrain
    reasons = reasons or rule.reasons
    raised = [one for one in report.alerts if one.kind in reasons]
    if not raised:
        return RetrainResult(model, facts.version, "not needed", _why_not(report, reasons))
    if (before := _trained_lately(uri, model, facts, options.again_after or rule.again_after)) is not None:
        return RetrainResult(model, facts.version, "not needed", before)
    reason = "; ".join(f"{one.kind}: {one.message}" for one in raised)
    return retrain(model, facts.version, replace(options, reason=reason), listen)


def _why_not(report: MonitorReport, reasons: Sequence[str]) -> str:
    if report.reason:
        return report.reason
    if report.alerts:
        return f"the alerts ({', '.join(one.kind for one in report.alerts)}) are none of {', '.join(reasons)}"
    return "nothing has drifted"


def _trained_lately(uri: str, model: str, facts: VersionFacts, pause: timedelta) -> str | None:
    """That this version was trained again a short while ago, and what became of it is not decided or was no better."""
    at = facts.tags.get(AT)
    if at is None or datetime.now(UTC) - datetime.fromisoformat(at) >= pause:
        return None
    challenger = facts.tags.get(BY, "?")
    try:
        lifecycle = find_version(uri, model, challenger).tags.get("lifecycle", "None")
    except NotFoundError:
        lifecycle = "deleted"
    days = pause.total_seconds() / 86400
    return f"it was trained again on {at[:10]} (version {challenger}, {lifecycle}), and that is less than {days:g} days ago"
