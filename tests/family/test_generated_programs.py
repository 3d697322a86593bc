"""Random preparations: what serving makes of a single row is what the notebook made of it."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings

from tests.family.inprocess import lift_in_process
from tests.family.programs import Program, programs, table

EXAMPLES = int(os.environ.get("FAMILY_EXAMPLES", "40"))


def _plainly(program: Program, folder: Path) -> tuple[Any, Any] | None:
    """The notebook's own rows for the model, with their places in the raw table; None where it fails."""
    space: dict[str, Any] = {}
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
        for _, source in program.cells():
            try:
                exec(source, space)
            except (ValueError, TypeError, KeyError, IndexError):
                return None
    return space["X_test"], space["df"]["id"].loc[space["y_test"].index].to_numpy()


@pytest.mark.timeout(600)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(programs())
def test_replay_gives_for_a_row_what_the_notebook_gave(program: Program) -> None:
    import numpy as np
    import pandas as pd

    folder = Path(tempfile.mkdtemp(prefix="family-"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            notebook = program.write(folder)
            own = _plainly(program, folder)
            assume(own is not None)
            assert own is not None
            given_rows, places = own
            raw = pd.read_csv(folder / "table.csv")
            lifted = lift_in_process(notebook, folder / "out")
            assert lifted.kind == "raw", f"{lifted.reason}\n{program.source}\n{lifted.tried[:1]}"
            build = lifted.package("features").build_features
            expected = np.asarray(given_rows, dtype=float)
            for at in range(0, len(places), 5):  # a request: one row, numbered from 0
                row = raw.iloc[[places[at]]].reset_index(drop=True)
                made = np.asarray(build(row), dtype=float)
                np.testing.assert_allclose(made, expected[[at]], rtol=1e-9, err_msg=f"{program.source}\n{lifted.source}")
            batch = raw.iloc[places].reset_index(drop=True)
            np.testing.assert_allclose(np.asarray(build(batch), dtype=float), expected, rtol=1e-9, err_msg=program.source)
    finally:
        shutil.rmtree(folder)


def test_every_step_runs_by_itself(tmp_path: Path) -> None:
    """The steps are preparations that run: a property over programs that fail would say nothing."""
    from tests.family.programs import STEPS

    failed = []
    for step in STEPS:
        source = step.format(n="n1", m="n2", c="c1", d="c2", i=0)
        program = Program(
            f'{source}\nX = df[["k1"]]\ny = df["target"]\nX_train, X_test, y_train, y_test = train_test_split(X, y)', 1, 60
        )
        program.write(tmp_path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if _plainly(program, tmp_path) is None:
                failed.append(step)
    assert not failed
    assert len(table(0, 50)) == 50
