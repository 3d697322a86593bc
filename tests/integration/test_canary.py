"""A version takes over in steps, or is taken off again: real replicas, a real Envoy, clients that ask all the time."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_mlops.cli import main
from jupyter_mlops.deploy.members import read_members
from jupyter_mlops.errors import ConflictError, NotFoundError, UsageError
from jupyter_mlops.workflows.canary import CanaryOptions, run_canary
from jupyter_mlops.workflows.deploying import DeployOptions, deploy, deployment_status
from jupyter_mlops.workflows.events import Event
from tests.conftest import Converted
from tests.deployed import Load, a_row, add_broken_version
from tests.promotable import MODEL, add_quick_version

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("envoy")]

ONE = DeployOptions(replicas=1)
QUICK = CanaryOptions(shares=(0.1, 0.5), seconds=2.0, requests=20, bake=2.0, look=0.5)


def test_a_good_version_takes_over_without_a_lost_request(
    deployable: str, port: int, converted: Callable[[str], Converted], tmp_path: Path
) -> None:
    found = deploy(MODEL, "1", DeployOptions(port=port, replicas=1))
    assert add_quick_version(deployable, tmp_path) == "2"
    events: list[Event] = []
    with Load(found.url, a_row(converted)) as load:
        result = run_canary(MODEL, "2", QUICK, ONE, events.append)
        assert (result.status, result.version) == ("promoted", "2")
        assert set(load.phase()) == {"2"}
        assert load.failed == []
    found = deployment_status(MODEL)
    assert [(one.version, one.share, one.ready) for one in found.versions] == [("2", 1.0, 1)]
    steps = [one for one in events if one.step.startswith("canary")]
    assert [(one.step, one.status) for one in steps if one.status != "progress"] == [
        ("canary 10%", "started"), ("canary 10%", "done"), ("canary 50%", "started"), ("canary 50%", "done"),
        ("canary 100%", "started"), ("canary 100%", "done"),
    ]  # fmt: skip
    assert all(one.data["requests"] >= 20 and one.data["evidence"] < 20 for one in steps if one.status == "done" and one.data)
    assert not (found.folder / "canary.json").exists()


def test_a_bad_version_is_taken_off_and_said_why(
    deployable: str, port: int, converted: Callable[[str], Converted], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = deploy(MODEL, "1", DeployOptions(port=port, replicas=1))
    assert add_broken_version(deployable, tmp_path) == "2"
    with Load(found.url, a_row(converted)) as load:
        result = run_canary(MODEL, "2", CanaryOptions(shares=(0.2, 0.5), seconds=30.0, look=0.5), ONE)
        assert result.status == "aborted" and "fails more often than the stable version" in result.reason
        failed = len(load.failed)
        assert set(load.phase()) == {"1"} and len(load.failed) == failed
        # Twenty percent went to a version that failed in a third of them, until that was seen.
        assert failed < 0.1 * load.answers.total()

        # as the command line has it, with a version that dies
        with subprocess.Popen([sys.executable, "-c", _KILLER, str(found.folder)]) as killer:
            assert main(["deploy", f"{MODEL}@2", "--canary", "--replicas", "1", "--json"]) == 1
            assert killer.wait() == 0
        said = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert said["status"] == "aborted" and ("no replica" in said["reason"] or "fail" in said["reason"])
        assert set(load.phase()) == {"1"}
    assert [(one.version, one.share) for one in deployment_status(MODEL).versions] == [("1", 1.0)]


# Kills the replica of version 2 once the canary has begun.
_KILLER = """
import os, signal, sys, time
from pathlib import Path
from jupyter_mlops.deploy.members import read_members
folder = Path(sys.argv[1])
while not (folder / "canary.json").exists():
    time.sleep(0.05)
os.kill(read_members(folder)["2.0"].pid, signal.SIGKILL)
"""


def test_a_canary_goes_on_where_it_was_killed(
    deployable: str, port: int, converted: Callable[[str], Converted], tmp_path: Path
) -> None:
    found = deploy(MODEL, "1", DeployOptions(port=port, replicas=1))
    add_quick_version(deployable, tmp_path)
    command = [
        sys.executable,
        "-m",
        "jupyter_mlops",
        "deploy",
        f"{MODEL}@2",
        "--canary",
        "--replicas",
        "1",
        "--step-seconds",
        "600",
    ]
    with Load(found.url, a_row(converted)) as load:
        with subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, text=True) as first:
            assert first.stdout is not None
            for line in first.stdout:
                event = json.loads(line)
                if event["step"] == "canary 1%" and event["status"] == "progress" and event["data"]["requests"] >= 5:
                    break
            first.kill()
        assert [(one.version, one.share) for one in deployment_status(MODEL).versions] == [("1", 0.99), ("2", 0.01)]
        pid = read_members(found.folder)["2.0"].pid
        events: list[Event] = []
        more = CanaryOptions(shares=(0.01, 0.5), seconds=2.0, requests=20, bake=1.0, look=0.5)
        result = run_canary(MODEL, "2", more, ONE, events.append)
        assert result.status == "promoted"
        assert events[0].step == "canary 1%"  # nothing was deployed anew
        assert read_members(found.folder)["2.0"].pid == pid
        looks = [one.data["requests"] for one in events if one.step == "canary 1%" and one.data]
        assert looks[0] >= 5  # what was seen before the kill counts
        assert load.failed == []


def test_what_is_no_canary(deployable: str, port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NotFoundError, match="is not deployed"):
        run_canary(MODEL, "1")
    deploy(MODEL, "1", DeployOptions(port=port, replicas=1))
    with pytest.raises(ConflictError, match="all the traffic already"):
        run_canary(MODEL, "1")
    for shares in ((), (0.5, 0.1), (0.5, 1.0), (0.0, 0.5)):
        with pytest.raises(UsageError, match="must grow"):
            CanaryOptions(shares=shares)
    add_quick_version(deployable, tmp_path)
    deploy(MODEL, "2", DeployOptions(share=0.1, replicas=1))
    (tmp_path / "third").mkdir()
    add_quick_version(deployable, tmp_path / "third")
    with pytest.raises(ConflictError, match=rf"Version 2 of {MODEL} shares the traffic already.*{MODEL}@1"):
        run_canary(MODEL, "3", QUICK, ONE)
    assert main(["deploy", MODEL, "--canary"]) == 2
    assert main(["deploy", f"{MODEL}@2", "--canary", "--share", "5"]) == 2
    assert "MODEL@VERSION --canary" in capsys.readouterr().err
    assert [one.version for one in deployment_status(MODEL).versions] == ["1", "2"]
