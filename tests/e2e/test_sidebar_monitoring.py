"""The monitor in the sidebar: a deployed model is asked, drifts, and is looked at; its reports in tabs that can do nothing else."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Frame, Locator, Page, expect

from jupyter_mlops.environment import free_port
from jupyter_mlops.workflows.deploying import DeployOptions, deploy
from jupyter_mlops.workflows.monitoring import MonitorOptions, monitor
from tests.browser import page
from tests.conftest import Converted
from tests.deployed import ask, larger
from tests.lab import Lab
from tests.promotable import MODEL
from tests.sidebar import PICTURES, Sidebar, lab_in_production

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("sidebar-canary")]

LOOK = 120_000  # ms on a busy machine
BEFORE = (1.0, 1.003, 1.006)  # how much larger the animals of the windows before are


@pytest.fixture
def lab(converted: Callable[[str], Converted], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """See `lab_in_production`."""
    with lab_in_production(converted, tmp_path, monkeypatch) as running:
        yield running


def _use(url: str, rows: list[dict[str, Any]], labels: list[Any], *, wrong: int = 0) -> None:
    """Ask about rows and tell their labels; so many of them are told to be another kind."""
    answers = ask(url, rows)
    kinds = sorted({*labels})
    told = [
        {"id": one["id"], "label": kinds[(kinds.index(label) + 1) % len(kinds)] if at < wrong else label}
        for at, (one, label) in enumerate(zip(answers, labels, strict=True))
    ]
    httpx.post(f"{url}/feedback", json=told).raise_for_status()
    time.sleep(1)  # as in `ask`


def _look_here(uri: str, since: datetime) -> None:
    """As the command line does, at what was asked since then."""
    now = datetime.now(UTC)
    monitor(MODEL, None, MonitorOptions(window=now - since, until=now, rows=50, tracking_uri=uri))


def _frame(page: Page, kind: str) -> Frame:
    """The frame of the tab that is shown."""
    shown = page.locator(f'[id^="jupyter-mlops-{kind}:"] iframe')
    expect(shown).to_be_visible()
    element = shown.element_handle()
    assert element is not None
    frame = element.content_frame()
    assert frame is not None
    return frame


def _picture(sidebar: Sidebar, name: str, of: Locator, folder: Path) -> None:
    """Of a part of the sidebar, as wide as that is."""
    of.evaluate("node => node.scrollIntoView({block: 'start'})")
    part, whole = of.bounding_box(), sidebar.root.bounding_box()
    assert part and whole
    folder.mkdir(parents=True, exist_ok=True)
    sidebar.page.screenshot(
        path=str(folder / f"{name}.png"),
        clip={"x": whole["x"], "y": part["y"] - 8, "width": whole["width"], "height": part["height"] + 12},
    )


def test_a_model_that_drifts_is_seen(
    lab: Lab, converted: Callable[[str], Converted], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder = Path(request.config.getoption("--pictures") or PICTURES)
    uri = f"sqlite:///{lab.work / 'mlflow.db'}"
    holdout = json.loads((converted(MODEL).folder / "holdout/holdout.json").read_text())
    rows, labels = holdout["rows"], holdout["labels"]
    url = deploy(MODEL, "1", DeployOptions(port=free_port(), replicas=1, tracking_uri=uri)).url
    with page() as opened:
        opened.set_viewport_size({"width": 1400, "height": 1500})
        opened.set_default_timeout(60_000)
        sidebar = Sidebar(opened, lab)
        sidebar.open("penguins.ipynb")
        sidebar.widen(470)
        sidebar.fold("Notebook", "Runs", "Convert")
        models = sidebar.section("Models")
        monitoring = models.get_by_role("region", name="Monitoring")

        # nobody has asked yet
        expect(monitoring).to_contain_text("Nobody has looked yet at what version 1 is asked.")
        look = monitoring.get_by_role("button", name="Look Now")
        look.click()
        expect(monitoring.get_by_role("alert")).to_contain_text("Nothing that version 1", timeout=LOOK)
        sidebar.accessible()

        # some windows, at which others look
        for by in BEFORE:
            since = datetime.now(UTC)
            _use(url, larger(rows, by), labels)
            _look_here(uri, since)
        _use(url, larger(rows, 1.3), labels, wrong=len(rows) // 2)
        sidebar.reload()
        lab.connected(opened)
        # JupyterLab gives the focus to the notebook that it has restored, sooner or later.
        opened.wait_for_function("() => document.activeElement?.closest('.jp-NotebookPanel')")
        expect(monitoring).to_contain_text(f"Trend over {len(BEFORE)} windows")
        expect(monitoring.get_by_role("status").first).to_have_text("Nothing to look at.")

        # the job, by keyboard
        monitoring.locator("summary", has_text="Options").focus()
        opened.keyboard.press("Enter")
        monitoring.get_by_label("Window, up to the last row").select_option("1h")
        monitoring.get_by_label("Rows that are needed").fill("50")
        opened.keyboard.press("Shift+Tab")
        look.focus()
        opened.keyboard.press("Enter")
        expect(monitoring.get_by_role("list", name="Steps of the look")).to_be_visible()
        expect(monitoring.get_by_role("list", name="Alerts")).to_contain_text("Data drift", timeout=LOOK)
        expect(monitoring.get_by_role("list", name="Alerts")).to_contain_text("Concept drift")
        expect(look).to_be_focused()
        expect(monitoring).to_contain_text(f"Trend over {len(BEFORE) + 1} windows")
        table = monitoring.get_by_role("table", name="Distance of each column from the reference")
        expect(table.get_by_role("row", name="body_mass_g")).to_have_attribute("data-drifted", "true")
        monitoring.locator("summary", has_text="Options").click()
        sidebar.accessible()
        monitoring.locator("summary", has_text="All windows").click()
        sidebar.accessible()

        # our report, which has no script; its link opens Evidently's in a tab of the browser
        monitoring.get_by_role("button", name="Open Report").click()
        report = _frame(opened, "report")
        expect(report.get_by_role("heading", name="penguins, version 1")).to_be_visible()
        expect(report.locator("svg").first).to_be_visible()
        sidebar.picture("monitoring-report", folder=folder)
        with opened.expect_popup() as popup:
            report.get_by_role("link", name="Evidently's report").click()
        expect(popup.value.get_by_text("Drift is detected").first).to_be_visible(timeout=60_000)
        assert popup.value.evaluate("() => window.origin") == "null"
        popup.value.close()

        # Evidently's page draws itself by its scripts, and reaches nothing
        monitoring.get_by_role("button", name="Open Distributions").click()
        drift = _frame(opened, "drift")
        expect(drift.get_by_text("Drift is detected").first).to_be_visible(timeout=60_000)
        assert drift.evaluate("() => window.origin") == "null"
        for address in (f"{lab.base}/api/contents", f"{lab.base}/jupyter-mlops/status"):
            assert (
                drift.evaluate("url => fetch(url, {credentials: 'include'}).then(one => one.status, () => 'no')", address) == "no"
            )
        assert drift.evaluate("() => { try { return document.cookie } catch (error) { return error.name } }") == "SecurityError"
        assert (
            drift.evaluate("() => { try { return parent.document.title } catch (error) { return error.name } }")
            == "SecurityError"
        )
        sidebar.picture("monitoring-distributions")
        monitoring.get_by_role("button", name="Open Report").click()
        expect(opened.locator(".jp-mlops-Report")).to_have_count(2)  # the same tab

        for theme in ("Dark", "Dark High Contrast"):
            sidebar.theme(theme)
            sidebar.accessible()
            monitoring.get_by_role("button", name="Open Report").click()  # now in these colours
            expect(_frame(opened, "report").get_by_role("heading", name="penguins, version 1")).to_be_visible()
            name = f"monitoring-{theme.split()[-1].lower()}"
            _picture(sidebar, name, monitoring, PICTURES)
            sidebar.picture(f"{name}-all")
