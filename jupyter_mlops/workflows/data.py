"""Data versions: keep files with DVC, see their state, and bring back what a run saw."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from jupyter_mlops.data.dvc import call, check_remote, fetch_objects, relative_arguments, require_dvc, set_up
from jupyter_mlops.data.dvc_files import DvcConfig, Tracked, cached, dvc_root, project_root, read_config, tracked_files
from jupyter_mlops.data.restore import Outcome, Wanted, lacking, outside, restore
from jupyter_mlops.data.versions import commit_of, matches, matches_md5
from jupyter_mlops.errors import DataError, UsageError
from jupyter_mlops.tracking.listing import store_exists
from jupyter_mlops.tracking.listing_artifacts import no_progress_bar
from jupyter_mlops.tracking.store import store, tracking_uri

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["FileStatus", "RunData", "add", "checkout", "pull", "push", "read_run", "status"]

_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True)
class FileStatus:
    """A tracked file. `pushed` is None where only the remote itself could tell."""

    path: str
    state: Literal["unchanged", "modified", "missing", "not in cache"]
    size: int | None  # bytes, as recorded
    md5: str
    file: str  # the .dvc file or dvc.lock
    commit: str | None
    pushed: bool | None

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class RunData:
    """What a run read, as its ``data.json`` says. The paths are not to be trusted."""

    run_id: str
    name: str
    files: tuple[dict[str, Any], ...]


def add(paths: Sequence[Path], folder: Path) -> tuple[Path, str]:
    """Keep the present version of files and folders. Returns DVC's root and what there is to say.

    Raises
    ------
    UsageError
        A path is not there, or in no project.
    DataError
        DVC refused.
    """
    require_dvc()
    first = Path(os.path.normpath(paths[0].absolute()))
    root = dvc_root(first.parent)
    told = ""
    if root is None:
        base = project_root(first.parent) or folder.absolute()
        relative_arguments(base, paths)
        root, told = set_up(base)
    said = call(root, "add", "--", *relative_arguments(root, paths), live=True)
    if not said.ok:
        raise DataError(f"DVC did not add it. {said.text}".strip())
    return root, "\n".join(text for text in (told, said.text) if text)


def push(folder: Path, remote: str | None = None) -> str:
    """Send what the cache holds of the tracked files to the remote.

    Raises
    ------
    UsageError, MissingPackageError
        There is no such remote, or no package for it.
    DataError
        DVC did not succeed.
    """
    root = _root(folder)
    found = check_remote(read_config(root), remote, "push to")
    said = call(root, "push", *(["-r", remote] if remote else []), live=True)
    if not said.ok:
        raise DataError(f"Not everything was pushed to {found.name!r} ({found.url}). {said.text}".strip())
    return said.text or f"Pushed to {found.name!r} ({found.url})."


def pull(folder: Path, remote: str | None = None, *, force: bool = False) -> list[Outcome]:
    """Bring the tracked version of every file here, from the cache or the remote.

    Unlike ``dvc pull``, a file whose version cannot be had stays as it is, as does one with content of its own.
    """
    root = _root(folder)
    require_dvc()
    config = read_config(root)
    wanted = [_wanted(one) for one in tracked_files(root)]
    if remote or any(lacking(config.cache, one) for one in wanted if not _there(one)):
        check_remote(config, remote, "pull from")
    return _bring(root, wanted, remote, force=force)


def status(folder: Path) -> list[FileStatus]:
    """State of every file that DVC tracks in the project that `folder` lies in. DVC itself is not called."""
    root = _root(folder)
    config = read_config(root)
    return [_status(one, root, config) for one in tracked_files(root)]


def _status(tracked: Tracked, root: Path, config: DvcConfig) -> FileStatus:
    wanted = _wanted(tracked)
    state: Literal["unchanged", "modified", "missing", "not in cache"]
    if not tracked.path.exists():
        state = "missing"
    elif not matches(tracked.path, tracked):
        state = "modified"
    else:
        state = "unchanged" if cached(config.cache, tracked.md5) else "not in cache"
    remote = config.remote()
    pushed = None
    if remote is not None and not remote.scheme:
        pushed = not lacking(Path(remote.url), wanted)
    return FileStatus(
        _shown(tracked.path, root), state, tracked.size, tracked.md5, _shown(tracked.file, root), commit_of(tracked.file), pushed
    )  # fmt: skip


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _wanted(tracked: Tracked) -> Wanted:
    return Wanted(tracked.path, None, tracked.md5) if tracked.legacy else Wanted(tracked.path, tracked.md5)


def _root(folder: Path) -> Path:
    root = dvc_root(folder.absolute())
    if root is None:
        raise UsageError(f"DVC is not set up in {folder.absolute()} or above. `jupyter mlops data add PATH` does it.")
    return root


def _bring(root: Path, wanted: Sequence[Wanted], remote: str | None, *, force: bool) -> list[Outcome]:
    """Fetch what the cache lacks, then restore; what cannot be had says why."""
    cache = read_config(root).cache
    why = None
    for _ in range(2):  # first the manifests of folders, then the files that they name
        lacks = [part for one in wanted if not _there(one) for part in lacking(cache, one)]
        if not lacks or why is not None:
            break
        why = fetch_objects(
            root, {one.md5 for one in lacks if one.md5}, legacy={one.legacy for one in lacks if one.legacy}, remote=remote
        )  # fmt: skip
    outcomes = []
    for one in wanted:
        outcome = restore(one, cache, force=force)
        if outcome.status == "missing":
            advice = why or "The remote does not have it either: push it from where it was recorded (jupyter mlops data push)."
            outcome = Outcome(outcome.path, "missing", f"{outcome.message}. {advice}")
        outcomes.append(outcome)
    return outcomes


def _there(wanted: Wanted) -> bool:
    try:
        return matches_md5(wanted.path, wanted.md5, wanted.legacy)
    except OSError:
        return False


def checkout(
    run: str, paths: Sequence[Path], folder: Path, *, uri: str | None = None, remote: str | None = None, force: bool = False
) -> tuple[RunData, list[Outcome]]:
    """Bring back exactly the data that a run saw.

    Parameters
    ----------
    run
        Id of the run, the beginning of it, or its name.
    paths
        Only these files of the run; all when empty.
    folder
        Where the call is made: the project is the folder above it in which DVC (else git) was set up, or itself.

    Raises
    ------
    UsageError
        There is no such run, it recorded no data, or a path is none of its files.
    TrackingError
        The tracking store refused.
    """
    folder = folder.absolute()
    root = project_root(folder) or folder
    found = read_run(run, tracking_uri(uri, folder), [folder, root])
    entries = [(entry, Path(os.path.normpath(root / entry["path"]))) for entry in found.files]
    if paths:
        asked = {Path(os.path.normpath(path.absolute())) for path in paths}
        if unknown := asked - {path for _, path in entries}:
            raise UsageError(
                f"Run {found.name} did not read {', '.join(sorted(str(p) for p in unknown))}. "
                f"It read: {', '.join(entry['path'] for entry in found.files) or 'nothing'}."
            )
        entries = [(entry, path) for entry, path in entries if path in asked]
    outcomes: dict[int, Outcome] = {}
    wanted: dict[int, Wanted] = {}
    for at, (entry, path) in enumerate(entries):
        one = _recorded(entry, path)
        if one.md5 is None:
            outcomes[at] = Outcome(path, "missing", "the run could not read it, so its version is not known")
        elif _there(one):
            outcomes[at] = Outcome(path, "present")
        elif outside(path, root):
            outcomes[at] = Outcome(
                path,
                "refused",
                f"version {one.short} lies outside of {root}, where nothing is written for a run. Bring it there by hand",
            )
        else:
            wanted[at] = one
    if wanted and dvc_root(root) is None:
        for at, one in wanted.items():
            outcomes[at] = Outcome(
                one.path,
                "missing",
                f"version {one.short}: DVC is not set up in {root}, so no versions are kept. `jupyter mlops data add` does from now on",
            )
    elif wanted:
        outcomes.update(zip(wanted, _bring(root, list(wanted.values()), remote, force=force), strict=True))
    return found, [outcomes[at] for at in range(len(entries))]


def _recorded(entry: dict[str, Any], path: Path) -> Wanted:
    dvc = entry.get("dvc")
    legacy = dvc["md5"] if dvc and dvc["state"] == "unchanged" and dvc["md5"] != entry["md5"] else None
    return Wanted(path, entry["md5"], legacy)


def read_run(run: str, uri: str, places: Sequence[Path] = ()) -> RunData:
    """What a run read.

    Parameters
    ----------
    places
        Folders to look for another ``mlflow.db`` in, where `uri` is an SQLite file that is not there.
    """
    if not store_exists(uri):
        other = next((place / "mlflow.db" for place in places if (place / "mlflow.db").is_file()), None)
        if other is None:
            raise UsageError(
                f"No run was recorded in {uri} (there is no such file). Call from the notebook's folder, or give --tracking-uri."
            )
        uri = f"sqlite:///{other}"
    with store(uri) as client, no_progress_bar(), tempfile.TemporaryDirectory(prefix="jupyter-mlops-") as scratch:
        run_id, name = _find_run(client, run, uri)
        if not any(one.path == "data.json" for one in client.list_artifacts(run_id)):
            raise UsageError(
                f"Run {name} ({run_id}) recorded no data. %%track does, of cells that read files, and with --data PATH."
            )
        text = Path(client.download_artifacts(run_id, "data.json", scratch)).read_text(encoding="utf-8")
    return RunData(run_id, name, _checked(text, name))


def _find_run(client: MlflowClient, run: str, uri: str) -> tuple[str, str]:
    quote = '"' if "'" in run else "'"
    if not run.strip() or quote in run or "\\" in run:
        raise UsageError(f"{run!r} is no run. Give its id, the beginning of its id, or its name.")
    experiments = [one.experiment_id for one in client.search_experiments()]
    filters = [f"attributes.run_name = {quote}{run}{quote}"]
    if set(run) <= _HEX:
        filters.insert(0, f"attributes.run_id LIKE '{run}%'")
    for one in filters:
        found = list(client.search_runs(experiments, filter_string=one, max_results=20))
        if len(found) > 1 and (exact := [r for r in found if r.info.run_id == run]):
            found = exact
        if len(found) > 1:
            ids = ", ".join(r.info.run_id[:12] for r in found[:5])
            raise UsageError(
                f"{run!r} is the beginning or the name of {len(found)} runs or more ({ids}, ...). Give more of the id."
            )
        if found:
            return str(found[0].info.run_id), str(found[0].info.run_name or found[0].info.run_id)
    raise UsageError(f"There is no run with id or name {run!r} in {uri}. %runs lists them; --tracking-uri names another store.")


def _checked(text: str, run: str) -> tuple[dict[str, Any], ...]:
    """Entries of ``data.json`` with the types that they must have; the run may have been written by anyone."""
    try:
        entries = json.loads(text)
    except ValueError:
        entries = None
    if not isinstance(entries, list) or not all(_is_entry(one) for one in entries):
        raise DataError(f"data.json of run {run} is not one that %%track writes, so nothing is brought back from it.")
    return tuple(entries)


def _is_entry(one: object) -> bool:
    if not isinstance(one, dict) or not isinstance(one.get("path"), str) or not one["path"] or "\0" in one["path"]:
        return False
    dvc = one.get("dvc")
    if dvc is not None and not (isinstance(dvc, dict) and _is_md5(dvc.get("md5")) and isinstance(dvc.get("state"), str)):
        return False
    return one.get("md5") is None or _is_md5(one["md5"])


def _is_md5(value: object) -> bool:
    return isinstance(value, str) and len(value.removesuffix(".dir")) == 32 and set(value.removesuffix(".dir")) <= _HEX
