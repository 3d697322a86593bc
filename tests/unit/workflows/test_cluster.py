"""`jupyter mlops deploy --target kubernetes`, from a registered version to the folder, and on to a kubectl.

The registry is a real one. Only `kubectl` is a script that writes down what it is called with, but for the last tests.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from jupyter_mlops.cli import main
from jupyter_mlops.errors import EditedError, EnvironmentLackError, NotFoundError, OutputError, UsageError
from jupyter_mlops.tracking.store import store
from jupyter_mlops.workflows.cluster import ClusterOptions, deploy_to_cluster
from jupyter_mlops.workflows.events import Event
from tests.unit.deploy.schemas import check
from tests.unit.promotion.registry import add_version, small_project

MODEL = "flight_delays"
POLICY = """
deploy: {replicas: 3}
canary: {steps: [0.5, 10, 50], seconds: 120, requests: 500, bake: 900}
abort: {evidence: 50, latency_ratio: 2, latency_looks: 5}
"""

KUBECTL = """#!{python}
import json, pathlib, sys
folder = pathlib.Path(__file__).parent
with (folder / "calls").open("a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
answers = json.loads((folder / "answers").read_text())
for word, (code, out, err) in answers.items():
    if word in sys.argv:
        print(out)
        print(err, file=sys.stderr)
        sys.exit(code)
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry with two versions, the first one in production."""
    folder = tmp_path_factory.mktemp("registry")
    found = f"sqlite:///{folder / 'mlflow.db'}"
    project = small_project(folder / "project", POLICY)
    (project / "service").mkdir()
    (project / "service" / "app.py").write_text("app = None\n", encoding="utf-8")
    for _ in range(2):
        add_version(found, MODEL, project, folder / "scratch")
    with store(found) as client:
        client.set_registered_model_alias(MODEL, "production", "1")
    return folder / "mlflow.db"


@pytest.fixture
def uri(registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """That registry, for one test."""
    shutil.copyfile(registry, tmp_path / "mlflow.db")
    found = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", found)
    monkeypatch.chdir(tmp_path)
    return found


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A kubectl of which each test says what it answers; gives what it was called with."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "kubectl"
    script.write_text(KUBECTL.format(python=sys.executable), encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))

    def answers(**given: tuple[int, str, str]) -> list[list[str]]:
        (folder / "answers").write_text(json.dumps(given), encoding="utf-8")
        calls = folder / "calls"
        return [json.loads(line) for line in calls.read_text().splitlines()] if calls.exists() else []

    answers(**{"current-context": (0, "staging", "")})
    return answers


def _read(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.yaml")) if path.name != "kustomization.yaml"]
    made = [one for text in texts for one in yaml.safe_load_all(text)]
    return {(one["kind"], one["metadata"]["name"]): one for one in made}


def test_the_steps_are_those_of_the_policy(uri: str, tmp_path: Path) -> None:
    events: list[Event] = []
    result = deploy_to_cluster(MODEL, "2", ClusterOptions(namespace="ml", host="models.example.com"), events.append)
    assert (result.folder, result.context, result.applied) == (Path("deploy/kubernetes"), None, ())
    assert [(one.step, one.status) for one in events] == [("fetch", "started"), ("fetch", "done"), ("write", "done")]
    made = _read(tmp_path / "deploy" / "kubernetes")
    assert all(check(one) == [] for one in made.values())
    rollout = made["Rollout", "flight-delays"]["spec"]
    canary = rollout["strategy"]["canary"]
    assert [one["setWeight"] for one in canary["steps"] if "setWeight" in one] == [1, 10, 50]
    assert {one["pause"]["duration"] for one in canary["steps"] if "pause" in one} == {"120s"}
    assert canary["steps"][-1]["analysis"]["args"][1]["value"] == "1500"
    assert canary["scaleDownDelaySeconds"] == 900
    assert rollout["template"]["spec"]["containers"][0]["image"] == "flight-delays:2"
    assert rollout["template"]["metadata"]["labels"]["app.kubernetes.io/version"] == "2"
    health = made["AnalysisTemplate", "flight-delays-health"]["spec"]["metrics"]
    assert [one["failureCondition"].split(" && ")[1] for one in health] == ["result[0] >= 50", "result[0] > 2"]
    assert "[150s:30s]" in health[1]["provider"]["prometheus"]["query"]
    assert made["ScaledObject", "flight-delays"]["spec"]["minReplicaCount"] == 3
    assert set(result.files) == {path.name for path in (tmp_path / "deploy" / "kubernetes").glob("*.yaml")}


def test_the_version_in_production_by_default(uri: str, tmp_path: Path) -> None:
    options = ClusterOptions(style="plain", image="registry.example.com/flights:v{version}", replicas=12)
    assert deploy_to_cluster(MODEL, None, options).version == "1"
    made = _read(tmp_path / "deploy" / "kubernetes")
    [container] = made["Deployment", "flight-delays"]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example.com/flights:v1"
    scaled = made["ScaledObject", "flight-delays"]["spec"]
    assert (scaled["minReplicaCount"], scaled["maxReplicaCount"]) == (12, 12)


@pytest.mark.parametrize("style", ["plain", "kserve"])
def test_a_share_is_beside_the_version_in_production(style: Any, uri: str, tmp_path: Path) -> None:
    deploy_to_cluster(
        MODEL, "2", ClusterOptions(style=style, share=0.25, model_uri="s3://m/{version}" if style == "kserve" else None)
    )
    made = _read(tmp_path / "deploy" / "kubernetes")
    assert all(check(one) == [] for one in made.values())
    if style == "plain":
        images = {
            name: one["spec"]["template"]["spec"]["containers"][0]["image"]
            for (kind, name), one in made.items()
            if kind == "Deployment"
        }
        assert images == {"flight-delays": "flight-delays:1", "flight-delays-canary": "flight-delays:2"}
    else:
        spec = made["InferenceService", "flight-delays"]["spec"]
        assert spec["predictor"]["model"]["storageUri"] == "s3://m/1"
        assert [(one["trafficPercent"], one["predictor"]["model"]["storageUri"]) for one in spec["canary"]] == [(25, "s3://m/2")]


def test_edited_manifests_are_not_replaced(uri: str, tmp_path: Path) -> None:
    options = ClusterOptions(output=tmp_path / "out")
    deploy_to_cluster(MODEL, "1", options)
    assert deploy_to_cluster(MODEL, "2", options).kept is None  # as they were written, they may go
    edited = tmp_path / "out" / "ingress.yaml"
    edited.write_text(edited.read_text() + "# ours\n", encoding="utf-8")
    with pytest.raises(EditedError, match=r"ingress\.yaml.*--force"):
        deploy_to_cluster(MODEL, "1", options)
    assert edited.read_text().endswith("# ours\n")
    result = deploy_to_cluster(MODEL, "1", ClusterOptions(output=tmp_path / "out", force=True))
    assert result.kept is not None and (result.kept / "ingress.yaml").read_text().endswith("# ours\n")
    assert not edited.read_text().endswith("# ours\n")
    assert not list(tmp_path.glob(".out*"))
    # A file that somebody adds is an edit as well.
    (tmp_path / "out" / "mine.yaml").touch()
    with pytest.raises(EditedError, match=r"mine\.yaml"):
        deploy_to_cluster(MODEL, "1", options)


def test_folders_that_are_not_ours_are_left_alone(uri: str, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    for path, says in (
        ("other", "not written by this command"),
        ("other/file", "is a file"),
        ("other/file/x", "is not writable"),
    ):
        with pytest.raises(OutputError, match=says):
            deploy_to_cluster(MODEL, "1", ClusterOptions(output=tmp_path / path, force=True))
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["file"]


def test_what_cannot_be_deployed(uri: str, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no version 9"):
        deploy_to_cluster(MODEL, "9")
    with pytest.raises(NotFoundError, match="no-such-model"):
        deploy_to_cluster("no-such-model")
    with pytest.raises(UsageError, match="whole percentages"):
        deploy_to_cluster(MODEL, "2", ClusterOptions(style="plain", share=0.005))
    with pytest.raises(UsageError, match=r"--image NAME:\{version\}"):
        deploy_to_cluster(MODEL, "2", ClusterOptions(style="plain", share=0.5, image="flights:2"))
    with pytest.raises(UsageError, match="steps"):
        deploy_to_cluster(MODEL, "2", ClusterOptions(share=0.5))
    with store(uri) as client:
        client.delete_registered_model_alias(MODEL, "production")
    with pytest.raises(NotFoundError, match=rf"No version of {MODEL} is in production.*{MODEL}@2"):
        deploy_to_cluster(MODEL)
    with pytest.raises(UsageError, match="without --share"):
        deploy_to_cluster(MODEL, "2", ClusterOptions(style="plain", share=0.5))
    version = add_version(uri, MODEL, small_project(tmp_path / "project"), tmp_path / "scratch")
    with pytest.raises(NotFoundError, match="has no service"):
        deploy_to_cluster(MODEL, version)
    assert not (tmp_path / "deploy").exists()


def test_kubectl_applies_the_folder(uri: str, kubectl: Any, tmp_path: Path) -> None:
    kubectl(**{"current-context": (0, "staging", ""), "apply": (0, "service/a created\nrollout/b created", "")})
    events: list[Event] = []
    result = deploy_to_cluster(MODEL, "2", ClusterOptions(output=tmp_path / "out; rm x", apply=True), events.append)
    assert (result.context, result.applied[:2]) == ("staging", ("service/a created", "rollout/b created"))
    folder = str(tmp_path / "out; rm x")
    assert kubectl() == [
        ["version", "--request-timeout=10s"], ["config", "current-context"],
        ["apply", "-k", folder, "--dry-run=server"], ["apply", "-k", folder],
    ]  # fmt: skip
    assert ("cluster", "done", "staging, namespace default") in [(one.step, one.status, one.message) for one in events]


def test_a_context_and_a_new_namespace(uri: str, kubectl: Any, tmp_path: Path) -> None:
    options = ClusterOptions(output=tmp_path / "out", apply=True, context="blue", namespace="ml", create_namespace=True)
    assert deploy_to_cluster(MODEL, "2", options).context == "blue"
    # What is for a namespace that is yet to be made cannot be checked before.
    assert kubectl() == [
        ["--context=blue", "version", "--request-timeout=10s"],
        ["--context=blue", "apply", "-k", str(tmp_path / "out")],
    ]


def test_a_cluster_that_refuses(uri: str, kubectl: Any, tmp_path: Path) -> None:
    kubectl(apply=(1, "", 'no matches for kind "Rollout" in version "argoproj.io/v1alpha1"'))
    with pytest.raises(EnvironmentLackError, match=r"(?s)Nothing was changed.*Rollout.*Install their controllers"):
        deploy_to_cluster(MODEL, "2", ClusterOptions(output=tmp_path / "out", apply=True))
    assert kubectl()[-1][-1] == "--dry-run=server"
    kubectl(version=(1, "", "Unable to connect to the server: dial tcp: refused"))
    with pytest.raises(EnvironmentLackError, match=r"No cluster answers kubectl: Unable to connect"):
        deploy_to_cluster(MODEL, "2", ClusterOptions(output=tmp_path / "out", apply=True))
    assert (tmp_path / "out" / "rollout.yaml").exists()  # written all the same


def test_no_kubectl(uri: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentLackError, match="kubectl is not on PATH"):
        deploy_to_cluster(MODEL, "2", ClusterOptions(output=tmp_path / "out", apply=True))
    assert (tmp_path / "out" / "kustomization.yaml").exists()


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_the_real_kubectl_without_a_cluster(uri: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(EnvironmentLackError, match=r"No cluster answers kubectl: .+"):
        deploy_to_cluster(MODEL, "2", ClusterOptions(output=tmp_path / "out", apply=True))


def test_from_the_command_line(uri: str, kubectl: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["deploy", f"{MODEL}@2", "--target", "kubernetes", "-o", "out", "--host", "models.example.com"]) == 0
    assert "Apply them: kubectl apply -k out" in capsys.readouterr().out
    assert _read(tmp_path / "out")["Ingress", "flight-delays"]["spec"]["rules"][0]["host"] == "models.example.com"
    more = ["--style", "plain", "--share", "5", "--image", "x:{version}", "--prometheus", "http://p:9090", "--apply", "--json"]
    assert main(["deploy", f"{MODEL}@2", "--target", "kubernetes", "-o", "out", *more]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (result["version"], result["style"], result["context"], result["kept"]) == ("2", "plain", "staging", None)
    assert (
        _read(tmp_path / "out")["Deployment", "flight-delays-canary"]["spec"]["template"]["spec"]["containers"][0]["image"]
        == "x:2"
    )
    for wrong in (["--canary"], ["--port", "80"], ["--stop"], ["--namespace", "A B"]):
        assert main(["deploy", f"{MODEL}@2", "--target", "kubernetes", "-o", "other", *wrong]) == 2
    said = capsys.readouterr().err
    assert "--canary is for a deployment on this machine" in said and "The namespace 'A B'" in said
    assert not (tmp_path / "other").exists() and os.fspath(tmp_path / "deploy") not in said
