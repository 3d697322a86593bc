"""The cards in a real JupyterLab and a real browser. With ``--pictures DIR`` the pictures of the README are taken, too."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import page
from tests.conftest import ROOT
from tests.lab import Lab, running_lab

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("lab")]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab with the notebooks of the magics."""
    place = tmp_path_factory.mktemp("lab")
    work = place / "work"
    work.mkdir()
    for path in (ROOT / "example_notebooks").glob("*.ipynb"):
        shutil.copy(path, work)
    with running_lab(work, place, env={"JUPYTER_MLOPS_SPOOL": str(place / "spool")}) as running:
        yield running


def _run_all(opened: Page, lab: Lab, notebook: str) -> Locator:
    lab.open(opened, notebook)
    opened.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    cells = opened.locator(".jp-Notebook .jp-CodeCell")
    expect(cells.last.locator(".jp-InputPrompt")).not_to_have_text("[*]:", timeout=120_000)
    return cells


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_the_card_of_a_run(lab: Lab, theme: str, request: pytest.FixtureRequest) -> None:
    with page() as opened:
        opened.set_viewport_size({"width": 1100, "height": 1400})
        lab.open(opened, "track_runs.ipynb")
        opened.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
        _run_all(opened, lab, "track_runs.ipynb")
        cards = opened.locator(".mlops:visible")
        last = cards.filter(has_text="best before").last
        expect(last).to_contain_text("finished", timeout=120_000)
        expect(last).to_contain_text("auc")
        expect(last.locator("td", has_text="▼").or_(last.locator("td", has_text="▲")).first).to_be_visible(timeout=30_000)
        # what stays in the notebook needs no kernel and no script
        assert last.evaluate("node => node.querySelectorAll('script').length") == 0
        folder = request.config.getoption("--pictures")
        if folder:
            name = theme.split()[-1].lower()
            last.locator("summary").first.click()
            last.screenshot(path=str(Path(folder) / f"card-{name}.png"))
