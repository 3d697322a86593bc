"""Run a module that ends with its parent: ``python -m jupyter_mlops.server.attached MODULE``.

Standard input is a pipe of the parent's, which the system closes when that ends, by whatever it was killed.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time

__all__ = ["main"]

_GRACE = 10.0  # seconds


def _follow() -> None:
    # Not sys.stdin: a thread that waits in it cannot be left behind at the end.
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE)
    os._exit(1)


def main() -> None:
    """Run the module as ``python -m`` would."""
    module = sys.argv.pop(1)
    threading.Thread(target=_follow, daemon=True).start()
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
