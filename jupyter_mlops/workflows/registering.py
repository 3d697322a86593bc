"""From a proven project to an MLflow run and a model version in Staging."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.checksums import file_digest
from jupyter_mlops.data.reads import is_data_file
from jupyter_mlops.data.versions import data_tags, data_version
from jupyter_mlops.errors import TrackingError
from jupyter_mlops.notebook.checks.secrets import masked, redacted
from jupyter_mlops.signature import Signature
from jupyter_mlops.tracking.lifecycle import ARCHIVE, AUTHOR, DIGEST
from jupyter_mlops.tracking.lineage import environment, git_state
from jupyter_mlops.tracking.registry import ModelRecord, register
from jupyter_mlops.tracking.runs import RunRecord, log_run
from jupyter_mlops.tracking.snapshot import notebook_html
from jupyter_mlops.tracking.store import check_reachable, tracking_uri
from jupyter_mlops.workflows.person import current_user
from jupyter_mlops.workflows.project_archive import pack_project
from jupyter_mlops.workflows.report import Report

if TYPE_CHECKING:
    from jupyter_mlops.convert.capture import CaptureFacts
    from jupyter_mlops.convert.plan import ProjectPlan

__all__ = ["Registered", "register_project"]


@dataclass(frozen=True)
class Registered:
    """Where the model version is."""

    name: str
    version: str
    run_id: str
    uri: str


def register_project(
    plan: ProjectPlan,
    report: Report,
    facts: CaptureFacts,
    exported: Mapping[str, Any],
    parameters: Mapping[str, Any],
    project: Path,
    notebook: Path,
    *,
    explicit_uri: str | None,
    default_folder: Path,
) -> Registered:
    """Log a run with everything that a later reader needs to trust the version, then register the model from it.

    Raises
    ------
    TrackingError
        The tracking server is away; nothing was registered.
    """
    uri = tracking_uri(explicit_uri, default_folder)
    try:
        check_reachable(uri)
    except TrackingError as error:
        raise TrackingError(
            f"{error} Nothing was registered. Convert without that: in the sidebar's options, or with --no-register."
        ) from None
    git = git_state(notebook.resolve().parent)
    digest = file_digest(notebook)
    distributions = dict(line.split("==", 1) for line in plan.locked)
    home = notebook.resolve().parent
    data = [data_version(path) for path in facts.files if is_data_file(path, home)]
    folder, _, name = ARCHIVE.rpartition("/")
    archive = facts.folder / name
    packed = pack_project(project, archive)  # what a promotion tests, and what an approval is for
    tags = {
        "notebook": notebook.name,
        "notebook.sha256": digest,
        "boundary": plan.boundary,
        "engine": plan.engine,
        "task": plan.task,
        **git.tags,
        **data_tags(data),
        **_parity_tags(report),
        DIGEST: packed,
        AUTHOR: current_user(),
    }
    values = {field.original: field.value for field in plan.settings} | dict(parameters)
    as_written, executed = (
        redacted(path.read_text(encoding="utf-8-sig", errors="replace"), values) for path in (notebook, facts.executed)
    )
    record = RunRecord(
        experiment=plan.name,
        name=f"convert {notebook.name}",
        params=masked(values),
        metrics={name: value for name, value in report.metrics.items() if value is not None},
        tags=tags,
        artifacts=[(project / "requirements.lock", "environment"), (archive, folder)],
        texts={
            f"notebook/{notebook.name}": as_written,
            f"notebook/{facts.executed.name}": executed,
            "notebook/notebook.html": notebook_html(executed, notebook.stem),
            "parity.json": json.dumps(report.parity, indent=2),
            "data.json": json.dumps([asdict(f) for f in data], indent=2),
            "environment/environment.json": json.dumps(environment(distributions), indent=2),
            **({"git.diff": git.diff} if git.diff else {}),
        },
    )
    run_id = log_run(record, uri=uri)
    version = register(
        ModelRecord(
            name=plan.name,
            package=plan.package,
            run_id=run_id,
            project=project,
            signature=_given(plan.raw),
            requirements=list(plan.requirements),
            tags=tags,
            description=plan.description,
        ),
        uri=uri,
    )
    return Registered(version.name, version.version, run_id, uri)


def _given(signature: Signature | None) -> Signature:
    assert signature is not None
    return signature


def _parity_tags(report: Report) -> dict[str, str]:
    if report.parity is None:
        return {}
    tags = {}
    for side in ("package", "service", "bundle"):
        one = report.parity[side]
        tags[f"parity.{side}"] = (
            "none" if one is None else "equal" if not one["mismatches"] else f"{one['mismatches']} mismatches"
        )
    if report.mismatch_allowed:
        tags["mismatch_allowed"] = "true"
    return tags
