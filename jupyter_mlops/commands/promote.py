"""``jupyter mlops promote``, ``approve``, ``reject`` and ``rollback``: a model version's way into production, and back."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from jupyter_mlops.commands.console import Console, print_event
from jupyter_mlops.commands.run import stop_on_termination

if TYPE_CHECKING:
    from jupyter_mlops.promotion.state import PromotionState
    from jupyter_mlops.workflows.promote import PromoteResult

__all__ = [
    "COMMANDS",
    "add_approve",
    "add_parser",
    "add_reject",
    "add_rollback",
    "approve",
    "model_and_version",
    "reject",
    "rollback",
    "run",
]

_CODES = "Exit codes: 0 in production or waiting for an approval, 1 a gate or a person said no, 2 usage or environment, 130 interrupted."
_MARKS = {"passed": "✓", "failed": "✗", "inconclusive": "?", "skipped": "-", "waiting": "…", "running": "·", "pending": " "}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``promote`` to the command line."""
    parser = commands.add_parser(
        "promote",
        help="take a registered model version through its gates and an approval into production",
        description="Take the version through its gates (audit, the tests of its project, parity, holdout, metrics, API, latency), wait "
        "for an approval, move the traffic to it where the model is deployed on this machine, then put it into production and archive "
        "the one before. Whatever stops it: the same command goes on where it stood.",
        epilog=_CODES,
    )
    parser.add_argument(
        "model",
        nargs="?",
        metavar="MODEL[@VERSION]",
        help="name of the registered model (default version: the one in staging, else the newest)",
    )
    parser.add_argument(
        "--project", type=Path, metavar="DIR",
        help="run the gates on this converted project instead, and nothing else: for its CI; compares with the version in production "
        "where --tracking-uri or MLFLOW_TRACKING_URI names a registry",
    )  # fmt: skip
    parser.add_argument("-m", "--comment", default="", metavar="TEXT", help="why; it stands in the journal")
    _add_shared(parser)


