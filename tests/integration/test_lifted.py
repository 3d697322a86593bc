"""Fitted state of a notebook as people write them: no seed, its own input written over, predictions brought back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jupyter_mlops.workflows.convert import ConvertOptions, ConvertResult, convert
from tests.notebooks import write_notebook

pytestmark = pytest.mark.xdist_group("lifted")

IMPORTS = """
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelBinarizer, StandardScaler
"""
FEATURES = """
df["age"] = df["age"].fillna(df["age"].mean())
df["vip"] = LabelBinarizer().fit_transform(df["vip"])
df.to_csv("customers.csv", index=False)
X = pd.get_dummies(df[["age", "vip", "city"]])
y = np.log1p(df["fee"])
X_train, X_test, y_train, y_test = train_test_split(X, y)
scaler = StandardScaler()
X_train = scaler.fit_transform(X_train)
X_test = scaler.transform(X_test)
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[ConvertResult, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("lifted")
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "age": np.where(random.random(300) < 0.1, np.nan, random.integers(18, 80, 300)),
            "vip": random.choice([0, 1], 300),
            "city": random.choice(["Rome", "Oslo", "Lima"], 300),
            "fee": random.gamma(2, 10, 300).round(2),
        }
    )
    table.to_csv(folder / "customers.csv", index=False)
    notebook = write_notebook(
        folder / "customers.ipynb",
        [
            ("imports", IMPORTS),
            ("load", "df = pd.read_csv('customers.csv')"),
            ("features", FEATURES),
            ("train", "model = LinearRegression()\nmodel.fit(X_train, y_train)"),
            ("evaluate", "mae = mean_absolute_error(np.expm1(y_test), np.expm1(model.predict(X_test)))"),
        ],
    )
    return convert(notebook, folder / "out", ConvertOptions(tracking_uri=f"sqlite:///{folder / 'mlflow.db'}")), table


def test_raw_rows_are_served(done: tuple[ConvertResult, pd.DataFrame]) -> None:
    result, _ = done
    assert result.report.error is None
    assert result.report.boundary == "raw"
    parity = result.report.parity
    assert parity is not None
    assert [parity[side]["mismatches"] for side in ("package", "service")] == [0, 0]


def test_what_the_notebook_wrote_over_is_kept_as_it_was_read(done: tuple[ConvertResult, pd.DataFrame]) -> None:
    result, table = done
    pd.testing.assert_frame_equal(pd.read_csv(result.folder / "data" / "customers.csv"), table)


def test_the_state_is_the_notebooks_own(done: tuple[ConvertResult, pd.DataFrame]) -> None:
    result, table = done
    entries = json.loads((result.folder / "model" / "state" / "state.json").read_text(encoding="utf-8"))["entries"]
    assert entries["age_mean"]["value"] == pytest.approx(table["age"].mean(), rel=1e-12)
    assert (entries["age_mean"]["cell"], entries["age_mean"]["line"]) == (3, 1)
    assert entries["age_vip_city_levels"]["value"] == {"kind": "dict", "items": [["city", ["Lima", "Oslo", "Rome"]]]}
    readme = (result.folder / "README.md").read_text(encoding="utf-8")
    assert "| `age_mean` |" in readme
    assert "| cell 3 |" in readme


def test_the_answer_is_on_the_scale_of_the_notebook(done: tuple[ConvertResult, pd.DataFrame]) -> None:
    result, table = done
    golden = json.loads((result.folder / "model" / "golden.json").read_text(encoding="utf-8"))
    assert np.mean(golden["predictions"][:100]) > np.log1p(table["fee"]).max()


def test_the_registered_model_takes_its_state_along(done: tuple[ConvertResult, pd.DataFrame], tmp_path: Path) -> None:
    result, _ = done
    assert result.report.status == "registered"
    code = (
        "import json, sys, warnings; import mlflow, numpy as np, pandas as pd; warnings.simplefilter('ignore')\n"
        "mlflow.set_tracking_uri(sys.argv[1]); mlflow.set_registry_uri(sys.argv[1])\n"
        "golden = json.load(open(sys.argv[2])); model = mlflow.pyfunc.load_model('models:/customers@staging')\n"
        "print(np.allclose(model.predict(pd.DataFrame(golden['rows']).astype({'vip': float}))['prediction'], golden['predictions'], rtol=1e-9))"
    )
    golden = result.folder / "model" / "golden.json"
    ran = subprocess.run(
        [sys.executable, "-c", code, f"sqlite:///{result.folder.parent / 'mlflow.db'}", str(golden)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.stdout.strip().endswith("True"), ran.stderr[-2000:]


def test_a_request_needs_no_target_and_an_unseen_value_changes_no_other_row(done: tuple[ConvertResult, pd.DataFrame]) -> None:
    result, _ = done
    signature = json.loads((result.folder / "model" / "signature.json").read_text(encoding="utf-8"))
    assert [c["name"] for c in signature["raw"]["inputs"]] == ["age", "vip", "city"]
    code = (
        "import pandas as pd; from customers.predict import predict\n"
        "rows = pd.DataFrame({'age': [30.0, 40.0], 'vip': [1, 9], 'city': ['Rome', 'Paris']})\n"
        "print(predict(rows)['prediction'][0] == predict(rows[:1])['prediction'][0])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(result.folder / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout.strip() == "True", ran.stderr[-2000:]
