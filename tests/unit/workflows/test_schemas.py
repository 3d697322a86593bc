"""What the notebook's fitted objects accept of a column: found by asking them."""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.preprocessing import OneHotEncoder

from jupyter_mlops.workflows.schemas import describe_frame, probe


def test_levels_are_those_of_the_whole_table_that_are_predicted() -> None:
    """A rare one that is in no row of the sample too; not one that training never saw, which makes others of its batch fail."""
    levels = [f"city {number:02}" for number in range(40)]
    table = pd.DataFrame({"city": levels, "size": range(40)})
    unknown = {"city 07", "city 08", "city 31"}
    encoder = OneHotEncoder(handle_unknown="error").fit(table[~table["city"].isin(unknown)][["city"]])

    def predict(rows: pd.DataFrame) -> Any:
        return pd.concat([rows, pd.DataFrame(encoder.transform(rows[["city"]]).toarray())], axis=1).astype({0: int})

    city, size = probe(describe_frame(table, ["city", "size"]), table.head(3), predict, table)
    assert city.closed and city.categories == tuple(level for level in levels if level not in unknown)
    assert not size.closed and size.categories is None
