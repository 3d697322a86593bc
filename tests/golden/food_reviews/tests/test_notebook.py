"""The notebook's own test cells."""

from __future__ import annotations

import pandas as pd

from food_reviews.helpers import clean
from food_reviews.pipeline import PipelineResult


def test_cell_18(result: PipelineResult) -> None:
    """Cell 18 of the notebook."""
    model = result.model
    predicted = result.values["predicted"]
    roc_auc = result.values["roc_auc"]
    y_test = result.values["y_test"]
    accuracy = result.values["accuracy"]
    assert accuracy > (y_test == "great").mean(), "worse than always answering great"
    assert roc_auc > 0.7
    assert set(predicted) <= {"great", "other"}
    examples = clean(
        pd.Series(
            [
                "Delicious! My favorite, I <b>love</b> it.",
                "Awful taste, stale and disappointing.",
                "",
            ]
        )
    )
    assert list(model.predict(examples)[:2]) == ["great", "other"]
