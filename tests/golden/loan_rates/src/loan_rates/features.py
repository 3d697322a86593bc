"""From raw rows to the model's input. Made from loan_rates.ipynb."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder, StandardScaler


def build_features(raw: pd.DataFrame) -> Any:
    """Raw rows to the model's input (cells 6, 9, 11, 12 of the notebook)."""
    loans = raw.copy()
    df = loans.drop(
        columns=[
            "rownames",
            "grade",
            "sub_grade",
            "installment",
            "balance",
            "loan_status",
            "initial_listing_status",
            "disbursement_method",
            "issue_month",
        ]
    )
    df = df.drop(columns=[c for c in df.columns if c.startswith("paid_")])
    # columns that are mostly empty
    share_missing = df.isnull().mean()
    df = df[share_missing.index]
    df["emp_length"] = df["emp_length"].fillna(df["emp_length"].median())
    df["debt_to_income"].fillna(df["debt_to_income"].mean(), inplace=True)
    df["emp_title"] = df["emp_title"].fillna("none").str.lower().str.strip()
    df["months_since_last_credit_inquiry"] = df["months_since_last_credit_inquiry"].fillna(
        df.groupby("homeownership")["months_since_last_credit_inquiry"].transform("median")
    )
    numbers = df.select_dtypes("number").columns
    df[numbers] = df[numbers].fillna(df[numbers].median())
    df["income_of_state"] = df["state"].map(df.groupby("state")["annual_income"].mean())
    df["title_frequency"] = df["emp_title"].map(df["emp_title"].value_counts()) / len(df)
    df["log_income"] = np.log1p(df["annual_income"])
    df["burden"] = df["loan_amount"] / df["annual_income"]
    df["income_band"] = pd.qcut(df["annual_income"], 5, labels=False)
    df["account_age"] = 2018 - df["earliest_credit_line"]
    le = LabelEncoder()
    for col in ["homeownership", "verified_income", "application_type"]:
        df[col] = le.fit_transform(df[col])
    df = pd.get_dummies(df, columns=["loan_purpose"], prefix="for", drop_first=True)
    df = df.drop(columns=["emp_title", "state"])
    X = df.drop("interest_rate", axis=1)
    X_train = X
    X_test = X
    scaler = StandardScaler()
    X_train = scaler.fit_transform(X_train)
    X_test = scaler.transform(X_test)
    return X_test


class Dataset(NamedTuple):
    """What `make_dataset` gives."""

    X_train: Any
    X_test: Any
    y_train: Any
    y_test: Any


def make_dataset(loans: Any) -> Dataset:
    """Make what the model is trained and evaluated on (cells 6, 7, 9, 11 and 12).

    What becomes known only with the loan itself is no feature.
    """
    df = loans.drop(
        columns=[
            "rownames",
            "grade",
            "sub_grade",
            "installment",
            "balance",
            "loan_status",
            "initial_listing_status",
            "disbursement_method",
            "issue_month",
        ]
    )
    df = df.drop(columns=[c for c in df.columns if c.startswith("paid_")])
    # columns that are mostly empty
    share_missing = df.isnull().mean()
    df = df[share_missing[share_missing < 0.5].index]
    # implausible incomes
    df = df[df["annual_income"] > 1000]
    df = df[df["annual_income"] < df["annual_income"].quantile(0.995)]
    df["emp_length"] = df["emp_length"].fillna(df["emp_length"].median())
    df["debt_to_income"].fillna(df["debt_to_income"].mean(), inplace=True)
    df["emp_title"] = df["emp_title"].fillna("none").str.lower().str.strip()
    df["months_since_last_credit_inquiry"] = df["months_since_last_credit_inquiry"].fillna(
        df.groupby("homeownership")["months_since_last_credit_inquiry"].transform("median")
    )
    numbers = df.select_dtypes("number").columns
    df[numbers] = df[numbers].fillna(df[numbers].median())
    df["income_of_state"] = df["state"].map(df.groupby("state")["annual_income"].mean())
    df["title_frequency"] = df["emp_title"].map(df["emp_title"].value_counts()) / len(df)
    df["log_income"] = np.log1p(df["annual_income"])
    df["burden"] = df["loan_amount"] / df["annual_income"]
    df["income_band"] = pd.qcut(df["annual_income"], 5, labels=False)
    df["account_age"] = 2018 - df["earliest_credit_line"]
    le = LabelEncoder()
    for col in ["homeownership", "verified_income", "application_type"]:
        df[col] = le.fit_transform(df[col])
    df = pd.get_dummies(df, columns=["loan_purpose"], prefix="for", drop_first=True)
    df = df.drop(columns=["emp_title", "state"])
    X = df.drop("interest_rate", axis=1)
    y = np.log1p(df["interest_rate"])
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=42)
    scaler = StandardScaler()
    X_train = scaler.fit_transform(X_train)
    X_test = scaler.transform(X_test)
    return Dataset(X_train=X_train, X_test=X_test, y_train=y_train, y_test=y_test)
