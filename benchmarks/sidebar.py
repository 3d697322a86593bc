"""What the JupyterLab extension costs: the start of the shell, the download, a key press, the first 100 of 10,000 runs.

    python benchmarks/sidebar.py [--starts 7] [--json]

Two JupyterLabs run side by side, with the extension (labextension and server extension) and without; a real Chromium
opens them in turn (with, without, with, ...) with an empty cache. A shell is usable when its splash is gone and the file
browser lists the folder. Key presses are typed into a 200-cell notebook, with the sidebar open where there is one; the
sides are taken in turn there, too. Medians; ratios and differences are within a round.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request

    from tests.lab import Lab

BUNDLE = ROOT / "jupyter_mlops" / "labextension"
CELLS = 200
KEYS = 60
OURS = "/lab/extensions/jupyter-mlops/"
# The time that the page's thread works from a key press on, until it has nothing more to do before the next frame. Painting
# is left out: without a graphics card it takes far longer than all else, and differs from key to key.
TIMER = """() => {
  window.delays = [];
  window.addEventListener('keydown', () => {
    const begin = performance.now();
    const channel = new MessageChannel();
    channel.port1.onmessage = () => window.delays.push(performance.now() - begin);
    setTimeout(() => channel.port2.postMessage(null));
  }, true);
}"""


def write_notebook(path: Path, cells: int) -> None:
    """A tagged notebook of so many cells, most of them with code as people write it."""
    sources = [("imports", "import pandas as pd\nfrom sklearn.linear_model import LogisticRegression")]
    sources += [("load", "df = pd.read_csv('data.csv')")]
    sources += [
        ("features", f"df['x{i}'] = df['a'].fillna(df['a'].mean()) * {i}\ndf['y{i}'] = df['x{i}'].clip(0, {i + 1})")
        for i in range(cells - 3)
    ]
    sources += [("train", "model = LogisticRegression().fit(df.drop(columns='target'), df['target'])")]
    made: list[dict[str, object]] = [
        {
            "cell_type": "code",
            "id": f"c{i}",
            "metadata": {"tags": [tag]},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for i, (tag, source) in enumerate(sources)
    ]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path.write_text(json.dumps({"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8")


def start(page: Page, lab: Lab) -> float:
    """Seconds from the address to a usable shell."""
    began = time.perf_counter()
    page.goto(f"{lab.base}/lab/workspaces/w{time.time_ns()}?token={lab.token}", wait_until="commit")
    page.wait_for_selector("#jupyterlab-splash", state="detached", timeout=90_000)
    page.wait_for_selector(".jp-DirListing-item", timeout=60_000)
    return time.perf_counter() - began


def typed(page: Page, lab: Lab) -> list[float]:
    """Milliseconds of each key press in the middle of the notebook."""
    lab.open(page, "bench.ipynb")
    if page.evaluate("() => window.jupyterapp.commands.hasCommand('mlops:show-sidebar')"):
        page.evaluate("() => window.jupyterapp.commands.execute('mlops:show-sidebar')")
    page.wait_for_timeout(5000)  # chips and the first analysis
    notebook = "window.jupyterapp.shell.currentWidget.content"
    page.evaluate(f"async () => {{ {notebook}.activeCellIndex = {CELLS // 2}; await {notebook}.scrollToItem({CELLS // 2}); }}")
    page.keyboard.press("Enter")
    page.evaluate(TIMER)
    for number in range(KEYS):
        page.keyboard.press("x")
        while page.evaluate("() => window.delays.length") <= number:
            page.wait_for_timeout(20)
        page.wait_for_timeout(80)
    return [float(one) for one in page.evaluate("() => window.delays")]


def runs(lab: Lab, count: int) -> dict[str, float]:
    """Seconds of the panel's requests over HTTP: the first page with nothing known, again, and by a metric.

    The sidebar asks for the status when it is opened, which starts the process that talks with MLflow.
    """
    found = {}
    with urllib.request.urlopen(f"{lab.base}/jupyter-mlops/status?path=&token={lab.token}", timeout=60) as answer:
        answer.read()
    time.sleep(10)
    for name, sort in (
        ("first 100 runs, cold", ""),
        ("first 100 runs, again", ""),
        ("first 100 runs by a metric", "metric:metric_0"),
    ):
        query = urllib.parse.urlencode({"path": "bench.ipynb", "offset": 0, "limit": 100, "sort": sort, "descending": "true"})
        began = time.perf_counter()
        request = urllib.request.Request(
            f"{lab.base}/jupyter-mlops/runs?{query}", headers={"Authorization": f"token {lab.token}"}
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            page = json.load(answer)
        found[name] = time.perf_counter() - began
        assert len(page["rows"]) == min(100, count), page
    return found


def measure(starts: int, count: int) -> dict[str, float]:
    """All figures."""
    from playwright.sync_api import sync_playwright

    from benchmarks.runs_listing import EXPERIMENT, build_store
    from tests.browser import CHROMIUM_ARGUMENTS, find_browser
    from tests.lab import running_lab

    with ExitStack() as stack, sync_playwright() as playwright:
        labs: dict[str, Lab] = {}
        for side in ("with", "without"):
            place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            work = place / "work"
            work.mkdir()
            write_notebook(work / f"{EXPERIMENT}.ipynb", CELLS)
            if side == "with":
                build_store(work, count)
            labs[side] = stack.enter_context(
                running_lab(work, place, extension=BUNDLE if side == "with" else None, windowing=None)
            )
        browser = playwright.chromium.launch(executable_path=find_browser(), headless=True, args=CHROMIUM_ARGUMENTS)
        shells: dict[str, list[float]] = {side: [] for side in labs}
        bytes_: dict[str, int] = {}

        def count_bytes(request: Request) -> None:
            if OURS in request.url:
                sizes = request.sizes()
                bytes_[request.url.split(OURS)[1].split("?")[0]] = sizes["responseBodySize"]

        for number in range(starts + 1):  # the first of each fills caches of the server
            for side, lab in labs.items():
                context = browser.new_context(viewport={"width": 1200, "height": 900})
                page = context.new_page()
                if side == "with":
                    page.on("requestfinished", count_bytes)
                seconds = start(page, lab)
                if number:
                    shells[side].append(seconds)
                page.wait_for_timeout(500)
                context.close()
        keys: dict[str, list[float]] = {side: [] for side in labs}
        for _ in range(3):
            for side, lab in labs.items():
                context = browser.new_context(viewport={"width": 1200, "height": 900})
                keys[side].append(statistics.median(typed(context.new_page(), lab)))
                context.close()
        browser.close()
        listed = runs(labs["with"], count)
    return {
        "shell with": statistics.median(shells["with"]),
        "shell without": statistics.median(shells["without"]),
        "shell ratio": statistics.median(a / b for a, b in zip(shells["with"], shells["without"], strict=True)),
        "download bytes": float(sum(bytes_.values())),
        "key with": statistics.median(keys["with"]),
        "key without": statistics.median(keys["without"]),
        "key difference": statistics.median(a - b for a, b in zip(keys["with"], keys["without"], strict=True)),
        **listed,
    }


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--starts", type=int, default=7)
    parser.add_argument("--runs", type=int, default=10_000, help="in the store")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = measure(arguments.starts, arguments.runs)
    if arguments.json:
        print(json.dumps(found))
        return
    print("| the extension | with | without | |\n|---|---|---|---|")
    print(f"| usable shell | {found['shell with']:.2f} s | {found['shell without']:.2f} s | {found['shell ratio']:.3f} times |")
    print(
        f"| key press in {CELLS} cells | {found['key with']:.1f} ms | {found['key without']:.1f} ms | {found['key difference']:+.1f} ms |"
    )
    print(f"| download at the start | {found['download bytes'] / 1000:.0f} KB | | |")
    for name in ("first 100 runs, cold", "first 100 runs, again", "first 100 runs by a metric"):
        print(f"| {name} of {arguments.runs:,} | {found[name]:.2f} s | | |")


if __name__ == "__main__":
    main()
