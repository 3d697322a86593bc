"""A promotion that moves traffic: the gates at once, then real replicas, a real Envoy, and clients that ask all the time."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.deploy.files import CANARY
from jupyter_mlops.errors import ConflictError, NotFoundError, UsageError
from jupyter_mlops.promotion.gates.audit import Audit
from jupyter_mlops.promotion.journal import Journal
from jupyter_mlops.tracking.lifecycle import PRODUCTION, apply_lifecycle
from jupyter_mlops.tracking.store import registry_key
from jupyter_mlops.workflows.deploying import DeployOptions, deploy, deployment_status
from jupyter_mlops.workflows.events import Event
from jupyter_mlops.workflows.promote import PromoteOptions, PromoteResult, promote
from jupyter_mlops.workflows.promotions import decide, promotions_of
from jupyter_mlops.workflows.reconciling import reconcile
from tests.conftest import Converted
from tests.deployed import Load, a_row, add_broken_version
from tests.promotable import MODEL, add_quick_version
from tests.unit.promotion.registry import aliases, lifecycle

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("envoy")]

POLICY = """
approval: {required: false}
canary: {steps: [10, 50], seconds: 2, requests: 20, bake: 2}
"""
SLOW = POLICY.replace("seconds: 2,", "seconds: 600,")


@pytest.fixture(autouse=True)
def _one_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others have tests of their own."""
    monkeypatch.setattr("jupyter_mlops.workflows.promote.GATES", (Audit(),))


@pytest.fixture
def served(deployable: str, port: int) -> str:
    """Version 1 in production, and deployed."""
    apply_lifecycle(deployable, MODEL, "1", None)
    deploy(MODEL, "1", DeployOptions(port=port, replicas=1))
    return deployable


def _promote(uri: str, listen: Any = lambda event: None) -> PromoteResult:
    return promote(MODEL, "2", PromoteOptions(tracking_uri=uri, user="ada"), listen)


def _step(result: PromoteResult, name: str) -> dict[str, Any]:
    return next(one for one in result.view["steps"] if one["name"] == name)


def _traffic() -> list[tuple[str, float]]:
    return [(one.version, one.share) for one in deployment_status(MODEL).versions]


def test_a_good_version_gets_all_traffic_and_then_goes_into_production(
    served: str, converted: Callable[[str], Converted], tmp_path: Path
) -> None:
    assert add_quick_version(served, tmp_path, policy=POLICY.replace("bake: 2", "bake: 2, shadow: 2")) == "2"
    meanwhile: list[dict[str, str]] = []
    events: list[Event] = []

    def listen(event: Event) -> None:
        events.append(event)
        if event.step == "canary" and event.data and not meanwhile:
            meanwhile.append(aliases(served, MODEL))

    with Load(deployment_status(MODEL).url, a_row(converted)) as load:
        done = _promote(served, listen)
        assert done.status == "promoted", done.view
        assert set(load.phase()) == {"2"}
        assert load.failed == []
    assert meanwhile == [{"production": "1", "canary": "2", "staging": "2"}]
    assert aliases(served, MODEL) == {"production": "2", "previous": "1"}
    assert lifecycle(served, MODEL) == {"1": "Archived", "2": "Production"}
    assert _traffic() == [("2", 1.0)]
    step = _step(done, "canary")
    assert step["status"] == "passed"
    assert step["figures"]["share"] == 100
    assert step["figures"]["requests"] >= 20
    moves = [one["message"] for one in done.view["journal"] if one["what"] == "traffic-moved"]
    assert moves == [
        "version 1 serves", "version 2 gets copies of the requests", *(f"version 2 gets {share} of the traffic" for share in ("10%", "50%", "100%")),
    ]  # fmt: skip
    shadow = [one.data["figures"] for one in events if one.step == "canary" and one.data.get("figures", {}).get("share") == 0]
    assert shadow[-1]["requests"] >= 20  # although none of its answers was seen
    looks = [one for one in events if one.step == "canary" and one.data.get("figures", {}).get("share") == 50]
    assert looks[-1].message.startswith("50%: ")
    assert looks[-1].data["figures"]["evidence"] < 20


