"""The runs panel with 10,000 runs: live, sorted, filtered, scrolled, compared, restored, run again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from benchmarks.runs_listing import build_store
from tests.browser import page
from tests.lab import Lab, running_lab
from tests.notebooks import write_notebook
from tests.sidebar import BUNDLE, PICTURES, Sidebar, needs_bundle

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("sidebar-runs")]

RUNS = 10_000
CELLS = [
    ("", "%load_ext jupyter_mlops\nimport time"),
    ("parameters", "depth = 3  # of the tree\nparam_0 = 0.5\nlags = [1, 2]"),
    ("train", "%%track live --metric metric_0=depth/100\ntime.sleep(4)\nmetric_0 = depth / 100"),
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab beside a store with many runs of the notebook."""
    needs_bundle()
    place = tmp_path_factory.mktemp("lab")
    work = place / "work"
    work.mkdir()
    build_store(work, RUNS)
    write_notebook(work / "bench.ipynb", CELLS)
    with running_lab(work, place, extension=BUNDLE, env={"JUPYTER_MLOPS_SPOOL": str(place / "spool")}) as running:
        yield running


def _query(lab: Lab, statement: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(lab.work / "mlflow.db") as database:
        return database.execute(statement).fetchall()


def _loaded(grid: Locator) -> None:
    """Wait until what is in view is there."""
    grid.page.wait_for_function(
        """grid => {
          const rows = [...grid.querySelectorAll('.jp-mlops-Grid-row')];
          return rows.length > 0 && rows.every(row => !row.hasAttribute('aria-busy'));
        }""",
        arg=grid.element_handle(),
    )


def test_ten_thousand_runs(lab: Lab, request: pytest.FixtureRequest) -> None:
    folder = Path(request.config.getoption("--pictures") or PICTURES)
    with page() as opened:
        opened.set_viewport_size({"width": 1400, "height": 1000})
        opened.set_default_timeout(60_000)
        sidebar = Sidebar(opened, lab)
        sidebar.open("bench.ipynb")
        sidebar.run("mlops:open-runs")
        tab = opened.locator(".jp-MainAreaWidget .jp-mlops-Runs")
        grid = tab.locator(".jp-mlops-Grid")
        count = tab.locator(".jp-mlops-RunsCount")
        expect(count).to_have_text("10,000 runs", timeout=120_000)
        assert grid.get_attribute("aria-rowcount") == str(RUNS + 1)
        assert tab.locator(".jp-mlops-Grid-row").count() <= 60

        # scrolled to the end: the oldest
        grid.evaluate("grid => { grid.scrollTop = grid.scrollHeight; }")
        expect(tab.locator(".jp-mlops-Grid-row").last).to_contain_text("run-0")
        _loaded(grid)

        # sorted by a metric: the best of all come first
        tab.get_by_role("button", name="metric_0").first.click()
        (best,) = _query(
            lab,
            "select r.name from runs r join latest_metrics m using (run_uuid) where m.key = 'metric_0' order by m.value desc limit 1",
        )[0]
        grid.evaluate("grid => { grid.scrollTop = 0; }")
        expect(tab.locator(".jp-mlops-Grid-row").first).to_contain_text(f"{best}")
        expect(tab.locator("[aria-sort=descending]")).to_contain_text("metric_0")

        # filtered
        (above,) = _query(lab, "select count(*) from latest_metrics where key = 'metric_0' and value > 0.99")[0]
        tab.get_by_role("searchbox").fill("metric_0>0.99")
        expect(count).to_have_text(f"{above} of 10,000 runs")

        # a chart of these: a point for each, of what is chosen
        tab.get_by_role("button", name="Chart").click()
        chart = opened.locator(".jp-mlops-Scatter")
        expect(chart.get_by_role("status")).to_contain_text(f"{above} of {above} runs have both values.")
        drawn = chart.locator(".jp-mlops-Chart svg")
        expect(drawn.locator(".mark-symbol path")).to_have_count(int(str(above)))
        expect(drawn).not_to_contain_text("metric_3")
        chart.get_by_label("Up").select_option("metric_3")
        expect(drawn).to_contain_text("metric_3")
        sidebar.accessible(".jp-mlops-Scatter")
        sidebar.run("mlops:open-runs")  # shows the tab that is there
        expect(tab).to_have_count(1)
        expect(count).to_be_visible()

        # the columns that are shown
        title = tab.get_by_role("columnheader", name="metric_1")
        expect(title).to_have_count(1)
        tab.get_by_role("button", name="Columns…").click()
        dialog = opened.locator(".jp-Dialog-content")
        sidebar.accessible(".jp-Dialog-content")
        dialog.get_by_label("metric_1", exact=True).uncheck()
        expect(title).to_have_count(0)
        dialog.get_by_role("button", name="Back to the Proposed Columns").click()
        expect(title).to_have_count(1)
        dialog.get_by_role("button", name="Close").click()
        expect(dialog).to_have_count(0)

        tab.get_by_role("searchbox").fill("metric_0>")
        expect(tab.get_by_role("alert")).to_contain_text("metric_0>")
        tab.get_by_role("searchbox").fill("")
        expect(count).to_have_text("10,000 runs")

        # three selected by keyboard, side by side
        _loaded(grid)
        grid.focus()
        for key in ("Home", "Space", "Shift+ArrowDown", "Shift+ArrowDown"):
            opened.keyboard.press(key)
        sidebar.accessible(".jp-MainAreaWidget .jp-mlops-Runs")
        sidebar.picture("runs-selected")
        tab.get_by_role("button", name="Compare", exact=True).click()
        compared = opened.locator(".jp-mlops-Compare")
        expect(compared).to_contain_text("metric_0")
        expect(compared.locator(".jp-mlops-Chart svg").first).to_be_visible()
        sidebar.accessible(".jp-mlops-Compare")
        sidebar.picture("runs-compared", folder=folder)


def test_restored_and_run_again(lab: Lab) -> None:
    with page() as opened:
        opened.set_viewport_size({"width": 1400, "height": 1000})
        opened.set_default_timeout(60_000)
        sidebar = Sidebar(opened, lab)
        sidebar.open("bench.ipynb")
        runs = sidebar.section("Runs")
        grid = runs.locator(".jp-mlops-Grid")
        expect(grid).to_be_visible(timeout=60_000)
        _loaded(grid)

        # a run shows while its cell runs
        sidebar.run("notebook:run-all-cells")
        live = runs.locator(".jp-mlops-Grid-row", has_text="live").first
        expect(live).to_contain_text("running", timeout=60_000)
        expect(live).to_contain_text("finished", timeout=60_000)

        # parameters come back into the notebook, where a person has looked
        name = "run-" + str(RUNS - 1)
        (value,) = _query(
            lab, f"select p.value from params p join runs r using (run_uuid) where r.name = '{name}' and p.key = 'param_0'"
        )[0]
        runs.locator(".jp-mlops-Grid-row", has_text=name).first.click()
        dialog = opened.locator(".jp-Dialog-content")
        runs.get_by_role("button", name="See in MLflow").click()
        expect(dialog.locator("pre")).to_have_text(f"mlflow ui --backend-store-uri sqlite:///{lab.work / 'mlflow.db'}")
        dialog.get_by_role("button", name="Close").click()

        # a form starts at them
        form = runs.locator(".jp-mlops-RerunForm")
        runs.get_by_role("button", name="Re-run…").click()
        expect(form.get_by_label("param_0")).to_have_value(str(float(str(value))))
        expect(form.get_by_label("depth")).to_have_value("3")
        form.get_by_role("button", name="Cancel").click()
        expect(form).to_have_count(0)

        runs.get_by_role("button", name="Restore Parameters").click()
        expect(dialog).to_contain_text("param_0")
        dialog.locator(".jp-mod-accept").click()
        source = "() => window.jupyterapp.shell.currentWidget.content.model.cells.get(1).sharedModel.getSource()"
        opened.wait_for_function(f"value => ({source})().includes(value)", arg=str(float(str(value))))
        assert opened.evaluate(source).startswith("depth = 3  # of the tree\n")

        # the notebook runs again with other parameters, as a job, and its run appears
        runs.get_by_role("button", name="Re-run").first.click()
        form.get_by_label("depth").fill("7")
        form.get_by_role("button", name="Save and Run").click()
        named = opened.get_by_role("gridcell", name="bench", exact=True)
        again = runs.locator(".jp-mlops-Grid-row", has=named).first
        expect(again).to_contain_text("finished", timeout=120_000)
        found = _query(
            lab, "select p.value from params p join runs r using (run_uuid) where r.name = 'bench' and p.key = 'depth'"
        )
        assert found == [("7",)]
