"""The notebook's own test cells."""

from __future__ import annotations

import numpy as np

from house_prices.pipeline import PipelineResult


def test_cell_22(result: PipelineResult) -> None:
    """Cell 22 of the notebook."""
    model = result.model
    X_test = result.values["X_test"]
    predicted = result.values["predicted"]
    y_test = result.values["y_test"]
    mae = result.values["mae"]
    r2 = result.values["r2"]
    assert r2 > 0.8
    assert mae < 0.15 * y_test.mean()
    assert (predicted > 0).all()
    # More house costs more, all else equal; a place the model has never heard of still gets a price.
    larger = X_test.assign(
        total_area=X_test["total_area"] * 1.2, Gr_Liv_Area=X_test["Gr_Liv_Area"] * 1.2
    )
    assert model.predict(larger).mean() > predicted.mean()
    assert np.isfinite(
        model.predict(X_test.head(5).assign(neighbourhood="Atlantis", condition=np.nan))
    ).all()
