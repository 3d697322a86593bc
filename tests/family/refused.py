"""What makes a row's value of other rows that a request does not bring: it is named, and serving starts below it."""

from __future__ import annotations

from tests.family.case import SPLIT, Case

__all__ = ["CASES"]

CASES = [
    Case(
        "refused_rank",
        """
df["fee_rank"] = df["fee"].rank(pct=True)
X = df[["fee_rank", "visits"]]
y = df["churn"]
"""
        + SPLIT,
        boundary="engineered",
        reason="rank",
    ),
    Case(
        "refused_shift",
        """
df = df.sort_values("signup")
df["prev_fee"] = df["fee"].shift(1).fillna(0)
df["diff"] = df["fee"].diff().fillna(0)
X = df[["prev_fee", "fee", "diff"]]
y = df["churn"]
"""
        + SPLIT,
        boundary="engineered",
        reason="shift",
    ),
    Case(
        "refused_rolling",
        """
df["rolling_fee"] = df["fee"].rolling(3, min_periods=1).mean()
X = df[["rolling_fee", "visits"]]
y = df["churn"]
"""
        + SPLIT,
        boundary="engineered",
        reason="rolling",
    ),
    Case(
        "refused_ffill",
        """
df["age"] = df["age"].ffill().bfill()
X = df[["age", "visits"]]
y = df["churn"]
"""
        + SPLIT,
        boundary="engineered",
        reason="ffill",
    ),
    Case(
        "refused_fillna_method",
        """
df["income"] = df["income"].fillna(method="ffill").fillna(method="bfill")
X = df[["income", "visits"]]
y = df["churn"]
"""
        + SPLIT,
        boundary="engineered",
        reason="fillna",
    ),
    Case(
        "refused_cumsum",
        """
df["total"] = df["fee"].cumsum()
X = df[["total", "visits"]]
y = df["churn"]
"""
        + SPLIT,
        boundary="engineered",
        reason="cumsum",
    ),
    Case(
        "refused_cumcount",
        """
df["nth"] = df.groupby("city").cumcount()
X = df[["nth", "fee"]]
y = df["churn"]
"""
        + SPLIT,
        boundary="engineered",
        reason="cumcount",
    ),
    Case(
        "refused_tsne",
        """
df = df.head(120)
emb = TSNE(n_components=2, perplexity=10, max_iter=250, random_state=0, init="random").fit_transform(df[["fee", "visits", "score"]])
X = np.hstack([emb, df[["rooms"]].values])
y = df["churn"]
"""
        + SPLIT,
        imports="from sklearn.manifold import TSNE\n",
        boundary="engineered",
        reason="TSNE",
    ),
    Case(
        "refused_group_lag",
        """
df["last_in_city"] = df.groupby("contract")["fee"].shift(1)
df["last_in_city"] = df["last_in_city"].fillna(df["fee"].mean())
df["peers"] = df.groupby("contract")["fee"].transform(lambda s: s.rolling(2, min_periods=1).mean())
X = df[["last_in_city", "fee", "peers"]]
y = df["churn"]
"""
        + SPLIT,
        boundary="engineered",
        reason="shift",
    ),
    Case(
        "refused_group_rank_and_interpolate",
        """
df["age"] = df["age"].interpolate()
df["place"] = df.groupby("size")["fee"].rank()
X = df[["age", "place"]].fillna(0)
y = df["churn"]
"""
        + SPLIT,
        boundary="engineered",
        reason="interpolate",
    ),
    Case(
        "refused_noise",
        """
rng = np.random.RandomState(0)
df["age"] = df["age"].apply(lambda a: rng.randint(20, 60) if np.isnan(a) else a)
X = df[["age", "fee"]]
y = df["churn"]
"""
        + SPLIT,
        boundary="engineered",
        reason="randint",
    ),
]
