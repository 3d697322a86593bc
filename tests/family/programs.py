"""Random preparations, put together from the constructs of the family, for property tests."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.notebooks import write_notebook

__all__ = ["Program", "programs"]

NUMBERS = ("n1", "n2", "n3", "k1")  # k1 has no missing values
NAMES = ("c1", "c2", "c3")  # c3 has no missing values

# One step each: {n}, {m} are columns of numbers, {c}, {d} of names, {i} is the number of the step.
STEPS = (
    'df["{n}"] = df["{n}"].fillna(df["{n}"].mean())',
    'df["{n}"].fillna(df["{n}"].median(), inplace=True)',
    'df["{c}"] = df["{c}"].fillna(df["{c}"].mode()[0])',
    'df["{c}"] = df["{c}"].fillna("none")',
    'df[["{n}", "{m}"]] = df[["{n}", "{m}"]].fillna(df[["{n}", "{m}"]].min())',
    'df.loc[df["{n}"].isna(), "{n}"] = df["{n}"].max()',
    'df["z{i}"] = (df["{n}"] - df["{n}"].mean()) / (df["{n}"].std() + 1)',
    'df["u{i}"] = (df["{n}"] - df["{n}"].min()) / (df["{n}"].max() - df["{n}"].min() + 1)',
    'df["{n}"] = df["{n}"].clip(df["{n}"].quantile(0.1), df["{n}"].quantile(0.9))',
    'df["w{i}"] = np.where(df["{n}"] > df["{n}"].median(), 1, 0)',
    'q{i} = df["{n}"].quantile(0.75)\ndf["o{i}"] = (df["{n}"] > q{i}).astype(int)',
    'df["f{i}"] = df["{c}"].map(df["{c}"].value_counts(normalize=True))',
    'g{i} = df.groupby("{c}")["{n}"].mean()\ndf["g{i}"] = df["{c}"].map(g{i})',
    'df["t{i}"] = df.groupby("{c}")["{n}"].transform("mean")',
    'df["{n}"] = df.groupby("{c}")["{n}"].transform(lambda x: x.fillna(x.median()))',
    'df["a{i}"] = df["{c}"].astype("category").cat.codes',
    'df["p{i}"] = pd.factorize(df["{c}"])[0]',
    'df["l{i}"] = LabelEncoder().fit_transform(df["{c}"].astype(str))',
    'le{i} = LabelEncoder()\nfor col in ["{c}", "{d}"]:\n    df[col + "_l{i}"] = le{i}.fit_transform(df[col].astype(str))',
    'df = pd.concat([df, pd.get_dummies(df["{c}"], prefix="d{i}")], axis=1)',
    'df = df.join(pd.get_dummies(df[["{c}"]], drop_first=True, dtype=int).add_prefix("j{i}_"))',
    'df["b{i}"] = pd.cut(df["{n}"], 3, labels=False)',
    'df["b{i}"] = pd.qcut(df["k1"], 3, labels=False, duplicates="drop")',
    'agg{i} = df.groupby("{c}")["{n}"].agg(["min", "max"]).add_prefix("m{i}_").reset_index()\ndf = df.merge(agg{i}, on="{c}", how="left")',
    'df[["{n}", "{m}"]] = StandardScaler().fit_transform(df[["{n}", "{m}"]])',
    'df[["{n}"]] = SimpleImputer(strategy="median").fit_transform(df[["{n}"]])',
    'for col in ["{n}", "{m}"]:\n    df[col] = df[col] - df[col].mean()',
    'df["s{i}"] = df[["{n}", "k1"]].sum(axis=1)',
    'df["r{i}"] = df.apply(lambda row: row["k1"] if row["c3"] == "x" else 0, axis=1)',
    'df["x{i}"] = [len(t) for t in df["c3"]]',
    'rare{i} = df["{c}"].value_counts()[lambda v: v < 5].index\ndf["{c}"] = df["{c}"].replace(list(rare{i}), "rare")',
    'df = df[df["k1"] < df["k1"].quantile(0.95)]',
    'df = df.dropna(subset=["{n}"])',
    'df = fill(df, "{n}")',
    'df["y{i}"] = scaled(df["{n}"])',
    'for col in ["{n}", "{m}"]:\n    df = fill(df, col)',
    'df[["{n}", "{m}"]] = df[["{n}", "{m}"]].apply(centred)',
)  # fmt: skip

_FUNCTIONS = """
def fill(frame, column):
    frame = frame.copy()
    frame[column] = frame[column].fillna(frame[column].median())
    return frame

