"""``jupyter mlops features``: a notebook's raw columns and its feature program in Feast."""

from __future__ import annotations

import argparse
import json
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_mlops.commands.console import Console, print_event

if TYPE_CHECKING:
    from jupyter_mlops.workflows.features import PublishResult

__all__ = ["add_parser", "run"]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "": 1}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand to the command line."""
    parser = commands.add_parser(
        "features",
        help="publish a notebook's feature program to Feast, for training frames and online reads",
        description="A Feast repository of a converted project: its raw columns as a feature view, and its own feature program as "
        "an on-demand view.",
        epilog="Exit codes: 0 done, 2 usage or environment.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    publish = actions.add_parser(
        "publish", help="write the repository, apply it, and fill the online store",
        description="Write a Feast repository, apply it, fill the online store, and compare what it gives for training and online. "
        "A repository that was published before is replaced at the end; its feature_store.yaml is kept.",
    )  # fmt: skip
    publish.add_argument("subject", metavar="PROJECT|MODEL[@VERSION]", help="folder of a project, or name of a registered model")
    publish.add_argument(
        "--entity", metavar="COLUMN", help="column with the ids (default: feature_entity of the notebook's parameters)"
    )
    publish.add_argument(
        "--timestamp", metavar="COLUMN", help="column with the time of a row (default: feature_timestamp of the parameters)"
    )
    publish.add_argument(
        "--source", type=Path, metavar="FILE",
        help="Parquet (read where it is) or CSV file with the columns (default: the raw table of the project's own `load`)",
    )  # fmt: skip
    publish.add_argument(
        "--request", action="append", default=[], metavar="COLUMN",
        help="column that comes with a request although the source has it; may be given several times",
    )  # fmt: skip
    publish.add_argument(
        "--ttl",
        type=_seconds,
        default=0,
        metavar="TIME",
        help="after which values count as missing: 90d, 12h, 300s (default: never)",
    )
    publish.add_argument(
        "--online", metavar="ADDRESS",
        help="online store: sqlite, redis://[USER@]HOST[:PORT][/DB], rediss:// for TLS (default: as the repository has it, else sqlite)",
    )  # fmt: skip
    publish.add_argument(
        "--online-password",
        metavar="VARIABLE",
        help="variable of the environment with its password; only its name is written down",
    )
    publish.add_argument(
        "--force", action="store_true", help="replace a repository that was edited (it is kept beside the new one)"
    )
    publish.add_argument(
        "--tracking-uri", metavar="URI", help="MLflow's address (default: MLFLOW_TRACKING_URI, else sqlite in this folder)"
    )
    fill = actions.add_parser(
        "materialize", help="bring what the source holds by now into the online store",
        description="Bring the newest values of each entity from the source into the online store.",
    )  # fmt: skip
    fill.add_argument(
        "--since", type=_time, metavar="TIME", help="ISO 8601, UTC without a zone (default: all that the source holds)"
    )
    fill.add_argument("--until", type=_time, metavar="TIME", help="the same (default: now)")
    status = actions.add_parser(
        "status", help="what a repository holds, and until when", description="Show what a repository holds, and until when."
    )
    for one in (publish, fill, status):
        one.add_argument(
            "--repo", type=Path, metavar="DIR", required=one is not publish,
            help="folder of the Feast repository" + (" (default: <package>_features here)" if one is publish else ""),
        )  # fmt: skip
        one.add_argument("--json", action="store_true", help="JSON on standard output")


def _seconds(text: str) -> int:
    found = re.fullmatch(r"(\d+)([smhd]?)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 90d, 12h, 30m or 300s")
    return int(found[1]) * _UNITS[found[2]]


def _time(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 2025-01-31 or 2025-01-31T12:00:00+01:00") from None
    return text


def run(arguments: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    from jupyter_mlops.errors import MlopsError

    try:
        return {"publish": _publish, "materialize": _materialize, "status": _status}[arguments.action](arguments)
    except MlopsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


def _publish(arguments: argparse.Namespace) -> int:
    from jupyter_mlops.commands.promote import model_and_version
    from jupyter_mlops.workflows.features import PublishOptions, publish_features

    folder = Path(arguments.subject)
    options = PublishOptions(
        arguments.entity, arguments.timestamp, arguments.source, arguments.repo, arguments.ttl, tuple(arguments.request),
        arguments.force, arguments.online, arguments.online_password, arguments.tracking_uri,
    )  # fmt: skip
    result = publish_features(
        folder if folder.is_dir() else model_and_version(arguments.subject), options, print_event if arguments.json else Console()
    )
    if arguments.json:
        print(json.dumps(result.as_dict(), ensure_ascii=False), flush=True)
    else:
        _show(result)
    return 0


def _show(result: PublishResult) -> None:
    plan = result.plan
    if result.kept is not None:
        print(f"Your edited repository was kept in {result.kept}")
    if result.source.repeated:
        print(f"  {result.source.repeated} rows have {plan.entity} and time of another row: Feast takes one of them")
    if result.stale:
        print(f"  {result.stale} of {result.compared} entities have values older than the ttl, which count as missing")
    if plan.request:
        print(f"  the request brings {', '.join(one.name for one in plan.request)}")
    if not plan.inputs:
        print("  the model's input is no table, so there is no on-demand view of it")
    print(f"\nrepository  {result.folder}/  ({len(plan.columns)} columns, filled until {result.until})")
    print(f"training    from {plan.package}.store import training_frame; training_frame(events, {str(result.folder)!r})")
    print(f"service     SERVICE_FEATURE_STORE={result.folder.resolve()}, then POST /predict/entity with {plan.entity}")


def _materialize(arguments: argparse.Namespace) -> int:
    from jupyter_mlops.workflows.features import materialize

    found = materialize(arguments.repo, arguments.since, arguments.until)
    print(json.dumps(found) if arguments.json else f"{arguments.repo} is filled until {found['until']}")
    return 0


def _status(arguments: argparse.Namespace) -> int:
    from jupyter_mlops.workflows.features import repository_status

    found = repository_status(arguments.repo)
    if arguments.json:
        print(json.dumps(found))
        return 0
    tags, filled = found["tags"], found["filled"]
    print(f"model       {tags.get('model', '?')} version {tags.get('version', '?')}")
    print(f"entity      {found['entity']}, time {found['timestamp']}")
    print(f"source      {found['source']}")
    print(f"online      {found['online']}, " + (f"filled until {filled}" if filled else "not filled yet"))
    print(f"ttl         {found['ttl']} s" if found["ttl"] else "ttl         none")
    print(f"columns     {', '.join(found['columns'])}")
    if found["request"]:
        print(f"request     {', '.join(found['request'])}")
    return 0
