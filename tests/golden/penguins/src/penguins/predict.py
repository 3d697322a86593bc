"""Predictions for raw rows, with the fitted model as it was registered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from penguins.features import build_features
from penguins.persist import load_model

__all__ = ["load_model", "predict", "predict_input"]


def predict(raw: pd.DataFrame, model: Any = None, *, path: Path | None = None) -> pd.DataFrame:
    """Predict raw rows.

    Parameters
    ----------
    raw
        Rows as they stand in the source table; the target's columns are not needed.
    model
        A fitted model; None loads the saved one.

    Returns
    -------
    DataFrame
        Column ``prediction`` and, for classifiers, ``probability_<class>``, one row for each of `raw`.
    """
    features = build_features(raw)
    return predict_input(
        features, model if model is not None else load_model(path), index=raw.index
    )


def predict_input(model_input: Any, model: Any, *, index: pd.Index | None = None) -> pd.DataFrame:
    """Predict rows that are already the model's input."""
    rows = model_input.shape[0] if hasattr(model_input, "shape") else len(model_input)
    out = pd.DataFrame(
        {"prediction": np.asarray(model.predict(model_input)).reshape(rows)}, index=index
    )
    try:
        has_probabilities = hasattr(model, "predict_proba")
    except AttributeError:
        has_probabilities = False
    if has_probabilities:
        probabilities = model.predict_proba(model_input)
        for position, label in enumerate(model.classes_):
            out[f"probability_{label}"] = probabilities[:, position]
    return out
