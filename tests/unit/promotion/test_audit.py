"""The audit: what is refused, and that what conversions make is not."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import lightgbm
import numpy as np
import onnx
import pytest
import skops.io
from onnx import TensorProto, helper
from sklearn.preprocessing import FunctionTransformer

from jupyter_mlops.checksums import write_checksums
from jupyter_mlops.promotion.gates.audit import Audit
from jupyter_mlops.promotion.gates.kinds import GateResult, Subject


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """With a model whose types skops does not know itself, and a bundle."""
    folder = tmp_path / "project"
    for name in ("model", "edge", "src/small"):
        (folder / name).mkdir(parents=True)
    (folder / "src" / "small" / "__init__.py").write_text("", encoding="utf-8")
    (folder / "pyproject.toml").write_text('[project]\nname = "small"\ndependencies = ["lightgbm==4.5", "not a name!"]\n')
    model = lightgbm.LGBMClassifier(n_estimators=2, verbose=-1).fit(np.eye(40), np.arange(40) % 2)
    skops.io.dump(model, folder / "model" / "model.skops")
    _onnx(folder / "edge" / "model.onnx")
    write_checksums(folder / "edge")
    return folder


def _onnx(path: Path, domain: str = "") -> None:
    places = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "ab"]
    graph = helper.make_graph([helper.make_node("Identity", ["a"], ["b"])], "g", places[:1], places[1:])
    made = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 21), *([helper.make_opsetid(domain, 1)] if domain else [])]
    )
    onnx.save(made, path)


def judged(project: Path, gate: Audit | None = None) -> GateResult:
    subject = Subject("m", "1", project, {}, sys.executable, lambda tell: {}, lambda: project)
    return (gate or Audit()).run(subject, lambda message, fraction: None)


def test_what_is_known_passes(project: Path) -> None:
    result = judged(project)
    assert result.status == "passed", result.message
    assert result.figures["files"] == 5 and int(result.figures["types"] or 0) >= 1


def _pickled(project: Path) -> None:
    (project / "model" / "weights.bin").write_bytes(pickle.dumps(OrderedDict(a=1)))


def _named(project: Path) -> None:
    (project / "model" / "old.joblib").write_bytes(b"anything")


def _stranger(project: Path) -> None:
    skops.io.dump(FunctionTransformer(subprocess.check_output), project / "model" / "model.skops")


def _undeclared(project: Path) -> None:
    (project / "pyproject.toml").write_text('[project]\nname = "small"\ndependencies = ["numpy"]\n')


def _no_skops(project: Path) -> None:
    (project / "model" / "model.skops").write_bytes(b"PK nothing")


def _operators(project: Path) -> None:
    _onnx(project / "model" / "model.onnx", "org.stranger")


def _no_onnx(project: Path) -> None:
    (project / "model" / "model.onnx").write_bytes(b"\x08nothing at all")


def _changed(project: Path) -> None:
    with (project / "edge" / "model.onnx").open("ab") as file:
        file.write(b"\0\0")


@pytest.mark.parametrize(
    ("change", "said"),
    [(_pickled, "model/weights.bin is a pickle"), (_named, "model/old.joblib is a pickle"), (_stranger, "holds subprocess.check_output"),
     (_undeclared, "holds lightgbm."), (_no_skops, "model/model.skops cannot be read"), (_operators, "needs operators of 'org.stranger'"),
     (_no_onnx, "model/model.onnx cannot be read"), (_changed, "edge: model.onnx was changed")],
)  # fmt: skip
def test_what_is_refused(project: Path, change: Callable[[Path], None], said: str) -> None:
    change(project)
    result = judged(project)
    assert result.status == "failed" and said in result.message and "convert the notebook again" in result.message
    assert int(result.figures["findings"] or 0) >= 1


def test_what_is_too_large(project: Path) -> None:
    (project / "model" / "data.bin").write_bytes(b"\1" * 2_100_000)
    result = judged(project, Audit(megabytes=2))
    assert result.status == "failed" and "MB, and 2 are allowed" in result.message


def test_a_message_is_bounded_and_the_log_is_not(project: Path) -> None:
    for number in range(30):
        shutil.copyfile(project / "pyproject.toml", project / f"{number}.pkl")
    result = judged(project)
    assert "and 25 more" in result.message and result.log is not None and len(result.log.splitlines()) == 30
