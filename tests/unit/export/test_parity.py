"""The comparison: what it calls equal, and that it finds what is not."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from jupyter_mlops.export.parity import Predictions, compare, predict_estimator, tolerance, tolerance_of
from tests.unit.export.matrix import load

DOUBLE = tolerance("regression", np.float64)
SHARES = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]])


def _numbers(*values: float) -> Predictions:
    return Predictions(np.array(values))


def test_equal_sides_are_equal() -> None:
    result = compare(_numbers(1.0, 2.0), _numbers(1.0, 2.0), DOUBLE, task="regression")
    assert (result.ok, result.rows, result.mismatches, result.max_abs_diff, result.worst) == (True, 2, 0, 0.0, [])


def test_a_planted_difference_is_found_with_its_row_and_size() -> None:
    result = compare(_numbers(1.0, 2.0, 3.0), _numbers(1.0, 2.0 + 1e-6, 3.5), DOUBLE, task="regression")
    assert not result.ok
    assert result.mismatches == 2
    assert result.max_abs_diff == 0.5
    assert [row["row"] for row in result.worst] == [2, 1]  # the largest first
    assert result.worst[0] == {"row": 2, "expected": 3.0, "got": 3.5}


@pytest.mark.parametrize(
    ("expected", "shift", "ok"),
    [(0.0, 0.9e-9, True), (0.0, 1.1e-9, False), (1e6, 0.9e-3, True), (1e6, 1.1e-3, False), (-1e6, 0.9e-3, True)],
)
def test_the_tolerance_is_absolute_plus_relative_to_what_is_expected(expected: float, shift: float, ok: bool) -> None:
    assert compare(_numbers(expected), _numbers(expected + shift), DOUBLE, task="regression").ok is ok


def test_float32_has_a_wider_tolerance_than_double_and_labels_have_none() -> None:
    single, double, labels = (tolerance(t, d) for t, d in (("regression", "f4"), ("regression", "f8"), ("clustering", "f8")))
    assert single.relative > double.relative > labels.relative == labels.absolute == 0.0
    assert all(one.why for one in (single, double, labels))
    assert tolerance("regression", "no dtype at all") == double
    assert json.loads(json.dumps(single.as_dict()))["relative"] == 1e-5


def test_the_tolerance_follows_the_numbers_that_are_compared() -> None:
    narrow = Predictions(np.array([1, 0]), SHARES[:2].astype(np.float32))
    assert tolerance_of("classification", narrow) == tolerance("classification", np.float32)
    assert tolerance_of("regression", _numbers(1.0)) == DOUBLE
    assert tolerance_of("classification", Predictions(np.array(["a"]))) == tolerance("classification", np.float64)


def test_nan_equals_nan_and_nothing_else() -> None:
    nan = math.nan
    assert compare(_numbers(nan, 1.0), _numbers(nan, 1.0), DOUBLE, task="regression").ok
    for left, right in ((nan, 1.0), (1.0, nan), (math.inf, nan), (math.inf, -math.inf), (math.inf, 1.0)):
        result = compare(_numbers(left), _numbers(right), DOUBLE, task="regression")
        assert result.mismatches == 1, (left, right)
        assert math.isinf(result.max_abs_diff)
        assert json.loads(json.dumps(result.as_dict()))["max_abs_diff"] is None
    assert compare(_numbers(math.inf), _numbers(math.inf), DOUBLE, task="regression").ok


def test_a_label_is_compared_as_a_value_and_never_within_a_tolerance() -> None:
    def labels(left: object, right: object) -> bool:
        return compare(Predictions(np.array(left)), Predictions(np.array(right)), DOUBLE, task="classification").labels_equal

    assert labels([1, 0], [1.0, 0.0])
    assert labels([True, False], [1, 0])
    assert labels(["a", "ü"], np.array(["a", "ü"], dtype=object))
    assert labels([1.0, math.nan], [1.0, math.nan])
    assert not labels([1.0], [1.0 + 1e-12])
    assert not labels(["1"], [1])
    assert not labels(["a"], ["a "])


def test_probabilities_in_another_order_of_classes_are_a_mismatch_although_labels_agree() -> None:
    names = np.array(["no", "yes", "no"])
    result = compare(Predictions(names, SHARES), Predictions(names, SHARES[:, ::-1]), DOUBLE, task="classification")
    assert result.labels_equal
    assert result.mismatches == 2  # the row of halves reads the same both ways
    assert result.max_abs_diff == pytest.approx(0.8)
    assert result.worst[0]["expected"] == {"label": "no", "probabilities": [0.9, 0.1]}


def test_labels_swapped_while_probabilities_agree_are_a_mismatch() -> None:
    result = compare(
        Predictions(np.array([0, 1, 0]), SHARES), Predictions(np.array([1, 1, 0]), SHARES), DOUBLE, task="classification"
    )
    assert (result.labels_equal, result.mismatches, result.max_abs_diff) == (False, 1, 0.0)


def test_missing_probabilities_and_other_shapes_differ_in_every_row() -> None:
    names = np.array([0, 1, 0])
    for other in (None, SHARES[:, :1]):
        for left, right in ((SHARES, other), (other, SHARES)):
            result = compare(Predictions(names, left), Predictions(names, right), DOUBLE, task="classification")
            assert result.mismatches == 3


def test_another_number_of_rows_is_an_error() -> None:
    with pytest.raises(ValueError, match="2 rows expected, 1 predicted"):
        compare(_numbers(1.0, 2.0), _numbers(1.0), DOUBLE, task="regression")


def test_no_rows_are_equal() -> None:
    result = compare(_numbers(), _numbers(), DOUBLE, task="regression")
    assert (result.ok, result.rows, result.max_abs_diff) == (True, 0, 0.0)


def test_the_worst_rows_are_few_and_plain_data() -> None:
    left, right = np.zeros(50), np.arange(50.0)
    result = compare(Predictions(left), Predictions(right), DOUBLE, task="regression")
    assert [row["row"] for row in result.worst] == [49, 48, 47, 46, 45]
    assert json.loads(json.dumps(result.as_dict()))["mismatches"] == 49


def test_an_estimator_predicts_labels_numbers_and_probabilities() -> None:
    wine = load("wine")
    model = LogisticRegression().fit(wine.rows / wine.rows.max(), wine.target)
    made = predict_estimator(model, wine.rows / wine.rows.max())
    assert made.probabilities is not None
    assert made.probabilities.shape == (178, 3)
    assert (model.classes_[made.probabilities.argmax(axis=1)] == made.labels).all()
    diabetes = load("diabetes")
    column = LinearRegression().fit(diabetes.rows, np.asarray(diabetes.target).reshape(-1, 1))
    numbers = predict_estimator(column, diabetes.rows)
    assert numbers.labels.shape == (442,)
    assert numbers.probabilities is None
