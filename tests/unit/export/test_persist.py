"""Saving and loading with skops: named types only, never pickle."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from jupyter_mlops.errors import ExportError
from jupyter_mlops.export.persist import load_skops, save_skops
from tests.unit.export.matrix import load

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Shift(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A transformer that lives in an importable module, as those of a generated package do."""

    def fit(self, rows: Any, target: Any = None) -> Shift:
        self.by_ = np.asarray(rows).mean(axis=0)
        return self

    def transform(self, rows: Any) -> Any:
        return np.asarray(rows) - self.by_


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return (os.mkdir, (str(self.folder),))


def _pipeline(*steps: Any) -> Any:
    wine = load("wine")
    return make_pipeline(*steps, LogisticRegression(max_iter=50)).fit(wine.rows, wine.target)


def test_what_is_loaded_predicts_the_same(tmp_path: Path) -> None:
    wine = load("wine")
    model = _pipeline(StandardScaler())
    trusted = save_skops(model, tmp_path / "model.skops")
    assert trusted == ()
    again = load_skops(tmp_path / "model.skops", trusted)
    np.testing.assert_array_equal(again.predict_proba(wine.rows), model.predict_proba(wine.rows))
    assert [p.name for p in tmp_path.iterdir()] == ["model.skops"], "no half-written file stays"


def test_a_type_that_is_not_trusted_is_refused_by_name(tmp_path: Path) -> None:
    wine = load("wine")
    model = _pipeline(Shift())
    trusted = save_skops(model, tmp_path / "model.skops")
    name = f"{Shift.__module__}.Shift"
    assert name in trusted
    with pytest.raises(ExportError, match=r"not trusted: .*Shift.*metadata\.json"):
        load_skops(tmp_path / "model.skops", [])
    with pytest.raises(ExportError, match="not trusted"):
        load_skops(tmp_path / "model.skops", ["builtins.print"])
    again = load_skops(tmp_path / "model.skops", trusted)
    np.testing.assert_array_equal(again.predict(wine.rows), model.predict(wine.rows))


def test_internals_of_scikit_learn_are_listed_too(tmp_path: Path) -> None:
    wine = load("wine")
    model = HistGradientBoostingClassifier(max_iter=3).fit(wine.rows, wine.target)
    trusted = save_skops(model, tmp_path / "model.skops")
    assert trusted == tuple(sorted(trusted))
    assert any("sklearn" in name for name in trusted)
    again = load_skops(tmp_path / "model.skops", trusted)
    np.testing.assert_array_equal(again.predict_proba(wine.rows), model.predict_proba(wine.rows))


def test_a_pickle_is_never_loaded(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    sprung = tmp_path / "sprung"
    path.write_bytes(pickle.dumps(Trap(sprung)))
    pickle.loads(path.read_bytes())
    assert sprung.is_dir(), "the trap works"
    sprung.rmdir()
    with pytest.raises(ExportError, match="never loaded"):
        load_skops(path, ["posix.mkdir", "os.mkdir", f"{Trap.__module__}.Trap"])
    assert not sprung.exists()


@pytest.mark.parametrize("damage", ["cut", "empty", "no schema", "missing"])
def test_a_damaged_file_is_refused(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "model.skops"
    save_skops(StandardScaler(), path)
    if damage == "missing":
        path.unlink()
    elif damage == "no schema":
        with ZipFile(path, "w") as archive:
            archive.writestr("other.json", "{}")
    else:
        path.write_bytes(path.read_bytes()[:100] if damage == "cut" else b"")
    with pytest.raises(ExportError, match="cannot be read"):
        load_skops(path, [])


def test_a_lambda_and_a_local_function_are_refused_with_what_to_do(tmp_path: Path) -> None:
    def local(x: Any) -> Any:
        return x

    for function in (lambda x: x, local):
        with pytest.raises(ExportError, match="functions"):
            save_skops(_pipeline(FunctionTransformer(function)), tmp_path / "model.skops")
    assert list(tmp_path.iterdir()) == []


def test_an_object_of_the_notebook_itself_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import __main__

    kind = type("Notebooks", (Shift,), {"__module__": "__main__", "__qualname__": "Notebooks"})
    monkeypatch.setattr(__main__, "Notebooks", kind, raising=False)
    with pytest.raises(ExportError, match="exists only in the notebook"):
        save_skops(_pipeline(kind()), tmp_path / "model.skops")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_stored_is_refused(tmp_path: Path) -> None:
    model = StandardScaler()
    model.rows = (n for n in range(3))
    with pytest.raises(ExportError, match="cannot be saved"):
        save_skops(model, tmp_path / "model.skops")


def test_the_old_model_stays_when_saving_fails(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    save_skops(StandardScaler(), path)
    before = path.read_bytes()
    with pytest.raises(ExportError):
        save_skops(FunctionTransformer(lambda x: x), path)
    assert path.read_bytes() == before
