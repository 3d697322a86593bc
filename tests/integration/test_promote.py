"""A really converted notebook on its way into production: its own tests, its registered model, an SQLite store and a server."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.cli import main
from jupyter_mlops.promotion.journal import Journal
from jupyter_mlops.tracking.lifecycle import AUTHOR, DIGEST, apply_lifecycle, find_version
from jupyter_mlops.workflows.convert import ConvertOptions, convert
from jupyter_mlops.workflows.events import Event
from jupyter_mlops.workflows.promote import PromoteOptions, PromoteResult, promote
from jupyter_mlops.workflows.promotions import decide
from tests.conftest import Converted
from tests.mlflow_server import MlflowServer
from tests.notebooks import PENGUINS, write_notebook
from tests.promotable import MODEL, model_folder, quick_project
from tests.unit.promotion.registry import add_version, aliases, lifecycle

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("penguins"),
    # MLflow's and SQLAlchemy's own, in their use of each other and of pandas.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning:mlflow", "ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def uri(converted: Callable[[str], Converted], tmp_path: Path) -> str:
    """A store of this test's own that has the converted notebook as version 1: its files are shared, and only read."""
    done = converted(MODEL)
    shutil.copyfile(done.folder.parent / "mlflow.db", tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path / 'mlops.db'}"
    monkeypatch.setenv("JUPYTER_MLOPS_DATABASE", url)
    return url


@pytest.fixture
def project(uri: str, tmp_path: Path) -> Path:
    """The archived project, to be changed; with the quickest of its tests only."""
    return quick_project(uri, tmp_path)


@pytest.fixture
def add(uri: str, project: Path, tmp_path: Path) -> Callable[..., str]:
    """Register the changed project as a further version."""

    def made(to: str = uri) -> str:
        return add_version(to, MODEL, project, tmp_path / "scratch", author="ada", source=model_folder(uri, "1"))

    return made


def _promote(uri: str, listen: Any = lambda event: None, **options: Any) -> PromoteResult:
    return promote(MODEL, None, PromoteOptions(tracking_uri=uri, user="ada", **options), listen)


def _step(result: PromoteResult, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in result.view["steps"] if one["name"] == name)
    return found


def test_a_conversion_leaves_what_a_promotion_needs(uri: str, project: Path, tmp_path: Path) -> None:
    import hashlib

    facts = find_version(uri, MODEL, "1")
    [archive] = (tmp_path / "fetched").rglob("project.zip")
    assert facts.tags[DIGEST] == hashlib.sha256(archive.read_bytes()).hexdigest()
    assert facts.tags[AUTHOR]
    assert archive.stat().st_size < 1_000_000
    assert {"src", "tests", "model", "service", "edge", "promotion.yaml", "requirements.lock"} <= {
        p.name for p in project.iterdir()
    }


