"""A notebook of the family as data: its cells and what is expected of its conversion."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.notebooks import write_notebook

__all__ = ["ACCURACY", "FOREST", "LINEAR", "LOGISTIC", "RMSE", "SPLIT", "TREE", "Case"]

_IMPORTS = """
import re
import numpy as np
import pandas as pd
import warnings
warnings.filterwarnings("ignore")
from sklearn.model_selection import train_test_split
from sklearn.metrics import accuracy_score, mean_squared_error
"""
SPLIT = """
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=42)
"""
LOGISTIC = """
from sklearn.linear_model import LogisticRegression
model = LogisticRegression(max_iter=2000)
model.fit(X_train, y_train)
"""
TREE = """
from sklearn.tree import DecisionTreeClassifier
model = DecisionTreeClassifier(max_depth=4, random_state=0)
model.fit(X_train, y_train)
"""
FOREST = """
from sklearn.ensemble import RandomForestClassifier
model = RandomForestClassifier(n_estimators=10, max_depth=5, random_state=0)
model.fit(X_train, y_train)
"""
LINEAR = """
from sklearn.linear_model import LinearRegression
model = LinearRegression()
model.fit(X_train, y_train)
"""
ACCURACY = """
pred = model.predict(X_test)
acc = accuracy_score(y_test, pred)
print("accuracy:", acc)
"""
RMSE = """
pred = model.predict(X_test)
rmse = mean_squared_error(y_test, pred) ** 0.5
print(rmse)
"""


@dataclass(frozen=True)
class Case:
    """One notebook.

    `boundary` is where serving is expected to start; where that is not "raw", `reason` are words of the problem that says
    why. `state` are names that ``state.json`` must hold. `final` is the notebook's own last prediction, where that is not
    what its model answers.
    """

    name: str
    features: str
    train: str = TREE
    evaluate: str = ACCURACY
    load: str = 'df = pd.read_csv("customers.csv")'
    functions: str = ""
    imports: str = ""
    boundary: str = "raw"
    reason: str = ""
    state: tuple[str, ...] = ()
    final: str = ""
    lacks: str = ""  # what the conversion cannot do yet, where it falls short of what is expected

    def cells(self) -> list[tuple[str, str]]:
        """Tags and sources."""
        made = [
            ("imports", _IMPORTS + self.imports),
            ("functions", self.functions),
            ("load", self.load),
            ("", "df.head()" if self.load.startswith("df ") else "train.info()" if "train =" in self.load else "pass"),
            ("features", self.features),
            ("train", self.train),
            ("evaluate", self.evaluate),
        ]
        return [(tag, source) for tag, source in made if source.strip()]

    def write(self, folder: Path) -> Path:
        """Write the notebook into `folder`."""
        return write_notebook(folder / f"{self.name}.ipynb", self.cells())
