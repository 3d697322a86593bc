"""A project's holdout against its own expectations about rows, in a process of its own.

    python -m jupyter_mlops.promotion.suite_rows PROJECT RESULT

The project's modules are imported there and nowhere else: what is found is what its service would say.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from jupyter_mlops.promotion.holdout import read_holdout

__all__ = ["broken_expectations", "main"]


def broken_expectations(project: Path, package: str) -> dict[str, Any]:
    """Which critical expectations rows of the holdout break.

    Returns
    -------
    dict
        "suites" and "expectations" (how many there are), "broken": a sentence for each that is.
    """
    from importlib import import_module

    sys.path[:0] = [str(project), str(project / "src")]
    module, schema = import_module(f"{package}.expectations"), import_module(f"{package}.schema")
    suites = import_module("service.checks").SUITES
    columns = json.loads((project / "model" / "signature.json").read_text(encoding="utf-8"))["raw"]["inputs"]
    found = [rule for name in suites for rule in module.row_rules(module.read_suite(name), columns)]
    rules = [rule for rule in found if rule.severity == "critical"]
    rows = read_holdout(project).rows
    frame = schema.raw_frame({name: [row.get(name) for row in rows] for name in schema.COLUMNS})
    names = list(frame.columns)
    values = [
        [None if gone else value for value, gone in zip(frame[name].tolist(), frame[name].isna().tolist(), strict=True)]
        for name in names
    ]
    checks = module.RowChecks(rules, names)
    broken: dict[int, list[tuple[Any, ...]]] = {}
    for row in zip(*values, strict=True):
        for number in checks(row):
            broken.setdefault(number, []).append(row)
    sentences = []
    for number, bad in broken.items():
        rule = rules[number]
        said = rule.says([bad[0][names.index(name)] for name in rule.columns])
        sentences.append(f"column {', '.join(rule.columns)}: {said} in {len(bad):,} rows (suite {rule.suite})")
    return {"suites": len(suites), "expectations": len(rules), "broken": sentences}


def main(project: str, result: str) -> None:
    """The process' side: check, write."""
    root = Path(project)
    package = json.loads((root / "model" / "metadata.json").read_text(encoding="utf-8"))["package"]
    Path(result).write_text(json.dumps(broken_expectations(root, package)), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
