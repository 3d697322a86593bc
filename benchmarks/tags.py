"""How often suggested tags agree with labels made by hand, on real notebooks of public repositories.

    python benchmarks/tags.py MIRRORS [--json]

`tags_labels.json` says, for a notebook's repository, path and commit, which variable holds the final model, and which
cells load the raw table, fit that model and evaluate it. The notebooks are not part of this project: MIRRORS is a folder
with a bare clone of each repository as OWNER+NAME/repo or OWNER+NAME.git (``git clone --bare``).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from jupyter_mlops.convert.models import ModelChoice
from jupyter_mlops.convert.suggest_cells import Suggestion, suggest
from jupyter_mlops.notebook.dataflow import Analysis, analyse
from jupyter_mlops.notebook.read import read_notebook

ROOT = Path(__file__).resolve().parents[1]
LABELS = Path(__file__).with_name("tags_labels.json")
TAGS = ("load", "train", "evaluate")


def notebook_text(mirrors: Path, label: dict[str, Any]) -> bytes | None:
    """The notebook as it was at the labelled commit, or None when there is no clone of its repository."""
    name = label["repo"].replace("/", "+")
    for folder in (mirrors / name / "repo", mirrors / f"{name}.git"):
        if folder.is_dir():
            command = ["git", f"--git-dir={folder}", "show", f"{label['commit']}:{label['path']}"]
            return subprocess.run(command, check=True, capture_output=True).stdout
    return None


def suggested_cells(analysis: Analysis, suggestion: Suggestion) -> dict[str, set[int]]:
    """Cells with a statement in `load` or `evaluate`, and the one in which the model is fitted."""
    found: dict[str, set[int]] = {tag: set() for tag in TAGS}
    for index, stage in suggestion.stages.of.items():
        if stage in ("load", "evaluate"):
            found[stage].add(analysis.statements[index].cell)
    choice = suggestion.stages.choice
    if isinstance(choice, ModelChoice) and choice.fit is not None:
        found["train"].add(analysis.statements[choice.fit.statement].cell)
    return found


def main() -> None:
    """Print the agreement per tag, and where labels and suggestions differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mirrors", type=Path)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    counts = {tag: {"both": 0, "label": 0, "suggestion": 0, "exact": 0} for tag in TAGS}
    models, notebooks, slowest, differences = 0, 0, 0.0, []
    for label in json.loads(LABELS.read_text(encoding="utf-8")):
        text = notebook_text(arguments.mirrors, label)
        if text is None:
            print(f"no clone of {label['repo']}", file=sys.stderr)
            continue
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "notebook.ipynb"
            path.write_bytes(text)
            started = time.perf_counter()
            analysis = analyse(read_notebook(path))
            suggestion = suggest(analysis)
            slowest = max(slowest, time.perf_counter() - started)
        notebooks += 1
        variable = getattr(suggestion.stages.choice, "variable", None)
        models += variable == label["model"]
        wrong = [] if variable == label["model"] else [f"model {label['model']}, suggested {variable}"]
        found = suggested_cells(analysis, suggestion)
        for tag in TAGS:
            wanted, count = set(label[tag]), counts[tag]
            count["both"] += len(wanted & found[tag])
            count["label"] += len(wanted)
            count["suggestion"] += len(found[tag])
            count["exact"] += wanted == found[tag]
            if wanted != found[tag]:
                wrong.append(f"{tag} {sorted(wanted)}, suggested {sorted(found[tag])}")
        if wrong:
            differences.append(f"{label['repo']} {label['path']}: {'; '.join(wrong)}")
    if arguments.json:
        print(
            json.dumps({"notebooks": notebooks, "models": models, "tags": counts, "differences": differences}, ensure_ascii=False)
        )
        return
    print(f"{notebooks} notebooks; the same model in {models}; slowest {slowest:.2f} s\n")
    print(f"{'tag':<10}{'labelled cells':>15}{'found':>7}{'suggested besides':>19}{'notebooks exactly':>19}")
    for tag, count in counts.items():
        besides = count["suggestion"] - count["both"]
        print(f"{tag:<10}{count['label']:>15}{count['both']:>7}{besides:>19}{count['exact']:>19}")
    print("\nwhere they differ:")
    for line in differences:
        print(f"  {line}")


if __name__ == "__main__":
    main()
