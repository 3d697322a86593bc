"""The labels of the rows that the notebook evaluates its model on: what it compares the model's predictions with.

Nothing is taken for a label by its name. Of two sides that the notebook measured, the one that is what the model predicted
tells that the other is the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyter_mlops.convert.evaluations import OPERATORS

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Answers", "Labels", "find_labels", "plain_array", "same_values"]

_SIGNS = frozenset(OPERATORS.values())
_DIGITS = range(4)  # to which a prediction may be rounded before it is measured
_KNOWN = 0.9  # share of labels that have to be classes of the model where only an operator says that they are labels


@dataclass(frozen=True)
class Answers:
    """What a model answered to the rows that were measured.

    Attributes
    ----------
    own
        Labels or numbers as the model gives them, shape (rows,).
    whole
        The same as the service gives them: with the notebook's last step behind it.
    probabilities
        Shape (rows, classes), or None.
    margins
        Of `decision_function`, or None.
    classes, names
        Of the model, and what the service calls them; None for numbers.
    carry
        From the model's own numbers to the service's.
    """

    own: np.ndarray
    whole: np.ndarray
    probabilities: np.ndarray | None = None
    margins: np.ndarray | None = None
    classes: tuple[Any, ...] | None = None
    names: tuple[Any, ...] | None = None
    carry: Callable[[np.ndarray], np.ndarray] = lambda numbers: numbers


@dataclass(frozen=True)
class Labels:
    """Labels as the service answers them, None where they cannot be said in its words; and where they come from."""

    values: list[Any]
    measure: str
    cell: int | None = None
    line: int | None = None
    measures: tuple[Mapping[str, Any], ...] = ()  # all that the notebook measures with these labels


def find_labels(noted: Mapping[str, Any], answers: Answers) -> Labels | None:
    """The labels in what `Evaluations.about` noted.

    Functions that measure come first, then ``model.score(X, y)``, then operators: those compare other things as well.
    """
    pairs: Sequence[Mapping[str, Any]] = noted.get("pairs") or ()
    found = [
        (truth, pair)
        for pair in pairs
        if pair["name"] not in _SIGNS and (truth := _truth(pair["sides"], answers, noted)) is not None
    ]
    if not found and (scored := noted.get("scored")) is not None:
        target = plain_array(scored["target"])
        if target.ndim == 1:
            return Labels(_in_words(target, answers, "own"), "score", scored["cell"], scored["line"], ({"name": "score"},))
    for pair in pairs if not found else ():
        if pair["name"] in _SIGNS and (truth := _truth(pair["sides"], answers, noted)) is not None and _plausible(truth, answers):
            found.append((truth, pair))
    if not found:
        return None
    first, at = found[0]
    same = [pair for truth, pair in found if truth == first]
    measures: dict[str, Mapping[str, Any]] = {}
    for pair in same:
        measures.setdefault(pair["name"], {"name": pair["name"], **pair.get("options", {})})
    return Labels(first, at["name"], at["cell"], at["line"], tuple(measures.values()))


def _truth(sides: Sequence[Any], answers: Answers, noted: Mapping[str, Any]) -> list[Any] | None:
    """The labels of one pair, in the service's words; None where neither side is what the model predicted."""
    left, right = (plain_array(side) for side in sides)
    orders = [(predicted, other, _kind(predicted, answers)) for predicted, other in ((right, left), (left, right))]
    if all(kind is None for _, _, kind in orders):
        orders = [(predicted, other, _made_of(predicted, answers)) for predicted, other, _ in orders]
    for _, other, kind in orders:
        if kind is None or other.ndim != 1:
            continue
        if _of_another(other, noted):
            continue
        return _in_words(other, answers, kind)
    return None


def _of_another(side: np.ndarray, noted: Mapping[str, Any]) -> bool:
    """Whether a side is what another model predicted: two models were compared. Unless that one was measured, and always right."""
    if not any(same_values(plain_array(one), side) for one in noted.get("others") or ()):
        return False
    pairs = ([plain_array(one) for one in pair["sides"]] for pair in noted.get("pairs") or ())
    return not any(all(same_values(one, side) for one in both) for both in pairs)


