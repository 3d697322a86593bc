"""The tables say what is true of the installed versions."""

from __future__ import annotations

import importlib
import inspect
import warnings

import pytest

from jupyter_mlops.notebook.checks import removals

WHERE = "sklearn.linear_model sklearn.ensemble sklearn.tree sklearn.preprocessing sklearn.cluster sklearn.metrics sklearn.model_selection sklearn.manifold sklearn.decomposition sklearn.impute sklearn.calibration sklearn.utils pandas pandas.DataFrame numpy".split()  # fmt: skip


def _get(dotted: str) -> object:
    parts = dotted.split(".")
    for size in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:size]))
        except ImportError:
            continue
        for name in parts[size:]:
            found = getattr(found, name)
        return found
    raise ImportError(dotted)


@pytest.mark.parametrize("name", [n for n in removals.NAMES if n.split(".")[0] != "seaborn"])
def test_a_removed_name_is_gone(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises((AttributeError, ImportError)):
            _get(name)


@pytest.mark.parametrize("name", removals.MODULES)
def test_a_removed_module_is_gone(name: str) -> None:
    with pytest.raises(ImportError):
        importlib.import_module(name)


@pytest.mark.parametrize("name", [g.use for g in removals.MODULES.values() if g.renamed])
def test_what_a_module_is_now_called_is_there(name: str) -> None:
    importlib.import_module(name)


@pytest.mark.parametrize("method", removals.METHODS)
def test_a_removed_method_is_gone(method: str) -> None:
    for owner in (
        "pandas.DataFrame",
        "pandas.Series",
        "sklearn.feature_extraction.text.CountVectorizer",
        "sklearn.preprocessing.OneHotEncoder",
    ):
        assert not hasattr(_get(owner), method)


def _callables(name: str) -> list[object]:
    found = []
    for place in WHERE:
        owner = _get(place)
        if hasattr(owner, name):
            found.append(getattr(owner, name))
    return found


@pytest.mark.parametrize(("name", "argument"), removals.ARGUMENTS)
def test_a_removed_argument_is_gone_and_its_new_name_is_there(name: str, argument: str) -> None:
    gone = removals.ARGUMENTS[name, argument]
    for one in _callables(name):
        parameters = inspect.signature(one).parameters  # type: ignore[arg-type]
        if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            continue
        assert argument not in parameters
        if gone.renamed:
            assert gone.use in parameters


@pytest.mark.parametrize(("name", "argument", "value"), [k for k in removals.VALUES if k[1] != "scoring"])
def test_a_removed_value_is_refused_and_its_new_one_is_not(name: str, argument: str, value: str) -> None:
    import ast

    (made,) = _callables(name)
    rows, target = [[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError):
            made(**{argument: value}).fit(rows, target)  # type: ignore[operator]
        made(**{argument: ast.literal_eval(removals.VALUES[name, argument, value].use)}).fit(rows, target)  # type: ignore[operator]
