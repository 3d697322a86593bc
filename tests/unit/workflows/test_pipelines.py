"""`jupyter mlops pipeline`: what it writes, what it leaves alone, and when it refuses."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from jupyter_mlops.cli import main
from jupyter_mlops.convert.pipeline_files import kubeflow_files
from jupyter_mlops.convert.pipeline_graph import PipelineGraph
from jupyter_mlops.errors import ConversionError, EditedError, ExportError, OutputError, UsageError
from jupyter_mlops.workflows.convert import ConvertOptions, convert
from jupyter_mlops.workflows.output import edited_files
from jupyter_mlops.workflows.pipelines import PipelineOptions, write_pipeline
from tests.notebooks import PENGUINS, write_notebook


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that was not run."""
    result = convert(write_notebook(tmp_path / "penguins.ipynb", PENGUINS), tmp_path / "out", ConvertOptions(run=False))
    assert result.ok
    return tmp_path / "out"


def test_both_targets_stand_side_by_side_and_are_the_projects_own(project: Path) -> None:
    first = write_pipeline(project, "airflow", PipelineOptions(schedule="@daily"))
    assert first.files == ("pipelines/airflow_dag.py", "pipelines/one_stage.py")
    (project / "pipelines" / "notes.md").write_text("mine", encoding="utf-8")
    second = write_pipeline(project, "kubeflow")
    assert second.compiled
    names = {path.name for path in (project / "pipelines").iterdir()}
    assert names == {
        "airflow_dag.py", "one_stage.py", "kubeflow.py", "kubeflow.yaml", "Dockerfile", "Dockerfile.dockerignore", "notes.md",
    }  # fmt: skip
    assert edited_files(project) == ["pipelines/notes.md"]
    assert second.stages["features"] == ("load", "validate")
    assert not [path for path in project.iterdir() if path.name.startswith((".pipelines", "pipelines."))]


def test_an_edited_file_is_refused_and_with_force_kept(project: Path) -> None:
    write_pipeline(project, "airflow")
    dag = project / "pipelines" / "airflow_dag.py"
    dag.write_text(dag.read_text(encoding="utf-8") + "# mine\n", encoding="utf-8")
    with pytest.raises(EditedError, match=r"pipelines/airflow_dag\.py"):
        write_pipeline(project, "airflow")
    assert dag.read_text(encoding="utf-8").endswith("# mine\n")
    write_pipeline(project, "kubeflow")  # the other one's files are not touched
    assert dag.read_text(encoding="utf-8").endswith("# mine\n")
    result = write_pipeline(project, "airflow", PipelineOptions(force=True))
    assert result.kept is not None
    assert (result.kept / "airflow_dag.py").read_text(encoding="utf-8").endswith("# mine\n")
    assert not dag.read_text(encoding="utf-8").endswith("# mine\n")
    assert (project / "pipelines" / "kubeflow.yaml").is_file()


def test_a_file_of_the_users_own_is_never_replaced(project: Path) -> None:
    (project / "pipelines").mkdir()
    (project / "pipelines" / "kubeflow.py").write_text("mine", encoding="utf-8")
    with pytest.raises(EditedError, match=r"kubeflow\.py"):
        write_pipeline(project, "kubeflow")
    assert [path.name for path in (project / "pipelines").iterdir()] == ["kubeflow.py"]


def test_what_the_compiler_refuses_leaves_the_project_as_it_was(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(graph: PipelineGraph, image: str) -> dict[str, str]:
        made = dict(kubeflow_files(graph, image))
        return {**made, "kubeflow.py": made["kubeflow.py"].replace("heavy=heavy", "heavy=1j")}

    monkeypatch.setattr("jupyter_mlops.workflows.pipelines.kubeflow_files", broken)
    with pytest.raises(ExportError, match="compiler refuses"):
        write_pipeline(project, "kubeflow")
    assert not (project / "pipelines").exists()
    assert edited_files(project) == []


def test_a_new_conversion_says_that_the_pipelines_are_gone(project: Path, tmp_path: Path) -> None:
    write_pipeline(project, "airflow")
    result = convert(tmp_path / "penguins.ipynb", project, ConvertOptions(run=False))
    assert result.ok
    assert not (project / "pipelines").exists()
    assert "pipelines-left-out" in {one.code for one in result.report.problems}
    again = convert(tmp_path / "penguins.ipynb", project, ConvertOptions(run=False))
    assert "pipelines-left-out" not in {one.code for one in again.report.problems}


def test_without_kfp_the_rest_is_written(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "kfp", None)  # as where it is not installed
    assert main(["pipeline", str(project), "--to", "kubeflow"]) == 0
    assert "jupyter-mlops[kubeflow]" in capsys.readouterr().out
    assert not (project / "pipelines" / "kubeflow.yaml").exists()
    assert (project / "pipelines" / "kubeflow.py").is_file()


@pytest.mark.parametrize(
    ("target", "options", "said"),
    [
        ("kubeflow", PipelineOptions(schedule="@daily"), "recurring"),
        ("airflow", PipelineOptions(image="a:1"), "--image"),
        ("airflow", PipelineOptions(schedule="often"), "five fields"),
        ("kubeflow", PipelineOptions(image='a"; import os'), "no name of an image"),
        ("kubeflow", PipelineOptions(output=Path("x")), "for a notebook"),
    ],
)
def test_options_that_have_no_meaning(target: str, options: PipelineOptions, said: str, project: Path) -> None:
    with pytest.raises(UsageError, match=said):
        write_pipeline(project, target, options)  # type: ignore[arg-type]
    assert not (project / "pipelines").exists()


def test_what_is_no_project(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="convert"):
        write_pipeline(tmp_path, "kubeflow")
    with pytest.raises(UsageError, match="does not exist"):
        write_pipeline(tmp_path / "nothing", "kubeflow")
    with pytest.raises(UsageError, match="-o"):
        write_pipeline(write_notebook(tmp_path / "n.ipynb", PENGUINS), "kubeflow")


def test_a_notebook_that_cannot_be_converted_says_why(tmp_path: Path) -> None:
    notebook = write_notebook(tmp_path / "n.ipynb", [("step:a", "x = 1")])
    with pytest.raises(ConversionError, match="No fitted model"):
        write_pipeline(notebook, "airflow", PipelineOptions(output=tmp_path / "out"))
    assert not (tmp_path / "out" / "pipelines").exists()


def test_on_the_command_line(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pipeline", str(project), "--to", "airflow", "--json"]) == 0
    last = json.loads(capsys.readouterr().out.strip().split("\n")[-1])
    assert last["files"] == ["pipelines/airflow_dag.py", "pipelines/one_stage.py"]
    assert last["stages"]["evaluate"] == ["features", "train"]
    assert main(["pipeline", str(project), "--to", "kubeflow", "--schedule", "@daily"]) == 2
    assert "recurring" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        main(["pipeline", str(project)])
    assert stopped.value.code == 2
