"""One program, compiled, against what pandas makes of each row by itself: the same features, or an error on both sides."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

import jupyter_mlops
from jupyter_mlops.export.edges import edge_rows
from jupyter_mlops.export.feeds import feeds
from jupyter_mlops.export.onnx import open_session
from jupyter_mlops.export.program.compose import walk
from jupyter_mlops.signature import Output, Signature
from jupyter_mlops.workflows.schemas import describe_frame, probe

__all__ = ["Program", "edges", "frame", "imported", "signature_of"]

_TEMPLATE = Path(jupyter_mlops.__file__).parent / "convert/templates/project/src/__package__/state.py.j2"
_HEAD = "from __future__ import annotations\nimport math\nimport re\nimport numpy as np\nimport pandas as pd\n"


def _helpers() -> str:
    """The functions of the generated state.py, as it is rendered."""
    text = _TEMPLATE.read_text(encoding="utf-8").replace("{% endif %}", "")
    return _HEAD + "from typing import Any\nfrom collections.abc import Sequence\n" + text[text.index("def with_levels") :]


def frame(rows: int = 120) -> pd.DataFrame:
    """Raw rows of every kind, with missing values where the name says so."""
    generator = np.random.default_rng(0)
    pick = generator.choice
    out = pd.DataFrame(
        {
            "whole": generator.integers(-5, 40, rows),
            "size": generator.integers(1, 9, rows),
            "price": generator.normal(50, 30, rows).round(2),
            "gap": np.where(generator.random(rows) < 0.2, np.nan, generator.normal(0, 2, rows)),
            "flag": generator.random(rows) < 0.4,
            "city": pick(["Oslo", "Paris", "New_York", "La Paz", "Zürich"], rows),
            "sex": pick(["male", "female", "Male ", " FEMALE"], rows),
            "name": pick(["Braund, Mr. Owen", "Heikkinen, Miss. Laina", "Smith, Dr. A. B.", "O'Dwyer, Mrs. Q"], rows),
            "code": pick(["12", " 7", "3.5 ", "1e3", "-4"], rows),
            "day": pd.to_datetime("2019-01-01") + pd.to_timedelta(generator.integers(0, 1500, rows) * 37, unit="h"),
            "when": (pd.to_datetime("2015-06-01") + pd.to_timedelta(generator.integers(0, 900, rows), unit="D")).strftime(
                "%Y-%m-%d"
            ),
        }
    )
    out["cabin"] = pd.Series(pick(["C85", "E46", "G6", "D", ""], rows), dtype=object).mask(generator.random(rows) < 0.3)
    return out


@contextmanager
def imported(folder: Path, body: str, helpers: str = "") -> Iterator[ModuleType]:
    """A generated-like package whose `build_features` has this body."""
    package = folder / "generated"
    package.mkdir(exist_ok=True)
    lines = "\n".join("    " + line for line in body.strip("\n").split("\n"))
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "state.py").write_text(_helpers(), encoding="utf-8")
    (package / "features.py").write_text(
        f"{_HEAD}from generated.state import by_group, codes_of, with_levels\n\n{helpers}\n\ndef build_features(raw, state=None):\n{lines}\n",
        encoding="utf-8",
    )
    sys.path.insert(0, str(folder))
    try:
        for name in [n for n in sys.modules if n.split(".")[0] == "generated"]:
            del sys.modules[name]
        importlib.invalidate_caches()
        yield importlib.import_module("generated.features")
    finally:
        sys.path.remove(str(folder))


def signature_of(raw: pd.DataFrame, ask: Any) -> Signature:
    """The raw rows' signature, as a conversion finds it: what is accepted is asked."""
    return Signature(probe(describe_frame(raw, list(raw.columns)), raw, ask, raw), Output("regression", "float64"))


