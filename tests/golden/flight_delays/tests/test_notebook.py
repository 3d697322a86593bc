"""The notebook's own test cells."""

from __future__ import annotations

import numpy as np

from flight_delays.pipeline import PipelineResult


def test_cell_25(result: PipelineResult) -> None:
    """Cell 25 of the notebook."""
    model = result.model
    late = result.values["late"]
    X_test = result.values["X_test"]
    probability = result.values["probability"]
    average_precision = result.values["average_precision"]
    y_test = result.values["y_test"]
    brier = result.values["brier"]
    roc_auc = result.values["roc_auc"]
    assert roc_auc > 0.6
    assert brier < y_test.mean() * (1 - y_test.mean()), "worse than always predicting the base rate"
    assert average_precision > y_test.mean()
    assert ((probability >= 0) & (probability <= 1)).all()
    assert len(late) == len(X_test)
    unknown = X_test.head(5).assign(dest="XYZ", temp=np.nan, pressure=np.nan)
    assert model.predict_proba(unknown).shape == (5, 2)
