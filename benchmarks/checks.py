"""How well `check` does: hits, misses and false alarms per rule, on labelled notebooks, and the time for 100 cells.

    python benchmarks/checks.py [--json]                 # small labelled notebooks of the tests, and the time
    python benchmarks/checks.py --mirrors DIR            # also real notebooks, labelled by hand in checks_labels.json
    python benchmarks/checks.py --all DIR                # also how often each rule fires in all notebooks below a folder

DIR of --mirrors holds bare clones as ``owner+name/repo`` of the repositories that the labels name. Real notebooks are labelled
for what their code shows, at their cells: not for names, execution counts, magics and what is installed here.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.conversion import hundred_cells
from jupyter_mlops.notebook.checks.registry import rules
from jupyter_mlops.workflows.check import CheckOptions, check
from tests.unit.notebook.checks.helpers import codes
from tests.unit.notebook.checks.labelled import BAD, GOOD

ROOT = Path(__file__).resolve().parents[1]
LABELS = Path(__file__).with_name("checks_labels.json")
_UNLABELLED_THEMES = {"reading", "names", "execution", "running"}
_UNLABELLED = {"missing-package"} | {code for code, one in rules().items() if one.theme in _UNLABELLED_THEMES}
Counts = dict[str, Counter[str]]


def small() -> Counts:
    """The labelled examples of the tests: each has or lacks the one rule that it is an example of."""
    counts: Counts = {}
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "n.ipynb"
        for table, found, not_found in ((BAD, "hits", "misses"), (GOOD, "false alarms", "quiet")):
            for code, many in table.items():
                for cells in many:
                    counts.setdefault(code, Counter())[found if code in codes(path, cells) else not_found] += 1
    return counts


def real(mirrors: Path) -> tuple[Counts, list[str]]:
    """The labelled real notebooks, cell by cell; also every place that is missed or wrong."""
    counts: Counts = {}
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        for label in json.loads(LABELS.read_text(encoding="utf-8")):
            git = mirrors / label["repository"].replace("/", "+") / "repo"
            git = git if (git / "HEAD").exists() else git / ".git"
            show = ["git", "--git-dir", str(git), "show", f"{label['commit']}:{label['path']}"]
            path = Path(scratch) / "n.ipynb"
            path.write_bytes(subprocess.run(show, check=True, capture_output=True).stdout)
            here = {(p.cell, p.code) for p in check(path, CheckOptions()).problems if p.code not in _UNLABELLED}
            wanted = {(one["cell"], one["code"]) for one in label["found"]}
            for kind, places in (("hits", here & wanted), ("misses", wanted - here), ("false alarms", here - wanted)):
                for cell, code in places:
                    counts.setdefault(code, Counter())[kind] += 1
                    if kind != "hits":
                        wrong.append(f"{kind}: {label['repository']} {label['path']} cell {cell} {code}")
    return counts, sorted(wrong)


def everywhere(folder: Path) -> dict[str, object]:
    """Every notebook below a folder: how long it takes, and how often each rule fires."""
    seconds: list[float] = []
    fired: Counter[str] = Counter()
    notebooks: Counter[str] = Counter()
    for path in sorted(folder.rglob("*.ipynb")):
        started = time.perf_counter()
        found = check(path, CheckOptions()).problems
        seconds.append(time.perf_counter() - started)
        fired.update(one.code for one in found)
        notebooks.update({one.code for one in found})
    return {
        "notebooks": len(seconds), "median": statistics.median(seconds), "max": max(seconds),
        "fired": {code: [fired[code], notebooks[code]] for code, _ in fired.most_common()},
    }  # fmt: skip


def hundred(runs: int = 7) -> float:
    """Median seconds of CPU for a notebook of 100 cells, in a process that has started."""
    with tempfile.TemporaryDirectory() as scratch:
        path = hundred_cells(Path(scratch) / "hundred.ipynb")
        times = []
        for _ in range(runs):
            started = time.process_time()
            check(path, CheckOptions())
            times.append(time.process_time() - started)
    return statistics.median(times)


def _table(title: str, counts: Counts) -> None:
    print(f"\n{title}\n\n| rule | hits | misses | false alarms |\n|---|---|---|---|")
    total: Counter[str] = Counter()
    for code in [code for code in rules() if code in counts]:
        total.update(counts[code])
        print(f"| {code} | {counts[code]['hits']} | {counts[code]['misses']} | {counts[code]['false alarms']} |")
    found, wanted = total["hits"] + total["false alarms"], total["hits"] + total["misses"]
    print(
        f"\nprecision {total['hits'] / max(found, 1):.3f} of {found} found, recall {total['hits'] / max(wanted, 1):.3f} of {wanted} labelled"
    )


def main() -> None:
    """Print tables, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mirrors", type=Path, metavar="DIR")
    parser.add_argument("--all", type=Path, metavar="DIR")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    seconds, of_tests = hundred(), small()
    labelled, wrong = real(arguments.mirrors) if arguments.mirrors else ({}, [])
    fired = everywhere(arguments.all) if arguments.all else None
    if arguments.json:
        print(json.dumps({"hundred cells, seconds": seconds, "small": of_tests, "real": labelled, "wrong": wrong, "all": fired}))
        return
    print(f"100 cells: {seconds:.3f} s of CPU")
    _table("Small labelled notebooks", of_tests)
    if labelled:
        _table("Real notebooks, labelled by hand", labelled)
        print("\n".join(wrong))
    if fired:
        print("\n", json.dumps(fired, indent=1), sep="")


if __name__ == "__main__":
    main()
