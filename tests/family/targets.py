"""Targets that are transformed before training, and predictions that the notebook turns back."""

from __future__ import annotations

from tests.family.case import LINEAR, LOGISTIC, SPLIT, Case

__all__ = ["CASES"]

CASES = [
    Case(
        "log_target_expm1",
        """
df["income"] = df["income"].fillna(df["income"].median())
X = df[["income", "fee", "visits"]]
y = np.log1p(df["spend"])
"""
        + SPLIT,
        train=LINEAR,
        evaluate="""
pred = np.expm1(model.predict(X_test))
rmse = mean_squared_error(np.expm1(y_test), pred) ** 0.5
print(rmse)
""",
        final="np.expm1(model.predict(X_test))",
    ),
    Case(
        "scaled_target_inverse",
        """
X = df[["fee", "visits", "score"]].values
y = df["spend"].values.reshape(-1, 1)
sc_X = StandardScaler()
sc_y = StandardScaler()
X = sc_X.fit_transform(X)
y = sc_y.fit_transform(y)
X_train, X_test, y_train, y_test = train_test_split(X, y.ravel(), random_state=0)
""",
        train=LINEAR,
        imports="from sklearn.preprocessing import StandardScaler\n",
        evaluate="""
pred = sc_y.inverse_transform(model.predict(X_test).reshape(-1, 1))
rmse = mean_squared_error(sc_y.inverse_transform(y_test.reshape(-1, 1)), pred) ** 0.5
print(rmse)
""",
        final="sc_y.inverse_transform(model.predict(X_test).reshape(-1, 1))",
    ),
    Case(
        "target_label_encoder_inverse",
        """
le = LabelEncoder()
y = le.fit_transform(df["plan"].fillna("none"))
X = df[["fee", "visits", "income"]].fillna(df["income"].mean())
"""
        + SPLIT,
        train=LOGISTIC,
        imports="from sklearn.preprocessing import LabelEncoder\n",
        evaluate="""
pred = le.inverse_transform(model.predict(X_test))
acc = accuracy_score(le.inverse_transform(y_test), pred)
print(acc)
""",
        final="le.inverse_transform(model.predict(X_test))",
    ),
    Case(
        "target_map_back",
        """
labels = {"No": 0, "Yes": 1}
names = {v: k for k, v in labels.items()}
df["churn"] = df["churn"].map(labels)
X = df[["fee", "visits", "score"]]
y = df["churn"]
"""
        + SPLIT,
        evaluate="""
pred = pd.Series(model.predict(X_test)).map(names)
acc = accuracy_score(y_test.map(names), pred)
print(acc)
""",
        final="pd.Series(model.predict(X_test)).map(names)",
    ),
    Case(
        "boxcox_target",
        """
X = df[["fee", "visits"]]
y, lam = stats.boxcox(df["spend"])
"""
        + SPLIT,
        train=LINEAR,
        imports="from scipy import stats\nfrom scipy.special import inv_boxcox\n",
        evaluate="""
pred = inv_boxcox(model.predict(X_test), lam)
rmse = mean_squared_error(inv_boxcox(y_test, lam), pred) ** 0.5
print(rmse)
""",
        final="inv_boxcox(model.predict(X_test), lam)",
    ),
    Case(
        "threshold_on_probability",
        """
df["income"].fillna(df["income"].mean(), inplace=True)
X = df[["fee", "visits", "income"]]
X = (X - X.mean()) / X.std()
y = df["churn"].map({"No": 0, "Yes": 1})
"""
        + SPLIT,
        train=LOGISTIC,
        evaluate="""
proba = model.predict_proba(X_test)[:, 1]
pred = (proba > 0.4).astype(int)
acc = accuracy_score(y_test, pred)
print(acc)
""",
        final="(model.predict_proba(X_test)[:, 1] > 0.4).astype(int)",
    ),
]
