"""Small notebooks for tests, written as .ipynb files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["PENGUINS", "SHOPS", "untagged", "write_notebook", "write_shops"]

Cell = tuple[str, str]  # tags with blanks between ("" for none, "md" for markdown) and source


def write_notebook(path: Path, cells: list[Cell], *, kernel: str = "python3", language: str = "python", **top: Any) -> Path:
    """Write a notebook of version 4.5 with tagged cells."""
    made: list[dict[str, Any]] = []
    for number, (tag, source) in enumerate(cells):
        base: dict[str, Any] = {"id": f"cell-{number}", "metadata": {}, "source": source.strip("\n").splitlines(True)}
        if tag == "md":
            made.append({**base, "cell_type": "markdown"})
            continue
        if tag:
            base["metadata"] = {"tags": tag.split()}
        made.append({**base, "cell_type": "code", "execution_count": None, "outputs": []})
    data = {
        "cells": made,
        "metadata": {"kernelspec": {"name": kernel, "display_name": kernel, "language": language}, "language_info": {"name": language}},
        "nbformat": 4,
        "nbformat_minor": 5,
        **top,
    }  # fmt: skip
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def untagged(cells: list[Cell]) -> list[Cell]:
    """The same cells before anybody has tagged one."""
    return [(tag if tag == "md" else "", source) for tag, source in cells]


# A small, fast, real notebook: species of penguins, with a feature program, a helper that reads a parameter, a class of
# the notebook's own inside of the pipeline, and a test cell.
PENGUINS: list[Cell] = [
    ("md", "# Penguin species\n\nWhich species a penguin is, from its measures."),
    (
        "imports",
        """
import numpy as np
import pandas as pd
from palmerpenguins import load_penguins
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder
""",
    ),
    ("parameters", "n_estimators = 20  # trees\nheavy = 4500.0\ntest_size = 0.3"),
    (
        "functions",
        '''
NUMBERS = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "bill_ratio"]
NAMES = ["island", "sex"]


def is_heavy(mass):
    """Heavier than the parameter says."""
    return (mass > heavy).astype(float)
''',
    ),
    ("load", "penguins = load_penguins()"),
    ("", "penguins.describe()"),
    ("validate", 'assert len(penguins) > 300, "penguins are missing"'),
    (
        "features",
        """
df = penguins.dropna(subset=["bill_length_mm"]).copy()
df["bill_ratio"] = df["bill_length_mm"] / df["bill_depth_mm"]
# heavy ones
df["is_heavy"] = is_heavy(df["body_mass_g"])
X = df[NUMBERS + ["is_heavy"] + NAMES]
y = df["species"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=test_size, random_state=0)
""",
    ),
    (
        "train",
        """
encode = ColumnTransformer([
    ("names", Pipeline([("fill", SimpleImputer(strategy="constant", fill_value="unknown")),
                        ("hot", OneHotEncoder(handle_unknown="ignore"))]), NAMES),
    ("numbers", "passthrough", NUMBERS + ["is_heavy"]),
])
model = Pipeline([("encode", encode), ("forest", RandomForestClassifier(n_estimators=n_estimators, random_state=0))])
model.fit(X_train, y_train)
""",
    ),
    ("evaluate", "predicted = model.predict(X_test)\naccuracy = accuracy_score(y_test, predicted)\nprint(accuracy)"),
    ("test", "assert accuracy > 0.9\nassert set(predicted) <= set(y)"),
]

# Learns in two stages, draws from the global generator in three, reads a file beside the notebook.
SHOPS: list[Cell] = [
    (
        "imports",
        "import numpy as np\nimport pandas as pd\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.metrics import accuracy_score",
    ),
    ("parameters", "rows = 250\ntrees = 5\nshare = 0.7"),
    ("load", 'shops = pd.read_csv("shop sales ü.csv").sample(rows)'),
    ("validate", "assert len(shops) == rows"),
    (
        "features",
        'df = shops.copy()\ndf["size"] = df["size"].fillna(df["size"].mean())\ndf["noise"] = 0.0\ntaken = np.random.rand(len(df)) < share',
    ),
    (
        "train",
        'df["sold"] = df["sold"].fillna(df["sold"].median())\nX = df[["size", "sold"]]\ny = df["open"]\n'
        "model = RandomForestClassifier(n_estimators=trees)\nmodel.fit(X[taken], y[taken])",
    ),
    ("evaluate", "predicted = model.predict(X[~taken])\naccuracy = accuracy_score(y[~taken], predicted)"),
]


def write_shops(folder: Path) -> Path:
    """The notebook of the shops with its data beside it."""
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(0)
    size, sold = random.normal(100, 20, 300), random.poisson(30, 300).astype(float)
    size[::17], sold[::11] = np.nan, np.nan
    frame = pd.DataFrame({"size": size, "sold": sold, "open": random.random(300) < 0.5})
    frame.to_csv(folder / "shop sales ü.csv", index=False)
    return write_notebook(folder / "shops.ipynb", SHOPS)
