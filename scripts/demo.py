"""`make demo`: the flagship notebook, from the notebook to a canary that takes over the traffic of its predecessor.

    python scripts/demo.py [DIR]

Everything that it makes is in one folder (default: demo). Each command is printed as anybody would type it.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import httpx

from jupyter_mlops.environment import free_port

NOTEBOOK = Path(__file__).parents[1] / "example_notebooks" / "flight_delays.ipynb"
MODEL = "flight-delays"
MARK = "made-by-the-demonstration"
POLICY = """\
# What `make demo` asks for: a colleague's approval, and a canary that is in a hurry.
deploy:
  target: local
  port: {port}
canary:
  steps: [5, 50]
  seconds: 5
  requests: 50
  bake: 5
"""


def main() -> int:
    """Run the demonstration; returns the exit code of the first command that fails."""
    demo = Path(sys.argv[1] if len(sys.argv) > 1 else "demo").absolute()
    demo.mkdir(parents=True, exist_ok=True)
    state = demo / "state"
    os.environ |= {
        "MLFLOW_TRACKING_URI": f"sqlite:///{state / 'mlflow.db'}", "JUPYTER_MLOPS_DATABASE": f"sqlite:///{state / 'mlops.db'}",
        "JUPYTER_DATA_DIR": str(state / "data"),
    }  # fmt: skip
    if (state / MARK).exists():
        mlops("deploy", MODEL, "--stop", quiet=True)  # of a demonstration that was cut off
        shutil.rmtree(state)
    elif state.exists():
        sys.exit(f"{state} was not made by this demonstration. Give another folder: make demo DEMO=FOLDER.")
    state.mkdir()
    (state / MARK).touch()
    port = free_port()
    notebook = Path(shutil.copy(NOTEBOOK, demo))
    (demo / "promotion.yaml").write_text(POLICY.format(port=port), encoding="utf-8")
    project = demo / "flight_delays"
    began = time.monotonic()
    try:
        say("The notebook becomes a package, a service and an edge bundle that predict what it predicted.")
        mlops("convert", str(notebook), "-o", str(project))
        say("Its model goes through the gates, then waits for somebody else than its author.")
        mlops("promote", MODEL)
        mlops("approve", MODEL, "-m", "the first one", user="a-colleague")
        say("Somebody trains on one month more. The new version has to be as good as the first one on the same flights.")
        mlops("convert", str(notebook), "-o", str(project), "-p", "train_months", "[1, 2, 3, 4]")
        mlops("promote", MODEL)
        say("Approved under load, it gets 5, 50 and 100% of the traffic.")
        with Clients(f"http://127.0.0.1:{port}/predict", project) as clients:
            mlops("approve", MODEL, "-m", "one month more", user="a-colleague")
            mlops("status", MODEL)
        print(
            f"\n{clients.answers.total():,} requests meanwhile: {dict(sorted(clients.answers.items()))}, {clients.failed} failed"
        )
    finally:
        mlops("deploy", MODEL, "--stop", quiet=True)
    print(f"All of it took {time.monotonic() - began:.0f} s. The project is in {project}.")
    return 1 if clients.failed else 0


def mlops(*arguments: str, user: str | None = None, quiet: bool = False) -> None:
    """Run a command of jupyter-mlops, shown as it is typed."""
    if not quiet:
        who = f"JUPYTER_MLOPS_USER={user} " if user else ""
        print(f"\n$ {who}{shlex.join(['jupyter', 'mlops', *arguments])}", flush=True)
    environment = {**os.environ, "JUPYTER_MLOPS_USER": user} if user else None
    output = subprocess.DEVNULL if quiet else None
    code = subprocess.call([sys.executable, "-m", "jupyter_mlops", *arguments], env=environment, stdout=output, stderr=output)
    if code and not quiet:
        sys.exit(code)


def say(text: str) -> None:
    """What comes next, and why."""
    print(f"\n{text}", flush=True)


class Clients:
    """Four of them ask about the notebook's own flights, all the time."""

    def __init__(self, url: str, project: Path) -> None:
        self.url = url
        self.rows = json.loads((project / "model" / "golden.json").read_text(encoding="utf-8"))["rows"]
        self.answers: Counter[str] = Counter()
        self.failed = 0
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(4)]

    def __enter__(self) -> Clients:
        for one in self._threads:
            one.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for one in self._threads:
            one.join()

    def _ask(self, number: int) -> None:
        with httpx.Client(timeout=10) as client:
            while not self._over.wait(0.02):
                number = (number + 1) % len(self.rows)
                try:
                    answer = client.post(self.url, json=self.rows[number])
                    answer.raise_for_status()
                    self.answers[f"version {answer.json()['model_version']}"] += 1
                except httpx.HTTPError:
                    self.failed += 1


if __name__ == "__main__":
    sys.exit(main())