def _kind(side: np.ndarray, answers: Answers) -> str | None:
    """What of the model's answers a side is: "own", "whole", "scores" or, of the first of two classes, "scores of 0"."""
    table = answers.probabilities
    if side.ndim == 2:
        return "scores" if table is not None and side.shape == table.shape and same_values(side, table) else None
    for kind, known in (("own", answers.own), ("whole", answers.whole)):
        if same_values(side, known):
            return kind
    if table is not None:
        column = next((k for k in reversed(range(table.shape[1])) if same_values(side, table[:, k], 1e-6)), None)
        if column is not None:
            return "scores of 0" if column == 0 and table.shape[1] == 2 else "scores"
    if answers.margins is not None and answers.margins.ndim == 1 and same_values(side, answers.margins, 1e-6):
        return "scores"
    return None


def _made_of(side: np.ndarray, answers: Answers) -> str | None:
    """The same for what the notebook made of the answers: rounded numbers, labels by a threshold of its own."""
    if side.ndim != 1:
        return None
    table = answers.probabilities
    if answers.classes is None:
        return next((kind for kind, known in (("own", answers.own), ("whole", answers.whole)) if _shaped(side, known)), None)
    if table is None or table.shape[1] != 2 or len(levels := set(side.tolist())) != 2:
        return None
    low, high = (table[side == level, 1] for level in levels)
    apart = len(low) > 0 and len(high) > 0 and (low.max() < high.min() or high.max() < low.min())
    return "scores" if apart else None


def _shaped(side: np.ndarray, numbers: np.ndarray) -> bool:
    """Whether numbers were only rounded, or held within bounds."""
    import numpy as np

    if side.dtype.kind not in "biuf" or numbers.dtype.kind not in "biuf":
        return False
    if any(same_values(side, np.round(numbers, digits)) for digits in _DIGITS) or same_values(side, np.trunc(numbers)):
        return len(np.unique(side)) > 1
    equal = np.isclose(side, numbers, rtol=1e-9, atol=0)
    return bool(equal.mean() >= 0.5 and same_values(side, np.clip(numbers, side.min(), side.max())))


def same_values(a: np.ndarray, b: np.ndarray, relative: float = 1e-9) -> bool:
    """Whether two arrays hold the same, numbers within a relative tolerance."""
    import numpy as np

    if a.shape != b.shape:
        return False
    if a.dtype.kind in "biuf" and b.dtype.kind in "biuf":
        return bool(np.isclose(a, b, rtol=relative, atol=0, equal_nan=True).all())
    return bool((a.astype(object) == b.astype(object)).all())


def plain_array(values: Any) -> np.ndarray:
    """An array of numbers where all of its values are some, whatever held them; a column as one value a row."""
    import numpy as np

    array = np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.dtype.kind == "O" and array.size and all(isinstance(one, (bool, int, float, np.number)) for one in array.flat):
        return array.astype(float)
    return array


def _in_words(truth: np.ndarray, answers: Answers, kind: str) -> list[Any]:
    """Labels in the service's words; `kind` says what they were compared with."""
    import numpy as np

    if answers.classes is None or answers.names is None:
        numbers = truth if kind == "whole" or truth.dtype.kind not in "biuf" else answers.carry(truth.astype(float))
        return _listed(numbers)
    given = _listed(truth)
    classes, names = list(answers.classes), list(answers.names)
    if kind == "scores of 0" and set(classes) == {0, 1}:  # what is measured against them is whether it is the first class
        given = [one if one not in (0, 1) else 1 - one for one in given]
    known = {one for one in given if one is not None}
    of_classes, of_names = (len(known & set(some)) for some in (classes, names))
    if classes == names:
        if not of_classes and len(classes) == 2 and known <= {0, 1}:  # roc_auc_score(y == "yes", scores)
            order = names[::-1] if kind == "scores of 0" else names
            return [None if one is None else order[int(one)] for one in given]
        as_named = dict(zip(names, names, strict=True))  # 1, not 1.0 or True
        return [as_named.get(one, one) for one in given]
    if kind == "whole" or (kind != "own" and of_names > of_classes):
        return given
    words = dict(zip(classes, names, strict=True))
    return [words.get(one) for one in np.asarray(given, dtype=object).tolist()]


def _listed(values: Any) -> list[Any]:
    from jupyter_mlops.workflows.schemas import json_value

    return [json_value(one) for one in values.tolist()]


def _plausible(labels: list[Any], answers: Answers) -> bool:
    """Whether values are of the kind of the model's answers."""
    there = [one for one in labels if one is not None]
    if answers.names is None:
        return bool(there) and all(isinstance(one, (int, float)) for one in there)
    return bool(there) and sum(one in answers.names for one in there) >= _KNOWN * len(there)
