"""The extension in a real JupyterLab and a real browser: a command tags cells, a chip shows it, the file holds it."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser import page
from tests.conftest import ROOT
from tests.notebooks import PENGUINS, write_notebook

BUNDLE = ROOT / "jupyter_mlops" / "labextension"
pytestmark = pytest.mark.slow


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[tuple[str, str, Path]]:
    """JupyterLab on loopback with folders of its own; its address, its token, and the folder of notebooks."""
    if not (BUNDLE / "package.json").exists():
        pytest.skip("the extension is not built: make labextension")
    extensions = tmp_path / "labextensions"
    extensions.mkdir()
    (extensions / "jupyter-mlops").symlink_to(BUNDLE)
    work = tmp_path / "work"
    work.mkdir()
    write_notebook(work / "penguins.ipynb", [("", source) if tag != "md" else (tag, source) for tag, source in PENGUINS])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    folders = {
        f"JUPYTER_{n}": str(tmp_path / n.lower()) for n in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    } | {f"JUPYTERLAB_{n}": str(tmp_path / n.lower()) for n in ("SETTINGS_DIR", "WORKSPACES_DIR")}  # fmt: skip
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
        "--ServerApp.port_retries=0", f"--ServerApp.root_dir={work}", f"--IdentityProvider.token={token}",
        "--LabApp.extension_manager=readonly", "--ServerApp.allow_unauthenticated_access=False",
        f"--LabApp.extra_labextensions_path={extensions}", "--LabApp.expose_app_in_browser=True",
    ]  # fmt: skip
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=work, env={**os.environ, **folders}, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 90
            while True:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/api/status?token={token}", timeout=2).close()
                    break
                except (urllib.error.URLError, OSError):
                    assert process.poll() is None and time.monotonic() < deadline, (tmp_path / "log").read_text()
                    time.sleep(0.3)
            yield f"http://127.0.0.1:{port}", token, work
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def test_a_command_tags_cells_and_a_chip_shows_it(lab: tuple[str, str, Path]) -> None:
    base, token, work = lab
    with page() as opened:
        opened.goto(f"{base}/lab/tree/penguins.ipynb?token={token}")
        opened.wait_for_selector("#jupyterlab-splash", state="detached", timeout=90_000)
        expect(opened.locator(".jp-Notebook .jp-CodeCell").first).to_be_visible(timeout=60_000)
        opened.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]", timeout=90_000)
        expect(opened.locator(".jp-mlops-Chip:visible")).to_have_count(0)

        def run(command: str) -> None:
            opened.evaluate("id => window.jupyterapp.commands.execute(id)", command)

        cells = opened.locator(".jp-Notebook .jp-CodeCell")
        cells.nth(0).locator(".jp-InputPrompt").click()
        cells.nth(1).locator(".jp-InputPrompt").click(modifiers=["Shift"])  # two cells at once
        run("mlops:tag-load")
        chips = opened.locator(".jp-mlops-Chip:visible")
        expect(chips).to_have_count(2, timeout=20_000)
        assert chips.first.text_content() == "load"
        cells.nth(0).locator(".jp-InputPrompt").click()
        run("mlops:tag-imports")
        expect(opened.locator(".jp-mlops-Chip[data-tag=imports]")).to_be_visible()
        cells.nth(1).locator(".jp-InputPrompt").click()
        run("mlops:clear-tag")
        expect(chips).to_have_count(1)
        opened.keyboard.press("Control+s")
        deadline = time.monotonic() + 20
        while True:
            saved = json.loads((work / "penguins.ipynb").read_text(encoding="utf-8"))
            tags = [c["metadata"].get("tags", []) for c in saved["cells"] if c["cell_type"] == "code"]
            if tags[:2] == [["imports"], []]:
                break
            assert time.monotonic() < deadline, tags
            time.sleep(0.3)
