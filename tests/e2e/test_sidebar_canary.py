"""A canary in the sidebar, from the click to production and back: real replicas, a real Envoy, clients that ask all the time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from jupyter_mlops.environment import free_port
from jupyter_mlops.workflows.deploying import DeployOptions, deploy, deployment_status
from tests.browser import page
from tests.conftest import Converted
from tests.deployed import Load, a_row, add_broken_version, supervisors
from tests.lab import Lab
from tests.promotable import MODEL, QUICK, add_quick_version
from tests.sidebar import PICTURES, Sidebar, lab_in_production
from tests.unit.promotion.registry import aliases

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("sidebar-canary")]

PROMOTION = 300_000  # ms on a busy machine
POLICY = f"""{QUICK}
approval: {{self: true}}
canary: {{steps: [10, 50], seconds: 6, requests: 20, bake: 3}}
abort: {{latency_ratio: 10}}  # other tests may have the machine
"""
LONG = POLICY.replace("seconds: 6,", "seconds: 600,")


@pytest.fixture
def lab(converted: Callable[[str], Converted], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """See `lab_in_production`."""
    with lab_in_production(converted, tmp_path, monkeypatch) as running:
        yield running


@contextmanager
def _models(lab: Lab) -> Iterator[tuple[Sidebar, Locator]]:
    """The section of models in a browser."""
    with page() as opened:
        opened.set_viewport_size({"width": 1400, "height": 1500})
        opened.set_default_timeout(60_000)
        sidebar = Sidebar(opened, lab)
        sidebar.open("penguins.ipynb")
        sidebar.widen(470)
        sidebar.fold("Notebook", "Runs", "Convert")
        yield sidebar, sidebar.section("Models")


def _uri(lab: Lab) -> str:
    return f"sqlite:///{lab.work / 'mlflow.db'}"


def _serve(lab: Lab, version: str) -> str:
    """Deploy a version; its address."""
    return deploy(MODEL, version, DeployOptions(port=free_port(), replicas=1, tracking_uri=_uri(lab))).url


def _step(models: Locator, title: str) -> Locator:
    exact = re.compile(rf"^{re.escape(title)}$")
    return models.locator(".jp-mlops-JobStep", has=models.page.locator(".jp-mlops-JobStep-title", has_text=exact))


def _shares(models: Locator, text: str) -> Locator:
    return models.get_by_role("img", name=f"Traffic of {text}", exact=True)


def _numbers(models: Locator, row: str) -> list[str]:
    """A row of the table of traffic and health."""
    table = models.get_by_role("table", name="Traffic and health by version")
    return table.locator("tr", has=models.page.locator("th", has_text=row)).locator("td").all_text_contents()


def _picture(sidebar: Sidebar, name: str, first: Locator, last: Locator, folder: Path) -> None:
    """Of the sidebar from one part to another."""
    top, bottom, whole = first.bounding_box(), last.bounding_box(), sidebar.root.bounding_box()
    assert top and bottom and whole
    folder.mkdir(parents=True, exist_ok=True)
    sidebar.page.screenshot(
        path=str(folder / f"{name}.png"),
        clip={
            "x": whole["x"],
            "y": top["y"] - 4,
            "width": whole["width"],
            "height": bottom["y"] + bottom["height"] - top["y"] + 8,
        },
    )


def _traffic() -> dict[str, float]:
    return {one.version: one.share for one in deployment_status(MODEL).versions}


def test_from_the_click_to_production_and_back(
    lab: Lab, converted: Callable[[str], Converted], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder = Path(request.config.getoption("--pictures") or PICTURES)
    assert add_quick_version(_uri(lab), tmp_path / "version", policy=POLICY) == "2"
    row: dict[str, Any] = a_row(converted)
    with _models(lab) as (sidebar, models):
        # the version in production is served at last
        expect(models.get_by_role("region", name="Traffic")).to_have_count(0)
        models.get_by_role("button", name="Deploy…").click()
        dialog = sidebar.page.locator(".jp-Dialog")
        expect(dialog).to_contain_text("Version 1, which is in production")
        port = free_port()
        dialog.get_by_label("Port").fill(str(port))
        sidebar.accessible(".jp-Dialog")
        dialog.get_by_role("button", name="Deploy", exact=True).click()
        expect(_shares(models, "version 1: 100%")).to_be_visible(timeout=120_000)
        expect(models.get_by_role("button", name="Deploy…")).to_have_count(0)
        assert deployment_status(MODEL).url == f"http://127.0.0.1:{port}"

        models.get_by_role("button", name="Promote version 2").click()
        approve = models.get_by_role("button", name="Approve")
        expect(approve).to_be_visible(timeout=PROMOTION)
        sidebar.accessible()
        with Load(f"http://127.0.0.1:{port}", row) as load:
            approve.click()
            expect(_shares(models, "version 1: 90%, version 2: 10%")).to_be_visible(timeout=PROMOTION)
            canary = _step(models, "Traffic")
            expect(canary).to_have_attribute("data-status", "running")
            figures = canary.get_by_role("table", name="Figures of Traffic")
            expect(figures.get_by_role("row", name="Share of the traffic")).to_contain_text("10%")
            expect(_shares(models, "version 1: 50%, version 2: 50%")).to_be_visible()
            expect(figures.get_by_role("row", name="Share of the traffic")).to_contain_text("50%")
            expect(canary).to_contain_text("50%: ")
            _picture(sidebar, "promotion-canary", _step(models, "Latency"), models.get_by_role("region", name="Traffic"), folder)
            sidebar.picture("promotion-canary-all", sidebar.root)
            expect(_shares(models, "version 1: 0%, version 2: 100%").or_(_shares(models, "version 2: 100%"))).to_be_visible()
            expect(models).to_contain_text("version 2 of penguins is in production; version 1 is archived", timeout=PROMOTION)
            assert set(load.phase()) == {"2"}

            sidebar.accessible()
            expect(canary).to_have_attribute("data-status", "passed")
            expect(_shares(models, "version 2: 100%")).to_be_visible()
            assert _traffic() == {"2": 1.0}
            assert aliases(_uri(lab), MODEL) == {"production": "2", "previous": "1"}
            assert _numbers(models, "Replicas ready") == ["2 of 2"]
            assert _numbers(models, "Errors") == ["0"]

            # and back
            models.get_by_role("button", name="Close").click()
            models.get_by_role("button", name="Roll back to version 1").focus()
            sidebar.page.keyboard.press("Enter")
            expect(dialog).to_contain_text(f"Version 1 gets all the traffic of http://127.0.0.1:{port}")
            dialog.get_by_label("Comment").fill("it drifts")
            sidebar.accessible(".jp-Dialog")
            sidebar.picture("rollback-dialog")
            dialog.get_by_role("button", name="Roll Back", exact=True).click()
            expect(models.get_by_role("heading", name="Back to version 1")).to_be_visible()
            expect(_step(models, "Back into production")).to_have_attribute("data-status", "passed", timeout=PROMOTION)
            expect(_shares(models, "version 1: 100%")).to_be_visible()
            assert set(load.phase()) == {"1"}
            assert load.failed == []
        models.locator("summary", has_text="Journal").click()
        expect(models.locator(".jp-mlops-Journal")).to_contain_text("it drifts")
        assert aliases(_uri(lab), MODEL) == {"production": "1", "previous": "2"}
        expect(models.get_by_role("button", name="Roll back to version 2")).to_be_visible()
        sidebar.accessible()
        sidebar.picture("promotion-rollback", sidebar.root)


def test_a_bad_canary_is_taken_off(
    lab: Lab, converted: Callable[[str], Converted], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder = Path(request.config.getoption("--pictures") or PICTURES)
    assert add_broken_version(_uri(lab), tmp_path / "version", policy=LONG, deployed_only=True) == "2"
    url = _serve(lab, "1")
    with _models(lab) as (sidebar, models):
        expect(_shares(models, "version 1: 100%")).to_be_visible()
        models.get_by_role("button", name="Promote version 2").click()
        approve = models.get_by_role("button", name="Approve")
        expect(approve).to_be_visible(timeout=PROMOTION)
        with Load(url, a_row(converted)) as load:
            approve.click()
            expect(_shares(models, "version 1: 90%, version 2: 10%")).to_be_visible(timeout=PROMOTION)
            canary = _step(models, "Traffic")
            expect(canary).to_have_attribute("data-status", "failed", timeout=PROMOTION)
            expect(canary).to_contain_text("taken off again: ")
            expect(canary).to_contain_text("fails more often")
            expect(models.locator(".jp-mlops-Note")).to_contain_text("fails more often")
            expect(_shares(models, "version 1: 100%")).to_be_visible()
            assert set(load.phase()) == {"1"}
        expect(models).to_contain_text("Version 1 is in production.")
        expect(_step(models, "Into production")).to_have_attribute("data-status", "stopped")
        expect(models.get_by_role("button", name="Roll back", exact=False)).to_have_count(0)
        assert _traffic() == {"1": 1.0}
        assert aliases(_uri(lab), MODEL) == {"production": "1", "staging": "2"}
        sidebar.accessible()
        _picture(sidebar, "promotion-aborted", _step(models, "Latency"), models.get_by_role("region", name="Traffic"), folder)
        sidebar.picture("promotion-aborted-all", sidebar.root)
        for theme in ("Dark", "Dark High Contrast"):
            sidebar.theme(theme)
            sidebar.accessible()
            sidebar.picture(f"promotion-{theme.split()[-1].lower()}", sidebar.root)


def test_a_deployment_that_nobody_looks_after_is_said_and_mended(lab: Lab) -> None:
    _serve(lab, "1")
    place = deployment_status(MODEL).folder
    with _models(lab) as (sidebar, models):
        expect(_shares(models, "version 1: 100%")).to_be_visible()
        for one in supervisors(place):
            one.kill()
        traffic = models.get_by_role("region", name="Traffic")
        expect(traffic).to_contain_text("Nobody looks after it: what dies is not started again.")
        sidebar.accessible()
        traffic.get_by_role("button", name="Look After It Again").click()
        expect(traffic).not_to_contain_text("Nobody looks after it", timeout=120_000)
        assert deployment_status(MODEL).supervised