def scaled(values):
    return (values - values.mean()) / (values.std() + 1)

def centred(values):
    return values - values.median()
"""
_IMPORTS = """
import warnings
import numpy as np
import pandas as pd
from sklearn.dummy import DummyRegressor
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder, StandardScaler
warnings.filterwarnings("ignore")
"""
_INPUTS = (
    'X = df.select_dtypes("number").drop(columns=["target", "id"]).astype(float)',
    'X = df.drop(columns=["target", "id"]).select_dtypes(include=np.number)\nX = X.fillna(X.mean()).fillna(0)',
    'X = pd.get_dummies(df.drop(["target", "id"], axis=1), columns=["c3"]).select_dtypes(["number", "bool"]).astype(float)',
)
_SPLIT = """
y = df["target"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, random_state=0)
"""
_AFTER = (
    "",
    "mean = X_train.mean()\nX_train = X_train - mean\nX_test = X_test - mean",
    "sc = StandardScaler()\nX_train = sc.fit_transform(X_train)\nX_test = sc.transform(X_test)",
    "best = X_train.columns[X_train.var() > 0.01]\nX_train, X_test = X_train[best], X_test[best]",
)
_WRAPPED = """
def prepare(data):
    df = data.copy()
{body}
    return df

df = prepare(df)
"""


@dataclass(frozen=True)
class Program:
    """A preparation and the seed of its table."""

    source: str
    seed: int
    rows: int

    def cells(self) -> list[tuple[str, str]]:
        """Tags and sources."""
        return [
            ("imports", _IMPORTS),
            ("functions", _FUNCTIONS),
            ("load", 'df = pd.read_csv("table.csv")'),
            ("features", self.source),
            ("train", "model = DummyRegressor()\nmodel.fit(X_train, y_train)"),
            ("evaluate", "pred = model.predict(X_test)\nerror = abs(pred - y_test).mean()"),
        ]

    def write(self, folder: Path) -> Path:
        """Write the notebook and its table."""
        table(self.seed, self.rows).to_csv(folder / "table.csv", index=False)
        return write_notebook(folder / "program.ipynb", self.cells())


def table(seed: int, rows: int) -> Any:
    """Numbers and names with missing values, and a target."""
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"n1": random.normal(5, 3, rows), "n2": random.gamma(2, 9, rows), "n3": random.integers(0, 9, rows) * 1.0}
    )
    frame = frame.mask(random.random(frame.shape) < 0.15)
    frame["k1"] = random.integers(0, 50, rows)
    for name in ("c1", "c2"):
        frame[name] = pd.Series(random.choice(["a", "b", "cc", "d"], rows, p=[0.4, 0.3, 0.2, 0.1])).mask(
            random.random(rows) < 0.1
        )
    frame["c3"] = random.choice(["x", "yy", "zzz"], rows)
    frame["id"] = np.arange(rows)  # where a row comes from
    frame["target"] = random.normal(0, 1, rows)
    return frame


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Programs of one to six steps, in the open or inside of a function, with something behind the split."""
    steps = draw(st.lists(st.sampled_from(STEPS), min_size=1, max_size=6))
    lines = []
    for i, step in enumerate(steps):
        n, m = draw(st.permutations(NUMBERS[:3]))[:2]
        c, d = draw(st.permutations(NAMES))[:2]
        lines.append(step.format(n=n, m=m, c=c, d=d, i=i))
    body = "\n".join(lines)
    if draw(st.booleans()):
        body = _WRAPPED.format(body=textwrap.indent(body, "    "))
    parts = [body, draw(st.sampled_from(_INPUTS)), _SPLIT.strip(), draw(st.sampled_from(_AFTER))]
    return Program("\n".join(parts), draw(st.integers(0, 1000)), draw(st.integers(40, 70)))
