"""Publish a project's raw columns and its feature program to Feast, and fill the online store (`jupyter mlops features`)."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jupyter_mlops.convert.formatting import tidy
from jupyter_mlops.data.feature_store.online import online_store, unset_variables
from jupyter_mlops.data.feature_store.plan import FeaturePlan, plan_features
from jupyter_mlops.data.feature_store.render import CONFIGURATION, configuration, render
from jupyter_mlops.data.feature_store.source import SourceFacts, look_at, write_source
from jupyter_mlops.errors import DataError, MissingPackageError, NotFoundError, UsageError
from jupyter_mlops.promotion.process import run_module
from jupyter_mlops.tracking.lifecycle import find_version
from jupyter_mlops.tracking.store import tracking_uri
from jupyter_mlops.workflows.artifact import Artifact
from jupyter_mlops.workflows.events import Listener, Progress
from jupyter_mlops.workflows.output import check_target, publish, staging

__all__ = ["PublishOptions", "PublishResult", "materialize", "publish_features", "repository_status", "served_repository"]

_WORKER = "jupyter_mlops.data.feature_store.worker"
_SECONDS = 24 * 3600.0  # that filling a store may take
_CHANGES = (CONFIGURATION, "data", "project")  # of a repository, and no edits of what was published
_SOURCE = "data/source.parquet"


@dataclass(frozen=True)
class PublishOptions:
    """What is published, and where to.

    Attributes
    ----------
    entity, timestamp
        Columns of the source; None: as the notebook's parameters `feature_entity` and `feature_timestamp` say.
    source
        Parquet (read where it is) or CSV file; None: the raw table that the project's own code binds, kept in the repository.
    repository
        Folder; None: ``<package>_features`` here.
    ttl
        Seconds after which stored values count as missing; 0 is never.
    request
        Raw columns that come with a request although the source has them.
    force
        Replace a repository that was edited (it is kept beside).
    online, password
        Address of the online store, and the variable of the environment with its password, see `online_store`; None: as
        `feature_store.yaml` says, else a file in the repository.
    """

    entity: str | None = None
    timestamp: str | None = None
    source: Path | None = None
    repository: Path | None = None
    ttl: int = 0
    request: tuple[str, ...] = ()
    force: bool = False
    online: str | None = None
    password: str | None = None
    tracking_uri: str | None = None


@dataclass(frozen=True)
class PublishResult:
    """A published repository.

    Attributes
    ----------
    compared
        Entities of which training frame and online store gave the same.
    computed
        Entities of which the feature program and the on-demand view gave the same.
    stale
        Of those compared, how many have values that are older than the ttl, and count as missing.
    kept
        Where an edited former repository is now.
    """

    plan: FeaturePlan
    folder: Path
    source: SourceFacts
    until: str
    compared: int
    computed: int
    stale: int
    kept: Path | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "folder": str(self.folder), "plan": asdict(self.plan), "source": self.source.as_dict(), "until": self.until,
            "compared": self.compared, "computed": self.computed, "stale": self.stale,
            "kept": None if self.kept is None else str(self.kept),
        }  # fmt: skip


def publish_features(
    subject: Path | tuple[str, str | None], options: PublishOptions | None = None, listen: Listener = lambda event: None
) -> PublishResult:
    """Make, apply and fill a Feast repository, and compare what it gives for training and for the service.

    All of it happens beside the folder, which is replaced at the end: what fails leaves it as it was.

    Parameters
    ----------
    subject
        Folder of a project, or name and version (None: the one in staging, else the newest) of a registered model.

    Raises
    ------
    UsageError
        No project, no such columns, a source that Feast cannot hold; see `look_at` and `plan_features`.
    EditedError, OutputError
        The folder was edited since, or holds something else.
    NotFoundError
        There is no such model or version.
    MissingPackageError
        Feast is not installed.
    DataError
        Feast said no, or the two reads differ.
    """
    options = options or PublishOptions()
    online = _online(options)
    if importlib.util.find_spec("feast") is None:
        raise _no_feast()
    progress = Progress(listen)
    with tempfile.TemporaryDirectory(prefix="jupyter-mlops-") as folder:
        scratch = Path(folder)
        with progress.step("project"):
            project = subject if isinstance(subject, Path) else _fetched(subject, options, scratch)
            about, signature = _about(project)
            entity, timestamp = _keys(project, options)
        target = options.repository or Path(f"{about['package']}_features")
        check_target(
            target, force=options.force, what="feature repository", made="published by this command",
            again="With --repo, publish it", left_out=_CHANGES,
        )  # fmt: skip
        for what, path in (("project", None if isinstance(subject, tuple) else subject), ("source", options.source)):
            if path is not None and path.resolve().is_relative_to(target.resolve()):
                raise UsageError(f"The {what} {path} lies in the repository {target}, which is replaced. Move it out of there.")
        former = target / CONFIGURATION
        text = former.read_text(encoding="utf-8") if former.is_file() else None
        if text is not None and online is None:
            _need_variables(text, former)
        progress.done("project", f"{about['name']}, entity {entity}")
        with staging(target) as place:
            (place / "data").mkdir()
            if not isinstance(subject, Path):
                shutil.move(project, place / "project")
                project = place / "project"
            with progress.step("source", "the raw table"):
                inputs = {one["name"]: one["kind"] for one in signature["raw"]["inputs"]}
                times = {timestamp, *(name for name, kind in inputs.items() if kind == "datetime")}
                source = _source(options, place, project, about, timestamp, times, scratch)
                facts = look_at(
                    place / source,
                    entity,
                    timestamp,
                    [n for n in inputs if n not in (timestamp, *options.request)],
                    shown=str(options.source or "(the project's raw table)"),
                )
                plan = plan_features(
                    about, signature, facts.kinds, entity=entity, timestamp=timestamp, ttl=options.ttl, request=options.request,
                    source=source, project=Path(os.path.relpath(project.resolve(), place.resolve())).as_posix(),
                )  # fmt: skip
            progress.done("source", f"{facts.rows:,} rows of {facts.entities:,} entities, {facts.first} to {facts.last}")
            with progress.step("apply", f"{len(plan.columns)} columns"):
                _write({**render(plan), CONFIGURATION: configuration(plan, text, online)}, place, scratch)
                found = _ask(
                    "publish", scratch, project, repository=str(place.resolve()), package=plan.package, source=source,
                    since=facts.first, inputs=[one.name for one in plan.inputs], request=[one.name for one in plan.request],
                )  # fmt: skip
            progress.done("apply", f"{found['compared']} entities are the same in training and online")
            shutil.rmtree(place / "__pycache__", ignore_errors=True)
            kept = publish(place, target, _CHANGES)
    return PublishResult(plan, target, facts, found["until"], found["compared"], found["computed"], found["stale"], kept)


def materialize(repository: Path, since: str | None = None, until: str | None = None) -> dict[str, Any]:
    """Bring what the source holds by now into the online store.

    Parameters
    ----------
    since, until
        ISO 8601; None: the source's first time, and now.

    Returns
    -------
    dict
        ``since`` and ``until``.

    Raises
    ------
    UsageError
        The folder is no published repository.
    DataError
        Feast said no.
    """
    with tempfile.TemporaryDirectory(prefix="jupyter-mlops-") as scratch:
        return _ask("materialize", Path(scratch), None, repository=_repository(repository), since=since, until=until)


def repository_status(repository: Path) -> dict[str, Any]:
    """What a repository holds, as Feast's registry says it, and until when its online store is filled.

    Raises
    ------
    UsageError
        The folder is no published repository.
    DataError
        Feast said no.
    """
    with tempfile.TemporaryDirectory(prefix="jupyter-mlops-") as scratch:
        return _ask("status", Path(scratch), None, repository=_repository(repository))


def served_repository(folder: str) -> str:
    """The absolute path of a repository that a service is to read; empty stays empty.

    Raises
    ------
    UsageError
        The folder is no published repository, or its settings name a variable that the environment does not hold.
    MissingPackageError
        Feast is not installed.
    """
    if not folder:
        return ""
    if importlib.util.find_spec("feast") is None:
        raise _no_feast()
    return _repository(Path(folder))


# -- what is published --------------------------------------------------------------------------------------------------


def _fetched(subject: tuple[str, str | None], options: PublishOptions, scratch: Path) -> Path:
    model, version = subject
    uri = options.tracking_uri or tracking_uri(None, Path())
    facts = find_version(uri, model, version)
    project = Artifact(uri, model, facts.version, facts.digest, facts.run_id, scratch).project_to_serve()
    about = project / "model" / "metadata.json"
    known = json.loads(about.read_text(encoding="utf-8")) | {"model_version": facts.version}
    about.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    return project


def _about(project: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        about = json.loads((project / "model" / "metadata.json").read_text(encoding="utf-8"))
        signature = json.loads((project / "model" / "signature.json").read_text(encoding="utf-8"))
        package = project / "src" / about["package"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{project} is no converted project ({error}). Name its folder, or a registered model.") from None
    if not (package / "store.py").is_file():
        raise UsageError(f"The project {project} was made by an older version, without store.py. Convert its notebook again.")
    return about, signature


def _keys(project: Path, options: PublishOptions) -> tuple[str, str]:
    import yaml

    path = project / "params.yaml"
    parameters = (yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else None) or {}
    entity = options.entity or parameters.get("feature_entity")
    timestamp = options.timestamp or parameters.get("feature_timestamp")
    for name, value in (("entity", entity), ("timestamp", timestamp)):
        if not value or not isinstance(value, str):
            raise UsageError(
                f"Which column is the {name}? Name it with --{name} COLUMN, or in the notebook's cell tagged 'parameters': "
                f'feature_{name} = "COLUMN".'
            )
    assert isinstance(entity, str) and isinstance(timestamp, str)
    return entity, timestamp


def _source(
    options: PublishOptions,
    place: Path,
    project: Path,
    about: Mapping[str, Any],
    timestamp: str,
    times: Collection[str],
    scratch: Path,
) -> str:
    """Place of the source, relative to the repository; made where there is no Parquet file."""
    given = options.source
    if given is None:
        _ask("table", scratch, project, package=about["package"], timestamp=timestamp, target=str((place / _SOURCE).resolve()))
        return _SOURCE
    if not given.is_file():
        raise NotFoundError(f"There is no source {given}. Name a Parquet or CSV file: --source FILE.")
    if given.suffix.lower() == ".csv":
        write_source(given, place / _SOURCE, times)
        return _SOURCE
    return Path(os.path.relpath(given.resolve(), place.resolve())).as_posix()


def _write(texts: Mapping[str, str], place: Path, scratch: Path) -> None:
    files = scratch / "files"  # formatted apart: below the repository there may be a project with settings of its own
    files.mkdir()
    for name, text in texts.items():
        (files / name).write_text(text, encoding="utf-8")
    tidy(files)
    shutil.copytree(files, place, dirs_exist_ok=True)


# -- Feast --------------------------------------------------------------------------------------------------------------


def _repository(folder: Path) -> str:
    if not (folder / CONFIGURATION).is_file():
        raise UsageError(
            f"{folder} holds no {CONFIGURATION}. Publish one: jupyter mlops features publish PROJECT --repo {folder}."
        )
    _need_variables((folder / CONFIGURATION).read_text(encoding="utf-8"), folder / CONFIGURATION)
    return str(folder.resolve())


def _online(options: PublishOptions) -> str | None:
    if options.online is not None:
        return online_store(options.online, options.password)
    if options.password is not None:
        raise UsageError("A password is for an online store that is named with it: --online redis://HOST.")
    return None


def _need_variables(text: str, path: Path) -> None:
    if unset := unset_variables(text):
        raise UsageError(f"{path} names {', '.join(unset)}, which the environment does not hold. Set it: export {unset[0]}=…")


def _ask(action: str, scratch: Path, project: Path | None, **arguments: Any) -> dict[str, Any]:
    path = [] if project is None else [str(project.resolve() / "src"), str(project.resolve())]
    done, found = run_module(
        _WORKER, [action, json.dumps(arguments)], python=sys.executable, folder=scratch, seconds=_SECONDS,
        PYTHONPATH=os.pathsep.join(path),
    )  # fmt: skip
    if found is None:
        what = "The project gives no raw table (name a file: --source FILE)" if action == "table" else f"Feast failed ({action})"
        raise DataError(f"{what}: {done.last_line}\n{done.log[-2000:]}")
    if "missing" in found:
        raise _no_feast()
    if "error" in found:
        raise DataError(found["error"])
    return found


def _no_feast() -> MissingPackageError:
    return MissingPackageError("Feast is not installed. Install it: pip install 'jupyter-mlops[feast]'.")
