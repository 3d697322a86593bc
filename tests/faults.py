"""Promotions under load in which something is killed, and what is right afterwards all the same.

The controller is a process of its own, MLflow a real server; versions are those of a converted project.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_mlops.database import database_url
from jupyter_mlops.deploy.members import read_members
from jupyter_mlops.deploy.spec import Deployments
from jupyter_mlops.environment import free_port
from jupyter_mlops.processes import machine
from jupyter_mlops.tracking.lifecycle import apply_lifecycle
from jupyter_mlops.tracking.store import is_reachable
from jupyter_mlops.workflows.deploying import DeployOptions, deploy, undeploy
from jupyter_mlops.workflows.promotions import promotions_of
from tests.deployed import Load, supervisors
from tests.mlflow_server import MlflowServer
from tests.unit.promotion.registry import add_version, aliases

__all__ = ["FAULTS", "STEPS", "Outcome", "Scene", "run_with_fault"]

STEPS = (10, 50, 100)
POLICY = "approval: {required: false}\ncanary: {steps: [10, 50], seconds: 3, requests: 30, bake: 4}\n"
_TRIES = 5  # of a promotion that was cut off

# Its gates have tests of their own; here it is about traffic, journal and registry.
_CONTROLLER = """
import sys
from jupyter_mlops.commands.console import print_event
from jupyter_mlops.promotion.gates.audit import Audit
from jupyter_mlops.workflows import promote
promote.GATES = (Audit(),)
promote.promote(sys.argv[1], "2", promote.PromoteOptions(user="ada"), print_event)
"""


@dataclass
class Scene:
    """What a scenario needs; `JUPYTER_MLOPS_DATABASE`, `JUPYTER_DATA_DIR` and `MLFLOW_TRACKING_URI` are set for it.

    Attributes
    ----------
    project, source
        A converted project, and its model as MLflow keeps it.
    """

    server: MlflowServer
    project: Path
    source: Path
    row: Mapping[str, Any]
    scratch: Path


@dataclass(frozen=True)
class Outcome:
    """What became of a promotion, and of the requests meanwhile.

    Attributes
    ----------
    wrong
        What does not agree afterwards: should be empty.
    """

    fault: str
    step: int
    status: str
    requests: int
    failed: list[str]
    runs: int
    seconds: float
    wrong: list[str] = field(default_factory=list)

    @property
    def failed_share(self) -> float:
        """Of the requests."""
        return len(self.failed) / max(self.requests + len(self.failed), 1)


def _one(folder: Path, version: str | None, name: str = "") -> int:
    members = read_members(folder).values()
    return next(one.pid for one in members if one.version == version and one.name.startswith(name) and one.alive)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _kill_supervisor(folder: Path) -> None:
    for one in supervisors(folder):
        one.kill()


Kill = Callable[[Scene, Path, "subprocess.Popen[str]"], None]
FAULTS: dict[str, Kill] = {
    "canary replica": lambda scene, folder, controller: _kill(_one(folder, "2")),
    "stable replica": lambda scene, folder, controller: _kill(_one(folder, "1")),
    "Envoy": lambda scene, folder, controller: _kill(_one(folder, None, "envoy-a")),
    "supervisor": lambda scene, folder, controller: _kill_supervisor(folder),
    "controller": lambda scene, folder, controller: _kill(controller.pid),
    "MLflow": lambda scene, folder, controller: scene.server.kill(),
}


def run_with_fault(scene: Scene, fault: str | None, step: int, *, replicas: int = 2) -> Outcome:
    """Promote version 2 of a model of its own, and kill something when it has `step` percent of the traffic."""
    model = f"penguins-{len(list(scene.scratch.iterdir()))}"
    place = scene.scratch / model
    place.mkdir()
    (scene.project / "promotion.yaml").write_text(POLICY, encoding="utf-8")
    for version in ("1", "2"):
        assert add_version(scene.server.uri, model, scene.project, place / version, source=scene.source) == version
    apply_lifecycle(scene.server.uri, model, "1", None)
    found = deploy(model, "1", DeployOptions(port=free_port(), replicas=replicas))
    began, runs, injected = time.monotonic(), 0, fault is None
    try:
        with Load(found.url, dict(scene.row)) as load:
            load.phase(1.0)
            while runs < _TRIES:
                runs += 1
                injected = _controlled(scene, model, found.folder, fault, step, injected=injected)
                if not is_reachable(scene.server.uri):
                    time.sleep(1.0)
                    scene.server.start()
                if _state(scene, model)["ended"] is not None:
                    break
            took = time.monotonic() - began
            wrong = [] if injected else ["nothing was killed"]
            wrong += _disagreements(scene, model, load)
        state = _state(scene, model)
        return Outcome(fault or "none", step, state["status"], load.answers.total(), load.failed, runs, took, wrong)
    finally:
        undeploy(model)


def _controlled(scene: Scene, model: str, folder: Path, fault: str | None, step: int, *, injected: bool) -> bool:
    """Run the controller to its end, with the fault on the way; returns whether it has been injected."""
    command = [sys.executable, "-c", _CONTROLLER, model]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as controller:
        assert controller.stdout is not None
        for line in controller.stdout:
            event = json.loads(line)
            figures = event.get("data", {}).get("figures", {})
            if not injected and event["step"] == "canary" and figures.get("share") == step and "evidence" in figures:
                assert fault is not None
                FAULTS[fault](scene, folder, controller)
                injected = True
    return injected


def _state(scene: Scene, model: str) -> dict[str, Any]:
    return promotions_of(database_url(None), scene.server.uri, model, user="ada")[0]


def _disagreements(scene: Scene, model: str, load: Load) -> list[str]:
    """Traffic, journal and registry, which have to say the same."""
    wrong = []
    state, spec = _state(scene, model), Deployments(database_url(None)).get(model, machine()).spec
    serving = "2" if state["status"] == "promoted" else "1"
    wanted = {"production": "2", "previous": "1"} if serving == "2" else {"production": "1", "staging": "2"}
    if state["ended"] is None:
        wrong.append(f"the promotion has not ended: {state['status']}")
    if aliases(scene.server.uri, model) != wanted:
        wrong.append(f"aliases {aliases(scene.server.uri, model)}")
    if spec.traffic.weights != {serving: 10_000}:
        wrong.append(f"traffic {spec.traffic.weights}")
    if set(answered := load.phase(1.0)) != {serving}:
        wrong.append(f"answered by {dict(answered)}")
    return wrong
