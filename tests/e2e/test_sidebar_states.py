"""What the sidebar says when there is nothing to show, or when something is not as it should be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from jupyter_mlops.environment import free_port
from tests.browser import page
from tests.lab import Lab, running_lab
from tests.notebooks import PENGUINS, untagged, write_notebook
from tests.sidebar import BUNDLE, Sidebar, needs_bundle

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("sidebar-states")]

SECTIONS = ("Notebook", "Runs", "Convert", "Models")


def _work(folder: Path) -> Path:
    work = folder / "work"
    work.mkdir()
    write_notebook(work / "penguins.ipynb", untagged(PENGUINS))
    write_notebook(work / "models.ipynb", [("", "library(MASS)"), ("", "model <- lm(y ~ x)")], kernel="ir", language="R")
    write_notebook(work / "empty.ipynb", [("", "")])
    return work


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab with the extension, and notebooks of which nothing is known yet."""
    needs_bundle()
    place = tmp_path_factory.mktemp("states")
    with running_lab(_work(place), place, extension=BUNDLE) as running:
        yield running


@contextmanager
def _sidebar(lab: Lab) -> Iterator[Sidebar]:
    with page() as opened:
        opened.set_viewport_size({"width": 1200, "height": 1100})
        opened.set_default_timeout(60_000)
        yield Sidebar(opened, lab)


def _says(sidebar: Sidebar, **said: tuple[str, ...]) -> None:
    """Each section says that, and axe has nothing serious against it."""
    for title in SECTIONS:
        section = sidebar.section(title)
        for words in said[title.lower()]:
            expect(section).to_contain_text(words)
        sidebar.accessible()


def _dismiss_kernel(opened: Page) -> None:
    """Have no kernel where JupyterLab asks for one."""
    opened.locator(".jp-Dialog").get_by_role("button", name="No Kernel").click()
    expect(opened.locator(".jp-Dialog")).to_have_count(0)


def test_no_notebook_is_open(lab: Lab) -> None:
    with _sidebar(lab) as sidebar:
        lab.visit(sidebar.page)
        sidebar.show()
        _says(
            sidebar,
            notebook=("Open a notebook", "Open one that trains a model", "New Notebook"),
            runs=("No notebook is open", "Open a notebook: the runs"),
            convert=("No notebook is open", "Open a notebook to turn it into"),
            models=("No notebook is open", "Open a notebook: the models"),
        )
        # Tab goes through the sections as the eye does.
        titles = sidebar.root.locator(".jp-AccordionPanel-title .lm-AccordionPanel-titleLabel")
        assert titles.all_text_contents() == list(SECTIONS)


def test_a_notebook_in_another_language(lab: Lab) -> None:
    with _sidebar(lab) as sidebar:
        lab.visit(sidebar.page, "models.ipynb")
        _dismiss_kernel(sidebar.page)
        sidebar.show()
        _says(
            sidebar,
            notebook=("Nothing can be made of this notebook", "written in r", "choose a Python kernel"),
            runs=("No runs yet",),
            convert=("cannot be converted", "written in r"),
            models=("No model is registered yet",),
        )
        assert sidebar.root.get_by_role("button", name="Suggest Tags").and_(sidebar.page.locator(".jp-mlops-Button")).count() == 0
        expect(sidebar.page.locator(".jp-mlops-Strip:visible")).to_have_count(0)


