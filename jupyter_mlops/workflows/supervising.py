"""The supervisor of a deployment as a process: ``python -m jupyter_mlops.workflows.supervising MODEL``."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout

from jupyter_mlops.database import VARIABLE, database_url, now
from jupyter_mlops.deploy.files import hash_key, is_unwatched, prediction_log
from jupyter_mlops.deploy.spec import Deployment, Deployments
from jupyter_mlops.deploy.supervisor import Supervisor
from jupyter_mlops.deploy.traffic import Traffic
from jupyter_mlops.environment import free_port, inherited, service_environment
from jupyter_mlops.errors import ConflictError, EnvironmentLackError, NotFoundError
from jupyter_mlops.processes import machine

__all__ = ["LOCK", "ensure_supervisor", "is_supervised", "main"]

LOCK = "supervisor.lock"
_TURN = 0.05  # seconds between two looks at the processes
_READ = 0.25  # and at the spec
# A process between, which ends at once: what a job has started ends with the job, and a deployment is not the job's.
_DETACHED = "import subprocess, sys; subprocess.Popen(sys.argv[1:], start_new_session=True)"


def ensure_supervisor(model: str, folder: Path, database: str | None = None) -> None:
    """Start a supervisor where none works; it outlives whoever started it."""
    if is_supervised(folder):
        return
    # Not the mark of a job, by which the rest of it is found when it ends.
    environment = inherited("PYTEST_", "_JUPYTER_MLOPS_") | {VARIABLE: database_url(database)}
    command = [sys.executable, "-P", "-m", "jupyter_mlops.workflows.supervising", model]
    with (folder / "supervisor.log").open("ab") as output:
        subprocess.run(
            [sys.executable, "-I", "-S", "-c", _DETACHED, *command], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT, check=True,
        )  # fmt: skip


def is_supervised(folder: Path) -> bool:
    """Whether a supervisor works for the deployment of a folder."""
    lock = FileLock(folder / LOCK)
    try:
        with lock.acquire(timeout=0):
            return False
    except Timeout:
        return True


def main(argv: Sequence[str]) -> int:
    """Supervise the deployment of a model until it is stopped; returns the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    model, deployments = argv[0], Deployments(database_url())
    known = deployments.get(model, machine())
    folder = known.spec.place
    try:
        with FileLock(folder / LOCK).acquire(timeout=5):
            _supervise(model, deployments, Supervisor(folder, partial(_replica, folder), free_port, now))
    except Timeout:
        return 0  # another one works
    return 0


def _supervise(model: str, deployments: Deployments, supervisor: Supervisor) -> None:
    known = deployments.get(model, machine())
    supervisor.adopt()
    read = time.monotonic()
    while True:
        supervisor.turn(known.spec)
        if not known.spec.running and supervisor.is_over:
            deployments.remove(model, machine())
            return
        time.sleep(_TURN)
        if time.monotonic() - read > _READ:
            read = time.monotonic()
            try:
                known = _looked_after(deployments, deployments.get(model, machine()))
            except (EnvironmentLackError, ConflictError) as error:  # what runs goes on
                logging.warning("%s", error)
            except NotFoundError:
                return


def _looked_after(deployments: Deployments, known: Deployment) -> Deployment:
    """A canary whose controller is gone gets no more traffic: nobody would see that it fails. Its replicas stay for the next one."""
    traffic = known.spec.traffic
    if not (traffic.shares or traffic.shadow) or not is_unwatched(known.spec.place):
        return known
    logging.warning("nobody looks after the canary %s: all traffic to %s", [*traffic.shares, traffic.shadow], traffic.stable)
    return deployments.change(known, machine(), traffic=Traffic(traffic.stable))


def _replica(folder: Path, project: Path, port: int, features: str) -> tuple[list[str], Path, Mapping[str, str]]:
    environment = service_environment(project, port, "MLFLOW_") | {
        "SERVICE_DRAIN_SECONDS": "0.5", "SERVICE_GRACE_SECONDS": "30", "SERVICE_LOG_DIR": str(prediction_log(folder)),
        "SERVICE_FEATURE_STORE": features,
    }  # fmt: skip
    if not environment.get("SERVICE_LOG_HASH_KEY"):
        environment["SERVICE_LOG_HASH_KEY"] = hash_key(folder)
    return [sys.executable, "-m", "service"], project, environment


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
