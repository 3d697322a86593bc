"""The generated `state.py`: every kind of value comes back from its file as it was."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import LabelBinarizer, StandardScaler

from jupyter_mlops.convert.render import _environment, _root


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    home = tmp_path_factory.mktemp("generated")
    package = home / "statepkg"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    plan = SimpleNamespace(
        package="statepkg", features=SimpleNamespace(stateful=True), trusted=("sklearn", "numpy", "scipy", "pandas")
    )
    for name in ("state", "persist"):
        text = _environment().get_template(f"src/__package__/{name}.py.j2").render(plan=plan)
        (package / f"{name}.py").write_text(text, encoding="utf-8")
    (package / "captures.py").write_text((_root() / "src/__package__/captures.py").read_text(encoding="utf-8"), encoding="utf-8")
    sys.path.insert(0, str(home))
    yield importlib.import_module("statepkg.state")
    sys.path.remove(str(home))
    for name in [n for n in sys.modules if n.startswith("statepkg")]:
        del sys.modules[name]


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, pd.DataFrame):
        pd.testing.assert_frame_equal(a, b)
        return True
    if isinstance(a, pd.Series):
        pd.testing.assert_series_equal(a, b)
        return True
    if isinstance(a, pd.Index):
        pd.testing.assert_index_equal(a, b)
        return True
    if isinstance(a, np.ndarray):
        np.testing.assert_array_equal(a, b)
        return bool(a.dtype == b.dtype)
    if isinstance(a, dict):
        return list(a) == list(b) and all(_same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(_same, a, b))
    return bool(type(a) is type(b) and (a == b or a != a))


VALUES: dict[str, Any] = {
    "number": 0.1 + 0.2,
    "whole": 3,
    "truth": True,
    "nothing": None,
    "text": "Zürich",
    "not_a_number": float("nan"),
    "infinite": float("-inf"),
    "single": np.float32(0.1),
    "list": [1, "a", None, 2.5],
    "tuple": (1, ("b", 2)),
    "set": {"x", "y"},
    "by_number": {1: 2.0, 2: float("nan")},
    "by_pair": {("a", 1): [1, 2]},
    "series": pd.Series([1.5, np.nan], index=["a", "b"], name="mean"),
    "counts": pd.Series([3, 1], index=pd.Index(["x", "y"], name="city"), name="count"),
    "two_keys": pd.Series([1.0, 2.0], index=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["k", "l"])),
    "frame": pd.DataFrame({"k": ["a", "b"], "v": [1, 2], "w": [0.5, np.nan]}, index=[5, 7]),
    "empty_frame": pd.DataFrame({"k": pd.Series([], dtype=float)}),
    "index": pd.Index(["b", "a"]),
    "matrix": np.array([[1.0, np.nan], [3.0, 4.0]]),
    "names": np.array(["a", None, 3], dtype=object),
    "large": np.arange(2_000, dtype=np.int32),
    "days": np.array(["2020-01-01", "NaT"], dtype="datetime64[ns]"),
    "moment": pd.Timestamp("2021-03-04 05:06:07"),
    "length": pd.Timedelta(days=2, hours=3),
    "category": pd.CategoricalDtype(["low", "high"], ordered=True),
    "intervals": pd.CategoricalDtype(pd.IntervalIndex.from_breaks([0.0, 1.0, 2.0])),
    "interval": pd.Interval(0.0, 1.0, closed="left"),
    "dtype": np.dtype("float32"),
    "nested": {"city": [1, 2], "plan": {"a": (1, 2)}},
}


def test_every_kind_comes_back(module: ModuleType, tmp_path: Path) -> None:
    origin = {"number": {"cell": 3, "line": 1, "code": "df.a.mean()"}}
    module.FeatureState(VALUES, origin).save(tmp_path)
    again = module.FeatureState.load(tmp_path)
    assert list(again.values) == list(VALUES)
    for name, value in VALUES.items():
        assert _same(value, getattr(again, name)), name
    assert again.origin["number"] == origin["number"]
    assert (tmp_path / "large.npy").is_file()
    text = json.loads((tmp_path / "state.json").read_text(encoding="utf-8"))
    assert text["version"] == 1
    assert text["entries"]["number"] == {"value": VALUES["number"], **origin["number"]}


def test_transformers_and_parts_of_them(module: ModuleType, tmp_path: Path) -> None:
    scaler = StandardScaler().fit([[1.0], [3.0]])
    inner = module.FeatureState({"scaler": scaler})
    module.FeatureState({"by_column": {"a": scaler}, "call_1": inner}).save(tmp_path)
    again = module.FeatureState.load(tmp_path)
    for found in (again.by_column["a"], again.call_1.scaler):
        np.testing.assert_array_equal(found.transform([[5.0]]), scaler.transform([[5.0]]))
    assert not list(tmp_path.glob("*.pkl"))


@pytest.mark.parametrize("classes", [[0, 1], ["no", "yes"], ["a", "b", "c"]])
def test_a_binarizer_takes_each_row_by_itself(module: ModuleType, tmp_path: Path, classes: list[Any]) -> None:
    own = LabelBinarizer().fit(classes)
    module.FeatureState({"lb": own}).save(tmp_path)
    lb = module.FeatureState.load(tmp_path).lb
    np.testing.assert_array_equal(lb.transform(classes), own.transform(classes))
    unseen = 7 if isinstance(classes[0], int) else "never seen"
    np.testing.assert_array_equal(lb.transform([*classes, unseen])[: len(classes)], own.transform(classes))
    assert lb.transform([unseen]).sum() == 0


def test_another_version_is_refused(module: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text('{"version": 99, "entries": {}}', encoding="utf-8")
    with pytest.raises(ValueError, match="version 99"):
        module.FeatureState.load(tmp_path)


def test_an_unknown_name_says_what_there_is(module: ModuleType) -> None:
    with pytest.raises(AttributeError, match="holds age_mean"):
        _ = module.FeatureState({"age_mean": 1.0}).fare_mean


def test_learning_keeps_a_value_as_it_was(module: ModuleType) -> None:
    state = module.Learning()
    columns = ["a"]
    assert state.keep("columns", columns) is columns
    columns.append("b")
    scaler = StandardScaler()
    state.learn("scaler", scaler.fit_transform, [[1.0], [3.0]], at="x")
    scaler.fit([[100.0]])
    assert state.columns == ["a"]
    assert state.scaler["x"].mean_ == [2.0]


def test_helpers_replay_pandas(module: ModuleType) -> None:
    train = pd.Series(["b", "a", None, "b"])
    codes, levels = pd.factorize(train)
    assert module.codes_of(train, list(levels)).tolist() == codes.tolist()
    assert module.codes_of(pd.Series(["z", "a"]), list(levels)).tolist() == [-1, 1]
    frame = pd.DataFrame({"k": ["a", "b", "a"], "v": [1.0, 2.0, 3.0]})
    spread = pd.get_dummies(frame, drop_first=True)
    for at in range(3):
        one = pd.get_dummies(module.with_levels(frame.iloc[[at]], {"k": ["a", "b"]}), drop_first=True)
        pd.testing.assert_frame_equal(one, spread.iloc[[at]])
    table = frame.groupby("k")["v"].mean()
    assert module.by_group(frame, ["k"], table).tolist() == frame.groupby("k")["v"].transform("mean").tolist()
    assert module.by_group(pd.DataFrame({"k": ["z"]}), ["k"], table).isna().all()
