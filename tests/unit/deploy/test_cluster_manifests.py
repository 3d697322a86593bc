"""The manifests for Kubernetes: valid by the real schemas, and saying what they should."""

from __future__ import annotations

import copy
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from jupyter_mlops.deploy.cluster.render import KUSTOMIZATION, manifests, to_yaml
from jupyter_mlops.deploy.cluster.spec import STYLES, Analysis, ClusterSpec, Release, resource_name
from jupyter_mlops.errors import UsageError
from tests.unit.deploy.schemas import check

URI = "s3://models/flights/"
OLD, NEW = Release("3", "registry.example.com/flights:3"), Release("4", "registry.example.com/flights:4")
FETCHED_OLD, FETCHED_NEW = replace(OLD, model_uri=f"{URI}3"), replace(NEW, model_uri=f"{URI}4")
PLAIN = ClusterSpec("flights", NEW, "plain", "ml")
SHARED = replace(PLAIN, release=OLD, canary=NEW, percent=10)
ROLLOUTS = replace(PLAIN, style="rollouts")
KSERVE = replace(PLAIN, style="kserve")
KSERVE_SHARED = replace(KSERVE, release=FETCHED_OLD, canary=FETCHED_NEW, percent=10)
ALL_SET = replace(
    ROLLOUTS,
    create_namespace=True,
    host="models.example.com",
    tls_secret="models-tls",
    pull_secret="registry",
    log_claim="predictions",
    feature_claim="features",
    feature_secret="features-redis",
    analysis=Analysis(steps=(10,), seconds=0, requests=0, bake=0),
)
SPECS = {
    "plain": PLAIN, "plain, canary": SHARED, "rollouts": ROLLOUTS, "rollouts, all set": ALL_SET, "kserve": KSERVE,
    "kserve, fetched": replace(KSERVE, release=FETCHED_NEW, log_claim="predictions"), "kserve, canary": KSERVE_SHARED,
}  # fmt: skip


def documents(spec: ClusterSpec) -> list[dict[str, Any]]:
    """As a cluster gets them: through the text of the files."""
    files = manifests(spec)
    return [one for name, made in files.items() if name != KUSTOMIZATION for one in yaml.safe_load_all(to_yaml(made))]


def only(spec: ClusterSpec, kind: str, name: str | None = None) -> dict[str, Any]:
    [found] = [one for one in documents(spec) if one["kind"] == kind and name in (None, one["metadata"]["name"])]
    return found


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_every_manifest_is_valid(spec: ClusterSpec) -> None:
    made = documents(spec)
    assert len(made) >= 2
    for one in made:
        assert check(one) == [], (one["kind"], one["metadata"]["name"])
    # Nothing is written twice.
    assert len({(one["kind"], one["metadata"]["name"]) for one in made}) == len(made)


def _change(manifest: dict[str, Any], path: str, value: Any, *, remove: bool = False) -> dict[str, Any]:
    made = copy.deepcopy(manifest)
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    at: Any = made
    for part in way:
        at = at[part]
    at[last] = value
    if remove:
        del at[last]
    return made


@pytest.mark.parametrize(
    ("spec", "kind", "path", "value", "says"),
    [
        (KSERVE_SHARED, "InferenceService", "spec.canary.0.trafficPercent", 125, "125 is greater than the maximum of 100"),
        (KSERVE_SHARED, "InferenceService", "spec.canary.0.trafficPercnt", 10, "'trafficPercnt' was unexpected"),
        (KSERVE, "InferenceService", "spec.predictor.containers.0.redinessProbe", {}, "'redinessProbe' was unexpected"),
        (ROLLOUTS, "Rollout", "spec.strategy.canary.steps.0.setWeigth", 5, "'setWeigth' was unexpected"),
        (ROLLOUTS, "Rollout", "spec.template.spec.containers.0.imagee", "x", "'imagee' was unexpected"),
        (ROLLOUTS, "Rollout", "metadata.labels.app", 4, "4"),
        (ROLLOUTS, "AnalysisTemplate", "spec.metrics.0.failureConditon", "x", "'failureConditon' was unexpected"),
        (ROLLOUTS, "ScaledObject", "spec.minReplicaCount", "two", "is not of type 'integer'"),
        (ROLLOUTS, "ScaledObject", "spec.triggers.0.metdata", {}, "'metdata' was unexpected"),
        (PLAIN, "Deployment", "spec.template.spec.containers.0.readinesProbe", {}, "readinesProbe"),
        (PLAIN, "Ingress", "spec.rules.0.http.paths.0.pathTyp", "Prefix", "pathTyp"),
        (PLAIN, "PodDisruptionBudget", "spec.maxUnavailble", 1, "maxUnavailble"),
    ],
)
def test_the_validation_catches_faults(spec: ClusterSpec, kind: str, path: str, value: Any, says: str) -> None:
    good = next(one for one in documents(spec) if one["kind"] == kind)
    assert any(says in fault for fault in check(_change(good, path, value)))


