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
    opened.evaluate("() => window.jupyterapp.commands.execute('application:toggle-left-area')")
    opened.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-all-cells')")
    cells = opened.locator(".jp-Notebook .jp-CodeCell")
    expect(cells.last.locator(".jp-InputPrompt")).not_to_have_text("[*]:", timeout=120_000)
    return cells


def _picture(request: pytest.FixtureRequest, shown: Locator, name: str) -> None:
    if folder := request.config.getoption("--pictures"):
        shown.scroll_into_view_if_needed()
        shown.screenshot(path=str(Path(folder) / f"{name}.png"))


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_the_card_of_a_run(lab: Lab, theme: str, request: pytest.FixtureRequest) -> None:
    with page() as opened:
        opened.set_viewport_size({"width": 1100, "height": 1400})
        lab.open(opened, "track_runs.ipynb")
        change = "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })"
        opened.evaluate(change, f"JupyterLab {theme}")
        _run_all(opened, lab, "track_runs.ipynb")
        last = opened.locator(".mlops:visible").filter(has_text="best before").last
        expect(last).to_contain_text("finished", timeout=120_000)
        expect(last.locator("tbody tr").first).to_contain_text("auc")
        expect(last.locator("td", has_text="▼").or_(last.locator("td", has_text="▲")).first).to_be_visible(timeout=30_000)
        # what stays in the notebook needs no kernel and no script
        assert last.evaluate("node => node.querySelectorAll('script').length") == 0
        _picture(request, last, f"card-{theme.lower()}")
        table = opened.locator(".jp-CodeCell").last.locator(".jp-OutputArea-output")
        expect(table.locator("tbody tr").first).to_contain_text("forest", timeout=30_000)
        _picture(request, table.first, f"runs-{theme.lower()}")
        opened.evaluate(change, "JupyterLab Light")


def test_a_validation(lab: Lab, request: pytest.FixtureRequest) -> None:
    with page() as opened:
        opened.set_viewport_size({"width": 1100, "height": 1400})
        cells = _run_all(opened, lab, "validate_penguins.ipynb")
        shown = cells.last.locator(".jp-OutputArea-output").last
        expect(shown).to_contain_text("body_mass_g", timeout=60_000)
        expect(shown).to_contain_text("critical")
        _picture(request, shown, "validate")
        assert (lab.work / "expectations" / "learned.json").is_file()


def test_a_sweep(lab: Lab, request: pytest.FixtureRequest) -> None:
    with page() as opened:
        opened.set_viewport_size({"width": 1100, "height": 1000})
        lab.open(opened, "sweep_live.ipynb")
        opened.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-all-cells')")
        shown = opened.locator(".jp-CodeCell").first.locator(".jp-OutputArea-output").last
        expect(shown.locator("button", has_text="Stop").or_(shown.locator("button"))).to_be_visible(timeout=60_000)
        expect(shown.locator("tbody tr")).to_have_count(4, timeout=240_000)
        expect(shown.locator("button")).to_have_count(0, timeout=240_000)  # static at the end
        expect(shown).to_contain_text("accuracy")
        _picture(request, shown, "sweep")
