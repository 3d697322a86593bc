"""What stands in MLflow after a conversion: on an SQLite file and on a real server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from jupyter_mlops.workflows.convert import ConvertOptions, convert
from tests.conftest import Converted
from tests.mlflow_server import MlflowServer
from tests.notebooks import PENGUINS, write_notebook

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("penguins"),
    # MLflow's and SQLAlchemy's own, in their use of each other and of pandas.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning:mlflow", "ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    """A real MLflow server, on loopback, with artifacts of its own."""
    server = MlflowServer(tmp_path_factory.mktemp("server"))
    try:
        yield server.start()
    finally:
        server.kill()


def _check(folder: Path, report: dict[str, object], uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import mlflow
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    run = client.get_run(str(report["run_id"]))
    assert run.info.status == "FINISHED"
    assert run.data.metrics["accuracy"] == report["metrics"]["accuracy"]  # type: ignore[index]
    assert run.data.params["n_estimators"] == "20"
    assert run.data.tags["parity.package"] == "equal"
    assert len(run.data.tags["notebook.sha256"]) == 64
    listed = {f.path for part in ("", "notebook", "environment") for f in client.list_artifacts(run.info.run_id, part)}
    assert {"parity.json", "data.json", "notebook/penguins.ipynb", "notebook/executed.ipynb", "notebook/notebook.html"} <= listed
    assert {"environment/requirements.lock", "environment/environment.json"} <= listed
    data = json.loads(Path(client.download_artifacts(run.info.run_id, "data.json", str(tmp_path))).read_text(encoding="utf-8"))
    assert any(Path(one["path"]).name.startswith("penguins") and len(one["md5"]) == 32 for one in data)

    name = "penguins"
    version = client.get_model_version(name, str(report["model_version"]))
    assert version.tags["lifecycle"] == "Staging"
    assert client.get_model_version_by_alias(name, "staging").version == version.version
    assert version.run_id == run.info.run_id

    # By the environment, which is as before at the end: what MLflow's own functions set cannot be unset.
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", uri)
    model = mlflow.pyfunc.load_model(f"models:/{name}@staging", dst_path=str(tmp_path))
    assert model.metadata.signature is not None
    requirements = (tmp_path / "requirements.txt").read_text(encoding="utf-8")
    assert "scikit-learn==" in requirements
    golden = json.loads((folder / "model" / "golden.json").read_text(encoding="utf-8"))
    rows = pd.DataFrame(golden["rows"])
    assert model.predict(rows)["prediction"].tolist() == golden["predictions"]
    assert not [p for p in tmp_path.rglob("*") if p.suffix in {".pkl", ".pickle"}]


def test_on_a_file(converted: Callable[[str], Converted], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = converted("penguins")
    _check(done.folder, done.report, done.tracking_uri, tmp_path, monkeypatch)
    assert (done.folder.parent / "mlruns").is_dir()  # artifacts lie beside the file, not where the process ran


def test_on_a_server(server: MlflowServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also with a secret among the parameters: only the project itself has it, as its notebook gave it."""
    own, given = "horse-9-battery", "staple-77-wagon"
    more = {"parameters": f"\ndb_password = {own!r}", "load": "\nprint('with', db_password)"}
    notebook = write_notebook(tmp_path / "penguins.ipynb", [(tag, source + more.get(tag, "")) for tag, source in PENGUINS])
    options = ConvertOptions(tracking_uri=server.uri, parameters=[("db_password", given)])
    result = convert(notebook, tmp_path / "out", options)
    assert result.ok, result.report.error
    (tmp_path / "model").mkdir()
    _check(result.folder, result.report.as_dict(), server.uri, tmp_path / "model", monkeypatch)
    again = convert(notebook, tmp_path / "out", options)
    assert again.report.model_version == "2"
    kept = [path for path in server.place.rglob("*") if path.is_file() and path.name != "settings.py"]
    assert {"executed.ipynb", "notebook.html"} <= {path.name for path in kept} and any(
        b"***" in path.read_bytes() for path in kept
    )
    assert not [path for path in kept if any(one.encode() in path.read_bytes() for one in (own, given))]
