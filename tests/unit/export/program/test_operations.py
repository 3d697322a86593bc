"""Every operation against pandas: on rows it has not seen, missing values, texts never seen, extremes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

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


@pytest.mark.parametrize("cleaned", ['fillna("None").str.lower().str.strip()', 'str.lower().fillna(" none").str.strip()'])
def test_many_texts_that_are_all_known_are_looked_up_as_they_came(cleaned: str, tmp_path: Path) -> None:
    """More than there may be regular expressions: titles of jobs, of which the notebook counts how often each occurs."""
    titles = [f" Title {n % 700}" if n % 3 else f"TITLE {n % 700} " if n % 2 else None for n in range(2000)]
    raw = frame(2000).assign(title=titles)
    body = (
        f'title = raw["title"].{cleaned}\n'
        'return pd.DataFrame({"often": title.map(state.counts).astype(int), "whole": raw["whole"]})'
    )
    counts = raw["title"].fillna("None").str.lower().str.strip().value_counts()
    with imported(tmp_path, body) as module:
        program = Program(module, SimpleNamespace(counts=counts), raw)
        assert len(program.signature.inputs[-1].categories or ()) > 900
        assert len(program.accepted(raw)) == len(raw) and program.hold(raw) == 0


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
