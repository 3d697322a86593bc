"""How long conversion takes: `convert --no-run` against `jupyter nbconvert --to script`, and what `convert` adds to a run.

    python benchmarks/conversion.py [--json]          # 100-cell notebook, start-up
    python benchmarks/conversion.py --flagship        # what convert adds to the flagship's own run time

Commands are timed as whole processes, in turn (A B A B ...), medians of the runs; ratios are pair by pair.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.notebooks import PENGUINS, write_notebook  # noqa: E402


def hundred_cells(path: Path) -> Path:
    """A notebook of 100 cells: a tagged main path among exploration and plots."""
    cells = list(PENGUINS)
    filler = [
        ("", "penguins.groupby('species')['body_mass_g'].mean()"),
        ("", "import matplotlib.pyplot as plt\nplt.hist(penguins['bill_length_mm'].dropna())\nplt.show()"),
        ("md", "## A look at the data\n\nSome prose about what is seen here."),
        ("", "for island in penguins['island'].unique():\n    part = penguins[penguins['island'] == island]\n    print(island, len(part))"),
        ("", "summary = {s: g['flipper_length_mm'].max() for s, g in penguins.groupby('species')}\nsummary"),
    ]  # fmt: skip
    while len(cells) < 100:
        cells.insert(6 + len(cells) % 2, filler[len(cells) % len(filler)])
    return write_notebook(path, cells)


def timed(command: list[str]) -> float:
    """Wall seconds of one run; it must end well."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=env)
    return time.perf_counter() - started


def compare(first: list[str], second: list[str], runs: int) -> tuple[float, float, float]:
    """Medians of both and of the ratio second/first."""
    timed(first), timed(second)
    pairs = [(timed(first), timed(second)) for _ in range(runs)]
    return (
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(b / a for a, b in pairs),
    )


def start_up(runs: int) -> list[dict[str, float | str]]:
    """The 100-cell notebook, and import and help."""
    rows: list[dict[str, float | str]] = []
    python = sys.executable
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        notebook = hundred_cells(folder / "hundred.ipynb")
        convert = [python, "-m", "jupyter_mlops", "convert", str(notebook), "-o", str(folder / "out"), "--no-run"]
        nbconvert = [python, "-m", "nbconvert", "--to", "script", "--output-dir", str(folder), str(notebook)]
        ours, theirs, ratio = compare(convert, nbconvert, runs)
        rows.append(
            {
                "what": "convert --no-run, 100 cells",
                "seconds": ours,
                "against": "nbconvert --to script",
                "other": theirs,
                "ratio": ratio,
            }
        )
        shutil.rmtree(folder / "out")
    for name, command in (
        ("import jupyter_mlops", [python, "-c", "import jupyter_mlops"]),
        ("jupyter-mlops --help", [python, "-m", "jupyter_mlops", "--help"]),
    ):
        ours, bare, ratio = compare(command, [python, "-c", "pass"], runs)
        rows.append({"what": name, "seconds": ours, "against": "python -c pass", "other": bare, "ratio": ratio})
    return rows


def flagship() -> list[dict[str, float | str]]:
    """Seconds of the steps of a whole conversion, and what they add to the notebook's own cells."""
    notebook = ROOT / "example_notebooks" / "flight_delays.ipynb"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        alone = timed(
            [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--output-dir", str(folder), str(notebook)]
        )
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "jupyter_mlops", "convert", str(notebook), "-o", str(folder / "out"),
             "--tracking-uri", f"sqlite:///{folder}/mlflow.db"], check=True, capture_output=True,
        )  # fmt: skip
        whole = time.perf_counter() - started
        steps = json.loads((folder / "out" / "report.json").read_text(encoding="utf-8"))["seconds"]
    rows: list[dict[str, float | str]] = [{"what": f"step {name}", "seconds": value} for name, value in steps.items()]
    rows.append(
        {"what": "convert, flagship", "seconds": whole, "against": "nbconvert --execute", "other": alone, "ratio": whole / alone}
    )
    rows.append({"what": "added to the notebook's own run", "seconds": whole - alone})
    return rows


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--flagship", action="store_true")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = flagship() if arguments.flagship else start_up(arguments.runs)
    if arguments.json:
        print(json.dumps(rows))
        return
    print("| what | seconds | against | its seconds | ratio |\n|---|---|---|---|---|")
    for row in rows:
        other = f"{row['other']:.2f}" if "other" in row else ""
        ratio = f"{row['ratio']:.2f}" if "ratio" in row else ""
        print(f"| {row['what']} | {row['seconds']:.2f} | {row.get('against', '')} | {other} | {ratio} |")


if __name__ == "__main__":
    main()