def test_from_the_command_line_into_production(
    uri: str, database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of the project's tests, the registered model, the author's own approval refused, a colleague's taken."""
    author = find_version(uri, MODEL, "1").tags[AUTHOR]
    monkeypatch.setenv("JUPYTER_MLOPS_USER", author)
    assert main(["promote", MODEL, "--tracking-uri", uri, "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    result, events = lines[-1], lines[:-1]
    assert (result["ok"], result["status"]) == (True, "waiting")
    audit, tests, parity = result["view"]["steps"][:3]
    assert audit["status"] == "passed" and audit["figures"]["files"] > 50
    assert tests["figures"]["passed"] > 100
    assert tests["figures"]["failed"] == 0
    assert parity["figures"]["rows"] > 300
    assert parity["figures"]["mismatches"] == 0
    data, metrics = (next(one for one in result["view"]["steps"] if one["name"] == name) for name in ("data", "metrics"))
    assert data["figures"] == {"rows": 103, "columns": 6, "classes": 3}
    assert metrics["figures"]["score"] == "accuracy" and metrics["figures"]["challenger"] > metrics["figures"]["champion"]
    assert "no version of penguins is in production" in metrics["message"]
    api, latency = (next(one for one in result["view"]["steps"] if one["name"] == name) for name in ("api", "latency"))
    assert api["figures"]["rows"] > 300 and api["figures"]["passed"] == api["figures"]["checks"] > 10
    assert latency["figures"]["p99Ms"] > 0 and "no version is in production" in latency["message"]
    live = [e for e in events if e["step"] == "tests" and e["status"] == "progress" and e.get("fraction")]
    assert len(live) > 100
    assert live[-1]["fraction"] == 1.0

    assert main(["approve", MODEL, "--tracking-uri", uri]) == 1
    assert "does not let its author approve it" in capsys.readouterr().err
    monkeypatch.setenv("JUPYTER_MLOPS_USER", "a colleague")
    assert main(["approve", result["promotion"], "-m", "well proven", "--tracking-uri", uri]) == 0
    out = capsys.readouterr().out
    assert "Approved by a colleague: well proven" in out
    assert "status    promoted" in out
    assert aliases(uri, MODEL) == {"production": "1"}
    assert lifecycle(uri, MODEL) == {"1": "Production"}
    whos = {(one.who, one.what) for one in Journal(database).entries(result["promotion"])}
    assert {(author, "started"), ("a colleague", "approved"), ("a colleague", "promoted")} <= whos
    assert main(["promote", f"{MODEL}@1", "--tracking-uri", uri]) == 2
    assert "in production already" in capsys.readouterr().err
    assert main(["promote", f"{MODEL}@x", "--tracking-uri", uri]) == 2


def test_a_second_version_archives_the_first(uri: str, database: str, project: Path, add: Callable[..., str]) -> None:
    (project / "tests" / "test_golden.py").write_text("def test_nothing():\n    pass\n", encoding="utf-8")
    apply_lifecycle(uri, MODEL, "1", None)  # as its promotion has left it
    assert add() == "2"
    waiting = _promote(uri)
    assert waiting.status == "waiting", waiting.view
    assert waiting.view["champion"] == "1"
    assert _step(waiting, "metrics")["figures"]["championVersion"] == "1"
    assert _step(waiting, "metrics")["figures"]["difference"] == 0
    decide(database, waiting.promotion, "approve", user="ben", comment="")
    assert _promote(uri).status == "promoted"
    assert aliases(uri, MODEL) == {"production": "2", "previous": "1"}
    assert lifecycle(uri, MODEL) == {"1": "Archived", "2": "Production"}


def test_a_broken_test_of_the_project_stops_it(uri: str, database: str, project: Path, add: Callable[..., str]) -> None:
    (project / "tests" / "test_mine.py").write_text("def test_mine():\n    assert 1 == 2, 'by hand'\n", encoding="utf-8")
    add()
    events: list[Event] = []
    result = _promote(uri, events.append)
    assert (result.status, result.exit_code) == ("failed", 1)
    step = _step(result, "tests")
    assert step["figures"] | {"seconds": 0} == {"tests": 4, "passed": 3, "failed": 1, "skipped": 0, "seconds": 0}
    assert "tests.test_mine::test_mine" in step["message"]
    assert "by hand" in step["log"]
    assert [e.step for e in events if e.status == "failed"] == ["tests"]
    assert _step(result, "parity")["status"] == "pending"


def test_a_tampered_golden_row_is_found_by_parity(uri: str, database: str, project: Path, add: Callable[..., str]) -> None:
    golden = json.loads((project / "model" / "golden.json").read_text(encoding="utf-8"))
    others = [one for one in sorted(set(golden["predictions"])) if one != golden["predictions"][7]]
    golden["predictions"][7] = others[0]
    (project / "model" / "golden.json").write_text(json.dumps(golden), encoding="utf-8")
    (project / "tests" / "test_golden.py").write_text("def test_nothing():\n    pass\n", encoding="utf-8")
    add()
    result = _promote(uri)
    step = _step(result, "parity")
    assert (result.status, step["status"]) == ("failed", "failed")
    assert step["figures"]["mismatches"] == 1
    assert "row 7" in step["message"]


def test_a_registered_model_that_is_not_the_proven_one_is_found(uri: str, database: str, add: Callable[..., str]) -> None:
    add()
    folder = model_folder(uri, "2")
    (folder / "code" / MODEL / "features.py").write_text("# something else\n", encoding="utf-8")
    result = _promote(uri)
    assert result.status == "failed"
    assert f"src/{MODEL}/features.py" in _step(result, "parity")["message"]


def test_a_policy_beside_the_notebook_is_taken_over(tmp_path: Path) -> None:
    notebook = write_notebook(tmp_path / "penguins.ipynb", PENGUINS)
    (tmp_path / "promotion.yaml").write_text("# ours\napproval:\n  self: true\n", encoding="utf-8")
    result = convert(notebook, tmp_path / "out", ConvertOptions(run=False))
    assert result.ok, result.report.error
    assert (tmp_path / "out" / "promotion.yaml").read_text(encoding="utf-8") == "# ours\napproval:\n  self: true\n"
    (tmp_path / "promotion.yaml").write_text("approval: {sefl: true}\n", encoding="utf-8")
    result = convert(notebook, tmp_path / "other", ConvertOptions(run=False))
    assert not result.ok
    assert "approval.sefl is no known key" in str(result.report.error)
    assert result.exit_code == 2


def test_a_column_that_monitoring_yaml_misspells_is_named(tmp_path: Path) -> None:
    notebook = write_notebook(tmp_path / "penguins.ipynb", PENGUINS)
    (tmp_path / "monitoring.yaml").write_text("log: {omit: [iland]}\n", encoding="utf-8")
    result = convert(notebook, tmp_path / "out", ConvertOptions(register=False))
    assert result.exit_code == 2 and not (tmp_path / "out" / "src").exists()
    assert "log.omit names 'iland', which is none of the model's columns: " in str(result.report.error)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "server").mkdir()
    made = MlflowServer(tmp_path / "server")
    try:
        yield made.start().uri
    finally:
        made.kill()


def test_on_a_server(server: str, database: str, add: Callable[..., str]) -> None:
    """Archive and model come over HTTP; the same steps."""
    add(server)
    waiting = _promote(server)
    assert waiting.status == "waiting", waiting.view
    assert _step(waiting, "parity")["figures"]["mismatches"] == 0
    decide(database, waiting.promotion, "approve", user="ben", comment="")
    assert _promote(server).status == "promoted"
    assert aliases(server, MODEL) == {"production": "1"}
    assert waiting.tracking_uri == server