def test_percentages_are_percentages() -> None:
    for wrong in (125, 100, 0, -1):
        with pytest.raises(UsageError, match=f"{wrong} is no share of a canary"):
            replace(SHARED, percent=wrong)
        with pytest.raises(UsageError, match=f"{wrong} is no share of a canary"):
            Analysis(steps=(wrong,))
    for steps in ((), (5, 5), (25, 5)):
        with pytest.raises(UsageError, match="must grow"):
            Analysis(steps=steps)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": "Flights"}, "The name 'Flights' is no name"),
        ({"namespace": "ml/prod"}, "namespace"),
        ({"pull_secret": "a b"}, "pull secret"),
        ({"log_claim": "a b"}, "claim 'a b'"),
        ({"feature_claim": "A"}, "claim of the feature store 'A'"),
        ({"feature_secret": "redis"}, "Name its claim: --feature-claim"),
        ({"host": "http://x"}, "is no name of a host"),
        ({"tls_secret": "tls"}, "--host"),
        ({"prometheus": "prometheus:9090"}, "no address of Prometheus"),
        ({"replicas": 0}, "is no range"),
        ({"replicas": 11}, "is no range"),
        ({"style": "helm"}, "rollouts, kserve, plain"),
        ({"style": "kserve", "host": "models.example.com"}, "Leave --host away"),
        ({"release": FETCHED_NEW}, "--style kserve"),
        ({"canary": NEW, "percent": 5}, "beside itself"),
        ({"canary": OLD, "percent": 5, "style": "rollouts"}, "Leave --share away"),
        ({"canary": OLD, "percent": 5, "style": "kserve"}, "--model-uri"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)):
        replace(PLAIN, **changes)


def test_releases_are_checked() -> None:
    for wrong in ({"version": "a/b"}, {"image": "a b"}, {"image": "-x"}, {"model_uri": "models"}):
        with pytest.raises(UsageError):
            replace(FETCHED_NEW, **wrong)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("flight_delays", "flight-delays"),
        ("Flüge 2026", "fl-ge-2026"),
        ("3 churn!", "churn"),
        ("m" * 60, "m" * 40),
        ("a-" * 30, "a-" * 19 + "a"),
    ],
)
def test_names_of_models_become_names_of_resources(model: str, name: str) -> None:
    assert resource_name(model) == name


def test_a_model_without_letters_has_no_name() -> None:
    with pytest.raises(UsageError, match="no letter"):
        resource_name("2026")


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_pods_may_do_nothing_but_serve(spec: ClusterSpec) -> None:
    for one in documents(spec):
        for pod, containers in _pods(one):
            if pod is not None:
                assert pod["securityContext"]["runAsNonRoot"] is True and pod["automountServiceAccountToken"] is False
            for made in containers:
                assert made["securityContext"] == {
                    "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
                }  # fmt: skip
                assert made["readinessProbe"]["httpGet"]["path"] == "/health/ready"
                assert made["livenessProbe"]["httpGet"]["path"] == "/health/live"
                assert made["resources"]["requests"]["memory"] and made["resources"]["limits"]["memory"]
    # Secrets are named, never written.
    assert "Secret" not in {one["kind"] for one in documents(spec)}


def _pods(manifest: dict[str, Any]) -> list[tuple[dict[str, Any] | None, list[dict[str, Any]]]]:
    spec = manifest.get("spec", {})
    match manifest["kind"]:
        case "Deployment" | "Rollout":
            return [(spec["template"]["spec"], spec["template"]["spec"]["containers"])]
        case "InferenceService":
            predictors = [spec["predictor"], *(one["predictor"] for one in spec.get("canary", []))]
            return [(one, one.get("containers", [])) for one in predictors]
        case "ServingRuntime":
            return [(None, spec["containers"])]
    return []


