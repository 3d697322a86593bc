"""Versions of a registered model behind Envoy, under load, with everything killed that can be."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from jupyter_mlops.cli import main
from jupyter_mlops.deploy.members import Member, read_members
from jupyter_mlops.errors import EnvironmentLackError, NotFoundError, UsageError
from jupyter_mlops.tracking.lifecycle import apply_lifecycle, find_version
from jupyter_mlops.tracking.store import store
from jupyter_mlops.workflows.deploying import DeployOptions, Status, deploy, deployment_status, undeploy
from jupyter_mlops.workflows.events import Event
from tests.conftest import Converted
from tests.deployed import Load, a_row, supervisors
from tests.promotable import MODEL, add_quick_version, model_folder, quick_project
from tests.unit.promotion.registry import add_version

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("envoy")]


def _member(found: Status, name: str) -> Member:
    return read_members(found.folder)[name]


def _until(holds: Callable[[Status], bool], seconds: float = 30) -> Status:
    deadline = time.monotonic() + seconds
    while not holds(found := deployment_status(MODEL)):
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    return found


def test_versions_come_and_go_and_processes_die_without_a_lost_request(
    deployable: str, port: int, converted: Callable[[str], Converted], tmp_path: Path
) -> None:
    events: list[Event] = []
    found = deploy(MODEL, "1", DeployOptions(port=port), events.append)
    assert (found.url, found.envoys, found.supervised) == (f"http://127.0.0.1:{port}", 2, True)
    assert [(one.version, one.share, one.replicas, one.ready) for one in found.versions] == [("1", 1.0, 2, 2)]
    assert [(one.step, one.status) for one in events if one.status == "done"] == [("fetch", "done"), ("replicas", "done")]
    assert add_quick_version(deployable, tmp_path) == "2"
    with Load(found.url, a_row(converted)) as load:
        assert set(load.phase()) == {"1"}

        # a share of the traffic
        found = deploy(MODEL, "2", DeployOptions(share=0.3))
        assert [(one.version, one.share) for one in found.versions] == [("1", 0.7), ("2", 0.3)]
        time.sleep(1)
        seen = load.phase(requests=400)
        assert seen["2"] / seen.total() == pytest.approx(0.3, abs=0.1)

        # all of it
        found = deploy(MODEL, "2")
        assert [(one.version, one.share, one.ready) for one in found.versions] == [("2", 1.0, 2)]
        assert set(load.phase()) == {"2"}

        # a replica dies, and comes back
        os.kill(_member(found, "2.0").pid, signal.SIGKILL)
        found = _until(lambda one: one.versions[0].restarts == 1 and one.versions[0].ready == 2)
        assert _member(found, "2.0").last_end == "killed by SIGKILL"

        # the supervisor dies: what runs goes on, and the next one finds it
        pids = {one.pid for one in read_members(found.folder).values()}
        for one in supervisors(found.folder):
            one.kill()
        found = _until(lambda one: not one.supervised)
        assert set(load.phase()) == {"2"}
        os.kill(_member(found, "2.1").pid, signal.SIGKILL)
        assert set(load.phase()) == {"2"}
        deploy(MODEL, "2")
        found = _until(lambda one: one.supervised and one.versions[0].ready == 2)
        assert len(pids - {one.pid for one in read_members(found.folder).values()}) == 1
        # An answer of which the head was sent when its replica was killed cannot be had from another one.
        assert len(load.failed) <= 2 and all("complete message body" in one for one in load.failed)

        # an Envoy dies: what is on its way through it is lost, at most one request of each client
        before = len(load.failed)
        os.kill(_member(found, "envoy-a").pid, signal.SIGKILL)
        load.phase(0.5)
        lost = len(load.failed)
        assert lost - before <= 4
        _until(lambda one: one.envoys == 2)
        assert set(load.phase()) == {"2"} and len(load.failed) == lost
    counted = deployment_status(MODEL).versions[0]
    assert counted.requests > 100 and counted.errors == 0 and 0 < counted.p50 <= counted.p99

    undeploy(MODEL)
    with pytest.raises(NotFoundError, match="is not deployed"):
        deployment_status(MODEL)
    psutil.wait_procs(supervisors(found.folder), timeout=10)
    assert not supervisors(found.folder)
    assert deploy(MODEL, "1", DeployOptions(port=port)).versions[0].ready == 2  # the port is free again


def test_a_version_that_does_not_start_changes_nothing(
    deployable: str, port: int, converted: Callable[[str], Converted], tmp_path: Path
) -> None:
    project = quick_project(deployable, tmp_path)
    (project / "service" / "app.py").write_text("raise RuntimeError('no such weather')\n", encoding="utf-8")
    assert (
        add_version(deployable, MODEL, project, tmp_path / "scratch", author="ada", source=model_folder(deployable, "1")) == "2"
    )
    with pytest.raises(EnvironmentLackError, match="no such weather"):
        deploy(MODEL, "2", DeployOptions(port=port, replicas=1))
    with pytest.raises(NotFoundError):
        deployment_status(MODEL)
    found = deploy(MODEL, "1", DeployOptions(port=port, replicas=1))
    with Load(found.url, a_row(converted)) as load:
        for options in (DeployOptions(), DeployOptions(share=0.1)):
            with pytest.raises(EnvironmentLackError, match="no such weather"):
                deploy(MODEL, "2", options)
            found = _until(lambda one: len(one.versions) == 1)
            assert (found.versions[0].version, found.versions[0].share, found.versions[0].ready) == ("1", 1.0, 1)
        assert set(load.answers) == {"1"} and load.failed == []


def test_what_cannot_be_deployed(deployable: str, port: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NotFoundError, match=rf"No version of {MODEL} is in production.*{MODEL}@1"):
        deploy(MODEL, None, DeployOptions(port=port))
    with pytest.raises(NotFoundError, match="no-such-model"):
        deploy("no-such-model")
    with pytest.raises(UsageError, match="without --share"):
        deploy(MODEL, "1", DeployOptions(share=0.5, port=port))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with pytest.raises(UsageError, match=rf"127.0.0.1:{port} cannot be listened on.*--port"):
            deploy(MODEL, "1", DeployOptions(port=port))
    with pytest.raises(NotFoundError):
        deployment_status(MODEL)
    assert main(["status", MODEL]) == 2
    assert main(["deploy", f"{MODEL}@x"]) == 2
    with pytest.raises(SystemExit):
        main(["deploy", f"{MODEL}@1", "--share", "120"])
    said = capsys.readouterr().err
    assert "is not deployed" in said and "MODEL[@VERSION]" in said and "share from 0 to 100" in said


def test_from_the_command_line(deployable: str, port: int, capsys: pytest.CaptureFixture[str]) -> None:
    with store(deployable) as client:
        client.set_registered_model_alias(MODEL, "production", "1")
    assert main(["deploy", MODEL, "--port", str(port), "--replicas", "1"]) == 0
    shown = capsys.readouterr().out
    assert f"http://127.0.0.1:{port}" in shown and "100.00%" in shown and "1/1" in shown
    with pytest.raises(UsageError, match="its port cannot change"):
        deploy(MODEL, "1", DeployOptions(port=port + 1))
    with pytest.raises(UsageError, match="is the stable one"):
        deploy(MODEL, "1", DeployOptions(share=0.1))
    capsys.readouterr()
    capsys.readouterr()
    assert main(["status"]) == 0  # of all that there are
    assert capsys.readouterr().out.startswith(f"{MODEL}  http://")
    assert main(["status", MODEL, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(one["version"], one["share"], one["ready"]) for one in found["versions"]] == [("1", 1.0, 1)]
    assert main(["deploy", MODEL, "--stop", "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["step"], one["status"]) for one in events] == [("stop", "started"), ("stop", "done")]
    assert main(["status", MODEL]) == 2
    assert main(["status"]) == 0
    assert "Nothing is deployed on this machine" in capsys.readouterr().out


def test_rollback_moves_the_traffic_and_the_registry(
    deployable: str, port: int, converted: Callable[[str], Converted], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add_quick_version(deployable, tmp_path) == "2"
    apply_lifecycle(deployable, MODEL, "2", "1")
    found = deploy(MODEL, None, DeployOptions(port=port, replicas=1))
    with Load(found.url, a_row(converted)) as load:
        assert set(load.phase()) == {"2"}
        assert main(["rollback", MODEL, "-m", "it misbehaves", "--json"]) == 0
        result = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert (result["status"], result["view"]["version"]) == ("promoted", "1")
        assert "it misbehaves" in result["view"]["journal"][0]["message"]
        assert set(load.phase()) == {"1"}
        assert load.failed == []
    assert [(one.version, one.share) for one in deployment_status(MODEL).versions] == [("1", 1.0)]
    facts = find_version(deployable, MODEL)
    assert (facts.champion, facts.aliases["previous"]) == ("1", "2")
