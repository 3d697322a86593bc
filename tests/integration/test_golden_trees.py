"""What the converter writes, compared with trees in `tests/golden`: `make golden` writes them anew, and git shows the change.

Files that are copied as they stand into every project are compared for one notebook only; the lock file and what is
pinned from the environment are left out.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from jupyter_mlops.workflows.convert import ConvertOptions, convert
from jupyter_mlops.workflows.pipelines import PipelineOptions, write_pipeline
from tests.conftest import EXAMPLES, ROOT
from tests.notebooks import PENGUINS, write_notebook

GOLDEN = ROOT / "tests" / "golden"
OWN = ("src", "tests/test_notebook.py", "params.yaml", "README.md", "dvc.yaml")
SAME_IN_ALL = {"handover.py"}
ENVIRONMENT = {"kubeflow.yaml", "requirements.lock", "pyproject.toml", "report.json", ".jupyter-mlops.json"}


def _tree(folder: Path, below: tuple[str, ...] | None) -> dict[str, str]:
    files = {
        p.relative_to(folder).as_posix(): p for p in sorted(folder.rglob("*")) if p.is_file() and "__pycache__" not in p.parts
    }
    return {
        name: path.read_text(encoding="utf-8")
        for name, path in files.items()
        if path.name not in ENVIRONMENT and (below is None or (name.startswith(below) and path.name not in SAME_IN_ALL))
    }


@pytest.mark.parametrize("name", ["penguins", *EXAMPLES])
def test_the_tree_is_the_golden_one(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    notebook = ROOT / "example_notebooks" / f"{name}.ipynb"
    if name == "penguins":
        notebook = write_notebook(tmp_path / "penguins.ipynb", PENGUINS)
    result = convert(notebook, tmp_path / name, ConvertOptions(run=False))
    assert result.ok, result.report.error
    if name == "penguins":
        write_pipeline(tmp_path / name, "kubeflow", PipelineOptions(image="registry.example.org/penguins:1"))
        write_pipeline(tmp_path / name, "airflow", PipelineOptions(schedule="30 4 * * 1"))
    made = _tree(tmp_path / name, None if name == "penguins" else OWN)
    expected = GOLDEN / name
    if request.config.getoption("--regenerate"):
        shutil.rmtree(expected, ignore_errors=True)
        for path, text in made.items():
            (expected / path).parent.mkdir(parents=True, exist_ok=True)
            (expected / path).write_text(text, encoding="utf-8")
        return
    held = _tree(expected, None)
    assert set(made) == set(held), "files appeared or went: `make golden`, and look at the change"
    for path, text in held.items():
        assert made[path] == text, f"{path}: `make golden`, and look at the change"
