"""The questions to Prometheus: that it understands them, and that the answers are those of the local canary."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from jupyter_mlops.deploy.cluster.queries import RATIOS, Pods
from jupyter_mlops.deploy.cluster.spec import Analysis
from jupyter_mlops.promotion.verdicts.error_rate import RATIOS as LOCAL_RATIOS
from jupyter_mlops.promotion.verdicts.error_rate import Counts, ErrorRate

PODS = Pods("ml", "flights", "4")
RULES = Analysis(seconds=60, look=30)  # a window of two minutes
QUERIES = {
    "queue": PODS.queue(), "requests": PODS.requests(), "evidence": PODS.evidence(RULES), "latency": PODS.latency(RULES),
}  # fmt: skip
needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (of Prometheus) is not installed")


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_a_query_is_one(query: str) -> None:
    promql_parser.parse(query)
    assert query.count('namespace="ml"') == query.count("{namespace")


def test_the_ratios_are_those_of_the_local_canary() -> None:
    assert RATIOS == LOCAL_RATIOS


def test_a_query_asks_for_the_pods_of_its_workload_only() -> None:
    [pattern] = set(re.findall(r'pod=~"([^"]+)"', QUERIES["queue"]))
    assert re.fullmatch(pattern, "flights-6c9f7d8b54-x2x7k")
    assert not re.fullmatch(pattern, "flights-delays-6c9f7d8b54-x2x7k")


def _series(counts: dict[str, tuple[str, int, int]]) -> list[dict[str, str]]:
    """Counters that grow evenly: by pod its version, its requests and its errors in half a minute."""
    made = []
    for pod, (version, requests, errors) in counts.items():
        labels = f'namespace="ml",pod="{pod}",model_version="{version}",route="predict"'
        for status, count in (("200", requests - errors), ("500", errors)):
            made.append({"series": f'service_requests_total{{{labels},status="{status}"}}', "values": f"0+{count}x20"})
        made.append({"series": f"service_queue_depth{{{labels}}}", "values": "3x20"})
    return made


def _holds(series: list[dict[str, str]], conditions: list[str], folder: Path) -> None:
    """Each of these questions is answered by 1."""
    (folder / "rules.yaml").write_text("groups: []\n", encoding="utf-8")
    asked: list[dict[str, Any]] = [
        {"expr": one, "eval_time": "9m", "exp_samples": [{"labels": "{}", "value": 1}]} for one in conditions
    ]
    test = {"rule_files": ["rules.yaml"], "tests": [{"interval": "30s", "input_series": series, "promql_expr_test": asked}]}
    (folder / "test.yaml").write_text(yaml.safe_dump(test, width=10_000), encoding="utf-8")
    done = subprocess.run(["promtool", "test", "rules", str(folder / "test.yaml")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@pytest.mark.parametrize(
    ("stable", "canary"), [((900, 9), (100, 1)), ((900, 9), (100, 5)), ((500, 0), (500, 3)), ((900, 0), (100, 0))]
)
def test_the_evidence_is_that_of_the_local_canary(stable: tuple[int, int], canary: tuple[int, int], tmp_path: Path) -> None:
    series = _series({"flights-1-a": ("3", *stable), "flights-2-b": ("4", *canary), "flights-x-1-a": ("4", 100, 50)})
    # Four half minutes are in a window.
    expected = ErrorRate().after(Counts(*(4 * one for one in stable)), Counts(*(4 * one for one in canary))).evidence
    query = QUERIES["evidence"]
    _holds(series, [f"abs(({query}) / {expected} - 1) < bool 0.001"], tmp_path)


@needs_promtool
def test_nothing_asked_is_no_number(tmp_path: Path) -> None:
    series = _series({"flights-1-a": ("3", 0, 0), "flights-2-b": ("4", 0, 0)})
    query = QUERIES["evidence"]
    _holds(series, [f"({query}) != bool ({query})", f"absent({QUERIES['latency']})"], tmp_path)


@needs_promtool
def test_the_queue_and_the_requests_are_sums(tmp_path: Path) -> None:
    series = _series(
        {"flights-1-a": ("3", 90, 0), "flights-2-b": ("4", 10, 0), "flights-2-c": ("4", 10, 0), "other-1-a": ("4", 10, 0)}
    )
    _holds(series, [f"({QUERIES['queue']}) == bool 9", f"({QUERIES['requests']}) == bool 360"], tmp_path)


def _latencies(version: str, pod: str, fast: str, slow: str) -> list[dict[str, str]]:
    """A histogram with the buckets 10 and 100 ms: counts of fast requests, and of all."""
    labels = f'namespace="ml",pod="{pod}",model_version="{version}",route="predict"'
    return [
        {"series": f'service_request_seconds_bucket{{{labels},le="0.01"}}', "values": fast},
        {"series": f'service_request_seconds_bucket{{{labels},le="0.1"}}', "values": slow},
        {"series": f'service_request_seconds_bucket{{{labels},le="+Inf"}}', "values": slow},
        {"series": f"service_request_seconds_count{{{labels}}}", "values": slow},
    ]


@needs_promtool
def test_a_slow_canary_is_slow_in_looks_in_a_row(tmp_path: Path) -> None:
    stable = _latencies("3", "flights-1-a", "0+100x20", "0+100x20")
    query = QUERIES["latency"]
    slow = [*stable, *_latencies("4", "flights-2-b", "0+50x20", "0+100x20")]
    _holds(slow, [f"({query}) > bool 1.5"], tmp_path)
    # Slow in the last minute only: one of the three looks was not.
    late = [*stable, *_latencies("4", "flights-2-b", "0+100x20", "0+100x20")]
    late[4]["values"] = "0+100x16 1600+10x4"
    _holds(late, [f"({query}) < bool 1.5"], tmp_path)
    # Too few requests are no answer.
    few = [*stable, *_latencies("4", "flights-2-b", "0+5x20", "0+10x20")]
    _holds(few, [f"absent({query})"], tmp_path)
