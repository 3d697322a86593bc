"""One row of the online store: Feast's own read, and the service's answer for an id beside its answer for a row.

    python -m benchmarks.features [--rows 2000]

The service runs as a process of its own with a repository of the tests' customers; each figure is of one client.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from jupyter_mlops.environment import free_port, service_environment
from jupyter_mlops.workflows.features import PublishOptions, publish_features
from tests.conftest import converted_once


def main() -> None:
    """Print p50 and p99 in milliseconds."""
    parser = argparse.ArgumentParser(description="Latency of online reads.")
    parser.add_argument("--rows", type=int, default=2000, help="requests of each kind")
    parser.add_argument("--keep", type=Path, help="folder for the project, which is used again")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        place = arguments.keep or Path(scratch)
        project = converted_once("customers", place / "converted").folder
        repository = place / "repo"
        publish_features(project, PublishOptions(repository=repository))
        sys.path.insert(0, str(project / "src"))
        _feast(project, repository, arguments.rows)
        _service(project, repository, arguments.rows)


def _feast(project: Path, repository: Path, rows: int) -> None:
    from customers.store import Store  # type: ignore[import-not-found]
    from feast import FeatureStore

    store, ours = FeatureStore(repo_path=str(repository)), Store(repository)
    view = [f"customers:{name}" for name in ours.columns]
    inputs = [f"customers_input:{field.name}" for field in store.get_on_demand_feature_view("customers_input").features]

    def read(features: list[str], key: int) -> Any:
        return store.get_online_features(features=features, entity_rows=[{"customer_id": key}]).to_dict()

    _show("Feast's get_online_features, view", rows, lambda key: read(view, key))
    _show("the project's Store.read", rows, lambda key: ours.read([key]))
    _show("Feast's get_online_features, on-demand view (pandas)", rows // 10, lambda key: read(inputs, key))


def _service(project: Path, repository: Path, rows: int) -> None:
    port = free_port()
    environment = service_environment(project, port) | {"SERVICE_FEATURE_STORE": str(repository), "SERVICE_LOG_LEVEL": "warning"}
    row = json.loads((project / "model" / "golden.json").read_text(encoding="utf-8"))["rows"][0]
    process = subprocess.Popen([sys.executable, "-m", "service"], cwd=project, env=environment)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            while True:
                try:
                    client.get("/health/ready").raise_for_status()
                    break
                except httpx.HTTPError:
                    time.sleep(0.1)
            _show("POST /predict, the row", rows, lambda key: client.post("/predict", json=row).raise_for_status())
            _show(
                "POST /predict/entity, the id", rows,
                lambda key: client.post("/predict/entity", json={"customer_id": key}).raise_for_status(),
            )  # fmt: skip
    finally:
        process.terminate()
        process.wait(20)


def _show(what: str, rows: int, ask: Callable[[int], object]) -> None:
    for key in range(1000, 1050):
        ask(key)
    seconds = []
    for number in range(rows):
        started = time.perf_counter()
        ask(1000 + number % 240)
        seconds.append(time.perf_counter() - started)
    p50, p99 = np.percentile(np.array(seconds) * 1000, [50, 99])
    print(f"{what:<55} p50 {p50:6.2f} ms   p99 {p99:6.2f} ms", flush=True)


if __name__ == "__main__":
    main()