def test_a_rollout_goes_the_steps_of_the_policy() -> None:
    spec = replace(ROLLOUTS, analysis=Analysis(steps=(5, 50), seconds=90, requests=200, bake=600))
    canary = only(spec, "Rollout")["spec"]["strategy"]["canary"]

    def needed(count: int) -> dict[str, Any]:
        arguments = [{"name": "version", "value": "4"}, {"name": "requests", "value": str(count)}]
        return {"analysis": {"templates": [{"templateName": "flights-requests"}], "args": arguments}}

    assert canary["steps"] == [
        {"setWeight": 5}, {"pause": {"duration": "90s"}}, needed(200),
        {"setWeight": 50}, {"pause": {"duration": "90s"}}, needed(400),
    ]  # fmt: skip
    assert canary["scaleDownDelaySeconds"] == 600
    assert canary["analysis"]["args"] == [{"name": "version", "value": "4"}]
    names = {one["metadata"]["name"] for one in documents(spec) if one["kind"] == "AnalysisTemplate"}
    assert names == {"flights-health", canary["analysis"]["templates"][0]["templateName"], "flights-requests"}
    services = {one["metadata"]["name"] for one in documents(spec) if one["kind"] == "Service"}
    assert services == {canary["stableService"], canary["canaryService"]}
    ingress = only(spec, "Ingress")
    assert ingress["metadata"]["name"] == canary["trafficRouting"]["nginx"]["stableIngress"]
    assert ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] == canary["stableService"]
    assert "replicas" not in only(spec, "Rollout")["spec"]  # KEDA's
    # A step without a time or a number of requests has neither.
    assert only(ALL_SET, "Rollout")["spec"]["strategy"]["canary"]["steps"] == [{"setWeight": 10}]


def test_an_analysis_has_an_answer_for_every_result() -> None:
    health = only(ROLLOUTS, "AnalysisTemplate", "flights-health")["spec"]["metrics"]
    found = {
        one["name"]: (_truth(one, []), _truth(one, [1.0]), _truth(one, [30.0]), _truth(one, [float("nan")])) for one in health
    }
    assert found == {
        "errors": ("inconclusive", "successful", "failed", "inconclusive"),
        "latency": ("successful", "successful", "failed", "inconclusive"),
    }
    assert all(one["inconclusiveLimit"] == one["consecutiveErrorLimit"] == 120 for one in health)
    [held] = only(ROLLOUTS, "AnalysisTemplate", "flights-requests")["spec"]["metrics"]
    assert (held["failureLimit"], held["consecutiveSuccessLimit"]) == (-1, 1) and "failureCondition" not in held


def _truth(metric: dict[str, Any], result: list[float]) -> str:
    """As Argo Rollouts judges a result; its expressions of this kind are Python's, but for the signs of and, or."""

    def holds(condition: str) -> bool:
        return bool(eval(condition.replace("&&", "and").replace("||", "or"), {"len": len, "result": result}))

    if holds(metric["failureCondition"]):
        return "failed"
    return "successful" if holds(metric["successCondition"]) else "inconclusive"