def test_a_bad_version_goes_back_and_production_is_untouched(
    served: str, converted: Callable[[str], Converted], tmp_path: Path
) -> None:
    assert add_broken_version(served, tmp_path, policy=SLOW) == "2"
    with Load(deployment_status(MODEL).url, a_row(converted)) as load:
        done = _promote(served)
        assert done.status == "failed"
        assert set(load.phase()) == {"1"}
    assert "fails more often" in _step(done, "canary")["message"]
    assert _step(done, "lifecycle")["status"] == "pending"
    assert aliases(served, MODEL) == {"production": "1", "staging": "2"}
    assert _traffic() == [("1", 1.0)]


def test_cancelled_in_the_middle_it_goes_back(served: str, converted: Callable[[str], Converted], tmp_path: Path) -> None:
    add_quick_version(served, tmp_path, policy=SLOW)
    database = os.environ["JUPYTER_MLOPS_DATABASE"]

    def listen(event: Event) -> None:
        if event.step == "canary" and event.data.get("figures", {}).get("requests", 0) > 5:
            [one] = [one for one in promotions_of(database, served, MODEL, user="ada") if one["ended"] is None]
            decide(database, one["id"], "cancel", user="ada", comment="second thoughts", registry=served)

    with Load(deployment_status(MODEL).url, a_row(converted)) as load:
        done = _promote(served, listen)
        assert done.status == "cancelled"
        assert set(load.phase()) == {"1"}
        assert load.failed == []
    assert _step(done, "canary")["message"] == "Cancelled by ada: second thoughts"
    assert aliases(served, MODEL) == {"production": "1", "staging": "2"}
    assert _traffic() == [("1", 1.0)]


_RUN = f"""
import sys
from jupyter_mlops.promotion.gates.audit import Audit
from jupyter_mlops.workflows import promote
promote.GATES = (Audit(),)
from jupyter_mlops.commands.console import print_event
promote.promote("{MODEL}", "2", promote.PromoteOptions(user="ada"), print_event)
"""


def test_killed_in_the_middle_it_goes_on_or_is_cancelled(
    served: str, converted: Callable[[str], Converted], tmp_path: Path
) -> None:
    """And where nobody goes on with it, the supervisor takes the traffic back."""
    add_quick_version(served, tmp_path, policy=SLOW)
    database = os.environ["JUPYTER_MLOPS_DATABASE"]
    with Load(deployment_status(MODEL).url, a_row(converted)) as load:
        _killed_at(10)
        assert _traffic() == [("1", 0.9), ("2", 0.1)]
        # As after two minutes in which nobody has looked.
        past = time.time() - 3600
        os.utime(deployment_status(MODEL).folder / CANARY, (past, past))
        deadline = time.monotonic() + 20
        while _traffic() != [("1", 1.0), ("2", 0.0)]:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        load.phase(1.0)
        assert set(load.phase()) == {"1"}
        _killed_at(10)
        assert _traffic() == [("1", 0.9), ("2", 0.1)]
        [one] = promotions_of(database, served, MODEL, user="ada")
        assert [entry["what"] for entry in one["journal"]].count("resumed") == 1
        decide(database, one["id"], "cancel", user="ada", comment="", registry=served)
        assert _traffic() == [("1", 1.0)]
        assert aliases(served, MODEL) == {"production": "1", "staging": "2"}
        assert load.failed == []
    assert [entry.what for entry in Journal(database).entries(one["id"])][-2:] == ["cancelled", "traffic-returned"]


