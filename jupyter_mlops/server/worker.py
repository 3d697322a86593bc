"""A worker process of the server: ``python -m jupyter_mlops.server.worker KIND THREADS``.

It answers calls of the functions in `CALLS` from standard input to standard output, and ends when the server does, however
that ends: then its standard input is closed.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
import traceback
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

from jupyter_mlops.errors import MlopsError
from jupyter_mlops.server.frames import packed, read_frame

__all__ = ["CALLS", "main", "perform"]

# Name of a call -> where it is done. To add one: name it here, and call it from a handler.
CALLS = {
    "experiment_names": "jupyter_mlops.tracking.listing",
    "notebook_view": "jupyter_mlops.workflows.notebook_view",
    "restore_parameters": "jupyter_mlops.workflows.notebook_view",
    "runs_page": "jupyter_mlops.workflows.runs_pages",
    "compared_runs": "jupyter_mlops.workflows.runs_pages",
    "list_models": "jupyter_mlops.workflows.models",
    "list_versions": "jupyter_mlops.workflows.models",
    "promotion_view": "jupyter_mlops.workflows.promotions",
    "decide": "jupyter_mlops.workflows.promotions",
}


def perform(name: str, arguments: Mapping[str, Any]) -> Any:
    """Do one call. JSON has no paths: the argument that is called `path` is one."""
    function = getattr(importlib.import_module(CALLS[name]), name)
    paths = {"path": Path(arguments["path"])} if "path" in arguments else {}
    return function(**{**arguments, **paths})


class _Answers:
    """Standard output, taken away from everything that prints."""

    def __init__(self) -> None:
        self._stream: BinaryIO = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)
        self._lock = threading.Lock()

    def send(self, message: Mapping[str, Any]) -> None:
        try:
            data = packed(message)
        except (TypeError, ValueError):
            traceback.print_exc()
            data = packed({"id": message.get("id"), "error": {"code": None, "message": "the answer is no JSON"}})
        try:
            with self._lock:
                self._stream.write(data)
                self._stream.flush()
        except OSError:  # the server is gone
            os._exit(0)


def _answer(answers: _Answers, request: Mapping[str, Any]) -> None:
    try:
        answers.send({"id": request["id"], "result": perform(request["call"], request["arguments"])})
    except MlopsError as error:
        answers.send({"id": request["id"], "error": {"code": error.code, "message": str(error)}})
    except BaseException as error:
        traceback.print_exc()
        answers.send({"id": request["id"], "error": {"code": None, "message": type(error).__name__}})


def main() -> None:
    """Answer until standard input ends."""
    kind, threads = sys.argv[1], int(sys.argv[2])
    requests = sys.stdin.buffer
    answers = _Answers()
    if kind == "tracking":
        from jupyter_mlops.tracking.imports import import_mlflow

        import_mlflow()  # in the main thread, before there are others
    elif kind == "analysis":
        importlib.import_module(CALLS["notebook_view"])
    answers.send({"ready": os.getpid()})
    with ThreadPoolExecutor(threads) as pool:
        while (request := read_frame(requests)) is not None:
            pool.submit(_answer, answers, request)
        os._exit(0)  # nobody waits for what still runs


if __name__ == "__main__":
    main()