def test_a_plain_canary_has_its_share_and_never_the_other_pods() -> None:
    stable, canary = only(SHARED, "Deployment", "flights"), only(SHARED, "Deployment", "flights-canary")
    assert stable["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":3")
    assert canary["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":4")
    assert (canary["spec"]["replicas"], "replicas" in stable["spec"]) == (1, False)
    for name, deployment in {"flights": stable, "flights-canary": canary}.items():
        chosen = only(SHARED, "Service", name)["spec"]["selector"]
        assert chosen == deployment["spec"]["selector"]["matchLabels"]
        assert chosen.items() <= deployment["spec"]["template"]["metadata"]["labels"].items()
    assert stable["spec"]["selector"] != canary["spec"]["selector"]
    annotations = only(SHARED, "Ingress", "flights-canary")["metadata"]["annotations"]
    assert annotations == {"nginx.ingress.kubernetes.io/canary": "true", "nginx.ingress.kubernetes.io/canary-weight": "10"}
    budget = only(SHARED, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"]
    assert budget.items() <= canary["spec"]["template"]["metadata"]["labels"].items()


def test_kserve_has_a_canary_of_a_model_that_it_fetches() -> None:
    made = only(KSERVE_SHARED, "InferenceService")
    assert made["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == "Standard"
    [canary] = made["spec"]["canary"]
    assert (canary["trafficPercent"], canary["predictor"]["name"]) == (10, "v4")
    assert canary["predictor"]["model"]["storageUri"] == f"{URI}4"
    # KServe's webhook refuses them on a canary.
    assert not {"minReplicas", "maxReplicas", "autoScaling", "scaleMetric"} & set(canary["predictor"])
    runtimes = {one["metadata"]["name"]: one for one in documents(KSERVE_SHARED) if one["kind"] == "ServingRuntime"}
    for predictor in (made["spec"]["predictor"], canary["predictor"]):
        served = runtimes[predictor["model"]["runtime"]]["spec"]
        assert predictor["model"]["modelFormat"]["name"] == served["supportedModelFormats"][0]["name"]
        assert {"name": "SERVICE_MODEL_DIR", "value": "/mnt/models"} in served["containers"][0]["env"]


@pytest.mark.parametrize("spec", [PLAIN, ROLLOUTS, KSERVE])
def test_replicas_follow_the_queue(spec: ClusterSpec) -> None:
    if spec.style == "kserve":
        predictor = only(spec, "InferenceService")["spec"]["predictor"]
        external = predictor["autoScaling"]["metrics"][0]["external"]
        asked, least, most, goal = (
            external["metric"]["query"],
            predictor["minReplicas"],
            predictor["maxReplicas"],
            external["target"]["value"],
        )
    else:
        made = only(spec, "ScaledObject")["spec"]
        target = only(spec, made["scaleTargetRef"]["kind"])
        assert made["scaleTargetRef"]["name"] == target["metadata"]["name"]
        assert made["scaleTargetRef"]["apiVersion"] == target["apiVersion"]
        [trigger] = made["triggers"]
        asked, goal = trigger["metadata"]["query"], trigger["metadata"]["threshold"]
        least, most = made["minReplicaCount"], made["maxReplicaCount"]
    assert "service_queue_depth{" in asked and (least, most, goal) == (2, 10, "4")


def test_a_setting_reaches_its_place() -> None:
    rollout, ingress = only(ALL_SET, "Rollout")["spec"]["template"]["spec"], only(ALL_SET, "Ingress")["spec"]
    assert rollout["imagePullSecrets"] == [{"name": "registry"}]
    assert rollout["volumes"][1] == {"name": "predictions", "persistentVolumeClaim": {"claimName": "predictions"}}
    (service,) = rollout["containers"]
    (log,) = (one["value"] for one in service["env"] if one["name"] == "SERVICE_LOG_DIR")
    assert {"name": "predictions", "mountPath": log} in service["volumeMounts"]
    assert not any(
        one["name"] == "SERVICE_LOG_DIR" for one in only(ROLLOUTS, "Rollout")["spec"]["template"]["spec"]["containers"][0]["env"]
    )
    assert ingress["tls"] == [{"hosts": ["models.example.com"], "secretName": "models-tls"}]
    assert ingress["rules"][0]["host"] == "models.example.com"
    assert only(ALL_SET, "Namespace")["metadata"]["name"] == "ml"
    assert all(one["metadata"].get("namespace") == "ml" for one in documents(ALL_SET) if one["kind"] != "Namespace")
    assert not any("/metrics" in path["path"] for path in ingress["rules"][0]["http"]["paths"])


@pytest.mark.parametrize("style", STYLES)
def test_kustomization_names_every_file(style: Any) -> None:
    files = manifests(replace(PLAIN, style=style))
    assert files[KUSTOMIZATION][0]["resources"] == [name for name in files if name != KUSTOMIZATION]


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_kubectl_builds_the_kustomization(spec: ClusterSpec, tmp_path: Path) -> None:
    for name, made in manifests(spec).items():
        (tmp_path / name).write_text(to_yaml(made), encoding="utf-8")
    built = subprocess.run(["kubectl", "kustomize", str(tmp_path)], capture_output=True, text=True, check=True)

    def key(one: dict[str, Any]) -> tuple[str, str]:
        return one["kind"], one["metadata"]["name"]

    assert sorted(yaml.safe_load_all(built.stdout), key=key) == sorted(documents(spec), key=key)


def test_pods_read_the_feature_repository_of_a_claim() -> None:
    """And its variables, such as the password of a Redis, from a secret."""
    pod = only(ALL_SET, "Rollout")["spec"]["template"]["spec"]
    [service] = pod["containers"]
    [volume] = [one for one in pod["volumes"] if one["name"] == "features"]
    [mount] = [one for one in service["volumeMounts"] if one["name"] == "features"]
    assert volume["persistentVolumeClaim"] == {"claimName": "features", "readOnly": True}
    assert {"name": "SERVICE_FEATURE_STORE", "value": mount["mountPath"]} in service["env"] and mount["readOnly"]
    assert service["envFrom"] == [{"secretRef": {"name": "features-redis"}}]
    [without] = only(ROLLOUTS, "Rollout")["spec"]["template"]["spec"]["containers"]
    assert "envFrom" not in without and "SERVICE_FEATURE_STORE" not in str(without)


def test_pods_that_log_take_the_key_of_hashes_from_a_secret() -> None:
    [service] = only(ALL_SET, "Rollout")["spec"]["template"]["spec"]["containers"]
    [key] = [one for one in service["env"] if one["name"] == "SERVICE_LOG_HASH_KEY"]
    assert key["valueFrom"]["secretKeyRef"] == {"name": f"{ALL_SET.name}-log", "key": "hash-key", "optional": True}
    [without] = only(ROLLOUTS, "Rollout")["spec"]["template"]["spec"]["containers"]
    assert "HASH_KEY" not in str(without)