def add_approve(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``approve`` to the command line."""
    parser = commands.add_parser(
        "approve",
        help="approve a promotion that waits, and go on with it",
        description="Approve the promotion of a model that waits for it, and go on with it. By default the author of a version may "
        "not approve it: promotion.yaml in the project decides.",
        epilog=_CODES,
    )
    _add_named(parser)
    parser.add_argument("--no-continue", action="store_true", help="only write the approval: `promote` goes on later")
    _add_shared(parser)


def add_reject(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``reject`` to the command line."""
    parser = commands.add_parser(
        "reject",
        help="reject a promotion that waits, or cancel your own",
        description="End the promotion of a model: reject it if you may decide about it, else withdraw it if you began it or made the version.",
        epilog="Exit codes: 0 done, 1 you may not, 2 usage or environment.",
    )
    _add_named(parser)
    _add_shared(parser)


def add_rollback(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``rollback`` to the command line."""
    parser = commands.add_parser(
        "rollback",
        help="put the version that was in production before into production again",
        description="Give the version that was in production before all the traffic, where the model is deployed on this machine, and "
        "put it into production again. No gate runs and nobody is asked; the journal says who did it and why.",
        epilog="Exit codes: 0 done, 1 its artifact was changed, 2 usage or environment, 130 interrupted.",
    )
    parser.add_argument("model", help="name of the registered model")
    parser.add_argument("-m", "--comment", default="", metavar="TEXT", help="why; it stands in the journal")
    _add_shared(parser)


def _add_named(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("promotion", metavar="MODEL|PROMOTION", help="name of the model, or id of the promotion")
    parser.add_argument("-m", "--comment", default="", metavar="TEXT", help="why; it stands in the journal")


def _add_shared(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--tracking-uri", metavar="URI", help="MLflow's address (default: MLFLOW_TRACKING_URI, else sqlite in this folder)"
    )
    parser.add_argument(
        "--json", action="store_true", help="one JSON object per event on standard output; the last is the promotion"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run ``promote``; returns the exit code."""
    if arguments.project is not None:
        return _guarded(lambda: _judge(arguments))
    if arguments.model is None:
        print("error: name a model, such as churn or churn@3, or a project: --project DIR.", file=sys.stderr)
        return 2
    return _guarded(lambda: _promote(arguments, *model_and_version(arguments.model), arguments.tracking_uri))


def model_and_version(text: str) -> tuple[str, str | None]:
    """``churn@3`` as name and version.

    Raises
    ------
    UsageError
        It is no such text.
    """
    from jupyter_mlops.errors import UsageError

    model, at, version = text.partition("@")
    version = version.removeprefix("v")
    if not model or (at and not version.isdecimal()):
        raise UsageError(f"{text!r} is no MODEL[@VERSION], such as churn or churn@3.")
    return model, version or None


def approve(arguments: argparse.Namespace) -> int:
    """Run ``approve``; returns the exit code."""

    def work() -> int:
        from jupyter_mlops.database import database_url
        from jupyter_mlops.workflows.person import current_user
        from jupyter_mlops.workflows.promotions import decide

        state = _found(arguments)
        view = decide(database_url(), state.id, "approve", user=current_user(), comment=arguments.comment, digest=state.digest)
        if arguments.no_continue:
            _show(arguments, {"ok": True, "promotion": state.id, "status": view["status"], "view": view})
            return 0
        return _promote(arguments, state.model, state.version, _address(arguments, state), comment="")

    return _guarded(work)


def reject(arguments: argparse.Namespace) -> int:
    """Run ``reject``; returns the exit code."""

    def work() -> int:
        from jupyter_mlops.database import database_url
        from jupyter_mlops.promotion.view import reason_against
        from jupyter_mlops.workflows.person import current_user
        from jupyter_mlops.workflows.promotions import decide

        state, user = _found(arguments), current_user()
        mine = state.active and user in (state.author, state.started_by)
        decision: Any = "cancel" if mine and reason_against(state, user) else "reject"
        view = decide(
            database_url(), state.id, decision, user=user, comment=arguments.comment, digest=state.digest,
            registry=_address(arguments, state),
        )  # fmt: skip
        _show(arguments, {"ok": True, "promotion": state.id, "status": view["status"], "view": view})
        return 0

    return _guarded(work)


def rollback(arguments: argparse.Namespace) -> int:
    """Run ``rollback``; returns the exit code."""

    def work() -> int:
        from jupyter_mlops.workflows.promote import PromoteOptions, restore_previous

        options = PromoteOptions(tracking_uri=arguments.tracking_uri, comment=arguments.comment)
        result = restore_previous(arguments.model, options, print_event if arguments.json else Console())
        _show(arguments, {**result.as_dict(), "view": dict(result.view)})
        return result.exit_code

    return _guarded(work)


def _guarded(work: Any) -> int:
    from jupyter_mlops.errors import MlopsError

    stop_on_termination()
    try:
        return int(work())
    except MlopsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("\nstopped: the same command goes on where it stood", file=sys.stderr)
        return 130


def _promote(
    arguments: argparse.Namespace, model: str, version: str | None, tracking_uri: str | None, comment: str | None = None
) -> int:
    from jupyter_mlops.workflows.promote import PromoteOptions, promote

    options = PromoteOptions(tracking_uri=tracking_uri, comment=arguments.comment if comment is None else comment)
    result: PromoteResult = promote(model, version, options, print_event if arguments.json else Console())
    _show(arguments, {**result.as_dict(), "view": dict(result.view)})
    return result.exit_code


def _judge(arguments: argparse.Namespace) -> int:
    from jupyter_mlops.errors import UsageError
    from jupyter_mlops.workflows.project_gates import judge_project

    if arguments.model is not None:
        raise UsageError("Either a registered MODEL, or --project DIR.")
    uri = arguments.tracking_uri or os.environ.get("MLFLOW_TRACKING_URI") or None
    found = judge_project(arguments.project, uri, print_event if arguments.json else Console())
    if arguments.json:
        print(json.dumps(found.as_dict(), ensure_ascii=False, default=repr), flush=True)
        return 0 if found.ok else 1
    for name, one in found.results.items():
        if one.status == "failed":
            print(f"\n{name}: {one.message}", file=sys.stderr)
            if one.log:
                print("\n".join(f"    {line}" for line in one.log.splitlines()[-25:]), file=sys.stderr)
    against = f"version {found.champion} in production" if found.champion else "no version in production"
    print(f"\n{found.model}, beside {against}: {'all gates let it pass' if found.ok else 'a gate said no'}")
    return 0 if found.ok else 1


def _found(arguments: argparse.Namespace) -> PromotionState:
    from jupyter_mlops.database import database_url
    from jupyter_mlops.tracking.store import tracking_uri
    from jupyter_mlops.workflows.promotions import find_promotion

    return find_promotion(database_url(), arguments.promotion, tracking_uri(arguments.tracking_uri, Path.cwd()))


def _address(arguments: argparse.Namespace, state: PromotionState) -> str:
    """The registry of a promotion: as it is given here, since the journal holds no password, else as the journal has it."""
    from jupyter_mlops.tracking.store import registry_key, tracking_uri

    given = tracking_uri(arguments.tracking_uri, Path.cwd())
    return given if registry_key(given) == state.registry else state.registry


def _show(arguments: argparse.Namespace, result: dict[str, Any]) -> None:
    if arguments.json:
        print(json.dumps(result, ensure_ascii=False, default=repr), flush=True)
        return
    view = result["view"]
    print(
        f"\npromotion {view['id']}   {view['model']} version {view['version']}, made by {view['author'] or 'an unknown author'}"
    )
    for step in view["steps"]:
        lines = step["message"].split("\n")
        print(f"  {_MARKS[step['status']]} {step['title']:<26}{step['status']:<14}{lines[0]}")
    if view["status"] in ("failed", "rejected"):
        for step in view["steps"]:
            if step["status"] == "failed" and step["log"]:
                print("\n".join(f"    {line}" for line in step["log"].splitlines()[-25:]), file=sys.stderr)
    print(f"status    {view['status']}")
    if view["status"] == "waiting":
        print(f"Approve it: jupyter mlops approve {view['model']} -m 'why'   (or reject)")
        if not view["mayDecide"]:
            print(f"Not you: {view['whyNot']}")


COMMANDS = {
    "promote": SimpleNamespace(add_parser=add_parser, run=run),
    "approve": SimpleNamespace(add_parser=add_approve, run=approve),
    "reject": SimpleNamespace(add_parser=add_reject, run=reject),
    "rollback": SimpleNamespace(add_parser=add_rollback, run=rollback),
}
