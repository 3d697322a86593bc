"""`promotion.yaml`: read, refused with the key and what is allowed, and who it lets decide."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlops.errors import UsageError
from jupyter_mlops.promotion import rules
from jupyter_mlops.promotion.policy import FILE, Policy, read_policy, why_not
from jupyter_mlops.promotion.rules import ApprovalRule
from jupyter_mlops.sections import read_first


def test_what_is_left_out_has_its_default() -> None:
    assert read_policy("") == read_policy("approval:\n") == read_policy("approval: {}") == Policy()
    assert Policy().approval == ApprovalRule(required=True, approvers=(), self=False)


def test_the_template_says_the_defaults() -> None:
    from types import SimpleNamespace

    from jupyter_mlops.convert.render import _environment

    text = _environment().get_template("promotion.yaml.j2").render(plan=SimpleNamespace(policy="", name="churn"))
    assert read_policy(text) == Policy()
    kept = (
        _environment()
        .get_template("promotion.yaml.j2")
        .render(plan=SimpleNamespace(policy="# mine\napproval: {}\n", name="churn"))
    )
    assert kept == "# mine\napproval: {}\n"


def test_all_keys() -> None:
    policy = read_policy("approval:\n  required: false\n  approvers: [anna, ben]\n  self: true\n")
    assert policy.approval == ApprovalRule(False, ("anna", "ben"), True)
    assert ApprovalRule.from_dict(policy.approval.as_dict()) == policy.approval


def test_all_sections() -> None:
    text = """
tests: {seconds: 60}
metrics: {score: roc_auc, rule: better, margin: 0, confidence: 0.95, segments: [region], segment_margin: 0.1, segment_rows: 50,
          inconclusive: stop}
latency: {p50_ms: 5, p99_ms: null, throughput: 100, ratio: 1.5, clients: 8, seconds: 2}
deploy: {target: local, port: 9000, replicas: 3, feature_store: /srv/features}
canary: {shadow: 30, steps: [0.5, 20], seconds: 10, requests: 0, bake: 0}
abort: {evidence: 100, failing: 0.2, latency_ratio: 3, latency_looks: 5, shift: 0.5}
"""
    policy = read_policy(text)
    assert policy.tests.seconds == 60.0
    assert policy.metrics == rules.MetricsRule("roc_auc", "better", 0.0, 0.95, ("region",), 0.1, 50, "stop")
    assert policy.latency == rules.LatencyRule(5.0, None, 100.0, 1.5, 8, 2.0)
    assert policy.deploy == rules.DeployRule("local", 9000, 3, "/srv/features")
    assert policy.canary == rules.CanaryRule(30.0, (0.5, 20.0), 10.0, 0, 0.0)
    assert policy.abort == rules.AbortRule(100.0, 0.2, 3.0, 5, 0.5)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("metrics: {rule: beter}", ["metrics.rule is 'beter'", "one of better, not worse"]),
        ("metrics: {margin: 5}", ["metrics.margin is 5", "from 0 to 1"]),
        ("latency: {p99_ms: -1}", ["latency.p99_ms is -1", "null for no limit"]),
        ("latency: {clients: 2.5}", ["a whole number from 1 to 64"]),
        ("latency: {p50_ms: .nan}", ["latency.p50_ms is nan"]),
        ("canary: {steps: [50, 5]}", ["canary.steps", "growing percentages"]),
        ("canary: {steps: [1, 100]}", ["canary.steps", "all of it comes by itself"]),
        ("canary: {steps: []}", ["canary.steps"]),
        ("canary: {secnds: 3}", ["Did you mean canary.seconds?"]),
        ("deploy: {feature_store: features}", ["the absolute path of a folder"]),
        ("deploy: {target: mars}", ["one of none, local"]),
        ("tests: {seconds: true}", ["tests.seconds is True"]),
        ("aproval: {}", ["aproval", "Did you mean approval?"]),
        (
            "approval: {requierd: true}",
            ["approval.requierd", "approval.required, approval.approvers", "Did you mean approval.required?"],
        ),
        ("approval: {required: maybe}", ["approval.required is 'maybe'", "true or false"]),
        ("approval: {approvers: anna}", ["approval.approvers is 'anna'", "a list of user names"]),
        ("approval: {approvers: [17]}", ["a list of user names", "quote"]),
        ("approval: yes please", ["approval must hold keys"]),
        ("- approval", ["sections"]),
        ("approval: {\n  required: [", ["line 2", "no YAML"]),
        ("approval: {approvers: [2026-13-45]}", ["cannot be read", "month"]),
        ("- " * 5000, ["cannot be read"]),
    ],
)
def test_what_is_wrong_is_named(text: str, words: list[str]) -> None:
    with pytest.raises(UsageError) as found:
        read_policy(text, "promotion.yaml of churn")
    for word in ["promotion.yaml of churn", *words]:
        assert word in str(found.value)


def test_the_policy_beside_a_notebook(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()

    def text() -> str:
        return read_first(Policy, FILE, [tmp_path, other])[0]

    assert text() == ""
    (other / "promotion.yaml").write_text("tests: {seconds: 5}\n", encoding="utf-8")
    assert text() == "tests: {seconds: 5}\n"
    (tmp_path / "promotion.yaml").write_text("# ours\napproval: {self: true}", encoding="utf-8")
    assert text() == "# ours\napproval: {self: true}\n"
    (tmp_path / "promotion.yaml").write_text("aproval: {}", encoding="utf-8")
    with pytest.raises(UsageError, match=str(tmp_path)):
        text()


@pytest.mark.parametrize(
    ("rule", "user", "word"),
    [
        (ApprovalRule(), "ben", None),
        (ApprovalRule(), "ada", "colleague"),
        (ApprovalRule(self=True), "ada", None),
        (ApprovalRule(approvers=("ben",)), "ben", None),
        (ApprovalRule(approvers=("ben",)), "cleo", "ask them"),
        (ApprovalRule(approvers=("ben", "ada")), "ada", "ask ben"),
        (ApprovalRule(approvers=("ben", "ada"), self=True), "ada", None),
        (ApprovalRule(approvers=("ben",), self=True), "ada", "ask them"),
    ],
)
def test_who_may_decide(rule: ApprovalRule, user: str, word: str | None) -> None:
    found = why_not(rule, "ada", user)
    assert (found is None) == (word is None)
    assert word is None or word in (found or "")
