"""The live table of runs in a real JupyterLab and a real browser: sorting, filtering, columns, pages, two runs compared."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from benchmarks.runs_listing import build_store
from tests.browser import page
from tests.lab import Lab, running_lab
from tests.notebooks import write_notebook

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("runs-table")]

SETUP = """
from pathlib import Path
from jupyter_mlops.tracking.runs import RunRecord, log_run
from jupyter_mlops.widgets.runs_table import RunsView
from jupyter_mlops.workflows.runs import list_runs
uri = f"sqlite:///{Path.cwd() / 'mlflow.db'}"
for n, auc in enumerate([0.1, 0.9, 0.11, None, 0.5]):
    log_run(
        RunRecord("churn", "<b>x</b>" if n == 4 else f"run{n}", params={"depth": [10, 9, 2, 1, 3][n]},
                  metrics={"loss": 1.0 - n / 10} | ({} if auc is None else {"auc": auc}),
                  tags={"mlops.kind": "cell"}, texts={"cell/source.py": f"depth = {n}\\n"}), uri=uri)
"""
CELLS = [
    SETUP,
    "RunsView(list_runs(uri, 'churn'))",
    "RunsView(list_runs(uri, 'churn', sort='auc', limit=3), live=False)",
    "RunsView(list_runs(uri, 'bench', limit=10_000))",
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab with a notebook, beside a store with 10,000 runs."""
    place = tmp_path_factory.mktemp("lab")
    work = place / "work"
    work.mkdir()
    build_store(work, 10_000)
    write_notebook(work / "runs.ipynb", [("", source) for source in CELLS])
    with running_lab(work, place) as running:
        yield running


def _run_all(opened: Page, lab: Lab) -> None:
    opened.set_default_timeout(60_000)
    lab.open(opened, "runs.ipynb")
    # Not waited for: a dialog would hold the promise for ever.
    opened.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-all-cells')")
    expect(opened.locator(".mlops-runs")).to_have_count(3, timeout=120_000)


def test_the_table_sorts_filters_pages_and_compares(lab: Lab) -> None:
    with page() as opened:
        _run_all(opened, lab)
        outputs = opened.locator(".jp-Notebook .jp-CodeCell")
        live = outputs.nth(1).locator(".mlops-runs").first
        rows = live.locator(".mlops-runs-scroll").first.locator("tbody tr")
        names = rows.locator("td:nth-child(2)")

        def shown() -> list[str]:
            return [one.split(" ")[0] for one in names.all_text_contents()]

        expect(names).to_have_count(5)
        assert shown() == ["<b>x</b>", "run3", "run2", "run1", "run0"]  # as text, the newest first
        live.get_by_role("button", name="auc").click()
        assert shown() == ["run1", "<b>x</b>", "run2", "run0", "run3"]  # the best first, the missing last
        live.get_by_role("button", name="auc").click()
        assert shown() == ["run0", "run2", "<b>x</b>", "run1", "run3"]  # still last
        expect(live.locator("th[aria-sort=ascending]")).to_contain_text("auc")
        live.get_by_role("button", name="depth").click()
        assert shown() == ["run3", "run2", "<b>x</b>", "run1", "run0"]  # 1, 2, 3, 9, 10: as numbers
        live.get_by_role("button", name="loss").click()
        assert shown()[0] == "<b>x</b>"  # lower is better
        best = live.locator("td.mlops-runs-best")
        assert sorted(best.all_text_contents()) == ["0.6", "0.9"]

        live.get_by_role("searchbox").fill("auc>0.2 depth<5")
        assert shown() == ["<b>x</b>"]
        live.get_by_role("searchbox").fill("RUN3")
        assert shown() == ["run3"]
        live.get_by_role("searchbox").fill("")
        expect(names).to_have_count(5)

        expect(live.get_by_role("button", name="depth")).to_have_count(1)
        live.locator("summary").first.click()
        live.get_by_label("depth").uncheck()
        expect(live.get_by_role("button", name="depth")).to_have_count(0)
        live.get_by_label("kind").check()
        expect(live.get_by_role("button", name="kind")).to_have_count(1)
        live.locator("summary").first.click()

        live.get_by_label("compare run1").check()
        expect(live.get_by_text("Tick one more run")).to_be_visible()
        live.get_by_label("compare run0").check()
        diff = live.locator("pre.mlops-runs-diff")
        expect(diff).to_contain_text("-depth = 0", timeout=30_000)
        expect(diff).to_contain_text("+depth = 1")
        live.get_by_label("compare run2").check()  # a third takes the place of the first
        expect(live.locator("input[type=checkbox]:checked[aria-label^=compare]")).to_have_count(2)
        expect(diff).to_contain_text("+depth = 2", timeout=30_000)

        static = outputs.nth(2).locator(".mlops-runs")
        assert [one.split(" ")[0] for one in static.locator("tbody td:first-child").all_text_contents()] == [
            "run1",
            "<b>x</b>",
            "run2",
        ]
        expect(static.locator("button")).to_have_count(0)

        many = outputs.nth(3).locator(".mlops-runs").first
        expect(many.locator("tbody tr")).to_have_count(25)
        expect(many.get_by_text("1–25 of 10,000 runs")).to_be_visible()
        many.get_by_label("next page").click()
        expect(many.get_by_text("26–50 of 10,000 runs")).to_be_visible()
        took = many.evaluate(
            """table => {
                const start = performance.now();
                [...table.querySelectorAll("th button")].find((one) => one.textContent === "metric_0").click();
                return performance.now() - start;
            }"""
        )
        assert took < 1500, f"sorting 10,000 rows took {took:.0f} ms"
        expect(many.get_by_text("1–25 of 10,000 runs")).to_be_visible()
        values = [float(one) for one in many.locator("tbody tr td:nth-child(6)").all_text_contents()]
        assert values == sorted(values, reverse=True)
        assert values[0] > 0.999
        many.get_by_role("searchbox").fill("metric_0>0.99 metric_1<0.5")
        expect(many.locator(".mlops-runs-bar > .mlops-runs-quiet")).to_contain_text(re.compile(r"^1–25 of \d\d of 10,000 runs$"))


def test_the_table_follows_the_theme(lab: Lab) -> None:
    with page() as opened:
        _run_all(opened, lab)
        cell = opened.locator(".jp-Notebook .jp-CodeCell").nth(1)
        colour = "one => { const style = getComputedStyle(one); return [style.color, style.backgroundColor] }"
        row = cell.locator("tbody tr").first
        light = row.evaluate(colour)
        opened.evaluate("() => { window.jupyterapp.commands.execute('apputils:change-theme', { theme: 'JupyterLab Dark' }) }")
        expect(opened.locator("body")).to_have_attribute("data-jp-theme-light", "false")
        opened.wait_for_timeout(500)
        dark = row.evaluate(colour)
        assert _brightness(light[0]) < 100 < 200 < _brightness(light[1])
        assert _brightness(dark[1]) < 100 < 150 < _brightness(dark[0])


def _brightness(colour: str) -> float:
    parts = [float(one) for one in colour.partition("(")[2].rstrip(")").split(",")]
    return sum(parts[:3]) / 3
