"""The command line: `jupyter mlops ...`. It parses, calls a workflow and prints; heavy imports wait for the call.

Exit codes: 0 done, 1 a check said no (a cell failed, no parity, ...), 2 usage or environment.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops import __version__
from jupyter_mlops.commands import (
    ab,
    batch,
    check,
    data,
    deploy,
    features,
    feedback,
    monitor,
    pipeline,
    promote,
    retrain,
    run,
    runs,
    sweep,
    sync,
    tag,
    validate,
)
from jupyter_mlops.commands.console import Console, print_event

if TYPE_CHECKING:
    from jupyter_mlops.workflows.convert import ConvertResult

__all__ = ["main"]

# Each has `add_parser` and `run`.
_COMMANDS: dict[str, Any] = {
    "tag": tag, "check": check, "run": run, "sweep": sweep, "runs": runs, "data": data, "validate": validate, "sync": sync,
    "pipeline": pipeline, **promote.COMMANDS, **deploy.COMMANDS, "ab": ab, "monitor": monitor, "feedback": feedback, "retrain": retrain,
    "batch": batch, "features": features,
}  # fmt: skip


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="jupyter mlops", description="Notebooks to production, provably right.",
        epilog="Exit codes: 0 done, 1 a check said no, 2 usage or environment.",
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"jupyter-mlops {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    convert = commands.add_parser(
        "convert",
        help="turn a notebook into a proven package, service and edge bundle",
        description="Turn a tagged notebook into a tested package, a FastAPI service and an ONNX bundle that predict what the "
        "notebook predicted, and register the model in MLflow.",
        epilog="Exit codes: 0 done, 1 a cell failed or a prediction differs, 2 usage or environment.",
    )
    convert.add_argument("notebook", type=Path, help="the notebook (.ipynb)")
    convert.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder of the generated project")
    convert.add_argument(
        "-p", "--parameter", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"),
        help="a value for a name of the cell tagged 'parameters'; may be given several times",
    )  # fmt: skip
    convert.add_argument("--model", metavar="NAME", help="variable of the model to take, where the notebook fits several")
    convert.add_argument("--name", help="name of the project and of the registered model (default: the notebook's file name)")
    convert.add_argument("--no-run", action="store_true", help="only write the project's code: run, prove and register nothing")
    convert.add_argument("--no-register", action="store_true", help="prove, but leave MLflow alone")
    convert.add_argument("--allow-mismatch", action="store_true", help="register though a prediction differs; it is recorded")
    convert.add_argument("--force", action="store_true", help="replace a project that was edited (it is kept beside the new one)")
    convert.add_argument(
        "--cell-timeout", type=float, metavar="SECONDS", help="give up on a cell after this long (default: never)"
    )
    convert.add_argument(
        "--tracking-uri", metavar="URI", help="MLflow's address (default: MLFLOW_TRACKING_URI, else sqlite beside DIR)"
    )
    convert.add_argument(
        "--json", action="store_true", help="one JSON object per event on standard output; the last is the report"
    )
    for command in _COMMANDS.values():
        command.add_parser(commands)
    return parser


def _convert(arguments: argparse.Namespace) -> int:
    from jupyter_mlops.errors import MlopsError
    from jupyter_mlops.workflows.convert import ConvertOptions, convert

    options = ConvertOptions(
        parameters=[tuple(pair) for pair in arguments.parameter],
        model=arguments.model,
        name=arguments.name,
        run=not arguments.no_run,
        register=not arguments.no_register,
        force=arguments.force,
        allow_mismatch=arguments.allow_mismatch,
        tracking_uri=arguments.tracking_uri,
        cell_timeout=arguments.cell_timeout,
    )
    try:
        result = convert(arguments.notebook, arguments.output, options, print_event if arguments.json else Console())
    except MlopsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    if arguments.json:
        print(json.dumps(result.report.as_dict(), ensure_ascii=False), flush=True)
    else:
        _summary(result)
    return result.exit_code


def _summary(result: ConvertResult) -> None:
    report = result.report
    for problem in report.problems:
        if problem.severity != "info" and problem.message not in (report.error or ""):
            print(f"  {problem}")
    for problem in report.problems:
        if problem.severity == "info":
            print(f"  {problem}")
    if report.tags:
        print("\nstages as suggested (jupyter mlops tag --write puts them into the notebook)")
        tag.print_suggestions(report.tags)
    if report.error:
        print(f"error: {report.error}", file=sys.stderr)
    if report.parity:
        _parity_table(report.parity)
    if result.kept:
        print(f"Your edited project was kept in {result.kept}")
    if report.status == "failed" or result.plan is None:
        return
    folder = result.folder
    print()
    for name, value in report.metrics.items():
        print(f"{name:<22}{value:.6g}")
    print(f"project   {folder}/")
    print(f"service   {folder / 'service'}/")
    if (folder / "edge" / "model.onnx").exists():
        print(f"bundle    {folder / 'edge'}/")
    if report.run_id:
        print(f"run       {report.run_id}  (MLflow at {result.tracking_uri})")
        print(f"version   {result.plan.name} {report.model_version}, lifecycle Staging")
    if report.parity:
        golden = json.loads((folder / "model" / "golden.json").read_text(encoding="utf-8"))
        row = json.dumps(golden["rows"][0], ensure_ascii=False).replace("'", "'\\''")
        print("\nStart the service:")
        print(f"  cd {folder} && PYTHONPATH=src {sys.executable} -m service")
        print("Ask it:")
        print(f"  curl -s http://127.0.0.1:8000/predict -H 'content-type: application/json' -d '{row}'")


def _parity_table(parity: dict[str, Any]) -> None:
    print(f"\nparity on {parity['rows']} rows ({parity['golden']} golden, {parity['edge']} edge)")
    print(f"  {'':<9}{'labels equal':>14}{'largest difference':>20}{'mismatches':>12}")
    for side in ("package", "service", "bundle"):
        one = parity[side]
        if one is None:
            print(f"  {side:<9}{'-':>14}  {parity['reasons'][side]}")
            continue
        equal = "yes" if one["labels_equal"] else "NO"
        print(f"  {side:<9}{equal:>14}{one['max_abs_diff'] or 0:>20.3g}{one['mismatches']:>12}")


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    atexit.register(gc.freeze)  # a last search for garbage in all of MLflow takes most of a second, and finds nothing of use
    arguments = _parser().parse_args(argv)
    try:
        if arguments.command == "convert":
            return _convert(arguments)
        return int(_COMMANDS[arguments.command].run(arguments))
    except KeyboardInterrupt:
        print("\nstopped: nothing was changed", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
