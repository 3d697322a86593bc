"""Every operation against pandas: on rows it has not seen, missing values, texts never seen, extremes."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlops.export.program.symbols import Refused
from tests.unit.export.program.cases import CASES, REFUSED
from tests.unit.export.program.holding import Program, edges, frame, imported

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("name", CASES)
def test_the_graph_gives_what_pandas_gives(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    raw = frame()
    with imported(tmp_path, case.body, case.helpers) as module:
        program = Program(module, case.state, raw.iloc[::2].reset_index(drop=True))
        refused = program.hold(raw) + program.hold(edges(raw, program))
    assert refused > 0 or "raises" not in name


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_exact_is_refused_where_it_stands(name: str, tmp_path: Path) -> None:
    body, operation, reason = REFUSED[name]
    with imported(tmp_path, body) as module, pytest.raises(Refused) as refused:
        Program(module, None, frame())
    assert operation.replace("\\\\", "\\") in refused.value.operation
    assert reason in refused.value.reason
    assert refused.value.module == "features"
    source = Path(str(module.__file__)).read_text(encoding="utf-8").split("\n")
    assert source[refused.value.line - 1].strip()
