"""What the JupyterLab extension costs: the start of the shell, the download, a key press; and the panel of 10,000 runs.

    python benchmarks/sidebar.py [--starts 7] [--json]

Two JupyterLabs run side by side, with the extension (labextension and server extension) and without; a real Chromium
opens them in turn (with, without, with, ...) with an empty cache. A shell is usable when its splash is gone and the file
browser lists the folder. Key presses are typed into a 200-cell notebook, with the sidebar open where there is one; the
sides are taken in turn there, too. Medians; ratios and differences are within a round.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.runs_listing import EXPERIMENT as NOTEBOOK
from benchmarks.runs_listing import build_store
from tests.browser import CHROMIUM_ARGUMENTS, find_browser
from tests.lab import running_lab
from tests.notebooks import write_notebook

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request

    from tests.lab import Lab

BUNDLE = Path(__file__).resolve().parents[1] / "jupyter_mlops" / "labextension"
CELLS = 200
KEYS = 60
ROUNDS = 3
METRIC = "metric_0"
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


def cells() -> list[tuple[str, str]]:
    """A tagged notebook, most of it code as people write it."""
    made = [
        ("imports", "import pandas as pd\nfrom sklearn.linear_model import LogisticRegression"),
        ("load", "df = pd.read_csv('data.csv')"),
    ]
    made += [
        ("features", f"df['x{i}'] = df['a'].fillna(df['a'].mean()) * {i}\ndf['y{i}'] = df['x{i}'].clip(0, {i + 1})")
        for i in range(CELLS - 3)
    ]
    return [*made, ("train", "model = LogisticRegression().fit(df.drop(columns='target'), df['target'])")]


def start(page: Page, lab: Lab) -> float:
    """Seconds from the address to a usable shell."""
    began = time.perf_counter()
    page.goto(f"{lab.base}/lab/workspaces/w{time.time_ns()}?token={lab.token}", wait_until="commit")
    page.wait_for_selector("#jupyterlab-splash", state="detached", timeout=90_000)
    page.wait_for_selector(".jp-DirListing-item", timeout=60_000)
    return time.perf_counter() - began


def typed(page: Page, lab: Lab) -> list[float]:
    """Milliseconds of each key press in the middle of the notebook."""
    lab.open(page, f"{NOTEBOOK}.ipynb")
    if page.evaluate("() => window.jupyterapp.commands.hasCommand('mlops:show-sidebar')"):
        page.evaluate("() => window.jupyterapp.commands.execute('mlops:show-sidebar')")
    page.wait_for_timeout(5000)  # chips and the first analysis
    source = page.evaluate_handle(
        """async number => {
          const notebook = window.jupyterapp.shell.currentWidget.content;
          notebook.activeCellIndex = number;
          await notebook.scrollToItem(number, 'center');
          notebook.mode = 'edit';
          await notebook.activeCell.ready;
          notebook.activeCell.editor.focus();
          return notebook.activeCell.model.sharedModel;
        }""",
        CELLS // 2,
    )
    page.wait_for_timeout(1000)
    page.evaluate(TIMER)
    before = len(str(source.evaluate("model => model.getSource()")))
    for number in range(KEYS):
        page.keyboard.press("x")
        while page.evaluate("() => window.delays.length") <= number:
            page.wait_for_timeout(20)
        page.wait_for_timeout(80)
    typed = len(str(source.evaluate("model => model.getSource()"))) - before
    if typed != KEYS:
        sys.exit(f"{KEYS} keys were pressed and {typed} letters came: this was no typing.")
    return [float(one) for one in page.evaluate("() => window.delays")]


def listed(page: Page, lab: Lab, count: int) -> dict[str, float]:
    """Seconds of the runs panel from a click to the rows in the page: the first 100, a jump into the middle, a sort of all."""
    with closing(sqlite3.connect(lab.work / "mlflow.db")) as store:
        ordered = "select r.name from runs r join latest_metrics m using (run_uuid) where m.key = ? order by m.value desc limit 1"
        best = store.execute(ordered, [METRIC]).fetchone()[0]
    lab.open(page, f"{NOTEBOOK}.ipynb")
    page.evaluate("() => window.jupyterapp.commands.execute('mlops:show-sidebar')")
    page.wait_for_timeout(10_000)  # as somebody who looks at the notebook first; the server opens the store meanwhile

    def until(place: int, text: str) -> None:
        """Wait until the run at this place is there."""
        page.wait_for_function(
            """([place, text]) => [...document.querySelectorAll('.jp-MainAreaWidget .jp-mlops-Grid-row')].some(
              row => Number(row.getAttribute('aria-rowindex')) === place + 2 && !row.hasAttribute('aria-busy')
                && row.textContent.includes(text)
            )""",
            arg=[place, text],
            timeout=120_000,
            polling=10,
        )

    found = {}
    began = time.perf_counter()
    page.evaluate("() => void window.jupyterapp.commands.execute('mlops:open-runs')")
    until(0, f"run-{count - 1}")
    found["the first 100"] = time.perf_counter() - began
    grid = page.locator(".jp-MainAreaWidget .jp-mlops-Grid")
    all_known = f"() => document.querySelector('.jp-MainAreaWidget .jp-mlops-Grid').ariaRowCount === '{count + 1}'"
    page.wait_for_function(all_known, timeout=120_000)
    began = time.perf_counter()
    grid.evaluate("grid => { grid.scrollTop = grid.scrollHeight / 2; }")
    until(count // 2, f"run-{count - 1 - count // 2}")
    found["a jump into the middle"] = time.perf_counter() - began
    began = time.perf_counter()
    grid.get_by_role("button", name=METRIC).first.click()
    grid.evaluate("grid => { grid.scrollTop = 0; }")
    until(0, best)
    found["all sorted by a metric"] = time.perf_counter() - began
    return found


def measure(starts: int, count: int) -> dict[str, Any]:
    """All figures."""
    from playwright.sync_api import sync_playwright

    executable = find_browser()
    with ExitStack() as stack:
        playwright = stack.enter_context(sync_playwright())
        labs: dict[str, Lab] = {}
        for side in ("with", "without"):
            place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            work = place / "work"
            work.mkdir()
            write_notebook(work / f"{NOTEBOOK}.ipynb", cells())
            if side == "with":
                build_store(work, count)
            extension = BUNDLE if side == "with" else None
            labs[side] = stack.enter_context(running_lab(work, place, extension=extension, windowing=None))
        browser = stack.enter_context(
            closing(playwright.chromium.launch(executable_path=executable, headless=True, args=CHROMIUM_ARGUMENTS))
        )

        @contextmanager
        def opened() -> Iterator[Page]:
            with closing(browser.new_context(viewport={"width": 1200, "height": 900})) as context:
                yield context.new_page()

        bytes_: dict[str, int] = {}

        def count_bytes(request: Request) -> None:
            if OURS in request.url:
                bytes_[request.url.split(OURS)[1].split("?")[0]] = request.sizes()["responseBodySize"]

        shells: dict[str, list[float]] = {side: [] for side in labs}
        keys: dict[str, list[float]] = {side: [] for side in labs}
        for number in range(starts + 1):  # the first of each fills caches of the server
            for side, lab in labs.items():
                with opened() as page:
                    page.on("requestfinished", count_bytes)
                    seconds = start(page, lab)
                    if number:
                        shells[side].append(seconds)
                    page.wait_for_timeout(500)
        for _ in range(ROUNDS):
            for side, lab in labs.items():
                with opened() as page:
                    keys[side].append(statistics.median(typed(page, lab)))
        with opened() as page:
            panel = listed(page, labs["with"], count)
    return {
        "shell": {side: statistics.median(seconds) for side, seconds in shells.items()},
        "shell ratio": statistics.median(a / b for a, b in zip(shells["with"], shells["without"], strict=True)),
        "key": {side: statistics.median(milliseconds) for side, milliseconds in keys.items()},
        "key difference": statistics.median(a - b for a, b in zip(keys["with"], keys["without"], strict=True)),
        "download bytes": sum(bytes_.values()),
        "runs": panel,
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
    shell, key = found["shell"], found["key"]
    print("| | with | without | |\n|---|---|---|---|")
    print(f"| usable shell | {shell['with']:.2f} s | {shell['without']:.2f} s | {found['shell ratio']:.3f} times |")
    print(f"| key press in {CELLS} cells | {key['with']:.1f} ms | {key['without']:.1f} ms | {found['key difference']:+.1f} ms |")
    print(f"| download at the start | {found['download bytes'] / 1000:.0f} KB | | |")
    for name, seconds in found["runs"].items():
        print(f"| {name} of {arguments.runs:,} runs | {seconds:.2f} s | | |")


if __name__ == "__main__":
    main()
