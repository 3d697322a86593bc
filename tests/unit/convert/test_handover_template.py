"""The generated `handover.py`: what one process writes, another reads exactly as it was, or it is refused."""

from __future__ import annotations

import datetime as dt
import importlib
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.linear_model import LinearRegression

from jupyter_mlops.convert.render import _environment


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    home = tmp_path_factory.mktemp("generated")
    package = home / "handpkg"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    plan = SimpleNamespace(package="handpkg", trusted=("sklearn", "numpy", "scipy", "pandas"))
    for name in ("handover", "persist"):
        text = _environment().get_template(f"src/__package__/{name}.py.j2").render(plan=plan)
        (package / f"{name}.py").write_text(text, encoding="utf-8")
    sys.path.insert(0, str(home))
    yield importlib.import_module("handpkg.handover")
    sys.path.remove(str(home))
    for name in [n for n in sys.modules if n.startswith("handpkg")]:
        del sys.modules[name]


FRAME = pd.DataFrame(
    {
        "whole": [1, 2, 3],
        "text": "é\n'",
        "levels": pd.Categorical(["u", "v", None], categories=["v", "u", "w"], ordered=True),
        "zoned": pd.date_range("2020", periods=3, tz="Europe/Berlin"),
        "seconds": pd.date_range("2020", periods=3).as_unit("s"),
        "nullable": pd.array([1, None, 2**60 + 1], dtype="Int64"),
        "nullable float": pd.array([1.5, None, 2.5], dtype="Float64"),
        "nullable flag": pd.array([True, None, False], dtype="boolean"),
        "flag": [True, False, True],
        "strings": pd.array(["a", None, "c"], dtype="string"),
        "number": [1.5, np.nan, np.inf],
        "mixed": [[1], (2.0, True), {"k": np.float32(3)}],
        "duration": pd.to_timedelta([1, 2, None], unit="s"),
        "period": pd.period_range("2020", periods=3, freq="M"),
        "band": pd.cut([1, 2, 3], 3),
        "sparse": pd.arrays.SparseArray([0, 0, 1]),
        "days": [dt.date(2020, 1, 1), dt.datetime(2020, 1, 1, 3), pd.NaT],
        "small": np.array([1, 2, 3], dtype="int8"),
    }
)
TWICE = pd.DataFrame(np.arange(6).reshape(2, 3), columns=["x", "x", "y"])
VALUES: dict[str, Any] = {
    "frame": FRAME,
    "sliced": FRAME[FRAME["flag"]],
    "keyed": FRAME.set_index(["whole", "flag"]),
    "timed": FRAME.set_index("zoned"),
    "twice": TWICE,
    "numbered": TWICE.T,
    "no rows": FRAME.iloc[:0],
    "nothing": pd.DataFrame(),
    "only rows": pd.DataFrame(index=[1, 2]),
    "crossed": pd.crosstab(FRAME["flag"], FRAME["whole"]),
    "series": FRAME["levels"],
    "means": FRAME.groupby("flag")["whole"].mean(),
    "index": pd.Index([1, 2], name=("a", 1)),
    "dates": pd.date_range("2020", periods=3, freq="D"),
    "array": np.arange(5, dtype="uint8"),
    "fortran": np.asfortranarray(np.ones((2, 3))),
    "texts": np.array(["a", "bb"]),
    "objects": np.array([["x", None], [1.0, pd.NA]], dtype=object),
    "scalar": np.float32(1.5),
    "day": np.datetime64("2020-01-01"),
    "time": pd.Timestamp("2020-01-02 03:04:05.678901234", tz="Asia/Tokyo"),
    "span": pd.Timedelta("1 day 3 h"),
    "interval": pd.Interval(0, 1.5, closed="left"),
    "nested": {"a": 1, 2: [1.0, float("nan"), -0.0], (1, "x"): {"s"}, None: frozenset({3})},
    "long": 10**30,
    "none": None,
    "text": "é\n'",
}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_comes_back_as_it_was(module: ModuleType, tmp_path: Path, name: str) -> None:
    value = VALUES[name]
    module.write(value, tmp_path / "value")
    found = module.read(tmp_path / "value")
    assert type(found) is type(value)
    match value:
        case pd.DataFrame():
            pd.testing.assert_frame_equal(found, value, check_exact=True)
            for at in range(value.shape[1]):
                assert [type(one) for one in found.iloc[:, at]] == [type(one) for one in value.iloc[:, at]]
        case pd.Series():
            pd.testing.assert_series_equal(found, value, check_exact=True)
        case pd.Index():
            pd.testing.assert_index_equal(found, value, exact=True)
            assert getattr(found, "freq", None) == getattr(value, "freq", None)
        case np.ndarray():
            assert (found.dtype, found.shape, found.flags.f_contiguous) == (value.dtype, value.shape, value.flags.f_contiguous)
            assert [repr(one) for one in found.ravel()] == [repr(one) for one in value.ravel()]
        case _:
            assert repr(found) == repr(value)


def test_files_do_not_change_when_the_value_does_not(module: ModuleType, tmp_path: Path) -> None:
    for name, value in VALUES.items():
        contents = []
        for place in ("one", "two"):
            module.write(value, tmp_path / place / name)
            contents.append({one.name: one.read_bytes() for one in (tmp_path / place / name).iterdir()})
        assert contents[0] == contents[1], name


def test_sparse_matrices_and_estimators(module: ModuleType, tmp_path: Path) -> None:
    for make in (scipy.sparse.csr_matrix, scipy.sparse.csc_array):
        module.write({"x": make(np.eye(3))}, tmp_path / make.__name__)
        found = module.read(tmp_path / make.__name__)["x"]
        assert type(found) is make
        assert (found.toarray() == np.eye(3)).all()
    fitted = LinearRegression().fit([[1.0], [2.0]], [1.0, 2.0])
    module.write([fitted], tmp_path / "fitted")
    assert module.read(tmp_path / "fitted")[0].predict([[3.0]]) == fitted.predict([[3.0]])


class Note(dict[str, int]):
    """A class of the notebook's own."""


@pytest.mark.parametrize(
    "value",
    [
        lambda: 1,
        SimpleNamespace(),
        Note(a=1),
        TWICE.groupby("y"),
        [object()],
        np.array([(1, "a")], dtype=[("n", int), ("o", object)]),
    ],
)
def test_what_has_no_safe_form_is_refused(module: ModuleType, tmp_path: Path, value: Any) -> None:
    with pytest.raises(TypeError, match="no safe file format"):
        module.write(value, tmp_path / "value")
    handover = module.Handover("first", None, 0, tmp_path / "stages")
    with pytest.raises(TypeError, match="stage 'first' cannot hand over 'strange'"), handover:
        handover.give(strange=value)
    assert not list((tmp_path / "stages").iterdir())


def test_the_random_generators_go_on_where_they_were(module: ModuleType, tmp_path: Path) -> None:
    random.seed(7)
    np.random.seed(7)
    np.random.standard_normal(3)
    together = [np.random.standard_normal(), np.random.rand(), random.random(), random.gauss(0, 1)]
    with module.Handover("first", None, 7, tmp_path):
        np.random.standard_normal(3)
    random.seed(0)
    np.random.seed(0)
    with module.Handover("second", "first", 7, tmp_path):
        apart = [np.random.standard_normal(), np.random.rand(), random.random(), random.gauss(0, 1)]
    assert apart == together
