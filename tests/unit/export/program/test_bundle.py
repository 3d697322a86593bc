"""The bundle's own runner on raw rows: ISO dates, levels that are closed, values that the program refuses."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import LabelEncoder
from sklearn.tree import DecisionTreeRegressor

import jupyter_mlops
from jupyter_mlops.checksums import write_checksums
from jupyter_mlops.export.onnx import OnnxModel
from jupyter_mlops.export.parity import predict_estimator
from jupyter_mlops.export.program.compose import export_program
from jupyter_mlops.signature import Signature
from jupyter_mlops.workflows.bundle import bundle_golden, bundle_signature
from jupyter_mlops.workflows.composed import cell_of, features_problem
from jupyter_mlops.workflows.schemas import output_of
from tests.unit.export.program.holding import frame, imported, signature_of

pytestmark = pytest.mark.filterwarnings("ignore")

RUNNER = Path(jupyter_mlops.__file__).parent / "convert/templates/project/edge/runner.py"
BODY = """
df = raw[["price", "day", "when", "city", "size"]].copy()
df["city"] = state.transform(df["city"])
df["month"] = df["day"].dt.month
df["hour"] = df["day"].dt.hour
df["wait"] = (df["day"] - pd.to_datetime(df["when"], format="%Y-%m-%d")).dt.total_seconds() / 3600
df["ratio"] = (100 / df["size"]).astype(int)
return df.drop(columns=["day", "when"])
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    raw = frame(200)[["price", "day", "when", "city", "size"]]
    state = LabelEncoder().fit(raw["city"])
    with imported(tmp_path_factory.mktemp("package"), BODY) as module:
        features = module.build_features(raw.copy(), state)
        model = DecisionTreeRegressor(max_depth=6, random_state=0).fit(features, features["wait"] * features["month"])

        def predict(rows: pd.DataFrame) -> Any:
            return predict_estimator(model, module.build_features(rows.copy(), state))

        expected = predict(raw)
        signature = Signature(signature_of(raw, predict).inputs, output_of(model, expected.labels))
        made = export_program(module.build_features, module, model, signature, raw, state=state)
    assert isinstance(made, OnnxModel), made
    edge = tmp_path_factory.mktemp("edge")
    (edge / "model.onnx").write_bytes(made.data)
    golden = {"predictions": expected.labels.tolist(), "probabilities": None, "kinds": ["golden"] * len(raw)}
    for name, data in (
        ("signature.json", bundle_signature(signature, raw, True, made.as_dict())),
        ("golden.json", bundle_golden(raw, golden)),
    ):
        (edge / name).write_text(json.dumps(data), encoding="utf-8")
    shutil.copyfile(RUNNER, edge / "runner.py")
    write_checksums(edge)
    return edge, raw


def _run(edge: Path, *arguments: str, rows: Any = None) -> subprocess.CompletedProcess[str]:
    text = None if rows is None else json.dumps(rows)
    return subprocess.run(
        [sys.executable, edge / "runner.py", *arguments], input=text, capture_output=True, text=True, check=False
    )


def test_the_runner_predicts_raw_rows_as_the_notebook_did(bundle: tuple[Path, pd.DataFrame]) -> None:
    edge, raw = bundle
    done = _run(edge, "--check")
    assert done.stdout.startswith(f"{len(raw)} golden rows, 0 differ"), done.stdout + done.stderr


def test_what_the_program_refuses_is_an_error_and_no_number(bundle: tuple[Path, pd.DataFrame]) -> None:
    edge, _ = bundle
    row = json.loads((edge / "golden.json").read_text(encoding="utf-8"))["rows"][0]
    assert isinstance(row["day"], str)
    for wrong, said in (
        ({**row, "city": "Atlantis"}, "Atlantis"),
        ({**row, "day": "yesterday"}, "day"),
        ({**row, "size": 0}, ""),
    ):
        done = _run(edge, "-", rows=wrong)
        assert done.returncode != 0
        assert said in done.stderr
        assert not done.stdout
    assert np.isfinite(json.loads(_run(edge, "-", rows=row).stdout)[0]["prediction"])


SOURCE = '''"""Made from a notebook."""


def build_features(raw):
    """Raw rows to the model's input (cells 7, 9 of the notebook)."""
    df = add(raw)
    df["x"] = df["x"].str.title()  # names as they are written, cell 9
    return df


def add(df):
    """Features (cell 13 of the notebook)."""
    return df
'''


def test_the_cell_behind_a_line() -> None:
    assert cell_of(SOURCE, 7) == 9
    assert cell_of(SOURCE, 13) == 13
    assert cell_of(SOURCE, 6) is None  # one of two cells
    assert cell_of(SOURCE, 99) is None


def test_the_message_names_the_operation() -> None:
    refusal = {
        "operation": "df['x'].str.title()",
        "file": "features.py",
        "line": 7,
        "cell": 9,
        "reason": "str.title has no counterpart in ONNX",
    }
    problem = features_problem(refusal)
    assert problem.code == "bundle-takes-features"
    assert problem.cell == 9
    assert "from `df['x'].str.title()` (features.py, line 7) on: str.title has no counterpart in ONNX." in problem.message
    assert "features.py is not part of it" in features_problem(None).message
