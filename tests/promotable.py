"""A registered model whose promotion takes seconds: the converted notebook's, with the quickest test of its project only.

That a promotion runs all tests of a project is shown once, in ``tests/integration/test_promote.py``.
"""

from __future__ import annotations

import getpass
from pathlib import Path

from jupyter_mlops.tracking.lifecycle import fetch_archive, find_version
from jupyter_mlops.tracking.store import store
from jupyter_mlops.workflows.project_archive import unpack_project
from tests.unit.promotion.registry import add_version

__all__ = ["MODEL", "QUICK", "add_quick_version", "model_folder", "quick_project"]

MODEL = "penguins"
QUICK = "latency: {seconds: 0.5, ratio: 10}\n"  # tests beside this one may have the machine


def quick_project(uri: str, folder: Path, policy: str | None = None) -> Path:
    """The project that is archived with version 1, to be changed in `folder`; with this `promotion.yaml`, or one that takes no time."""
    facts = find_version(uri, MODEL, "1")
    fetched = folder / "fetched"
    fetched.mkdir(parents=True)
    archive = fetch_archive(uri, facts.run_id, fetched)
    assert archive is not None
    project = unpack_project(archive, folder / "variant")
    for path in (project / "tests").glob("test_*.py"):
        if path.name != "test_golden.py":
            path.unlink()
    (project / "promotion.yaml").write_text(QUICK if policy is None else policy, encoding="utf-8")
    return project


def model_folder(uri: str, version: str) -> Path:
    """Where MLflow keeps a model, for stores on this disk."""
    with store(uri) as client:
        return Path(client.get_model_version_download_uri(MODEL, version).removeprefix("file://"))


def add_quick_version(uri: str, folder: Path, policy: str | None = None, *, monitoring: str | None = None, **tests: str) -> str:
    """Register version 1 once more, by this account, with the quickest of its tests and these: name and source of each."""
    project = quick_project(uri, folder, policy)
    if monitoring is not None:
        (project / "monitoring.yaml").write_text(monitoring, encoding="utf-8")
    for name, source in tests.items():
        (project / "tests" / f"{name}.py").write_text(source, encoding="utf-8")
    return add_version(uri, MODEL, project, folder / "scratch", author=getpass.getuser(), source=model_folder(uri, "1"))
