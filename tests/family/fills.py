"""Missing values and arithmetic with statistics of a column or a frame."""

from __future__ import annotations

from tests.family.case import ACCURACY, FOREST, LINEAR, LOGISTIC, RMSE, SPLIT, TREE, Case

__all__ = ["CASES"]

_TARGET = """
df["churn"] = df["churn"].map({"Yes": 1, "No": 0})
"""

CASES = [
    Case(
        "fill_mean_median_mode",
        """
df["age"] = df["age"].fillna(df["age"].mean())
df["income"].fillna(df["income"].median(), inplace=True)
df["plan"].fillna(df["plan"].mode()[0], inplace=True)
df["is_pro"] = (df["plan"] == "pro").astype(int)
X = df[["age", "income", "fee", "visits", "is_pro"]]
y = df["churn"]
"""
        + SPLIT,
        state=("age_mean", "income_median"),
    ),
    Case(
        "fill_nullable_types",
        """
df["age"] = df["age"].fillna(round(df["age"].mean()))
df["plan"] = df["plan"].fillna(df["plan"].mode()[0])
df["grown"] = (df["age"] >= 30).fillna(False).astype(int)
df = pd.get_dummies(df, columns=["plan"])
X = df[["age", "fee", "visits", "grown"] + [c for c in df.columns if c.startswith("plan_")]].astype(float)
y = df["churn"].astype(str)
"""
        + SPLIT,
        load='df = pd.read_csv("customers.csv").convert_dtypes()',
    ),
    Case(
        "fill_frame_mean",
        _TARGET
        + """
num = df[["age", "income", "fee", "discount", "churn"]]
num = num.fillna(num.mean())
X = num.drop("churn", axis=1)
y = num["churn"]
"""
        + SPLIT,
        train=LOGISTIC,
    ),
    Case(
        "fill_numeric_only",
        _TARGET
        + """
df = df.drop(["customer_id", "name", "review", "phone", "signup", "last_visit", "spend"], axis=1)
df = df.fillna(df.median(numeric_only=True))
for c in df.columns:
    if df[c].dtype == "object":
        df[c] = df[c].fillna(df[c].mode()[0])
df = pd.get_dummies(df)
X = df.drop(columns="churn")
y = df.churn
"""
        + SPLIT,
    ),
    Case(
        "fill_loop",
        """
for col in ["age", "income"]:
    df[col] = df[col].fillna(df[col].median())
for col in ["city", "plan"]:
    df[col].fillna(df[col].value_counts().index[0], inplace=True)
df["oslo"] = np.where(df.city == "Oslo", 1, 0)
df["max"] = (df["plan"] == "max") * 1
X = df[["age", "income", "fee", "oslo", "max"]]
y = df["churn"]
"""
        + SPLIT,
    ),
    Case(
        "standardise_by_hand",
        """
cols = ["age", "income", "fee", "visits"]
data = df[cols].copy()
data = (data - data.mean()) / data.std()
data = data.fillna(0)
X = data
y = df["churn"]
"""
        + SPLIT,
        train=LOGISTIC,
    ),
    Case(
        "minmax_by_hand",
        """
df["age"].fillna(df.age.mean(), inplace=True)
df["age"] = (df["age"] - df["age"].min()) / (df["age"].max() - df["age"].min())
df["fee"] = df.fee / df.fee.max()
mu, sigma = df["visits"].mean(), df["visits"].std()
df["visits_z"] = (df["visits"] - mu) / sigma
X = df[["age", "fee", "visits_z"]]
y = df.churn
"""
        + SPLIT,
        train=LOGISTIC,
    ),
    Case(
        "clip_quantiles",
        """
lo = df["fee"].quantile(0.05)
hi = df["fee"].quantile(0.95)
df["fee"] = df["fee"].clip(lo, hi)
q1, q3 = df["income"].quantile([0.25, 0.75])
iqr = q3 - q1
df["income"] = df["income"].clip(lower=q1 - 1.5 * iqr, upper=q3 + 1.5 * iqr)
df["income"] = df["income"].fillna(df["income"].mean())
df["discount"] = np.where(df["discount"] > df["discount"].quantile(.99), df["discount"].median(), df["discount"])
X = df[["fee", "income", "discount", "visits"]]
y = df["churn"]
"""
        + SPLIT,
    ),
    Case(
        "np_where_median",
        """
df["age"] = np.where(df["age"].isnull(), df["age"].median(), df["age"])
df["rich"] = np.where(df["income"] > np.nanmedian(df["income"]), 1, 0)
df["over"] = (df["fee"] > np.percentile(df["fee"], 80)).astype(int)
df["few"] = np.where(df["visits"] < np.mean(df["visits"]), "few", "many")
df["few"] = df["few"].map({"few": 0, "many": 1})
X = df[["age", "rich", "over", "few", "fee"]]
y = df["churn"].apply(lambda v: 1 if v == "Yes" else 0)
"""
        + SPLIT,
    ),
    Case(
        "loc_assignment",
        """
df.loc[df["age"].isna(), "age"] = df["age"].mean()
df.loc[df.income.isnull(), "income"] = df["income"].median()
df.loc[df["fee"] > df["fee"].mean() + 3 * df["fee"].std(), "fee"] = df["fee"].mean()
df["young"] = 0
df.loc[df["age"] < 30, "young"] = 1
X = df[["age", "income", "fee", "young"]]
y = df["churn"]
"""
        + SPLIT,
        train=FOREST,
    ),
    Case(
        "stats_after_split",
        """
X = df[["age", "income", "fee", "visits", "discount"]]
y = df["churn"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=1, stratify=y)
means = X_train.mean()
X_train = X_train.fillna(means)
X_test = X_test.fillna(means)
mx = X_train["fee"].max()
X_train["fee"] = X_train["fee"] / mx
X_test["fee"] = X_test["fee"] / mx
""",
        train=LOGISTIC,
        state=("means", "mx"),
    ),
    Case(
        "stats_dict_after_split",
        """
train_df, test_df = train_test_split(df, test_size=0.3, random_state=3)
fill = {c: train_df[c].median() for c in ["age", "income"]}
train_df = train_df.fillna(fill)
test_df = test_df.fillna(fill)
features = ["age", "income", "fee", "rooms"]
X_train, y_train = train_df[features], train_df["churn"]
X_test, y_test = test_df[features], test_df["churn"]
""",
        state=("fill",),
    ),
    Case(
        "constants_from_describe",
        """
desc = df.describe()
df["age"] = df["age"].fillna(desc.loc["50%", "age"])
df["income"] = df["income"].fillna(desc["income"]["mean"])
df["fee_share"] = df["fee"] / desc.loc["max"]["fee"]
X = df[["age", "income", "fee_share", "score"]]
y = df["churn"]
"""
        + SPLIT,
    ),
    Case(
        "fill_dict_at_once",
        """
df.fillna({"age": df.age.mean(), "income": df.income.median(), "plan": df["plan"].mode().iloc[0], "city": "unknown"}, inplace=True)
df["pro"] = df["plan"].isin(["pro", "max"]).astype(int)
df["unknown_city"] = (df["city"] == "unknown").astype(int)
X = df[["age", "income", "pro", "unknown_city", "fee"]]
y = df["churn"]
"""
        + SPLIT,
    ),
    Case(
        "random_fill_of_frame_where",
        """
num_cols = df.select_dtypes(include=np.number).columns.drop(["customer_id", "spend"])
df[num_cols] = df[num_cols].apply(lambda x: x.fillna(x.mean()))
X = df[num_cols]
y = (df["churn"] == "Yes").astype(int)
"""
        + SPLIT,
    ),
    Case(
        "regression_with_log_feature",
        """
df["income"] = df["income"].fillna(df["income"].mean())
df["log_income"] = np.log1p(df["income"])
df["fee_sq"] = df["fee"] ** 2
df["rel"] = df["fee"] / df["fee"].mean() - df["visits"] / df["visits"].sum()
X = df[["log_income", "fee", "fee_sq", "visits", "rel"]]
y = df["spend"]
"""
        + SPLIT,
        train=LINEAR,
        evaluate=RMSE,
    ),
    Case(
        "missing_indicator_and_share",
        """
missing = df.isnull().sum() / len(df)
keep = missing[missing < 0.5].index
df = df[keep]
df["age_missing"] = df["age"].isna().astype(int)
df["age"] = df["age"].fillna(-1)
df["n_missing"] = df.isnull().sum(axis=1)
X = df.select_dtypes("number").drop(columns=["customer_id", "spend", "income"])
y = df["churn"]
"""
        + SPLIT,
        train=TREE,
        evaluate=ACCURACY,
    ),
]
