"""The package predicts what the notebook predicted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from penguins.features import build_features
from penguins.predict import predict

TOLERANCE = 1e-06


def test_the_package_predicts_what_the_notebook_predicted(
    golden: dict[str, Any], golden_frame: pd.DataFrame, model: Any
) -> None:
    got = predict(golden_frame, model)
    expected = golden["predictions"]
    assert len(got) == len(expected) > 0
    assert got["prediction"].tolist() == expected
    if golden["probabilities"] is not None:
        columns = [name for name in got.columns if name.startswith("probability_")]
        np.testing.assert_allclose(
            got[columns].to_numpy(), np.asarray(golden["probabilities"]), rtol=0, atol=TOLERANCE
        )


def test_a_row_is_predicted_the_same_alone_and_among_others(
    golden_frame: pd.DataFrame, model: Any
) -> None:
    together = predict(golden_frame, model)["prediction"]
    for position in range(0, len(golden_frame), max(1, len(golden_frame) // 10)):
        alone = predict(golden_frame.iloc[[position]], model)["prediction"]
        assert alone.iloc[0] == together.iloc[position] or np.isclose(
            float(alone.iloc[0]), float(together.iloc[position])
        )


def test_features_do_not_depend_on_the_order_of_rows(golden_frame: pd.DataFrame) -> None:
    straight = build_features(golden_frame)
    backwards = build_features(golden_frame.iloc[::-1])
    if isinstance(straight, pd.DataFrame):
        pd.testing.assert_frame_equal(straight, backwards.iloc[::-1])
    else:
        assert list(map(str, straight)) == list(map(str, backwards[::-1]))
