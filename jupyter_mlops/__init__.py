"""Notebooks to production, provably right, without leaving Jupyter."""

from __future__ import annotations

from typing import Any

__all__ = ["__version__", "load_ipython_extension", "unload_ipython_extension"]

__version__ = "0.1.0"


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext jupyter_mlops``: the magics of this package in an IPython shell."""
    from jupyter_mlops.magics import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """``%unload_ext jupyter_mlops``."""
    from jupyter_mlops.magics import unload

    unload(shell)


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Where the Jupyter server finds the extension."""
    from jupyter_mlops.server.app import JupyterMlops

    return [{"module": "jupyter_mlops.server.app", "app": JupyterMlops}]
