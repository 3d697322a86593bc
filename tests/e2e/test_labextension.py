"""The extension in a real JupyterLab and a real browser: a command tags cells, a chip shows it, the file holds it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser import page
from tests.conftest import ROOT
from tests.lab import Lab, running_lab
from tests.notebooks import PENGUINS, write_notebook

BUNDLE = ROOT / "jupyter_mlops" / "labextension"
pytestmark = pytest.mark.slow


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """JupyterLab with the extension."""
    if not (BUNDLE / "package.json").exists():
        pytest.skip("the extension is not built: make labextension")
    work = tmp_path / "work"
    work.mkdir()
    write_notebook(work / "penguins.ipynb", [("", source) if tag != "md" else (tag, source) for tag, source in PENGUINS])
    with running_lab(work, tmp_path, extension=BUNDLE) as running:
        yield running


def test_a_command_tags_cells_and_a_chip_shows_it(lab: Lab) -> None:
    with page() as opened:
        lab.open(opened, "penguins.ipynb")
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
            saved = json.loads((lab.work / "penguins.ipynb").read_text(encoding="utf-8"))
            tags = [c["metadata"].get("tags", []) for c in saved["cells"] if c["cell_type"] == "code"]
            if tags[:2] == [["imports"], []]:
                break
            assert time.monotonic() < deadline, tags
            time.sleep(0.3)
