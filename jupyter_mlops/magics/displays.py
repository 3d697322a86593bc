"""What a cell shows, noted while it goes to the frontend as it would have."""

from __future__ import annotations

import base64
import io
import os
import sys
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from typing import Any

from jupyter_mlops.workflows.track import Displayed

__all__ = ["Displays", "settle_figures"]

_PICTURES = {"image/png": ".png", "image/jpeg": ".jpg"}
_TEXTS = {
    "image/svg+xml": ("figures", ".svg"), "application/vnd.plotly.v1+json": ("figures", ".plotly.json"),
    "application/vnd.vegalite.v5+json": ("figures", ".vl.json"),
}  # fmt: skip
_LIMIT = 50  # of each kind
_TABLE = 2 * 2**20  # characters of a table


class Displays:
    """Context in which figures and tables that are displayed are kept.

    A kernel's publisher and display hook tell of each message; where there is none (a terminal), the open figures of
    matplotlib are drawn at the end.
    """

    def __init__(self, shell: Any) -> None:
        self.found: list[Displayed] = []
        self._hooked = [
            one for one in (shell.display_pub, shell.displayhook) if hasattr(one, "register_hook") and hasattr(one, "unregister_hook")
        ]  # fmt: skip
        self._shell = shell
        self._open = _figures()

    def __enter__(self) -> Displays:
        for one in self._hooked:
            one.register_hook(self._note)
        return self

    def __exit__(self, *error: object) -> None:
        for one in self._hooked:
            one.unregister_hook(self._note)

    def result(self, value: Any) -> None:
        """The cell's last expression, where the shell's display hook does not tell of it."""
        if value is None or self._shell.displayhook in self._hooked:
            return
        data, _ = self._shell.display_formatter.format(value, include={*_PICTURES, *_TEXTS, "text/html"})
        self._keep(data)

    def open_figures(self) -> None:
        """Figures that were drawn and not displayed, in a shell without inline figures."""
        if self._hooked:
            return
        for number in sorted(_figures() - self._open):
            buffer = io.BytesIO()
            sys.modules["matplotlib.pyplot"].figure(number).savefig(buffer, format="png")
            self._add("figures", ".png", buffer.getvalue())

    def _note(self, message: dict[str, Any]) -> dict[str, Any]:
        try:
            if message["header"]["msg_type"] in ("display_data", "execute_result"):
                self._keep(message["content"]["data"])
        except Exception:  # noqa: S110 - nothing may come between the cell and its display
            pass
        return message

    def _keep(self, data: dict[str, Any]) -> None:
        for kind, suffix in _PICTURES.items():
            if kind in data:
                value = data[kind]
                self._add("figures", suffix, base64.b64decode(value) if isinstance(value, str) else bytes(value))
                return
        for kind, (group, suffix) in _TEXTS.items():
            if kind in data:
                import json

                value = data[kind]
                self._add(group, suffix, (value if isinstance(value, str) else json.dumps(value)).encode())
                return
        html = data.get("text/html")
        if isinstance(html, str) and "<table" in html and "application/vnd.jupyter.widget-view+json" not in data:
            self._add("tables", ".html", html[:_TABLE].encode())

    def _add(self, kind: str, suffix: str, content: bytes) -> None:
        if sum(one.kind == kind for one in self.found) < _LIMIT:
            self.found.append(Displayed(kind, suffix, content))


@cache
def settle_figures() -> None:
    """Have matplotlib load its backend for notebooks now.

    MLflow's autologging draws inside of a context that sets matplotlib's options back, and with them a backend that was
    first needed there: a notebook's own figures would then not be shown any more.
    """
    if not os.environ.get("MPLBACKEND", "").endswith("backend_inline") or find_spec("matplotlib") is None or _figures():
        return
    with suppress(Exception):  # a matplotlib that is broken is the concern of cells that draw
        import matplotlib.pyplot as plt

        plt.switch_backend(plt.get_backend())


def _figures() -> set[int]:
    pyplot = sys.modules.get("matplotlib.pyplot")
    return set(pyplot.get_fignums()) if pyplot is not None else set()
