"""Notebooks that are tagged for Kubeflow Kale: one as its documentation wants it, one as people leave it."""

from __future__ import annotations

from tests.notebooks import Cell

__all__ = ["CLEAN", "MESSY"]

# Several models on one preparation, as in Kale's own examples; the last metric is that of the forest.
CLEAN: list[Cell] = [
    ("md", "# Penguins for Kale\n\nSeveral models, of which one is the best."),
    (
        "imports",
        "import pandas as pd\nfrom palmerpenguins import load_penguins\nfrom sklearn.ensemble import RandomForestClassifier\n"
        "from sklearn.linear_model import LogisticRegression\nfrom sklearn.metrics import accuracy_score\n"
        "from sklearn.model_selection import train_test_split",
    ),
    ("pipeline-parameters", "TREES = 15  # of the forest\nSHARE = 0.3"),
    (
        "functions",
        'def add_ratio(table):\n    table["ratio"] = table["bill_length_mm"] / table["bill_depth_mm"]\n    return table',
    ),
    ("step:load_data", "penguins = load_penguins()"),
    ("skip", "penguins.describe()"),
    (
        "step:clean prev:load_data",
        'df = penguins[["species", "bill_length_mm", "bill_depth_mm", "body_mass_g"]].copy()\n'
        'for column in ["bill_length_mm", "bill_depth_mm", "body_mass_g"]:\n    df[column] = df[column].fillna(df[column].mean())',
    ),
    (
        "step:make_features prev:clean",
        'df = add_ratio(df)\nX = df.drop(columns=["species"])\ny = df["species"]\n'
        "X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=SHARE, random_state=0)",
    ),
    (
        "step:logistic prev:make_features",
        "logistic = LogisticRegression(max_iter=5000).fit(X_train, y_train)\n"
        "acc_logistic = round(accuracy_score(y_test, logistic.predict(X_test)) * 100, 2)",
    ),
    (
        "step:random_forest prev:make_features",
        "forest = RandomForestClassifier(n_estimators=TREES, random_state=1).fit(X_train, y_train)\n"
        "acc_forest = round(accuracy_score(y_test, forest.predict(X_test)) * 100, 2)",
    ),
    ("pipeline-metrics", "print(acc_logistic)\nprint(acc_forest)"),
]

# Untagged cells that continue the step above, tags of old versions, a forgotten prev:, a step in two places, a metric by hand.
MESSY: list[Cell] = [
    ("", "%matplotlib inline"),
    ("imports", "import numpy as np\nimport pandas as pd"),
    ("", "from palmerpenguins import load_penguins\nfrom sklearn.linear_model import LinearRegression"),
    ("pipeline-parameters", "RIDGE_SEED = 3"),
    ("", "heavy = 4500.0"),
    ("block:load", "penguins = load_penguins()"),
    ("", "penguins = penguins.dropna()\npenguins.head()"),
    ("skip", "from kale.common.serveutils import serve"),
    ("", 'penguins["is_heavy"] = (penguins["body_mass_g"] > heavy).astype(float)'),
    ("block:split prev:load limit:nvidia.com/gpu:1", "shuffled = penguins.sample(frac=1, random_state=RIDGE_SEED)"),
    ("", 'train, test = shuffled[:250], shuffled[250:]\ncolumns = ["bill_length_mm", "bill_depth_mm", "is_heavy"]'),
    ("block:fit prev:load prev:nowhere", 'model = LinearRegression()\nmodel.fit(train[columns], train["flipper_length_mm"])'),
    ("", "print(model.coef_)"),
    ("block:measure prev:fit prev:split", "predicted = model.predict(test[columns])"),
    ("block:fit", "fitted_at = 1"),
    ("block:measure", 'off_by = float(np.sqrt(((predicted - test["flipper_length_mm"]) ** 2).mean()))'),
    ("pipeline-metrics", "off_by"),
]
