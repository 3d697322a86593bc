"""Every notebook of the family starts serving where it should, and answers what it answered itself.

All are lifted in this process, which takes a second each. Some, one for each way to put state into the training code, are
converted in full: with FAMILY_FULL=1 in the environment all of them are.
"""

from __future__ import annotations

import json
import os
import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.family.cases import CASES
from tests.family.inprocess import Lifted, lift_in_process

# One for each kind of state and of edit in the training code.
IN_FULL = (
    "fill_mean_median_mode", "dummies_whole_frame", "one_label_encoder_many_columns", "function_in_loop", "function_calls_function",
    "group_transform", "factorize", "side_table_merge", "tfidf_sparse_after_split", "smote_like_class", "refused_shift",
    "numbered_columns_of_a_file_without_header", "log_target_expm1", "target_label_encoder_inverse",
)  # fmt: skip
FULL = tuple(CASES) if os.environ.get("FAMILY_FULL") else IN_FULL


def _cases() -> list[Any]:
    return [
        pytest.param(name, marks=pytest.mark.xfail(reason=case.lacks, strict=True)) if case.lacks else name
        for name, case in CASES.items()
    ]


@pytest.mark.parametrize("name", _cases())
def test_serving_starts_where_it_should(name: str, tables: Path, tmp_path: Path) -> None:
    case = CASES[name]
    lifted = lift_in_process(case.write(tables), tmp_path / "project")
    shown = f"{lifted.reason}\n\n{lifted.tried[0] if lifted.tried else ''}"
    assert lifted.kind == case.boundary, shown
    if case.boundary == "raw":
        _holds(lifted, case.state)
    else:
        assert case.reason in lifted.reason, shown


def _holds(lifted: Lifted, names: tuple[str, ...]) -> None:
    """State has the names; one row and many rows get the notebook's own answers."""
    import numpy as np

    from jupyter_mlops.workflows.captured import load_captured, load_estimator, match_rows

    path = lifted.project / "model" / "state" / "state.json"
    entries = json.loads(path.read_text(encoding="utf-8"))["entries"] if path.is_file() else {}
    assert set(names) <= set(entries)
    assert all(isinstance(entry.get("cell"), int) for entry in entries.values())
    run = lifted.boundary.run.facts.folder
    captured = load_captured(run)
    build = lifted.package("features").build_features
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        matched = match_rows(
            build, captured.frames[lifted.boundary.table], captured.model_input, synthetic=lifted.boundary.synthetic
        )
        assert matched.raw is not None and matched.positions is not None, matched.reason
        helpers = "helpers" if (lifted.project / "src" / lifted.boundary.plan.package / "helpers.py").exists() else None
        model = load_estimator(run, f"{lifted.boundary.plan.package}.{helpers}" if helpers else None)
        raw = matched.raw[list(lifted.boundary.needed)].reset_index(drop=True)  # a request: needed columns, rows from 0
        many = np.asarray(model.predict(build(raw)))
        if captured.result is not None:
            _same(many, captured.result[matched.positions])
        for at in range(0, len(raw), max(1, len(raw) // 12)):
            _same(np.asarray(model.predict(build(raw.iloc[[at]].reset_index(drop=True)))), many[[at]])


def _same(made: Any, expected: Any) -> None:
    import numpy as np

    if expected.dtype.kind == "f":
        np.testing.assert_allclose(made.ravel(), expected.ravel(), rtol=1e-9)
    else:
        assert list(made) == list(expected)


@pytest.mark.parametrize("name", FULL)
def test_package_service_and_bundle_answer_what_the_notebook_answered(name: str, tables: Path, tmp_path: Path) -> None:
    from jupyter_mlops.workflows.convert import ConvertOptions, convert

    case = CASES[name]
    for table in tables.glob("*.csv"):
        shutil.copy(table, tmp_path)
    result = convert(case.write(tmp_path), tmp_path / "out", ConvertOptions(register=False))
    report = result.report.as_dict()
    assert result.ok, json.dumps(report, indent=1)[-3000:]
    assert report["boundary"] == case.boundary
    assert report["parity"]["rows"] > 100
    for side in ("package", "service", "bundle"):
        compared = report["parity"].get(side)
        assert compared is None or compared["mismatches"] == 0, (side, compared)
    if case.boundary == "raw" and case.state:
        state = json.loads((tmp_path / "out" / "model" / "state" / "state.json").read_text(encoding="utf-8"))
        assert set(case.state) <= set(state["entries"])
    else:
        assert case.reason in json.dumps(report["problems"])
