"""Jupyter Notebook 7 with the extension: its pages load, the sidebar opens there, tags and the notebook section work."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser import page
from tests.lab import Lab, running_lab
from tests.notebooks import PENGUINS, untagged, write_notebook
from tests.sidebar import BUNDLE, Sidebar, needs_bundle

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("notebook7")]

KNOWN = "(reading 'schema')"  # an error of Notebook 7.6 itself, which is there without any extension


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Jupyter Notebook with the extension and an untagged notebook."""
    needs_bundle()
    place = tmp_path_factory.mktemp("notebook7")
    work = place / "work"
    work.mkdir()
    write_notebook(work / "penguins.ipynb", untagged(PENGUINS))
    with running_lab(work, place, extension=BUNDLE, app="notebook") as running:
        yield running


def test_the_page_of_files(lab: Lab) -> None:
    with page(known=KNOWN) as opened:
        opened.goto(f"{lab.base}/tree?token={lab.token}")
        expect(opened.locator(".jp-DirListing-item", has_text="penguins.ipynb")).to_be_visible()
        opened.evaluate("() => window.jupyterapp.restored.then(() => undefined)")


def test_the_page_of_a_notebook(lab: Lab) -> None:
    with page(known=KNOWN) as opened:
        opened.set_viewport_size({"width": 1400, "height": 1000})
        opened.goto(f"{lab.base}/notebooks/penguins.ipynb?token={lab.token}")
        sidebar = Sidebar(opened, lab)
        expect(opened.locator(".jp-Notebook .jp-CodeCell").first).to_be_visible()
        lab.connected(opened)

        # the sidebar is offered where Notebook offers its own
        opened.get_by_role("menuitem", name="View", exact=True).click()
        opened.locator(".lm-Menu-item", has_text="Left Sidebar").hover()
        opened.locator(".lm-Menu-item", has_text="Show Notebook to production").click()
        expect(sidebar.root).to_be_visible()
        notebook = sidebar.section("Notebook")
        expect(notebook).to_contain_text("9 suggested tags")
        sidebar.accessible()
        notebook.get_by_role("button", name="Suggest Tags").first.click()
        expect(opened.locator(".jp-mlops-Proposal:visible")).to_have_count(9)
        notebook.get_by_role("button", name="Accept All").first.click()
        expect(opened.locator(".jp-mlops-Chip:visible")).to_have_count(9)
        notebook.get_by_role("button", name="train").first.click()
        expect(opened.locator(".jp-Notebook .jp-Cell.jp-mod-active .jp-mlops-Chip")).to_have_text("train")
        opened.keyboard.press("t")
        opened.locator(".jp-mlops-TagMenu .lm-Menu-item", has_text="skip").click()
        expect(opened.locator(".jp-mlops-Chip[data-tag=skip]")).to_be_visible()
        expect(notebook).to_contain_text("Tag its cells")
        opened.keyboard.press("z")
        expect(opened.locator(".jp-mlops-Chip[data-tag=train]")).to_be_visible()

        expect(sidebar.section("Runs")).to_contain_text("No runs yet")
        expect(sidebar.section("Models")).to_contain_text("No model is registered yet")
        expect(sidebar.section("Convert").get_by_role("button", name="Convert", exact=True)).to_be_visible()
        sidebar.picture("notebook7")
        sidebar.accessible()

        # a command opens it, too
        opened.evaluate("() => window.jupyterapp.shell.collapseLeft()")
        expect(sidebar.root).to_be_hidden()
        sidebar.run("mlops:show-sidebar")
        expect(sidebar.root).to_be_visible()
