"""Programs as notebooks write them: one or two operations each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, OrdinalEncoder, StandardScaler

from tests.unit.export.program.holding import frame

__all__ = ["CASES", "REFUSED", "Case"]


@dataclass(frozen=True)
class Case:
    """The body of `build_features`, functions beside it, and the state."""

    body: str
    helpers: str = ""
    state: Any = field(default=None, hash=False)


def _state(**values: Any) -> Any:
    from types import SimpleNamespace

    return SimpleNamespace(**values)


RAW = frame()
_CITIES = ["La Paz", "New_York", "Oslo", "Paris", "Zürich"]
_SEXES = sorted(set(RAW["sex"]))
_NUMBERS = RAW[["whole", "price", "gap"]]

STOREYS = """
def storeys(style: object) -> float:
    if not isinstance(style, str):
        return np.nan
    if style in ("Oslo", "Paris"):
        return 1.5
    floors = {"New": 1.0, "La": 2.0}.get(style.split("_")[0], np.nan)
    return floors + 0.5 if "York" in style else floors
"""

CASES: dict[str, Case] = {
    # numbers
    "arithmetic": Case(
        'df = raw.copy()\ndf["a"] = df["whole"] * 2 + df["price"] / df["size"] - 1\ndf["b"] = -df["price"] ** 2\nreturn df[["a", "b", "whole"]]'
    ),
    "division by zero": Case('return pd.DataFrame({"a": raw["price"] / raw["whole"], "b": raw["whole"] / raw["whole"]})'),
    "floor and remainder": Case(
        'return pd.DataFrame({"a": raw["whole"] // 7, "b": raw["whole"] % 7, "c": raw["price"] // 2.5, "d": raw["gap"] % -0.3})'
    ),
    "comparisons": Case(
        'return pd.DataFrame({"a": raw["gap"] > 0.5, "b": raw["gap"] != 0, "c": raw["whole"] == 3, "d": (raw["gap"] <= 1) & ~raw["flag"], "e": (raw["gap"] > 1) | raw["flag"]})'
    ),
    "numpy functions": Case(
        'df = raw.copy()\ndf["a"] = np.log1p(df["price"].clip(lower=0))\ndf["b"] = np.sqrt(np.abs(df["gap"]))\ndf["c"] = np.exp(df["gap"] / 10)\nreturn df[["a", "b", "c"]]'
    ),
    "where and select": Case(
        'a = np.where(raw["gap"] > 0, raw["price"], -1)\nb = np.select([raw["whole"] < 0, raw["whole"] < 10], [0, 1], default=2)\nreturn np.column_stack([a, b])'
    ),
    "round": Case(
        'return pd.DataFrame({"a": (raw["price"] / 3).round(1), "b": np.round(raw["gap"]), "c": raw["whole"].round(2), "d": (raw["whole"] / 2).round()})'
    ),
    "clip and between": Case(
        'return pd.DataFrame({"a": raw["gap"].clip(-1, 1), "b": raw["whole"].clip(upper=10), "c": raw["price"].between(10, 50, inclusive="left")})'
    ),
    "astype": Case(
        'return pd.DataFrame({"a": (raw["price"] / 7).astype(int), "b": raw["flag"].astype(int), "c": (raw["whole"] > 3).astype("float64"), "d": raw["whole"].astype(bool), "e": raw["gap"].astype(bool)})'
    ),
    "astype of an infinite number raises": Case('return pd.DataFrame({"a": (raw["price"] / raw["size"]).astype(int)})'),
    "texts of integers": Case('return pd.DataFrame({"a": raw["whole"].astype(str) + "_" + raw["city"]})'),
    "row statistics": Case('return pd.DataFrame({"a": raw[["whole", "gap", "price"]].sum(axis=1)})'),
    "a wide table at once": Case(
        'X = raw[["whole", "size", "price", "gap", "flag"]]\nX = (X - state.mean) / state.std\nreturn X',
        state=_state(
            mean=RAW[["whole", "size", "price", "gap", "flag"]].mean(), std=RAW[["whole", "size", "price", "gap", "flag"]].std()
        ),
    ),
    "in place": Case(
        'df = raw.copy()\ndf["gap"].fillna(state.mean, inplace=True)\ndf["price"] *= 2\ndf["price"] -= df["gap"]\ndf.drop(columns=["name", "city"], inplace=True)\nreturn df[["gap", "price"]]',
        state=_state(mean=1.25),
    ),
    # missing values
    "fillna": Case(
        'df = raw.copy()\ndf["gap"] = df["gap"].fillna(state.mean)\ndf["cabin"] = df["cabin"].fillna("none")\nreturn df[["gap", "cabin"]]',
        state=_state(mean=0.5),
    ),
    "fillna by column": Case('return raw[["gap", "price", "cabin"]].fillna({"gap": 3, "cabin": "U"})'),
    "fillna by series": Case(
        'df = raw[["gap", "price", "city"]]\nreturn df.fillna(state.means)[["gap", "price"]]',
        state=_state(means=RAW[["gap", "price"]].mean()),
    ),
    "isna": Case(
        'return pd.DataFrame({"a": raw["gap"].isna(), "b": raw["cabin"].notnull().astype(int), "c": pd.isnull(raw["price"])})'
    ),
    "loc by a condition": Case(
        'df = raw.copy()\ndf.loc[df["gap"].isnull(), "gap"] = state.mean\ndf.loc[df["city"] == "Oslo", "price"] = df["price"] * 10\ndf.loc[df["whole"] > 10, "old"] = 1\nreturn df[["gap", "price", "old"]]',
        state=_state(mean=2.0),
    ),
    "where and mask": Case(
        'return pd.DataFrame({"a": raw["gap"].where(raw["flag"], 0), "b": raw["whole"].mask(raw["whole"] < 0, -1)})'
    ),
    # values by value
    "map": Case(
        'return pd.DataFrame({"a": raw["city"].map({"Oslo": 1, "Paris": 2}), "b": raw["whole"].map({1: "x", 2: "y"}), "c": raw["cabin"].map(state.counts), "d": raw["flag"].map({True: 1, False: 0})})',
        state=_state(counts=RAW["cabin"].value_counts()),
    ),
    "map by a counter": Case(
        'return pd.DataFrame({"a": raw["city"].map(state.counter)})',
        state=_state(counter=__import__("collections").Counter(RAW["city"])),
    ),
    "replace": Case(
        'df = raw.copy()\ndf["whole"] = df["whole"].replace([1, 2], 0)\ndf["city"] = df["city"].replace({"Oslo": "O", "Paris": "P"})\nreturn df[["whole", "city"]]'
    ),
    "replace by column": Case('return raw[["city", "whole"]].replace({"city": {"Oslo": "x"}, "whole": {3: 300}})'),
    "replace by numbers": Case(
        'out = raw[["sex"]].replace({"male": 0, "female": 1, "Male ": 0, " FEMALE": 1})\nout["sex"] = out["sex"].astype(float)\nreturn out'
    ),
    "isin": Case(
        'return pd.DataFrame({"a": raw["city"].isin(["Oslo", "x"]), "b": raw["whole"].isin([1, 2, 3]), "c": raw["cabin"].isin(["C85", np.nan])})'
    ),
    # levels
    "dummies": Case(
        'df = raw[["whole", "city", "flag"]]\nreturn pd.get_dummies(with_levels(df, state.levels), columns=["city"], drop_first=True, dtype=int)',
        state=_state(levels={"city": _CITIES}),
    ),
    "dummies of a series": Case(
        'return pd.get_dummies(with_levels(raw["cabin"], state.levels), prefix="E").join(raw[["whole"]])',
        state=_state(levels=["C85", "D", "E46"]),
    ),
    "dummies of numbers": Case(
        'return pd.get_dummies(with_levels(raw[["size", "price"]], state.levels), columns=["size"])',
        state=_state(levels={"size": [1, 2, 3, 4]}),
    ),
    "codes": Case(
        'df = raw.copy()\ndf["city"] = codes_of(df["city"], state.levels)\ndf["deck"] = df["cabin"].astype(state.dtype).cat.codes\nreturn df[["city", "deck"]]',
        state=_state(levels=["Paris", "Oslo"], dtype=pd.CategoricalDtype(["C85", "D"])),
    ),
    "categorical": Case(
        'df = raw[["whole"]].copy()\ndf["deck"] = pd.Categorical(raw["cabin"], dtype=state.dtype)\ndf["code"] = pd.Categorical(raw["city"], categories=["Oslo", "Paris"]).codes\nreturn np.c_[df[["whole"]], df["code"], raw["price"]]',
        state=_state(dtype=pd.CategoricalDtype(["C85", "D"])),
    ),
    "cut": Case(
        'a = pd.cut(raw["gap"], state.bins, labels=[0, 1, 2], include_lowest=True)\nb = pd.cut(raw["whole"], [0, 10, 20], labels=False, right=False)\nc = pd.cut(raw["price"], [-np.inf, 20, np.inf], labels=["low", "high"])\nreturn pd.DataFrame({"a": a, "b": b, "c": c})',
        state=_state(bins=[-1.0, 0.0, 0.5, 2.0]),
    ),
    "by group": Case(
        'df = raw.copy()\ndf["gap"] = df["gap"].fillna(by_group(df, ["city"], state.one))\ndf["b"] = by_group(df, ["city", "size"], state.two)\nreturn df[["gap", "b"]]',
        state=_state(one=RAW.groupby("city")["gap"].median().drop("Oslo"), two=RAW.groupby(["city", "size"])["price"].mean()),
    ),
    # texts
    "lower, strip, compare": Case(
        's = raw["sex"].str.strip().str.lower()\nreturn pd.DataFrame({"a": (s == "male").astype(int), "b": s.map({"male": 1, "female": 2}), "c": s.isin(["female"])})'
    ),
    "lower and contains": Case(
        'return pd.DataFrame({"a": raw["city"].str.lower().str.contains("or"), "b": raw["city"].str.contains("_", na=False), "c": raw["cabin"].str.contains("^[CE]\\\\d+$", na=False), "d": raw["name"].str.contains("Mr|Dr")})'
    ),
    "starts and ends": Case(
        'return pd.DataFrame({"a": raw["city"].str.startswith("New"), "b": raw["city"].str.endswith(("o", "h")), "c": raw["cabin"].str.startswith("C", na=False)})'
    ),
    "length of a text": Case('return pd.DataFrame({"a": raw["city"].str.len(), "b": raw["cabin"].str.len()})'),
    "first letter": Case(
        'return pd.DataFrame({"a": raw["cabin"].str[0].fillna("M").map({"C": 1, "E": 2, "M": 0}), "b": raw["city"].str[:2].map({"Os": 1, "Pa": 2})})'
    ),
    "split": Case(
        'return pd.DataFrame({"a": raw["name"].str.split(",").str[0], "b": raw["name"].str.split(", ").str[1].str.split(".").str[0], "c": raw["city"].str.split("_").str[-1]})'
    ),
    "extract": Case('return pd.DataFrame({"a": raw["name"].str.extract(r" ([A-Za-z]+)\\.", expand=False)})'),
    "letters replaced": Case(
        's = raw["city"].str.replace("_", " ").str.strip()\nreturn pd.get_dummies(with_levels(s, state.levels))',
        state=_state(levels=["La Paz", "New York", "Oslo"]),
    ),
    "texts joined": Case('return pd.DataFrame({"a": raw["city"] + "-" + raw["cabin"]})'),
    "numbers in texts": Case('return pd.DataFrame({"a": pd.to_numeric(raw["code"], errors="coerce")})'),
    "texts as floats": Case('return pd.DataFrame({"a": raw["code"].astype(float) * 2})'),
    # dates
    "parts of a date": Case(
        'd = raw["day"].dt\nreturn pd.DataFrame({"y": d.year, "m": d.month, "d": d.day, "w": d.dayofweek, "h": d.hour, "q": d.quarter, "n": d.dayofyear, "i": d.minute, "name": d.day_name()})'
    ),
    "dates in texts": Case(
        'd = pd.to_datetime(raw["when"], format="%Y-%m-%d")\nreturn pd.DataFrame({"y": d.dt.year, "age": (pd.Timestamp("2020-01-01") - d).dt.days, "late": d > pd.Timestamp("2016-01-01"), "s": (raw["day"] - d).dt.total_seconds()})'
    ),
    # functions
    "an element function": Case(
        'return pd.DataFrame({"a": raw["city"].apply(storeys), "b": raw["cabin"].map(storeys)})', STOREYS
    ),
    "lambdas": Case(
        'return pd.DataFrame({"a": raw["whole"].apply(lambda v: 1 if v > 10 else v / 2), "b": raw["gap"].apply(lambda v: 0 if pd.isna(v) else abs(v) + 1), "c": raw["city"].map(lambda s: len(s) > 4)})'
    ),
    "a chain of conditions": Case(
        'return pd.DataFrame({"a": raw["whole"].apply(band)})',
        "def band(v):\n    if v < 0:\n        return 'none'\n    elif v <= 10:\n        return 'low'\n    return 'high'\n",
    ),
    "titles": Case(
        'return pd.DataFrame({"a": raw["name"].apply(lambda n: n.split(",")[1].split(".")[0].strip()).map({"Mr": 1, "Miss": 2})})'
    ),
    "rows": Case(
        'return pd.DataFrame({"a": raw.apply(lambda r: r["price"] / r["size"] if r["flag"] else r["whole"], axis=1), "b": raw[["whole", "size"]].apply(lambda r: r["whole"] / r["size"], axis=1)})'
    ),
    "a dictionary's items": Case(
        'return pd.DataFrame({"a": raw["city"].apply(lambda c: {"Oslo": 1, "Paris": 2, "New_York": 4, "Zürich": 9}[c] if c != "La Paz" else 0)})'
    ),
    "max and int": Case(
        'return pd.DataFrame({"a": raw["price"].apply(lambda v: max(v, 10)), "b": raw["price"].apply(lambda v: int(v)), "c": raw["whole"].apply(lambda v: v % 2 == 0)})'
    ),
    "a function that raises": Case(
        'return pd.DataFrame({"a": raw["whole"].apply(strict)})',
        "def strict(v):\n    if v > 39:\n        raise ValueError(v)\n    return v + 1\n",
    ),
    # tables
    "columns": Case(
        'df = raw.rename(columns={"price": "p"}).drop(["name", "city"], axis=1)\nX = df.iloc[:, :3].assign(x=lambda d: d["p"] * 2)\nreturn pd.concat([X, df.loc[:, ["gap"]]], axis=1)'
    ),
    "arrays": Case(
        'X = raw[["whole", "price"]].values\ny = raw["gap"].to_numpy().reshape(-1, 1)\nX = np.concatenate((X, y), axis=1)\nreturn X[:, [2, 0]]'
    ),
    "a loop over columns": Case(
        'df = raw[["price", "gap", "whole"]].copy()\nfor col in df.columns:\n    if df[col].dtype == "float64":\n        df[col] = df[col] - state.means[col]\nreturn df',
        state=_state(means=dict(RAW[["price", "gap"]].mean())),
    ),
    "select by dtype": Case('return raw.select_dtypes(include=["number"]).drop(columns="gap") * 1'),
    # fitted objects
    "label encoders": Case(
        'df = raw[["city", "sex"]].copy()\nfor col in ["city", "sex"]:\n    df[col] = state.encoders[col].transform(df[col])\nreturn df',
        state=_state(encoders={c: LabelEncoder().fit(RAW[c]) for c in ("city", "sex")}),
    ),
    "scaler": Case(
        'df = raw[["whole", "price", "size"]].astype(float)\nreturn pd.DataFrame(state.scaler.transform(df), columns=df.columns)',
        state=_state(scaler=StandardScaler().fit(RAW[["whole", "price", "size"]].astype(float))),
    ),
    "imputer and pca": Case(
        'X = state.imputer.transform(raw[["whole", "price", "gap"]])\nreturn state.pca.transform(X)',
        state=_state(imputer=SimpleImputer().fit(_NUMBERS), pca=PCA(2).fit(SimpleImputer().fit_transform(_NUMBERS))),
    ),
    "one-hot encoder": Case(
        'return np.hstack([state.ohe.transform(raw[["city", "sex"]]).toarray(), raw[["whole"]].values])',
        state=_state(ohe=OneHotEncoder(handle_unknown="ignore").fit(RAW[["city", "sex"]])),
    ),
    "strict encoder of a changed text": Case(
        'df = raw[["sex"]].copy()\ndf["sex"] = df["sex"].str.strip().str.lower()\nreturn state.enc.transform(df)',
        state=_state(enc=OrdinalEncoder().fit(pd.DataFrame({"sex": ["male", "female"]}))),
    ),
    "column transformer": Case(
        "return state.ct.transform(raw)",
        state=_state(
            ct=make_column_transformer((StandardScaler(), ["price"]), (OneHotEncoder(handle_unknown="ignore"), ["city"])).fit(RAW)
        ),
    ),
}

REFUSED: dict[str, tuple[str, str, str]] = {
    "a statistic over rows": ('return raw[["price"]] - raw["price"].mean()', "raw['price'].mean()", "no counterpart"),
    "rows dropped": ('return raw.dropna()[["price"]]', "raw.dropna()", "rows are chosen or dropped"),
    "rows chosen": ('return raw[raw["price"] > 0][["price"]]', "raw[raw['price'] > 0]", "rows are chosen"),
    "a pattern replaced": (
        'return pd.DataFrame({"a": raw["name"].str.replace(r"\\\\W+", "", regex=True)})',
        "raw['name'].str.replace",
        "by a pattern",
    ),
    "an extract": ('return raw["name"].str.extract(r"(\\\\w+) (\\\\w+)")', "raw['name'].str.extract", "between two letters"),
    "levels of other rows": ('return pd.get_dummies(raw[["city"]])', "pd.get_dummies(raw[['city']])", "other rows"),
    "a category of other rows": ('return raw[["city"]].astype("category")', "raw[['city']].astype('category')", "other rows"),
    "narrow integers": (
        'return pd.DataFrame({"a": raw["city"].astype(pd.CategoricalDtype(["Oslo"])).cat.codes * 100})',
        ".cat.codes * 100",
        "int8",
    ),
    "float32": ('return pd.DataFrame({"a": raw["price"].astype("float32") * 2})', ".astype('float32') * 2", "float32"),
    "the order of rows": ('return raw[["price"]].shift(1)', "raw[['price']].shift(1)", "no counterpart"),
    "the number of rows": ('return raw[["price"]] / len(raw)', "len(raw)", "len"),
    "a decision on a column": (
        'if raw["price"].isna().any():\n    return raw[["price"]]\nreturn raw[["price"]] * 2',
        "raw['price'].isna().any()",
        "no counterpart",
    ),
    "title case": ('return pd.DataFrame({"a": raw["name"].apply(lambda s: s.title())})', "s.title()", "title"),
}
