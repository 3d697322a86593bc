"""A notebook about customers over time, for the feature store: one row for each customer and month."""

from __future__ import annotations

from pathlib import Path

from tests.notebooks import Cell, write_notebook

__all__ = ["CUSTOMERS", "write_customers"]

CUSTOMERS: list[Cell] = [
    ("md", "# Customers who leave\n\nWhether a customer leaves in the month that follows."),
    (
        "imports",
        """
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
""",
    ),
    ("parameters", 'feature_entity = "customer_id"\nfeature_timestamp = "seen_at"\ntest_size = 0.3'),
    ("load", 'customers = pd.read_parquet("customers.parquet")'),
    (
        "features",
        """
df = customers.drop(columns=["customer_id", "seen_at"])
df["spend"] = df["spend"].fillna(df["spend"].mean())
df["region"] = df["region"].fillna("unknown")
df["joined_year"] = df["joined"].dt.year
df["spend_of_plan"] = df["plan"].map(df.groupby("plan")["spend"].mean())
df = df.drop(columns=["joined"])
df = pd.get_dummies(df, columns=["plan", "region"])
X = df.drop(columns=["left"])
y = df["left"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=test_size, random_state=0)
""",
    ),
    ("train", "model = LogisticRegression(max_iter=2000).fit(X_train, y_train)"),
    ("evaluate", "auc = roc_auc_score(y_test, model.predict_proba(X_test)[:, 1])"),
]


def write_customers(folder: Path) -> Path:
    """Write the notebook and its data, 240 customers of whom some come later; returns the notebook."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(7)
    parts = []
    ids = np.arange(1000, 1240)
    plans, regions = rng.choice(["basic", "plus", "pro"], len(ids)), rng.choice(np.array(["north", "south", None]), len(ids))
    joined = pd.Timestamp("2019-01-01") + pd.to_timedelta(rng.integers(0, 1500, len(ids)), "D")
    for number, month in enumerate(pd.date_range("2025-01-31", periods=5, freq="ME")):
        here = np.arange(len(ids)) % 5 <= number  # a fifth of them comes each month
        size = int(here.sum())
        spend = np.round(rng.gamma(3, 20, size), 2)
        spend[rng.random(size) < 0.1] = np.nan
        visits = rng.poisson(4, size)
        parts.append(
            pd.DataFrame(
                {
                    "customer_id": ids[here],
                    "seen_at": month + pd.to_timedelta(rng.integers(0, 86400, size), "s"),
                    "plan": plans[here],
                    "region": regions[here],
                    "joined": joined[here],
                    "visits": visits,
                    "spend": spend,
                    "card": rng.random(size) < 0.5,
                    "left": (rng.random(size) < 1 / (1 + visits)).astype(int),
                }
            )  # fmt: skip
        )
    pd.concat(parts).sample(frac=1, random_state=0).reset_index(drop=True).to_parquet(folder / "customers.parquet")
    return write_notebook(folder / "customers.ipynb", CUSTOMERS)