class Program:
    """A program and its graph, which gives the features."""

    def __init__(self, module: ModuleType, state: Any, raw: pd.DataFrame) -> None:
        self.build = module.build_features
        self.given = () if state is None else (state,)
        self.signature = signature_of(raw, self.features)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.walked = walk(self.build, module, self.signature, raw, self.given)
        t = self.walked.tracer
        outputs: dict[str, Any] = {}
        for at, cell in enumerate(self.walked.features.cells):
            kind = "string" if cell.kind == "text" else "double"
            outputs[f"f{at}"] = (t.tensor(cell), kind, 1)
        like = next((o[0] for o in outputs.values() if o[1] == "double"), None)
        zero = t.guard(like if like is not None else t.full(0.0, t.base(self.walked.features.cells[0])), "double")
        outputs["guard"] = (zero, "double", 1)
        self.session = open_session(t.g.model(outputs, {}))

    def features(self, rows: pd.DataFrame) -> pd.DataFrame:
        """What pandas makes of rows."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = self.build(rows.copy(), *self.given)
        if hasattr(made, "toarray"):
            made = made.toarray()
        assert len(made) == len(rows)
        made = pd.DataFrame(made) if not isinstance(made, pd.DataFrame) else made
        return made.set_axis([f"f{at}" for at in range(made.shape[1])], axis=1)

    def graph(self, rows: pd.DataFrame) -> pd.DataFrame:
        """What the graph makes of rows; a missing text is None."""
        null = self.walked.tracer.null
        made = self.session.run(None, feeds(rows, self.walked.inputs, null))
        names = [one.name for one in self.session.get_outputs()]
        columns = {n: pd.Series(m.ravel()) for n, m in zip(names, made, strict=True) if n != "guard"}
        return pd.DataFrame({n: c.where(c != null, None) if c.dtype == object else c for n, c in columns.items()})

    def accepted(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Rows that the signature lets through."""
        keep = np.ones(len(rows), dtype=bool)
        for column in self.signature.inputs:
            missing = rows[column.name].isna().to_numpy()
            keep &= column.nullable | ~missing
            if column.closed:
                keep &= missing | rows[column.name].isin(column.categories or ()).to_numpy()
        return rows[keep].reset_index(drop=True)

    def hold(self, rows: pd.DataFrame) -> int:
        """Compare rows: together where pandas takes them all, else in halves; how many were refused by both."""
        rows = self.accepted(rows)
        if not len(rows):
            return 0
        try:
            expected = self.features(rows)
        except Exception as error:
            if len(rows) > 1:
                middle = len(rows) // 2
                return self.hold(rows.iloc[:middle]) + self.hold(rows.iloc[middle:])
            try:
                got = self.graph(rows)
            except Exception:
                return 1
            given = rows.to_dict("records")
            raise AssertionError(f"pandas raises {error!r} on {given}, the graph gives {got.to_dict('records')}") from error
        _equal(expected, self.graph(rows), rows)
        return 0


def _equal(expected: pd.DataFrame, got: pd.DataFrame, rows: pd.DataFrame) -> None:
    assert list(expected.columns) == list(got.columns)
    for name in expected.columns:
        a, b = expected[name], got[name]
        if b.dtype == object:
            same = (a.astype(object).to_numpy() == b.to_numpy()) | (a.isna().to_numpy() & b.isna().to_numpy())
        else:
            if a.dtype.kind == "M":
                a = pd.Series(feeds_date(a))
            left = a.astype(object).where(a.notna(), np.nan).astype(float).to_numpy()
            same = np.isclose(left, b.to_numpy(), rtol=1e-13, atol=0, equal_nan=True)
        if not same.all():
            bad = np.flatnonzero(~same)[:4]
            shown = [(rows.iloc[i].to_dict(), a.iloc[i], b.iloc[i]) for i in bad]
            raise AssertionError(f"{name}: {shown}")


def feeds_date(values: pd.Series) -> np.ndarray:
    """Dates as microseconds."""
    from jupyter_mlops.export.feeds import numbers

    return numbers(values)


def edges(raw: pd.DataFrame, program: Program) -> pd.DataFrame:
    """Rows that differ from real ones in one value, and rows put together of several."""
    moved = edge_rows(raw, program.signature, limit=150, seed=5)
    generator = np.random.default_rng(1)
    return pd.concat(
        [moved, pd.DataFrame({n: moved[n].to_numpy()[generator.permutation(len(moved))] for n in moved}).astype(raw.dtypes)]
    )
