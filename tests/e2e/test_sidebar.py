"""From an untagged notebook to production in the sidebar: a real JupyterLab, kernel, MLflow, job runner and browser."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import expect

from jupyter_mlops.tracking.lifecycle import find_version
from tests.browser import page
from tests.conftest import Converted
from tests.lab import Lab, running_lab
from tests.notebooks import PENGUINS, untagged, write_notebook
from tests.sidebar import BUNDLE, PICTURES, Sidebar, needs_bundle

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("sidebar")]

CONVERSION = 300_000  # ms on a busy machine


@contextmanager
def _lab(work: Path) -> Iterator[Lab]:
    needs_bundle()
    place = work.parent
    (work / "promotion.yaml").write_text("approval:\n  self: true  # one person's model\n", encoding="utf-8")
    with running_lab(work, place, extension=BUNDLE, env={"JUPYTER_MLOPS_SPOOL": str(place / "spool")}) as running:
        yield running


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """JupyterLab with the extension and an untagged notebook."""
    work = tmp_path / "work"
    work.mkdir()
    write_notebook(work / "penguins.ipynb", untagged(PENGUINS))
    with _lab(work) as running:
        yield running


@pytest.fixture
def converted_lab(converted: Callable[[str], Converted], tmp_path: Path) -> Iterator[Lab]:
    """JupyterLab with the extension and a converted notebook."""
    with _lab(Path(shutil.copytree(converted("penguins").folder.parent, tmp_path / "work"))) as running:
        yield running


def test_from_an_untagged_notebook_to_production(lab: Lab, request: pytest.FixtureRequest) -> None:
    folder = Path(request.config.getoption("--pictures") or PICTURES)
    with page() as opened:
        opened.set_viewport_size({"width": 1400, "height": 1000})
        opened.set_default_timeout(60_000)
        sidebar = Sidebar(opened, lab)
        sidebar.open("penguins.ipynb")
        sidebar.widen(430)

        # tag
        notebook = sidebar.section("Notebook")
        expect(notebook).to_contain_text("Tag its cells")
        notebook.get_by_role("button", name="Suggest Tags").first.click()
        expect(notebook.get_by_role("button", name="Accept All").first).to_be_visible()
        sidebar.accessible()
        sidebar.picture("sidebar-suggest", folder=folder)
        notebook.get_by_role("button", name="Accept All").first.click()
        expect(opened.locator(".jp-mlops-Chip:visible").first).to_be_visible()
        tags = [one[0] for one in sidebar.tags() if one]
        assert {"imports", "parameters", "load", "features", "train", "evaluate"} <= set(tags), tags
        expect(notebook.get_by_role("button", name="train").first).to_be_visible()

        # run it tracked, and see the run appear
        notebook.get_by_role("button", name="Add %%track").click()
        runs = sidebar.section("Runs")
        expect(runs).to_contain_text("No runs", ignore_case=True)
        sidebar.run("notebook:run-all-cells")
        row = runs.locator(".jp-mlops-Grid-row").first
        expect(row).to_contain_text("finished", timeout=120_000)
        sidebar.picture("sidebar-runs")
        sidebar.accessible()

        # convert; the page is loaded anew in the middle
        opened.locator('.jp-Toolbar [data-jp-item-name="mlops-convert"]').locator("jp-button, button").first.click()
        convert = sidebar.section("Convert")
        expect(convert.get_by_role("button", name="Cancel")).to_be_visible()
        expect(convert.locator(".jp-mlops-JobSteps")).to_contain_text("run", ignore_case=True)
        sidebar.reload()
        convert = sidebar.section("Convert")
        expect(convert.locator(".jp-mlops-JobSteps")).to_be_visible()
        expect(convert).to_contain_text("Registered as", timeout=CONVERSION)
        report = json.loads((lab.work / "penguins" / "report.json").read_text(encoding="utf-8"))
        assert report["status"] == "registered"
        parity = convert.locator("table", has_text="bundle").first
        expect(parity).to_contain_text(str(report["parity"]["rows"]))
        sidebar.accessible()
        sidebar.picture("sidebar-convert")

        # try the service
        convert.get_by_role("button", name="Start the Service").click()
        send = convert.locator(".jp-mlops-Form button[type=submit]")
        expect(send).to_be_visible(timeout=120_000)
        sidebar.accessible()
        send.click()
        answer = convert.locator(".jp-mlops-Answer")
        expect(answer).to_contain_text("200")
        golden = json.loads((lab.work / "penguins" / "model" / "golden.json").read_text(encoding="utf-8"))
        expect(answer).to_contain_text(str(golden["predictions"][0]))
        answer.scroll_into_view_if_needed()
        sidebar.picture("sidebar-service")
        convert.get_by_role("button", name="Stop", exact=False).first.click()
        expect(convert.get_by_role("button", name="Start the Service")).to_be_visible(timeout=60_000)

        # promote
        models = sidebar.section("Models")
        models.get_by_role("button", name="Promote").first.click()
        approve = models.get_by_role("button", name="Approve")
        expect(approve).to_be_visible(timeout=CONVERSION)
        expect(models).to_contain_text("183 passed")
        sidebar.accessible()
        sidebar.picture("sidebar-approval")
        models.get_by_label("Comment").fill("the numbers are right")
        approve.click()
        expect(models).to_contain_text("version 1 of penguins is in production", timeout=CONVERSION)
        expect(models).to_contain_text("the numbers are right")
        sidebar.picture("sidebar-production", folder=folder)
        for theme in ("Dark", "Dark High Contrast"):
            sidebar.theme(theme)
            sidebar.accessible()
            sidebar.picture(f"sidebar-{theme.split()[-1].lower()}")
        sidebar.theme("Light")
        assert _production(lab) == "1"


def test_an_edited_project_is_replaced_and_versions_are_compared_rejected_and_cancelled(converted_lab: Lab) -> None:
    lab = converted_lab
    readme = lab.work / "penguins" / "README.md"
    readme.write_text("mine\n", encoding="utf-8")
    with page() as opened:
        opened.set_viewport_size({"width": 1400, "height": 1000})
        opened.set_default_timeout(60_000)
        sidebar = Sidebar(opened, lab)
        sidebar.open("penguins.ipynb")
        convert = sidebar.section("Convert")
        convert.get_by_role("button", name="Convert", exact=True).click()
        expect(convert.get_by_role("alert")).to_contain_text("was edited since it was made (README.md)", timeout=CONVERSION)
        assert readme.read_text(encoding="utf-8") == "mine\n"
        convert.get_by_role("button", name="Replace It").click()
        expect(convert).to_contain_text("Registered as penguins, version 2", timeout=CONVERSION)
        (kept,) = lab.work.glob("penguins.*.edited")
        expect(convert).to_contain_text(f"is kept in {kept.name}")
        assert (kept / "README.md").read_text(encoding="utf-8") == "mine\n"
        assert readme.read_text(encoding="utf-8") != "mine\n"
        convert.locator("summary", has_text="Log").click()
        expect(convert.get_by_role("region", name="Log of the job")).to_contain_text("penguins")

        convert.get_by_role("button", name="Open the Folder").click()
        files = opened.locator("#filebrowser")
        expect(files.locator(".jp-DirListing-item", has_text="report.json")).to_be_visible()
        expect(files.locator(".jp-BreadCrumbs")).to_contain_text("penguins")
        sidebar.show()

        models = sidebar.section("Models")
        models.get_by_label("Compare version 1").check()
        expect(models).to_contain_text("Check a second version to compare it with version 1.")
        models.get_by_label("Compare version 2").check()
        accuracy = models.get_by_role("region", name="Comparison").get_by_role("row", name="accuracy", exact=False).first
        report = json.loads((lab.work / "penguins" / "report.json").read_text(encoding="utf-8"))
        expect(accuracy.locator("td")).to_contain_text([f"{report['metrics']['accuracy']:.3f}"] * 2)  # seeded: as before
        sidebar.accessible()
        models.get_by_label("Compare version 1").uncheck()
        expect(models.get_by_role("region", name="Comparison")).to_have_count(0)

        models.get_by_role("button", name="Promote version 1").click()
        expect(models.get_by_role("button", name="Promote version 2")).to_have_attribute("aria-disabled", "true")
        models.get_by_role("button", name="Cancel the Promotion").click()
        expect(models).to_contain_text("Cancelled: the version stays where it was.", timeout=CONVERSION)
        models.get_by_role("button", name="Close").click()

        models.get_by_role("button", name="Promote version 2").click()
        expect(models).to_contain_text("Waiting for an approval.", timeout=CONVERSION)
        models.get_by_label("Comment").fill("the numbers are wrong")
        models.get_by_role("button", name="Reject").click()
        expect(models).to_contain_text("Rejected.", timeout=CONVERSION)
        models.locator("summary", has_text="Journal").click()
        expect(models.locator(".jp-mlops-Journal")).to_contain_text("the numbers are wrong")
        expect(models).to_contain_text("No version is in production yet")
        sidebar.accessible()


def _production(lab: Lab) -> str | None:
    return find_version(f"sqlite:///{lab.work / 'mlflow.db'}", "penguins").champion
