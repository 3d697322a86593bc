"""A promotion against a real registry and a real journal, with gates that take no time: order, kills, decisions, repair."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.errors import ConflictError, ForbiddenError, NotFoundError, TrackingError
from jupyter_mlops.processes import created, machine
from jupyter_mlops.promotion.gates.kinds import GateResult, Tell
from jupyter_mlops.promotion.journal import Journal
from jupyter_mlops.promotion.state import fold
from jupyter_mlops.tracking.lifecycle import DIGEST
from jupyter_mlops.tracking.store import registry_key, store
from jupyter_mlops.workflows import promote as module
from jupyter_mlops.workflows.events import Event
from jupyter_mlops.workflows.promote import PromoteResult
from jupyter_mlops.workflows.promotions import decide, find_promotion, promotion_view, promotions_of
from jupyter_mlops.workflows.reconciling import reconcile
from tests.unit.promotion.place import Place
from tests.unit.promotion.registry import add_version, aliases, lifecycle, small_project

pytestmark = [
    # MLflow's and SQLAlchemy's own, in their use of each other.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning:mlflow", "ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


def test_the_whole_way(place: Place) -> None:
    version = place.version()
    events: list[Event] = []
    waiting = place.promote(listen=events.append)
    assert (waiting.status, waiting.ok, waiting.exit_code) == ("waiting", True, 0)
    assert [(e.step, e.status) for e in events if e.status != "progress"] == [
        ("tests", "started"), ("tests", "done"), ("parity", "started"), ("parity", "done"), ("approval", "started"),
    ]  # fmt: skip
    assert next(e for e in events if e.status == "done").data["figures"] == {"tests": 3}
    assert aliases(place.uri, place.model) == {"staging": version}
    assert place.promote().status == "waiting"  # asking again changes nothing
    assert place.gates[0].asked == place.gates[1].asked == 1
    assert waiting.view["steps"][2]["message"] == "somebody other than its author ada has to approve"

    approved = place.decide(waiting, "approve", digest=waiting.view["digest"])
    assert (approved["status"], approved["mayDecide"]) == ("running", False)
    done = place.promote()
    assert (done.promotion, done.status) == (waiting.promotion, "promoted")
    assert aliases(place.uri, place.model) == {"production": version}
    assert lifecycle(place.uri, place.model) == {version: "Production"}
    assert place.gates[0].asked == 1
    whats = place.whats(done)
    assert whats.index("lifecycle-changed") < whats.index("promoted") == len(whats) - 1
    assert promotion_view(place.database, done.promotion, user="x")["journal"][-1]["message"].startswith("In production: version")
    assert done.as_dict() == {"ok": True, "promotion": done.promotion, "status": "promoted"}
    with pytest.raises(ConflictError, match="in production already"):
        place.promote(version)


def test_the_next_version_archives_the_one_before(place: Place) -> None:
    first = place.version()
    place.to_production()
    second = place.version()
    done = place.to_production()
    assert done.view["champion"] == first
    assert aliases(place.uri, place.model) == {"production": second, "previous": first}
    assert lifecycle(place.uri, place.model) == {first: "Archived", second: "Production"}
    third = place.version()
    place.to_production()
    assert aliases(place.uri, place.model) == {"production": third, "previous": second}
    assert lifecycle(place.uri, place.model) == {first: "Archived", second: "Archived", third: "Production"}
    found = promotions_of(place.database, place.uri, place.model, user="ada")
    assert [one["version"] for one in found] == [third, second, first]


class Killed(BaseException):
    """As kill -9: nothing is written afterwards."""


def test_killed_after_any_entry_it_goes_on(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """After each entry of the journal, and before what follows it."""
    former = place.version()
    place.to_production()
    append, start = Journal.append, Journal.start
    left = [0]

    def counted(write: Any) -> Any:
        def writing(*arguments: Any, **named: Any) -> Any:
            entry = write(*arguments, **named)
            left[0] -= 1
            if left[0] == 0:
                raise Killed
            return entry

        return writing

    monkeypatch.setattr(Journal, "append", counted(append))
    monkeypatch.setattr(Journal, "start", counted(start))
    killed = 0
    for after in range(1, 40):
        version = place.version()
        for gate in place.gates:
            gate.asked = 0
        left[0] = after
        stopped = False
        result: PromoteResult | None = None
        for _ in range(6):
            try:
                result = place.promote()
                if result.status != "waiting":
                    break
                place.decide(result, "approve")
            except Killed:
                stopped = True
            except ConflictError:  # killed right after the last entry: all was done, the version is in production
                [last, *_] = promotions_of(place.database, place.uri, place.model, user="ada")
                result = PromoteResult(last["id"], last["status"], last, place.uri)
                break
        left[0] = 0
        assert result is not None and result.status == "promoted", (after, result)
        assert aliases(place.uri, place.model) == {"production": version, "previous": former}, after
        assert lifecycle(place.uri, place.model)[former] == "Archived"
        whats = place.whats(result)
        assert (
            whats.count("started") == whats.count("approved") == whats.count("lifecycle-changed") == whats.count("promoted") == 1
        )
        assert [gate.asked for gate in place.gates] in ([1, 1], [2, 1], [1, 2])
        former = version
        if not stopped:
            break
        killed += 1
    assert killed > 10


def test_a_gate_that_says_no_ends_it(place: Place) -> None:
    version = place.version()
    place.gates[1].answer = GateResult("failed", "3 rows differ", {"mismatches": 3}, "the log")
    events: list[Event] = []
    result = place.promote(listen=events.append)
    assert (result.status, result.exit_code) == ("failed", 1)
    assert [(e.step, e.message, e.data) for e in events if e.status == "failed"] == [
        ("parity", "3 rows differ", {"figures": {"mismatches": 3}})
    ]
    step = result.view["steps"][1]
    assert (step["status"], step["figures"], step["log"]) == ("failed", {"mismatches": 3}, "the log")
    assert step["seconds"] is not None
    assert aliases(place.uri, place.model) == {"staging": version}
    with pytest.raises(ConflictError, match="is over: failed"):
        place.decide(result, "approve")
    place.gates[1].answer = GateResult("passed", "fine")
    assert place.promote().promotion != result.promotion  # a new one, from the beginning
    assert place.gates[0].asked == 2


def test_inconclusive_is_no_yes(place: Place) -> None:
    place.version()
    place.gates[0].answer = GateResult("inconclusive", "all were skipped")
    result = place.promote()
    assert (result.status, result.view["steps"][0]["status"]) == ("failed", "inconclusive")


def test_a_second_promotion_is_told_of_the_first(place: Place) -> None:
    first, second = place.version(), place.version()
    waiting = place.promote(first, user="cleo")
    with pytest.raises(ConflictError, match=f"Version {first} .*{waiting.promotion}, waiting, begun by cleo"):
        place.promote(second)
    assert place.promote().promotion == waiting.promotion  # without a version: the one under way
    place.decide(waiting, "reject")
    assert place.promote(second).status == "waiting"


def test_who_may_decide(place: Place) -> None:
    place.version("approval: {approvers: [ben, ada]}\n")
    waiting = place.promote(user="cleo")
    for user, words in (("ada", "ask ben"), ("dora", "ask them")):
        with pytest.raises(ForbiddenError, match=words):
            place.decide(waiting, "approve", user=user)
        with pytest.raises(ForbiddenError, match=words):
            place.decide(waiting, "reject", user=user)
    with pytest.raises(ForbiddenError, match="begun by cleo"):
        place.decide(waiting, "cancel", user="dora")
    with pytest.raises(ConflictError, match="not for the one that you looked at"):
        place.decide(waiting, "approve", digest="0" * 64)
    assert promotion_view(place.database, waiting.promotion, user="ben")["mayDecide"]
    place.decide(waiting, "approve", user="ben")
    with pytest.raises(ConflictError, match="does not wait"):
        place.decide(waiting, "approve", user="ben")  # twice
    with pytest.raises(NotFoundError, match="promote MODEL` shows the one under way, or begins one"):
        decide(place.database, "pr-none", "approve", user="ben", comment="")


def test_the_author_may_where_the_policy_says_so(place: Place) -> None:
    place.version("approval: {self: true}\n")
    place.decide(place.promote(), "approve", user="ada")
    assert place.promote().status == "promoted"


def test_no_approval_where_none_is_asked_for(place: Place) -> None:
    version = place.version("approval: {required: false}\n")
    result = place.promote()
    assert result.status == "promoted"
    assert result.view["steps"][2]["status"] == "skipped"
    assert aliases(place.uri, place.model) == {"production": version}


def test_a_policy_that_cannot_be_read_ends_it(place: Place) -> None:
    version = place.version("approval: {requird: true}\n")
    result = place.promote()
    assert result.status == "failed"
    assert f"promotion.yaml of {place.model} version {version}: approval.requird" in result.view["steps"][0]["message"]


@pytest.mark.parametrize("what", ["tag", "archive", "model", "loader", "version"])
def test_an_approval_is_void_when_the_artifact_changed(place: Place, what: str) -> None:
    first = place.version()
    place.to_production()
    version = place.version()
    waiting = place.promote()
    place.decide(waiting, "approve")
    with store(place.uri) as client:
        run_id = client.get_model_version(place.model, version).run_id
        assert run_id is not None
        run = Path(client.get_run(run_id).info.artifact_uri.removeprefix("file://"))
        if what == "tag":
            client.set_model_version_tag(place.model, version, DIGEST, "0" * 64)
        elif what == "archive":
            with (run / "project" / "project.zip").open("ab") as file:
                file.write(b"\0")
        elif what == "model":
            (run / "model" / "artifacts" / "model" / "model.txt").write_text("other weights", encoding="utf-8")
        elif what == "loader":
            with (run / "model" / "MLmodel").open("a", encoding="utf-8") as file:
                file.write("# another loader\n")
        else:
            client.delete_model_version(place.model, version)
    result = place.promote()
    assert (result.status, result.promotion) == ("failed", waiting.promotion)
    step = result.view["steps"][3]
    assert step["status"] == "failed"
    assert step["message"].startswith("The approval is void: ")
    assert aliases(place.uri, place.model)["production"] == first
    assert lifecycle(place.uri, place.model)[first] == "Production"


def test_a_version_without_a_project_says_to_convert_again(place: Place) -> None:
    place.version(archive=False)
    result = place.promote()
    assert result.status == "failed"
    assert "without its project" in result.view["steps"][0]["message"]
    assert "Convert the notebook again" in result.view["steps"][0]["message"]
    assert place.gates[0].asked == 0


def test_cancelled_while_a_gate_runs(place: Place) -> None:
    place.version()
    running = threading.Event()

    def during(tell: Tell) -> None:
        running.set()
        for _ in range(200):
            tell("still at it", None)
            time.sleep(0.05)
        raise AssertionError("nobody stopped it")

    place.gates[0].during = during
    made: list[PromoteResult] = []
    thread = threading.Thread(target=lambda: made.append(place.promote()))
    thread.start()
    assert running.wait(60)
    state = find_promotion(place.database, place.model, place.uri)
    assert state.status == "running"
    with pytest.raises(ConflictError, match="being worked on already"):
        place.promote()  # a second one in this process
    with pytest.raises(ForbiddenError):
        decide(place.database, state.id, "cancel", user="dora", comment="")
    decide(place.database, state.id, "cancel", user="ada", comment="not now")
    thread.join(30)
    assert not thread.is_alive()
    assert (made[0].status, made[0].exit_code) == ("cancelled", 1)
    assert made[0].view["steps"][0]["message"] == "Cancelled by ada: not now"
    place.gates[0].during = None
    assert place.promote().status == "waiting"


def _begun_by(place: Place, runner: dict[str, Any]) -> str:
    """A promotion that this process has begun, as far as the journal knows."""
    version = place.version()
    with store(place.uri) as client:
        found = client.get_model_version(place.model, version)
    steps = [["tests", "Tests"], ["parity", "Parity"], ["approval", "Approval"], ["lifecycle", "Into production"]]
    data = {"steps": steps, "runner": runner, "digest": found.tags[DIGEST], "run": found.run_id, "author": "ada"}
    return Journal(place.database).start(registry_key(place.uri), place.model, version, "ada", data).promotion


def test_another_process_that_works_on_it_is_left_alone(place: Place) -> None:
    """As long as it lives: its process is looked up by id and time of creation; one that nobody has waited for is over."""
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
    try:
        started = _begun_by(place, {**module._runner(), "pid": other.pid, "created": created(other.pid)})
        with pytest.raises(ConflictError, match="being worked on already"):
            place.promote()
        other.kill()
        while created(other.pid) is not None:
            time.sleep(0.05)
        result = place.promote()
    finally:
        other.kill()
        other.wait()
    assert (result.promotion, result.status) == (started, "waiting")
    assert place.whats(result)[1] == "resumed"


def test_a_process_in_another_container_of_the_same_name_is_left_alone(place: Place) -> None:
    """Its id means nothing here: only its silence tells."""
    host = machine().partition(" ")[0]
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    _begun_by(place, {**module._runner(), "machine": f"{host} pid:[1]", "pid": gone.pid})
    with pytest.raises(ConflictError, match=rf"being worked on already \(on {host}\)"):
        place.promote()


def test_a_registry_that_goes_away_stops_it_and_it_goes_on(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    version = place.version()
    waiting = place.promote()
    place.decide(waiting, "approve")

    def away(*arguments: Any) -> None:
        raise TrackingError("The tracking server does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(module, "apply_lifecycle", away)
        with pytest.raises(TrackingError):
            place.promote()
    state = find_promotion(place.database, waiting.promotion, place.uri)
    assert (state.status, state.runner) == ("running", None)
    assert "does not answer" in state.step("lifecycle").message
    with pytest.raises(ConflictError, match="changing the registry"):
        place.decide(waiting, "cancel", user="ada")
    assert reconcile(
        Journal(place.database), place.uri, place.model, place.database, "ada"
    )  # the decision is in the journal: it can be carried out
    assert aliases(place.uri, place.model) == {"production": version}
    assert place.promote().status == "promoted"


def test_long_work_gives_word_of_itself(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else another machine would take it for gone."""
    monkeypatch.setattr("jupyter_mlops.workflows.promote._WORD", 0.5)
    place.version()

    def during(tell: Tell) -> None:
        for _ in range(25):
            time.sleep(0.1)
            tell("", None)

    place.gates[0].during = during
    waiting = place.promote()
    assert waiting.status == "waiting"
    assert 1 <= place.whats(waiting).count("at-work") <= 3
    assert next(one["message"] for one in waiting.view["journal"] if one["what"] == "at-work") == "Still at work"


