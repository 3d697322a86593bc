"""The magics: `%%track`, `%track`, `%runs`, `%%validate`, `%sweep`. They parse, call a workflow and show what comes back."""

from __future__ import annotations

from typing import Any

from jupyter_mlops.magics.shell import MlopsMagics

__all__ = ["load", "unload"]


def load(shell: Any) -> None:
    """Register the magics in an IPython shell; a second time changes nothing."""
    if getattr(shell, "_mlops_magics", None) is not None:
        return
    magics = MlopsMagics(shell)
    shell.register_magics(magics)
    magics.tracking.install()
    shell._mlops_magics = magics


def unload(shell: Any) -> None:
    """Take them away again."""
    magics = getattr(shell, "_mlops_magics", None)
    if magics is None:
        return
    magics.tracking.uninstall()
    for kind in shell.magics_manager.magics.values():
        for name in ("track", "runs", "validate", "sweep", "_track"):
            kind.pop(name, None)
    shell._mlops_magics = None
