"""What tests share: projects that are converted once for all tests that look at them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from _pytest.nodeid import coerce_node_id
from filelock import FileLock
from hypothesis import settings

from tests.customers import write_customers
from tests.notebooks import PENGUINS, write_notebook

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ("flight_delays", "house_prices", "food_reviews", "penguins_messy", "loan_rates")

# The same examples each time, so that a change is judged by itself; `make fuzz` looks for new ones.
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options with which tests write what they otherwise check."""
    parser.addoption("--regenerate", action="store_true", help="write the golden output trees anew")
    parser.addoption("--pictures", metavar="DIR", help="where the browser tests put the pictures of the README")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of one group run in one process, so that what they share is made once.

    pytest-xdist 3.8 writes the group into a field of the test that pytest 9.2 no longer reads (pytest-dev/pytest-xdist#1386).
    """
    if config.getoption("loadgroup", default=False):
        for item in items:
            mark = item.get_closest_marker("xdist_group")
            if mark is not None and not item.nodeid.endswith(f"@{mark.args[0]}"):
                item._id = coerce_node_id(f"{item.nodeid}@{mark.args[0]}")


@pytest.fixture(autouse=True, scope="session")
def _environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing of the user's or the machine's environment decides a test."""
    patch = pytest.MonkeyPatch()
    for name in ("MLFLOW_TRACKING_URI", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONWARNINGS"):
        patch.delenv(name, raising=False)
    patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    yield
    patch.undo()


@dataclass(frozen=True)
class Converted:
    """A converted notebook."""

    folder: Path
    report: dict[str, Any]
    events: list[dict[str, Any]]

    @property
    def tracking_uri(self) -> str:
        """Where it is registered."""
        return f"sqlite:///{self.folder.parent / 'mlflow.db'}"


@pytest.fixture(scope="session")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Converted]:
    """Convert an example notebook (or ``penguins`` and ``customers``, small ones of the tests), once for all workers."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent

    return lambda name: converted_once(name, shared / f"converted-{name}")


def converted_once(name: str, place: Path) -> Converted:
    """The conversion in a folder; made where it is not there."""
    with FileLock(f"{place}.lock"):
        if not (place / "events.json").exists():
            _convert(name, place)
    report = json.loads((place / name / "report.json").read_text(encoding="utf-8"))
    return Converted(place / name, report, json.loads((place / "events.json").read_text(encoding="utf-8")))


def _convert(name: str, place: Path) -> None:
    from jupyter_mlops.workflows.convert import ConvertOptions, convert
    from jupyter_mlops.workflows.events import Event

    place.mkdir(exist_ok=True)
    notebook = ROOT / "example_notebooks" / f"{name}.ipynb"
    if name == "penguins":
        notebook = write_notebook(place / "penguins.ipynb", PENGUINS)
    if name == "customers":
        notebook = write_customers(place)
    events: list[Event] = []
    result = convert(notebook, place / name, ConvertOptions(tracking_uri=f"sqlite:///{place / 'mlflow.db'}"), events.append)
    assert result.ok, json.dumps(result.report.as_dict(), indent=1)[-3000:]
    (place / "events.json").write_text(json.dumps([e.as_dict() for e in events]), encoding="utf-8")
