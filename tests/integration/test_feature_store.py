"""A converted notebook in a real Feast repository: training frames and online reads give the same rows, and the same predictions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from jupyter_mlops.cli import main
from jupyter_mlops.environment import free_port, service_environment
from jupyter_mlops.errors import EditedError, UsageError
from jupyter_mlops.workflows.features import PublishOptions, publish_features
from tests.conftest import Converted
from tests.feature_services import Published, publish_and_read, redis_server, serving

pytestmark = pytest.mark.xdist_group("feature_store")


@pytest.fixture(scope="module")
def published(converted: Callable[[str], Converted], tmp_path_factory: pytest.TempPathFactory) -> Published:
    """With all columns."""
    return publish_and_read(converted("customers").folder, tmp_path_factory.mktemp("features"))


def test_a_training_frame_is_the_raw_table(published: Published) -> None:
    reads = published.reads
    assert reads["same_table"] and reads["dtypes"] and reads["same_index"]


def test_no_event_is_lost_or_merged(published: Published) -> None:
    reads = published.reads
    assert reads["orders"] == ["a", "b", "c", "d", "e"]
    assert reads["visits"] == reads["expected"]
    assert reads["without"] == 2 and reads["none"] == 0
    assert reads["as_feast"] == [720, True]


def test_a_model_that_takes_less_is_given_less(published: Published) -> None:
    assert published.reads["less"] == [["card", "joined", "plan", "region", "visits"], True]


def test_events_are_checked(published: Published) -> None:
    no_time, given, no_id, no_folder, text, fraction = published.reads["errors"]
    assert "'seen_at'" in no_time
    assert "leave out plan" in given
    assert "5 events have no customer_id" in no_id
    assert "CUSTOMERS_FEATURE_STORE" in no_folder
    assert text == "in the store, customer_id is a column of whole numbers, and in the events one of type string"
    assert "one of type floating" in fraction


def test_the_on_demand_view_is_the_feature_program(published: Published) -> None:
    assert published.reads["same_input"]
    assert published.result.computed == 20 and published.result.compared == 200
    assert published.result.source.rows == 720 and published.result.source.entities == 240


def test_the_service_predicts_for_an_id_what_training_predicts(published: Published) -> None:
    reads = published.reads
    with serving(published.project, published.repository) as client:
        answers = client.post("/predict/entity", json=[{"customer_id": key} for key in reads["ids"]]).json()
        one = client.post("/predict/entity", json={"customer_id": reads["ids"][0]})
        unknown = client.post("/predict/entity", json=[{"customer_id": reads["ids"][0]}, {"customer_id": 7}])
        refused = [
            client.post("/predict/entity", json=body)
            for body in (
                {},
                {"customer_id": 2**63},
                {"customer_id": "1000"},
                {"customer_id": True},
                {"customer_id": 1000, "plan": "pro"},
                [3],
                {"customer_id": 1000, "x": 1},
            )
        ]
        empty = client.post("/predict/entity", json=[])
        bad = client.post("/predict/entity", content=b"{")
        paths = client.get("/openapi.json").json()["paths"]
        numbers = client.get("/metrics").text
    assert [one["prediction"] for one in answers] == reads["predictions"]
    assert [one["probabilities"]["1"] for one in answers] == pytest.approx(reads["probabilities"], abs=1e-9)
    assert [one["features_time"] for one in answers] == [f"{time}Z" for time in reads["times"]]
    assert not any(one["stale"] for one in answers)
    assert one.json() == answers[0]
    assert unknown.status_code == 422
    assert unknown.json()["detail"] == [
        {"loc": ["body", 1, "customer_id"], "msg": "the feature store knows no such customer_id", "type": "unknown_entity"}
    ]
    assert [answer.status_code for answer in refused] == [422] * 7
    assert [answer.json()["detail"][0]["type"] for answer in refused] == [
        "missing", "value_error", "type_error", "type_error", "extra_forbidden", "model_type", "extra_forbidden",
    ]  # fmt: skip
    assert refused[0].json()["detail"][0]["loc"] == ["body", "customer_id"]
    assert empty.json() == [] and bad.status_code == 400
    assert "/predict/entity" in paths
    assert 'service_requests_total{model_version="1",route="entity",status="422"} 8.0' in numbers


def test_what_is_too_old_is_missing_and_said_so(published: Published) -> None:
    """Only columns that may be missing are stored here; the request brings the others."""
    request = ("plan", "joined", "visits", "card")
    repository = published.repository.with_name("short")
    result = publish_features(published.project, PublishOptions(repository=repository, ttl=86400, request=request))
    assert [one.name for one in result.plan.request] == list(request)
    assert "pandas" in (repository / "definitions.py").read_text(encoding="utf-8")
    row = {"plan": "pro", "joined": "2020-02-01T00:00:00", "visits": 3, "card": True}
    with serving(published.project, repository) as client:
        answer = client.post("/predict/entity", json={"customer_id": published.reads["ids"][0], **row}).json()
        plain = client.post("/predict", json={**row, "spend": None, "region": None}).json()
        lacking = client.post("/predict/entity", json={"customer_id": published.reads["ids"][0]})
    assert answer["stale"] is True and answer["features_time"] == published.reads["times"][0] + "Z"
    assert answer["probabilities"] == plain["probabilities"]
    assert [one["loc"] for one in lacking.json()["detail"]] == [["body", name] for name in request]


def _refused(project: Path, repository: Path, *before: Path) -> str:
    """What a service says that does not start with this repository; folders that come first on Python's path."""
    environment = service_environment(project, free_port()) | {"SERVICE_FEATURE_STORE": str(repository)}
    environment["PYTHONPATH"] = os.pathsep.join((*map(str, before), environment["PYTHONPATH"]))
    done = subprocess.run(
        [sys.executable, "-m", "service"], cwd=project, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode != 0
    return done.stderr


def test_a_service_without_a_repository_says_so_at_the_start(published: Published, tmp_path: Path) -> None:
    said = _refused(published.project, tmp_path / "none")
    assert "none holds no feature_store.yaml: `jupyter mlops features publish` writes one." in said


def test_a_service_without_feast_says_so_at_the_start(published: Published, tmp_path: Path) -> None:
    (tmp_path / "feast.py").write_text("raise ModuleNotFoundError(\"No module named 'feast'\", name='feast')\n", encoding="utf-8")
    said = _refused(published.project, published.repository, tmp_path)
    assert "needs Feast (No module named 'feast'): pip install feast" in said


def test_a_service_without_the_variables_of_its_repository_says_so_at_the_start(published: Published, tmp_path: Path) -> None:
    settings = (
        "# ${NOT_THIS_ONE}\nonline_store: {type: redis, connection_string: 'h,username=${STORE_USER},password=${STORE_WORD}'}\n"
    )
    (tmp_path / "feature_store.yaml").write_text(settings, encoding="utf-8")
    said = _refused(published.project, tmp_path)
    assert "names STORE_USER, STORE_WORD, which the environment does not hold: set it" in said


def test_status_and_materialize(published: Published, capsys: pytest.CaptureFixture[str]) -> None:
    repository = str(published.repository)
    assert main(["features", "materialize", "--repo", repository, "--since", "2025-05-01"]) == 0
    assert "is filled until 20" in capsys.readouterr().out
    assert main(["features", "materialize", "--repo", repository, "--until", "2025-04-01"]) == 2
    assert "--until 2025-04-01 would put older values in place of newer ones" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["features", "materialize", "--repo", repository, "--since", "yesterday"])
    assert "'yesterday' is no time such as 2025-01-31" in capsys.readouterr().err
    assert main(["features", "status", "--repo", repository, "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert status["entity"] == "customer_id" and status["timestamp"] == "seen_at" and status["online"] == "sqlite"
    assert status["columns"] == ["plan", "region", "joined", "visits", "spend", "card"]
    assert status["filled"] > "2026" and status["ttl"] == 0


def test_a_registered_version_is_published_with_its_project(
    converted: Callable[[str], Converted], published: Published, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From a CSV file, by the command line."""
    import pandas as pd

    source = tmp_path / "rows.csv"
    pd.read_parquet(published.repository / "data" / "source.parquet").head(50).to_csv(source, index=False)
    repository = tmp_path / "repo"
    done = main(["features", "publish", "customers@1", "--repo", str(repository), "--source", str(source), "--ttl", "5000d", "--json",
                 "--tracking-uri", converted("customers").tracking_uri])  # fmt: skip
    assert done == 0, capsys.readouterr().err
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["step"] for one in told[:-1] if one["status"] == "done"] == ["project", "source", "apply"]
    assert told[-1]["source"]["rows"] == 50 and told[-1]["plan"]["ttl"] == 5000 * 86400
    assert (repository / "project" / "src" / "customers" / "features.py").is_file()
    assert (repository / ".feastignore").read_text(encoding="utf-8") == "project/\n"


def test_a_repository_is_replaced_unless_it_was_edited(published: Published) -> None:
    """What the user configures is kept; an edit of the definitions is refused before any work is done."""
    repository = published.repository
    configured = repository / "feature_store.yaml"
    text = configured.read_text(encoding="utf-8").replace("data/online_store.db", "data/elsewhere.db")
    configured.write_text(text, encoding="utf-8")
    source = repository.with_name("own.parquet")
    source.write_bytes((repository / "data" / "source.parquet").read_bytes())
    result = publish_features(published.project, PublishOptions(repository=repository, source=source, ttl=86400))
    assert result.stale == result.compared == 200
    assert result.kept is None and configured.read_text(encoding="utf-8") == text
    assert (repository / "data" / "elsewhere.db").is_file()
    assert result.plan.source == "../own.parquet" and not (repository / "data" / "source.parquet").exists()
    subprocess.run([sys.executable, "-m", "ruff", "format", "--isolated", "--check", repository / "definitions.py"], check=True)
    with serving(published.project, repository) as client:
        old = client.post("/predict/entity", json={"customer_id": published.reads["ids"][0]})
    assert old.status_code == 422 and old.json()["detail"][0]["type"] == "stale_features"
    (repository / "definitions.py").write_text("# mine\n", encoding="utf-8")
    with pytest.raises(EditedError, match=r"The feature repository in .* was edited since it was made \(definitions.py\)"):
        publish_features(published.project, PublishOptions(repository=repository))
    assert (repository / "definitions.py").read_text(encoding="utf-8") == "# mine\n"


def test_what_cannot_be_published_is_said(published: Published, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for options, said in (
        (
            PublishOptions(entity="nobody"),
            r"The source \(the project's raw table\) has no column 'nobody'; it has customer_id, seen_at",
        ),
        (PublishOptions(timestamp="visits"), "of type integer. Store it as a time"),
        (PublishOptions(request=("nothing",)), "takes no column nothing"),
        (
            PublishOptions(source=tmp_path / "repo" / "data" / "own.parquet"),
            "own.parquet lies in the repository .*, which is replaced",
        ),
    ):
        with pytest.raises(UsageError, match=said):
            publish_features(published.project, PublishOptions(**{**vars(options), "repository": tmp_path / "repo"}))
    assert not list(tmp_path.iterdir())
    assert main(["features", "publish", str(tmp_path)]) == 2
    assert "is no converted project" in capsys.readouterr().err
    assert main(["features", "status", "--repo", str(tmp_path)]) == 2
    assert "holds no feature_store.yaml" in capsys.readouterr().err


PASSWORD = 's3cret #: "x\\'


def ask(client: httpx.Client, ids: list[int]) -> Any:
    return client.post("/predict/entity", json=[{"customer_id": key} for key in ids]).json()


def test_redis_gives_what_training_gives(
    published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    import pandas as pd

    project, reads, port = published.project, published.reads, free_port()
    ids = reads["ids"]
    monkeypatch.setenv("CUSTOMERS_REDIS", PASSWORD)
    repository = tmp_path / "redis"
    with ExitStack() as servers:
        servers.enter_context(redis_server(tmp_path, port, PASSWORD))
        told = ["--online", f"redis://localhost:{port}/3", "--online-password", "CUSTOMERS_REDIS", "--repo", str(repository)]
        assert main(["features", "publish", str(project), *told]) == 0
        assert not list(repository.glob("data/online*"))
        with serving(project, repository) as client:
            answers = ask(client, ids)
            assert [one["prediction"] for one in answers] == reads["predictions"] and len(answers) == 240
            assert [one["probabilities"]["1"] for one in answers] == pytest.approx(reads["probabilities"], abs=1e-9)
            assert [one["features_time"] for one in answers] == [f"{time}Z" for time in reads["times"]]
            unknown = client.post("/predict/entity", json={"customer_id": 7})
            assert unknown.status_code == 422 and unknown.json()["detail"][0]["type"] == "unknown_entity"

            # Published again with other values of the same times and one customer less, while it serves: what Redis holds of before
            # would win over those, and the customer would stay.
            table = pd.read_parquet(project.parent / "customers.parquet")
            source = tmp_path / "changed.parquet"
            table[table["customer_id"] != ids[1]].assign(visits=50).to_parquet(source, index=False)
            publish_features(project, PublishOptions(repository=repository, source=source))
            text = (repository / "feature_store.yaml").read_text(encoding="utf-8")
            assert text.count("_b\n") == 1 and "password=${CUSTOMERS_REDIS}" in text
            [changed] = ask(client, ids[:1])
            gone = client.post("/predict/entity", json={"customer_id": ids[1]})
            assert changed["probabilities"]["1"] < answers[0]["probabilities"]["1"]
            assert gone.json()["detail"][0]["type"] == "unknown_entity"
            everything = "".join(one.read_text(encoding="latin-1") for one in tmp_path.rglob("*") if one.is_file())
            assert PASSWORD not in everything and PASSWORD not in "".join(capfd.readouterr())

            # Redis is away, and a new one knows nothing.
            servers.close()
            assert main(["features", "materialize", "--repo", str(repository)]) == 2
            assert "The online store does not answer as it should: Error 111" in capfd.readouterr().err
            away = client.post("/predict/entity", json={"customer_id": ids[0]})
            assert away.status_code == 503 and away.json()["detail"][0]["type"] == "feature_store"
            servers.enter_context(redis_server(tmp_path, port, PASSWORD))
            assert client.post("/predict/entity", json={"customer_id": ids[0]}).status_code == 422
            newest = table[table["customer_id"] == ids[0]].sort_values("seen_at").tail(1)
            newer = newest.assign(seen_at=newest["seen_at"] + pd.Timedelta(1, "D"), visits=0)
            pd.concat([pd.read_parquet(source), newer]).to_parquet(source, index=False)
            assert main(["features", "materialize", "--repo", str(repository)]) == 0
            [latest] = ask(client, ids[:1])
            assert latest["features_time"] > changed["features_time"]
            assert latest["probabilities"]["1"] > changed["probabilities"]["1"]
    monkeypatch.delenv("CUSTOMERS_REDIS")
    assert main(["features", "materialize", "--repo", str(repository)]) == 2
    assert "names CUSTOMERS_REDIS, which the environment does not hold" in capfd.readouterr().err
