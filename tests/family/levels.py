"""Categories: dummies, codes, bins, frequencies, groups."""

from __future__ import annotations

from tests.family.case import FOREST, LINEAR, LOGISTIC, RMSE, SPLIT, Case

__all__ = ["CASES"]

CASES = [
    Case(
        "dummies_columns_drop_first",
        """
df = pd.get_dummies(df, columns=["contract", "gender"], drop_first=True, dtype=int)
X = df.drop(["churn", "customer_id", "name", "age", "income", "city", "plan", "size", "phone", "signup", "last_visit", "review", "spend"], axis=1)
y = df["churn"]
"""
        + SPLIT,
        train=LOGISTIC,
    ),
    Case(
        "dummies_whole_frame",
        """
y = df["churn"].map({"No": 0, "Yes": 1})
X = df[["gender", "city", "contract", "fee", "visits", "active"]]
X = pd.get_dummies(X)
"""
        + SPLIT,
    ),
    Case(
        "dummies_dummy_na_prefix",
        """
city = pd.get_dummies(df["city"], prefix="city", dummy_na=True)
plan = pd.get_dummies(df.plan, prefix="p", prefix_sep=":")
df = pd.concat([df, city, plan], axis=1)
df.drop(["city", "plan", "name", "phone", "review", "signup", "last_visit", "contract", "size", "gender"], axis=1, inplace=True)
df.columns = df.columns.astype(str)
df = df.fillna(0)
X = df.drop(["churn", "customer_id", "spend"], axis=1)
y = df["churn"]
"""
        + SPLIT,
        train=FOREST,
    ),
    Case(
        "dummies_join",
        """
dummies = pd.get_dummies(df["contract"], drop_first=True)
df = df.join(dummies).drop("contract", axis=1)
df = df.merge(pd.get_dummies(df["size"], prefix="size"), left_index=True, right_index=True)
cols = [c for c in df.columns if c.startswith("size_")] + list(dummies.columns)
X = df[cols + ["fee", "visits"]]
y = df["churn"]
"""
        + SPLIT,
        train=LOGISTIC,
    ),
    Case(
        "dummies_after_split_reindex",
        """
X = df[["contract", "size", "fee", "visits"]]
y = df["churn"]
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=5)
X_train = pd.get_dummies(X_train)
X_test = pd.get_dummies(X_test)
X_test = X_test.reindex(columns=X_train.columns, fill_value=0)
""",
    ),
    Case(
        "dummies_align",
        """
X = df[["city", "plan", "fee"]].copy()
y = df["churn"]
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=5)
X_train = pd.get_dummies(X_train)
X_test = pd.get_dummies(X_test)
X_train, X_test = X_train.align(X_test, join="left", axis=1, fill_value=0)
""",
    ),
    Case(
        "dummies_loop_append",
        """
final = df[["fee", "visits"]]
for f in ["contract", "size", "gender"]:
    d = pd.get_dummies(df[f], prefix=f, drop_first=True)
    final = pd.concat([final, d], axis=1)
X = final.values
y = df["churn"].values
"""
        + SPLIT,
        train=LOGISTIC,
    ),
    Case(
        "factorize",
        """
df["city_code"] = pd.factorize(df["city"])[0]
codes, uniques = pd.factorize(df["contract"], sort=True)
df["contract_code"] = codes
df["plan_code"], _ = df["plan"].factorize()
X = df[["city_code", "contract_code", "plan_code", "fee"]]
y = df["churn"]
"""
        + SPLIT,
    ),
    Case(
        "category_codes",
        """
for c in ["city", "plan", "contract", "gender"]:
    df[c] = df[c].astype("category")
    df[c + "_cat"] = df[c].cat.codes
df["size_cat"] = df["size"].astype("category").cat.codes
df["n"] = pd.Categorical(df["size"], categories=["S", "M", "L", "XL"], ordered=True).codes
X = df.filter(regex="_cat$").join(df[["fee", "n"]])
y = df["churn"]
"""
        + SPLIT,
    ),
    Case(
        "category_astype_dict",
        """
cat_cols = df.select_dtypes(include=["object"]).columns.difference(["name", "review", "phone", "signup", "last_visit", "churn"])
df[cat_cols] = df[cat_cols].astype("category")
df[cat_cols] = df[cat_cols].apply(lambda x: x.cat.codes)
X = df[list(cat_cols) + ["fee", "visits", "rooms"]]
y = df["churn"]
"""
        + SPLIT,
    ),
    Case(
        "cut_qcut_codes",
        """
df["age"] = df["age"].fillna(df["age"].mean())
df["age_band"] = pd.cut(df["age"], 5, labels=False)
df["fee_band"] = pd.qcut(df["fee"], 4, labels=False)
df["visits_band"] = pd.cut(df["visits"], bins=[-1, 2, 5, 100], labels=[0, 1, 2]).astype(int)
df["income_q"] = pd.qcut(df["income"].fillna(0), q=5, labels=[1, 2, 3, 4, 5], duplicates="drop").astype(int)
X = df[["age_band", "fee_band", "visits_band", "income_q"]]
y = df["churn"]
"""
        + SPLIT,
    ),
    Case(
        "cut_to_dummies",
        """
df["age"] = df["age"].fillna(df["age"].median())
df["age_group"] = pd.cut(df["age"], bins=4, labels=["young", "adult", "middle", "old"])
df["fee_group"] = pd.qcut(df["fee"], 3)
df = pd.get_dummies(df, columns=["age_group", "fee_group"])
df.columns = [str(c).replace(" ", "").replace("(", "_").replace("]", "").replace(",", "_") for c in df.columns]
X = df[[c for c in df.columns if "group" in c] + ["visits"]]
y = df["churn"]
"""
        + SPLIT,
    ),
    Case(
        "frequency_map",
        """
freq = df["city"].value_counts(normalize=True)
df["city_freq"] = df["city"].map(freq).fillna(0)
df["plan_count"] = df["plan"].map(df["plan"].value_counts())
df["plan_count"] = df["plan_count"].fillna(0)
counts = df["contract"].value_counts().to_dict()
df["contract_n"] = df["contract"].apply(lambda c: counts[c])
top = df["city"].value_counts().nlargest(2).index
df["city_top"] = np.where(df["city"].isin(top), 1, 0)
X = df[["city_freq", "plan_count", "contract_n", "city_top", "fee"]]
y = df["churn"]
"""
        + SPLIT,
        state=("freq", "counts", "top"),
    ),
    Case(
        "rare_levels_to_other",
        """
vc = df["city"].value_counts()
rare = vc[vc < 60].index
df["city"] = df["city"].replace(rare, "Other").fillna("Missing")
df["plan"] = df["plan"].fillna("none")
df.loc[~df["plan"].isin(df["plan"].value_counts().head(2).index), "plan"] = "other"
X = pd.get_dummies(df[["city", "plan", "fee", "visits"]], columns=["city", "plan"], dtype=float)
y = df["churn"]
"""
        + SPLIT,
    ),
    Case(
        "group_mean_map",
        """
m = df.groupby("city")["fee"].mean()
df["city_fee"] = df["city"].map(m)
df["city_fee"] = df["city_fee"].fillna(df["fee"].mean())
d = df.groupby("contract")["visits"].median().to_dict()
df["contract_visits"] = df["contract"].map(d)
X = df[["city_fee", "contract_visits", "fee"]]
y = df["churn"]
"""
        + SPLIT,
        state=("m", "d"),
    ),
    Case(
        "group_transform",
        """
df["mean_fee"] = df.groupby("contract")["fee"].transform("mean")
df["fee_dev"] = df["fee"] - df.groupby(["contract", "size"])["fee"].transform("median")
df["n_size"] = df.groupby("size")["customer_id"].transform("count")
df["age"] = df["age"].fillna(df.groupby("gender")["age"].transform("mean"))
X = df[["mean_fee", "fee_dev", "n_size", "age"]]
y = df["churn"]
"""
        + SPLIT,
    ),
    Case(
        "group_fill_lambda",
        """
df["age"] = df.groupby("gender")["age"].transform(lambda x: x.fillna(x.median()))
df["income"] = df.groupby(["contract", "gender"])["income"].transform(lambda g: g.fillna(g.mean()))
X = df[["age", "income", "fee"]]
y = df["churn"]
"""
        + SPLIT,
    ),
    Case(
        "group_agg_merge",
        """
agg = df.groupby("contract").agg({"fee": ["mean", "std"], "visits": "max"})
agg.columns = ["_".join(c) for c in agg.columns]
agg = agg.reset_index()
df = df.merge(agg, on="contract", how="left")
by_size = df.groupby("size", as_index=False)["discount"].mean().rename(columns={"discount": "size_discount"})
df = pd.merge(df, by_size, how="left", on="size")
X = df[["fee_mean", "fee_std", "visits_max", "size_discount", "fee"]]
y = df["churn"]
"""
        + SPLIT,
    ),
    Case(
        "target_mean_encoding",
        """
df["churn"] = df["churn"].map({"Yes": 1, "No": 0})
means = df.groupby("contract")["churn"].mean()
df["contract_te"] = df["contract"].map(means)
for c in ["size", "gender"]:
    df[c + "_te"] = df[c].map(df.groupby(c)["churn"].mean())
X = df[["contract_te", "size_te", "gender_te", "fee"]]
y = df["churn"]
"""
        + SPLIT,
        train=LOGISTIC,
        state=("means",),
    ),
    Case(
        "mapping_dicts_and_replace",
        """
order = {"S": 0, "M": 1, "L": 2, "XL": 3}
df["size"] = df["size"].map(order)
df["gender"].replace({"Male": 0, "Female": 1}, inplace=True)
df["contract"] = df["contract"].replace(["Month-to-month", "One year", "Two year"], [0, 1, 2])
df["active"] = df["active"].astype(int)
mapping = {v: i for i, v in enumerate(df["plan"].dropna().unique())}
df["plan"] = df["plan"].map(mapping).fillna(-1)
X = df[["size", "gender", "contract", "active", "plan", "fee"]].astype(float)
y = df["churn"]
"""
        + SPLIT,
        state=("mapping",),
    ),
    Case(
        "dict_by_enumerate_unique",
        """
for col in ["city", "size"]:
    values = sorted(df[col].fillna("none").unique())
    lookup = dict(zip(values, range(len(values))))
    df[col] = df[col].fillna("none").map(lookup)
X = df[["city", "size", "fee", "rooms"]]
y = df["spend"]
"""
        + SPLIT,
        train=LINEAR,
        evaluate=RMSE,
    ),
    Case(
        "pivot_merge",
        """
table = df.pivot_table(values="fee", index="contract", columns="gender", aggfunc="mean").reset_index()
table.columns.name = None
df = df.merge(table, on="contract", how="left")
X = df[["Male", "Female", "fee", "visits"]]
y = df["churn"]
"""
        + SPLIT,
    ),
]