def test_the_registry_is_made_to_agree_with_the_journal(place: Place) -> None:
    first = place.version()
    place.to_production()
    second = place.version()
    place.to_production()
    assert reconcile(Journal(place.database), place.uri, place.model, place.database, "ada") == []
    with store(place.uri) as client:  # by hand, in MLflow's own page
        client.set_registered_model_alias(place.model, "production", first)
        client.delete_registered_model_alias(place.model, "previous")
        client.set_model_version_tag(place.model, second, "lifecycle", "Staging")
    assert len(reconcile(Journal(place.database), place.uri, place.model, place.database, "ada")) == 3
    assert aliases(place.uri, place.model) == {"production": second, "previous": first}
    assert lifecycle(place.uri, place.model) == {first: "Archived", second: "Production"}
    with store(place.uri) as client:
        client.set_registered_model_alias(place.model, "production", first)
    third = place.version()
    begun = place.promote()  # beginning one repairs too, and says so
    assert begun.view["champion"] == second
    assert "set right in the registry first" in begun.view["journal"][0]["message"]
    place.decide(begun, "approve")
    place.promote()
    assert aliases(place.uri, place.model) == {"production": third, "previous": second}


def test_a_model_that_was_registered_anew_owes_nothing_to_the_old_one(place: Place) -> None:
    place.version()
    done = place.to_production()
    with store(place.uri) as client:
        client.delete_registered_model(place.model)
    project = small_project(place.folder / "other")
    (project / "model" / "model.txt").write_text("other weights", encoding="utf-8")
    version = add_version(place.uri, place.model, project, place.folder / "scratch")
    assert version == done.view["version"]
    assert reconcile(Journal(place.database), place.uri, place.model, place.database, "ada") == []
    runs = {version: "the run of the new one"}
    assert promotions_of(place.database, place.uri, place.model, user="ada", runs=runs) == []
    asked = place.gates[0].asked
    assert place.promote().status == "waiting"  # through its own gates
    assert place.gates[0].asked == asked + 1
    assert aliases(place.uri, place.model) == {"staging": version}
    assert [one["status"] for one in promotions_of(place.database, place.uri, place.model, user="ada", runs=runs)] == ["waiting"]


