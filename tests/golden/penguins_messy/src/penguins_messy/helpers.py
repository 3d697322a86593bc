"""Functions and classes of the notebook. Made from penguins_messy.ipynb."""

from __future__ import annotations

from typing import Any

from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from penguins_messy.constants import BIG, CAT, NUM


def size_class(mass: Any) -> Any:
    if mass > BIG:
        return "big"
    return "small"


class BillRatio(BaseEstimator, TransformerMixin):
    """adds length / depth of the bill"""

    def __init__(self, name: Any = "bill_ratio") -> None:
        self.name = name

    def fit(self, X: Any, y: Any = None) -> Any:
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: Any) -> Any:
        X = X.copy()
        X[self.name] = X["bill_length_mm"] / X["bill_depth_mm"]
        return X


def make_model(clf: Any) -> Any:
    num = Pipeline([("impute", SimpleImputer(strategy="median")), ("scale", StandardScaler())])
    prep = ColumnTransformer(
        [
            ("num", num, NUM + ["bill_area", "bill_ratio"]),
            ("cat", OneHotEncoder(handle_unknown="ignore", sparse_output=False), CAT + ["size"]),
        ]
    )
    return Pipeline([("ratio", BillRatio()), ("prep", prep), ("clf", clf)])


def sure(proba: Any, *, threshold: float) -> Any:
    # threshold is set at the top
    return proba.max(axis=1) >= threshold
