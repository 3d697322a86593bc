"""The prover's functions in a subprocess: one JSON request a line on its input, one JSON answer a line on its output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import traceback
from collections import deque
from typing import Any

from jupyter_mlops.environment import inherited
from jupyter_mlops.errors import EnvironmentLackError, ExportError

__all__ = ["Worker", "serve"]


class Worker:
    """Caller's side: start, ask, stop.

    Calls run one after another in the subprocess; `start_call` lets one run while the caller does something else.
    """

    def __init__(self, python: str = sys.executable) -> None:
        self._process = subprocess.Popen(
            [python, "-m", "jupyter_mlops.workflows.worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=inherited(),
        )  # fmt: skip
        self._errors: deque[str] = deque(maxlen=200)
        self._drainer = threading.Thread(target=self._drain, daemon=True)
        self._drainer.start()
        self._pending = 0

    def _drain(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._errors.append(line)

    def start_call(self, name: str, **arguments: Any) -> None:
        """Send a request without waiting for its answer."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"call": name, "arguments": arguments}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._died() from None
        self._pending += 1

    def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Send a request and wait for its answer.

        Raises
        ------
        ExportError
            The function raised; the message is its own.
        EnvironmentLackError
            The subprocess is gone (most often: out of memory).
        """
        self.start_call(name, **arguments)
        answer: dict[str, Any] = {}
        assert self._process.stdout is not None
        while self._pending:
            line = self._process.stdout.readline()
            if not line:
                raise self._died()
            answer = json.loads(line)
            self._pending -= 1
        if "error" in answer:
            raise ExportError(answer["error"])
        result: dict[str, Any] = answer["result"]
        return result

    def _died(self) -> EnvironmentLackError:
        code = self._process.wait()
        tail = "".join(self._errors)[-1500:]
        return EnvironmentLackError(f"The process that checks the model ended with code {code}. {tail}".strip())

    def close(self) -> None:
        """Stop the subprocess."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._drainer.join(timeout=5)
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


_STEPS = {
    "look": "Reading what the notebook's run left",
    "features": "Comparing the feature program with the notebook",
    "answer": "Asking the model with the notebook's last step behind it",
    "export": "Asking the notebook's fitted model about its golden rows",
    "holdout": "Putting the labelled holdout together",
    "verify": "Comparing package, service and bundle with the notebook",
}


def serve() -> None:
    """The subprocess's side: answer requests until the input ends."""
    from jupyter_mlops.errors import MlopsError
    from jupyter_mlops.workflows import holdout, prover, verify

    functions = {name: getattr(prover, name) for name in ("warm", "look", "features", "answer", "export")}
    functions |= {"holdout": holdout.holdout, "verify": verify.verify}
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever the notebook's code prints must not mix with the answers
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer: dict[str, Any] = {"result": functions[request["call"]](**request["arguments"])}
        except MlopsError as error:
            answer = {"error": str(error)}
        except Exception as error:
            traceback.print_exc()
            what = _STEPS.get(request["call"], request["call"])
            answer = {"error": f"{what} failed: {type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    serve()