def test_an_approval_is_not_for_another_version_of_the_same_number(place: Place) -> None:
    place.version()
    waiting = place.promote()
    with store(place.uri) as client:
        client.delete_registered_model(place.model)
    version = place.version(author="ben")  # the very same project, by the one who approves
    place.decide(waiting, "approve", user="ben")
    done = place.promote()
    assert (done.status, done.view["steps"][-2]["status"]) == ("failed", "failed")
    assert "registered anew" in done.view["steps"][-2]["message"]
    assert aliases(place.uri, place.model) == {"staging": version}


def test_a_champion_that_was_deleted_does_not_stop_the_next(place: Place) -> None:
    first = place.version()
    place.to_production()
    with store(place.uri) as client:
        client.delete_model_version(place.model, first)
    second = place.version()
    done = place.to_production()
    assert (done.status, done.view["champion"]) == ("promoted", None)
    assert aliases(place.uri, place.model) == {"production": second}


def test_a_version_that_was_deleted_after_the_decision_ends_its_promotion(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    version = place.version()
    waiting = place.promote()
    place.decide(waiting, "approve")
    with monkeypatch.context() as patch:

        def away(*_: Any) -> list[str]:
            raise TrackingError("away")

        patch.setattr(module, "apply_lifecycle", away)
        with pytest.raises(TrackingError, match="away"):
            place.promote()
    with store(place.uri) as client:
        client.delete_model_version(place.model, version)
    done = place.promote()
    assert done.status == "failed"
    assert "was deleted" in done.view["steps"][-1]["message"]
    place.version()
    assert place.to_production().status == "promoted"


def test_a_name_with_an_apostrophe(place: Place) -> None:
    place.model = f"{place.model}'s"
    with store(place.uri) as client:
        client.create_registered_model(place.model)
        run = client.create_run("0")
        client.create_model_version(place.model, f"{run.info.artifact_uri}/model", run_id=run.info.run_id)
    assert place.promote().view["version"] == "1"


def test_what_is_not_there(place: Place) -> None:
    with pytest.raises(NotFoundError, match=r"No model .* is registered"):
        place.promote()
    place.version()
    with pytest.raises(NotFoundError, match="has no version 9"):
        place.promote("9")
    with pytest.raises(NotFoundError, match="neither a promotion nor a model"):
        find_promotion(place.database, place.model, place.uri)


def test_one_registry_has_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.chdir(tmp_path / "real")
    name = f"sqlite:///{(tmp_path / 'real').resolve()}/mlflow.db"
    assert registry_key("sqlite:///mlflow.db") == registry_key(f"sqlite:///{tmp_path}/link/mlflow.db") == name
    assert registry_key("https://ada:secret@mlflow:5000/") == "https://mlflow:5000"


def test_the_state_is_what_the_journal_says(place: Place) -> None:
    place.version()
    waiting = place.promote()
    state = fold(Journal(place.database).entries(waiting.promotion))
    assert state.rule == {"required": True, "approvers": [], "self": False}
    assert state.digest == waiting.view["digest"]
    assert len(state.digest or "") == 64


def test_the_commands(place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Reject as an approver, withdraw as the author, approve without going on; the codes that they end with."""
    from jupyter_mlops.cli import main

    monkeypatch.setenv("JUPYTER_MLOPS_DATABASE", place.database)
    monkeypatch.setattr("jupyter_mlops.commands.promote.stop_on_termination", lambda: None)

    def call(user: str, *words: str) -> tuple[int, str, str]:
        monkeypatch.setenv("JUPYTER_MLOPS_USER", user)
        code = main([*words, "--tracking-uri", place.uri])
        said = capsys.readouterr()
        return code, said.out, said.err

    place.version()
    code, out, _ = call("ada", "promote", place.model, "-m", "for the autumn")
    assert code == 0
    assert "status    waiting" in out
    assert "Not you: You (ada) made this version" in out
    code, out, _ = call("ben", "reject", place.model, "-m", "too late in the year")
    assert (code, "Rejected by ben: too late in the year" in out) == (0, True)
    assert call("ben", "reject", place.model)[0] == 2  # none is under way
    assert call("ada", "promote", place.model)[0] == 0
    code, out, _ = call("dora", "approve", place.model, "--no-continue")
    assert (code, "status    running" in out) == (0, True)
    code, out, _ = call("ada", "promote", f"{place.model}@1")
    assert (code, "status    promoted" in out) == (0, True)

    place.version()
    assert call("ada", "promote", place.model)[0] == 0
    code, _, err = call("ada", "approve", place.model)
    assert (code, "colleague" in err) == (1, True)
    code, out, _ = call("ada", "reject", place.model, "-m", "found a mistake")
    assert (code, "Cancelled by ada: found a mistake" in out) == (0, True)
    place.gates[0].answer = GateResult("failed", "1 of 3 tests failed", log="the log of it")
    code, out, err = call("ada", "promote", place.model)
    assert (code, "1 of 3 tests failed" in out, "the log of it" in err) == (1, True, True)
    code, _, err = call("ada", "promote", "no-such-model")
    assert (code, "No model no-such-model is registered" in err) == (2, True)
    assert call("ada", "promote", f"{place.model}@staging")[0] == 2