def _killed_at(share: int) -> None:
    with subprocess.Popen([sys.executable, "-c", _RUN], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            figures = event.get("data", {}).get("figures", {})
            if event["step"] == "canary" and figures.get("share") == share and figures.get("requests", 0) > 3:
                process.send_signal(signal.SIGKILL)
                return
    raise AssertionError("it ended by itself")


def test_the_first_version_is_deployed_by_its_promotion(
    deployable: str, port: int, converted: Callable[[str], Converted], tmp_path: Path
) -> None:
    policy = f"approval: {{required: false}}\ndeploy: {{target: local, port: {port}, replicas: 1}}\n"
    add_quick_version(deployable, tmp_path, policy=policy)
    done = _promote(deployable)
    assert done.status == "promoted", done.view
    assert _step(done, "canary")["figures"]["url"] == f"http://127.0.0.1:{port}"
    assert _traffic() == [("2", 1.0)]
    assert aliases(deployable, MODEL)[PRODUCTION] == "2"
    with Load(deployment_status(MODEL).url, a_row(converted)) as load:
        assert set(load.phase()) == {"2"}


def test_a_port_in_use_stops_a_first_deployment_and_it_goes_on(deployable: str, port: int, tmp_path: Path) -> None:
    policy = f"approval: {{required: false}}\ndeploy: {{target: local, port: {port}, replicas: 1}}\n"
    add_quick_version(deployable, tmp_path, policy=policy)
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(UsageError, match=f"127.0.0.1:{port} cannot be listened on"):
            _promote(deployable)
    assert aliases(deployable, MODEL) == {"staging": "2", "canary": "2"}
    [one] = promotions_of(os.environ["JUPYTER_MLOPS_DATABASE"], deployable, MODEL, user="ada")
    assert one["journal"][-1]["what"] == "interrupted"
    assert _promote(deployable).status == "promoted"
    assert aliases(deployable, MODEL) == {"production": "2"}


def test_a_first_deployment_that_is_cancelled_serves_no_more(deployable: str, port: int, tmp_path: Path) -> None:
    policy = f"approval: {{required: false}}\ndeploy: {{target: local, port: {port}, replicas: 1}}\n"
    add_quick_version(deployable, tmp_path, policy=policy)
    database = os.environ["JUPYTER_MLOPS_DATABASE"]

    def listen(event: Event) -> None:
        if event.step == "canary" and event.message == "1 of version 2":  # its replica starts
            [one] = promotions_of(database, deployable, MODEL, user="ada")
            decide(database, one["id"], "cancel", user="ada", comment="", registry=deployable)

    assert _promote(deployable, listen).status == "cancelled"
    with pytest.raises(NotFoundError, match="is not deployed"):
        deployment_status(MODEL)
    assert aliases(deployable, MODEL) == {"staging": "2"}


def test_traffic_that_an_ended_promotion_has_left_goes_back_before_the_next(
    served: str, converted: Callable[[str], Converted], tmp_path: Path
) -> None:
    """As where a cancelling process was killed between its entry in the journal and the traffic."""
    add_quick_version(served, tmp_path, policy=POLICY.replace("bake: 2", "bake: 600"))
    database = os.environ["JUPYTER_MLOPS_DATABASE"]
    with Load(deployment_status(MODEL).url, a_row(converted)) as load:
        _killed_at(100)
        load.phase(2.0)  # the Envoys follow
        assert set(load.phase()) == {"2"}
        journal = Journal(database)
        [entries] = journal.of_model(registry_key(served), MODEL)
        journal.append(entries[-1], "ada", "cancelled")
        said = reconcile(journal, served, MODEL, database, "ada")
        assert said == ["alias canary taken off", "all traffic to version 1"]
        assert set(load.phase()) == {"1"}
        assert reconcile(journal, served, MODEL, database, "ada") == []
        assert load.failed == []
        deploy(MODEL, "2", DeployOptions(replicas=1))  # by hand, afterwards: that is nobody's to undo
        assert reconcile(journal, served, MODEL, database, "ada") == []
    assert _traffic() == [("2", 1.0)]


def test_without_a_deployment_there_is_no_traffic_to_move(deployable: str, port: int, tmp_path: Path) -> None:
    add_quick_version(deployable, tmp_path, policy=POLICY)
    done = _promote(deployable)
    assert done.status == "promoted"
    assert _step(done, "canary")["status"] == "skipped"
    assert f"jupyter mlops deploy {MODEL}" in _step(done, "canary")["message"]
    assert aliases(deployable, MODEL) == {"production": "2"}


def test_traffic_that_is_shared_by_hand_is_not_taken_over(
    served: str, converted: Callable[[str], Converted], tmp_path: Path
) -> None:
    add_quick_version(served, tmp_path / "second", policy=POLICY)
    add_quick_version(served, tmp_path / "third", policy=POLICY)
    deploy(MODEL, "3", DeployOptions(share=0.1, replicas=1))
    with pytest.raises(ConflictError, match=r"Version 3 of penguins shares the traffic already"):
        _promote(served)
    assert aliases(served, MODEL)["production"] == "1"
    deploy(MODEL, "1")
    with Load(deployment_status(MODEL).url, a_row(converted)):
        assert _promote(served).status == "promoted"