def test_a_notebook_without_a_kernel(lab: Lab) -> None:
    notebook = json.loads((lab.work / "penguins.ipynb").read_text(encoding="utf-8"))
    notebook["metadata"] = {}
    (lab.work / "plain.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    with _sidebar(lab) as sidebar:
        lab.visit(sidebar.page, "plain.ipynb")
        _dismiss_kernel(sidebar.page)
        sidebar.show()
        _says(
            sidebar,
            notebook=("Suggest Tags", "9 suggested tags"),
            runs=("The notebook has no kernel: choose one", "Choose a Kernel"),
            convert=("Suggest Tags",),
            models=("No model is registered yet",),
        )
        sidebar.section("Runs").get_by_role("button", name="Choose a Kernel").click()
        dialog = sidebar.page.locator(".jp-Dialog")
        dialog.locator("select").select_option(label="Python 3 (ipykernel)")
        dialog.get_by_role("button", name="Select").click()
        lab.connected(sidebar.page)
        expect(sidebar.section("Runs")).not_to_contain_text("no kernel")


def test_nothing_tagged_nothing_run_nothing_registered(lab: Lab) -> None:
    with _sidebar(lab) as sidebar:
        sidebar.open("empty.ipynb")
        _says(
            sidebar,
            notebook=("No tags can be suggested yet", "No cell is tagged", "press T", "No problems found"),
            runs=("No runs yet", "%%track", "Track a Cell", "Run the Notebook"),
            convert=("No cells are tagged as load and train", "The notebook is saved and run"),
            models=("No model is registered yet", "Convert a notebook", "Go to Convert"),
        )
        sidebar.section("Models").get_by_role("button", name="Go to Convert").click()
        expect(sidebar.root.locator(".jp-AccordionPanel-title", has_text="Convert")).to_have_attribute("aria-expanded", "true")
        expect(sidebar.root.locator("[role=alert]")).to_have_count(0)


def test_a_server_extension_of_another_version(lab: Lab) -> None:
    def other(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "version": "99.1"})

    with _sidebar(lab) as sidebar:
        sidebar.page.route("**/jupyter-mlops/status*", other)
        sidebar.open("penguins.ipynb")
        banner = sidebar.root.locator(".jp-mlops-Banner [role=alert]")
        expect(banner).to_contain_text("the server extension is version 99.1")
        expect(banner).to_contain_text("Reload the page")
        sidebar.accessible()
        sidebar.page.unroute("**/jupyter-mlops/status*")
        banner.get_by_role("button", name="Try Again").click()
        expect(banner).to_have_count(0)
        expect(sidebar.section("Notebook")).to_contain_text("9 suggested tags")


def test_no_server_extension(tmp_path: Path) -> None:
    needs_bundle()
    with running_lab(_work(tmp_path), tmp_path, extension=BUNDLE, server=False) as lab, _sidebar(lab) as sidebar:
        sidebar.open("penguins.ipynb")
        banner = sidebar.root.locator(".jp-mlops-Banner [role=alert]")
        expect(banner).to_contain_text("The server extension of jupyter-mlops is not running")
        expect(banner).to_contain_text("Install jupyter-mlops in the environment of the Jupyter server")
        _says(
            sidebar,
            notebook=("Nothing is known about this notebook while the server does not answer",),
            runs=("not running on this Jupyter server", "Try Again"),
            convert=("not running on this Jupyter server",),
            models=("not running on this Jupyter server", "Try Again"),
        )
        # Tags need no server.
        sidebar.page.locator(".jp-Notebook .jp-CodeCell .jp-InputPrompt").first.click()
        sidebar.run("mlops:tag-imports")
        expect(sidebar.page.locator(".jp-mlops-Chip[data-tag=imports]")).to_be_visible()


def test_mlflow_is_away(tmp_path: Path) -> None:
    needs_bundle()
    address = f"http://127.0.0.1:{free_port()}"
    env = {"MLFLOW_TRACKING_URI": address, "JUPYTER_MLOPS_SPOOL": str(tmp_path / "spool")}
    with running_lab(_work(tmp_path), tmp_path, extension=BUNDLE, env=env) as lab, _sidebar(lab) as sidebar:
        sidebar.open("penguins.ipynb")
        banner = sidebar.root.locator(".jp-mlops-Banner [role=alert]")
        expect(banner).to_contain_text(f"MLflow at {address} does not answer")
        expect(banner).to_contain_text("set MLFLOW_TRACKING_URI")
        assert banner.evaluate("node => getComputedStyle(node).textTransform") == "none"
        _says(
            sidebar,
            notebook=("9 suggested tags",),
            runs=("does not answer", "Start it", "Try Again"),
            convert=("The notebook is saved and run",),
            models=("does not answer", "Start it", "Try Again"),
        )
        # The sections have the room that the banner leaves: the last one is within the window.
        last = sidebar.root.locator(".jp-AccordionPanel-title").last.bounding_box()
        whole = sidebar.root.bounding_box()
        assert last is not None and whole is not None and last["y"] + last["height"] <= whole["y"] + whole["height"] + 1
