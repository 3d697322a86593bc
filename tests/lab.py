"""A real JupyterLab on loopback, with folders of its own."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

from jupyter_mlops.environment import free_port
from tests.server import ENABLED

__all__ = ["Lab", "running_lab"]

_APPS = {"lab": ("jupyterlab", "LabApp"), "notebook": ("notebook", "JupyterNotebookApp")}
_SETTINGS: dict[str, dict[str, object]] = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}


@dataclass(frozen=True)
class Lab:
    """Where it is, and the folder that it serves."""

    base: str
    token: str
    work: Path
    place: Path

    def configure(self, plugin: str, **settings: object) -> None:
        """Settings of a plugin, such as notebook-extension/tracker, for pages that are opened from now on."""
        path = self.place / "settings_dir" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings), encoding="utf-8")

    def windowing(self, mode: str) -> None:
        """Which cells are in pages that are opened from now on: all of them (``none``), or only those in view (``full``), ..."""
        self.configure("notebook-extension/tracker", windowingMode=mode)

    def visit(self, page: Page, path: str = "") -> None:
        """Load the page in a workspace of its own; with a path, open that file."""
        tree = f"/tree/{path}" if path else ""
        page.goto(f"{self.base}/lab/workspaces/w{secrets.token_hex(4)}{tree}?token={self.token}")
        page.wait_for_selector("#jupyterlab-splash", state="detached", timeout=90_000)

    def open(self, page: Page, notebook: str) -> None:
        """Open a notebook and wait until its kernel is there."""
        self.visit(page, notebook)
        page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)
        self.connected(page)

    def connected(self, page: Page) -> None:
        """Wait until the kernel of the current notebook is there."""
        # The indicator is idle before there is a kernel, too: a cell that is run then asks for one.
        page.wait_for_function(
            "() => window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.connectionStatus === 'connected'",
            timeout=90_000,
        )
        page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.info.then(() => undefined)")
        page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]", timeout=90_000)


@contextmanager
def running_lab(
    work: Path,
    place: Path,
    *,
    extension: Path | None = None,
    server: bool = True,
    env: Mapping[str, str] | None = None,
    app: str = "lab",
    windowing: str | None = None,
    base_url: str = "/",
    options: Sequence[str] = (),
) -> Iterator[Lab]:
    """JupyterLab for the folder `work`; its own files go to `place`.

    `extension` is a labextension to add, with its server extension unless `server` is False. `app` is ``lab`` or
    ``notebook``, for Jupyter Notebook. `windowing` says which cells are in the page, by the name that JupyterLab's
    settings have for it (``full``: only those in view); None: as JupyterLab does it by default.
    """
    module, name = _APPS[app]
    more: list[str] = []
    if extension is not None:
        extensions = place / "labextensions"
        extensions.mkdir()
        shutil.copytree(extension, extensions / "jupyter-mlops")  # it may be built anew meanwhile
        # Jupyter Notebook has its files of extensions served by JupyterLab's part of the server.
        more += [f"--{one}.extra_labextensions_path={extensions}" for one in sorted({name, "LabApp"})]
    if extension is not None and server:
        enable = place / "config_dir" / "jupyter_server_config.d"
        enable.mkdir(parents=True, exist_ok=True)
        shutil.copy(ENABLED, enable)
    if not server:
        more.append("--ServerApp.jpserver_extensions=jupyter_mlops=False")  # the installed package enables it
    port = free_port()
    lab = Lab(f"http://127.0.0.1:{port}{base_url.rstrip('/')}", secrets.token_hex(16), work, place)
    for plugin, settings in _SETTINGS.items():
        lab.configure(plugin, **settings)
    if windowing is not None:
        lab.windowing(windowing)
    folders = {
        f"JUPYTER_{n}": str(place / n.lower()) for n in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    } | {f"JUPYTERLAB_{n}": str(place / n.lower()) for n in ("SETTINGS_DIR", "WORKSPACES_DIR")}  # fmt: skip
    command = [
        sys.executable, "-m", module, "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
        "--ServerApp.port_retries=0", f"--ServerApp.root_dir={work}", f"--ServerApp.base_url={base_url}",
        f"--IdentityProvider.token={lab.token}",
        "--LabApp.extension_manager=readonly", "--ServerApp.allow_unauthenticated_access=False",
        f"--{name}.expose_app_in_browser=True", *more, *options,
    ]  # fmt: skip
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=work, env={**os.environ, **folders, **(env or {})}, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 90
            while True:
                try:
                    urllib.request.urlopen(f"{lab.base}/api/status?token={lab.token}", timeout=2).close()
                    break
                except (urllib.error.URLError, OSError):
                    assert process.poll() is None and time.monotonic() < deadline, (place / "log").read_text()
                    time.sleep(0.3)
            yield lab
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
