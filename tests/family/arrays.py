"""Numpy arrays by position, columns by position and by type, selection of columns."""

from __future__ import annotations

from tests.family.case import FOREST, LINEAR, LOGISTIC, RMSE, SPLIT, Case

__all__ = ["CASES"]

_SMALL = """
df = df[["contract", "gender", "size", "fee", "visits", "rooms", "churn"]]
"""

CASES = [
    Case(
        "iloc_values_label_columns",
        _SMALL
        + """
X = df.iloc[:, :-1].values
y = df.iloc[:, -1].values
from sklearn.preprocessing import LabelEncoder
labelencoder_X = LabelEncoder()
X[:, 0] = labelencoder_X.fit_transform(X[:, 0])
X[:, 1] = labelencoder_X.fit_transform(X[:, 1])
X[:, 2] = labelencoder_X.fit_transform(X[:, 2])
X = X.astype(float)
"""
        + SPLIT,
    ),
    Case(
        "column_transformer_positions",
        _SMALL
        + """
X = df.iloc[:, 0:6].values
y = LabelEncoder().fit_transform(df.iloc[:, 6].values)
ct = ColumnTransformer(transformers=[("encoder", OneHotEncoder(), [0, 2])], remainder="passthrough")
X = np.array(ct.fit_transform(X))
le = LabelEncoder()
X[:, -4] = le.fit_transform(X[:, -4])
X = X[:, 1:].astype("float64")
"""
        + SPLIT,
        train=LOGISTIC,
        imports="from sklearn.compose import ColumnTransformer\nfrom sklearn.preprocessing import OneHotEncoder, LabelEncoder\n",
    ),
    Case(
        "numbered_columns_of_a_file_without_header",
        """
df[3] = df[3].fillna(df[3].mean())
df[5] = df[5].fillna(df[5].mode()[0])
X = pd.get_dummies(df.iloc[:, [3, 5, 9, 10]], drop_first=True)
X.columns = X.columns.astype(str)
y = df[20]
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
""",
        load='df = pd.read_csv("customers.csv", header=None, skiprows=1)',
    ),
    Case(
        "numbered_columns_of_a_frame_of_an_array",
        """
X = df[["age", "fee", "visits"]]
X = X.fillna(X.mean())
X = pd.DataFrame(StandardScaler().fit_transform(X))
y = df["churn"]
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
""",
        imports="from sklearn.preprocessing import StandardScaler\n",
        state=("x_mean", "standard_scaler"),
    ),
    Case(
        "imputer_on_array_positions",
        """
dataset = df[["city", "age", "income", "fee", "churn"]]
X = dataset.iloc[:, 1:4].values
y = dataset.iloc[:, 4].values
imputer = SimpleImputer(missing_values=np.nan, strategy="mean")
imputer.fit(X[:, 0:2])
X[:, 0:2] = imputer.transform(X[:, 0:2])
"""
        + SPLIT,
        imports="from sklearn.impute import SimpleImputer\n",
        state=("imputer",),
    ),
    Case(
        "columns_by_position",
        """
cols = df.columns[[3, 4, 10, 11]]
X = df[cols].copy()
X = X.fillna(X.mean())
more = df.iloc[:, [9, 12]]
X[more.columns] = more
y = df[df.columns[-1]]
"""
        + SPLIT,
    ),
    Case(
        "select_dtypes_split_and_concat",
        """
y = df.pop("churn")
df = df.drop(columns=["customer_id", "spend"])
num = df.select_dtypes(include=["int64", "float64"])
cat = df.select_dtypes(include="object").drop(["name", "review", "signup", "last_visit"], axis=1)
num = num.fillna(num.median())
cat = cat.fillna("missing")
cat = pd.get_dummies(cat, drop_first=True).astype(int)
X = pd.concat([num, cat], axis=1)
"""
        + SPLIT,
        train=FOREST,
    ),
    Case(
        "np_c_and_column_stack",
        """
a = df["fee"].values.reshape(-1, 1)
b = df[["visits", "score"]].to_numpy()
a = (a - a.mean(axis=0)) / a.std(axis=0)
c = (df["contract"] == "Two year").to_numpy().astype(int)
X = np.column_stack((a, b, c))
X = np.c_[X, np.log1p(df["discount"])]
X = np.concatenate([X, b * a], axis=1)
y = np.array(df["churn"])
"""
        + SPLIT,
        train=LOGISTIC,
    ),
    Case(
        "normalise_array",
        """
X = np.asarray(df[["fee", "visits", "discount", "score"]], dtype=float)
mean = np.mean(X, axis=0)
std = np.std(X, axis=0)
X = (X - mean) / std
X = np.hstack((np.ones((X.shape[0], 1)), X))
y = df["churn"].to_numpy()
"""
        + SPLIT,
        train=LOGISTIC,
        state=("mean", "std"),
    ),
    Case(
        "correlation_with_target",
        """
df["churn"] = (df["churn"] == "Yes").astype(int)
num = df.select_dtypes(include="number").drop(columns=["customer_id", "spend"])
num = num.fillna(num.median())
corr = num.corr()["churn"].abs().sort_values(ascending=False)
best = corr[corr > 0.05].index.drop("churn")
X = num[best]
y = num["churn"]
"""
        + SPLIT,
        state=("best",),
    ),
    Case(
        "drop_correlated_columns",
        """
num = df[["fee", "visits", "discount", "score", "rooms"]].copy()
num["fee2"] = num["fee"] * 1.02 + 3
corr_matrix = num.corr().abs()
upper = corr_matrix.where(np.triu(np.ones(corr_matrix.shape), k=1).astype(bool))
to_drop = [column for column in upper.columns if any(upper[column] > 0.95)]
num.drop(to_drop, axis=1, inplace=True)
X = num
y = df["churn"]
"""
        + SPLIT,
    ),
    Case(
        "drop_by_missing_share_loop",
        """
for c in df.columns:
    if df[c].isnull().mean() > 0.5:
        df.drop(c, axis=1, inplace=True)
for c in df.columns:
    if df[c].dtype != "object" and df[c].nunique() > 100 and c not in ("fee", "churn"):
        df = df.drop(columns=c)
df = df.select_dtypes(exclude="object").join(df["churn"])
df = df.fillna(df.mean(numeric_only=True))
X = df.drop("churn", axis=1)
y = df["churn"]
"""
        + SPLIT,
    ),
    Case(
        "variance_threshold",
        """
num = df.select_dtypes("number").drop(columns=["customer_id", "spend"]).fillna(0)
vt = VarianceThreshold(threshold=3.0)
vt.fit(num)
num = num.loc[:, vt.get_support()]
keep = num.columns[num.std() > 1]
X = num[keep]
y = df["churn"]
"""
        + SPLIT,
        imports="from sklearn.feature_selection import VarianceThreshold\n",
    ),
    Case(
        "select_k_best",
        """
X = pd.get_dummies(df[["fee", "visits", "contract", "size", "score", "rooms"]])
y = df["churn"].map({"Yes": 1, "No": 0})
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
skb = SelectKBest(score_func=chi2, k=5)
X_train = skb.fit_transform(X_train, y_train)
X_test = skb.transform(X_test)
""",
        imports="from sklearn.feature_selection import SelectKBest, chi2\n",
        state=("skb",),
    ),
    Case(
        "select_k_best_names",
        """
X = df[["fee", "visits", "discount", "score", "rooms"]]
y = df["churn"]
selector = SelectKBest(f_classif, k=3).fit(X, y)
scores = pd.Series(selector.scores_, index=X.columns)
chosen = scores.nlargest(3).index.tolist()
X = X[chosen]
"""
        + SPLIT,
        imports="from sklearn.feature_selection import SelectKBest, f_classif\n",
        state=("chosen",),
    ),
    Case(
        "rfe_support",
        """
X = df[["fee", "visits", "discount", "score", "rooms", "active"]].astype(float)
y = df["churn"]
rfe = RFE(LogisticRegression(max_iter=1000), n_features_to_select=3)
rfe = rfe.fit(X, y)
cols = X.columns[rfe.support_]
X = X[cols]
"""
        + SPLIT,
        imports="from sklearn.feature_selection import RFE\nfrom sklearn.linear_model import LogisticRegression\n",
        state=("cols",),
    ),
    Case(
        "tree_importances",
        """
X = df[["fee", "visits", "discount", "score", "rooms"]]
y = df["churn"]
et = ExtraTreesClassifier(n_estimators=10, random_state=0)
et.fit(X, y)
imp = pd.DataFrame({"feature": X.columns, "importance": et.feature_importances_}).sort_values("importance", ascending=False)
X = X[imp["feature"].head(3)]
"""
        + SPLIT,
        imports="from sklearn.ensemble import ExtraTreesClassifier\n",
    ),
    Case(
        "scipy_zscore_boxcox",
        """
df["fee_z"] = zscore(df["fee"])
df["spend_bc"], lam = boxcox(df["visits"] + 1)
df["log_disc"] = np.log1p(df["discount"])
z = stats.zscore(df[["score", "rooms"]])
df["score"] = np.asarray(z)[:, 0]
X = df[["fee_z", "spend_bc", "log_disc", "score"]]
y = df["churn"]
"""
        + SPLIT,
        train=LOGISTIC,
        imports="from scipy import stats\nfrom scipy.stats import zscore, boxcox\n",
    ),
    Case(
        "rename_reorder_insert",
        """
df.columns = df.columns.str.upper()
df = df.rename(columns={"FEE": "PRICE"})
df.insert(0, "CONST", 1)
df["AGE"] = df["AGE"].fillna(df["AGE"].mean().round())
cols = df.columns.tolist()
cols = [c for c in cols if df[c].dtype != object]
cols = cols[-1:] + cols[:-1]
df = df[cols]
X = df.drop(["SPEND", "CUSTOMER_ID", "INCOME", "PHONE"], axis=1)
y = df["SPEND"]
"""
        + SPLIT,
        train=LINEAR,
        evaluate=RMSE,
    ),
]
