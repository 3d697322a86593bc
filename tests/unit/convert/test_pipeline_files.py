"""Pipelines for other orchestrators: the graph as a project's files say it, and what is written of it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from jupyter_mlops.convert.pipeline_files import airflow_files, check_cron, kubeflow_files, unexposed
from jupyter_mlops.convert.pipeline_graph import PipelineGraph, read_graph
from jupyter_mlops.errors import OutputError, UsageError

DVC = """
stages:
  train:
    cmd: python stage.py train
    deps: [src/shops/train.py, stages/load]
    params: [trees]
    outs: [{model/model.skops: {cache: false, persist: true}}]
    metrics: [{model/metrics.json: {cache: false}}]
  load:
    cmd: python stage.py load
    deps: [src/shops/data.py, "data/a b.csv"]
    params: [seed]
    outs: [stages/load]
"""
SETTINGS = '''
@dataclass(frozen=True)
class Settings:
    """Of a run."""

    trees: int = 5  # of the "#1" forest, ä
    rate: float = 0.5
    names: list[str] = field(default_factory=lambda: ["#"])
    limit: Any = None
    model: str = "rf"
    seed: int = 0  # of the global generators, for code that sets none
    data_dir: Path = PROJECT / "data"  # folder
'''


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What of a project is read."""
    (tmp_path / "src" / "shops").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    (tmp_path / "src" / "shops" / "settings.py").write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "dvc.yaml").write_text(DVC, encoding="utf-8")
    (tmp_path / "stage.py").write_text("", encoding="utf-8")
    (tmp_path / "params.yaml").write_text(
        "trees: 7\nrate: 1\nnames: [a]\nlimit: null\nmodel: rf\nseed: 0\ndata_dir: data\n", encoding="utf-8"
    )
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "shop-sales"\n', encoding="utf-8")
    (tmp_path / "README.md").write_text('# The "shops"\n\nText.\n', encoding="utf-8")
    return tmp_path


def _change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def _graph(project: Path, parameters: str) -> PipelineGraph:
    _change(project / "dvc.yaml", "params: [trees]", f"params: [{parameters}]")
    return read_graph(project)


def test_the_graph_is_that_of_dvc_yaml_in_an_order_that_runs(project: Path) -> None:
    graph = read_graph(project)
    assert (graph.name, graph.package, graph.title, graph.folders) == ("shop-sales", "shops", 'The "shops"', ("data",))
    assert [(one.name, one.needs, one.parameters) for one in graph.stages] == [
        ("load", (), ("seed", "data_dir")), ("train", ("load",), ("trees",)),
    ]  # fmt: skip
    assert [(one.saves_model, one.saves_state, one.measures) for one in graph.stages] == [(False,) * 3, (True, False, True)]
    trees, seed, data = graph.parameters
    assert (trees.kind, trees.default, trees.comment) == ("int", 7, 'of the "#1" forest, ä')
    assert (seed.kind, data.kind, data.default) == ("int", "str", "data")


def test_types_are_those_of_the_settings(project: Path) -> None:
    graph = _graph(project, "rate, names, limit")
    assert {one.name: (one.kind, one.default) for one in graph.parameters if one.name in ("rate", "names", "limit")} == {
        "rate": ("float", 1.0), "names": ("list", ["a"]), "limit": (None, None),
    }  # fmt: skip
    assert isinstance(next(one.default for one in graph.parameters if one.name == "rate"), float)
    assert [one.name for one in unexposed(graph)] == ["limit"]
    text = kubeflow_files(graph, "a:1")["kubeflow.py"]
    assert "rate: float = 1.0" in text
    assert "names: list = ['a']" in text
    assert "limit:" not in text


@pytest.mark.parametrize(
    ("value", "annotation", "kept"),
    [
        ("{a: [1, null, x]}", "dict[str, Any]", True), ("{1: a}", "dict[Any, Any]", False), ("{a: {2: b}}", "dict[str, Any]", False),
        ("[1, [.nan]]", "list[Any]", False), ("[2025-01-01]", "list[Any]", False), ("9007199254740992", "int", True),
        ("9007199254740993", "int", False), ("1.0e+300", "float", True), (".inf", "float", False), ("'1'", "str", True),
    ],
)  # fmt: skip
def test_what_json_would_change_keeps_the_value_of_the_project(value: str, annotation: str, kept: bool, project: Path) -> None:
    """A number that a double cannot hold, keys that are no texts, times."""
    _change(project / "src" / "shops" / "settings.py", "names: list[str]", f"names: {annotation}")
    _change(project / "params.yaml", "names: [a]", f"names: {value}")
    assert [one.name for one in unexposed(_graph(project, "names"))] == ([] if kept else ["names"])


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("dvc.yaml", "stages/load]\n    params", "stages/lod]\n    params", "reads stages/lod, which no stage makes"),
        ("dvc.yaml", '"data/a b.csv"]', "stages/train]", "need one another"),
        ("dvc.yaml", "cmd: python stage.py load", "cmd: make data", "does not run `python stage.py load`"),
        ("dvc.yaml", "params: [trees]", "params: [threes]", "'threes', which is not in params.yaml"),
        ("dvc.yaml", "stages:", "stages: [", "cannot be read"),
        ("dvc.yaml", "stages:", "other:", "has no stages"),
        ("params.yaml", "trees: 7", "trees: many", "'trees' wants int, got 'many'"),
        ("params.yaml", "trees: 7", "trees: true", "'trees' wants int, got True"),
    ],
)
def test_what_cannot_be_run_elsewhere_is_said(file: str, old: str, new: str, said: str, project: Path) -> None:
    _change(project / file, old, new)
    with pytest.raises(OutputError, match=r".") as caught:
        read_graph(project)
    assert said in str(caught.value)
    assert file.removesuffix(".yaml") in str(caught.value)


def test_a_folder_without_a_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="convert"):
        read_graph(tmp_path)


def test_names_that_mean_something_else_to_a_component_are_changed_there_only(project: Path) -> None:
    _change(project / "src" / "shops" / "settings.py", "rate: float", "load: float")
    _change(project / "params.yaml", "rate: 1", "load: 1")
    text = kubeflow_files(_graph(project, "model, load"), "a:1")["kubeflow.py"]
    tree = ast.parse(text)
    functions = {one.name: one for one in tree.body if isinstance(one, ast.FunctionDef)}
    assert list(functions) == ["load_stage", "train", "pipeline"]
    assert [one.arg for one in functions["train"].args.args] == [
        "load_stage_files",
        "load",
        "model_setting",
        "files",
        "model",
        "metrics",
    ]
    assert [one.arg for one in functions["pipeline"].args.args] == ["load", "model", "seed", "data_dir"]
    assert "model_setting=model" in text
    assert '"model": model_setting' in text


@pytest.mark.parametrize("name", ["dsl", "compiler", "run", "lambda", "os", "dag", "stage", "BashOperator", "train-1"])
def test_a_stage_may_have_any_name(name: str, project: Path) -> None:
    text = (project / "dvc.yaml").read_text(encoding="utf-8")
    text = (
        text.replace("  load:", f"  {name}:")
        .replace("stage.py load", f"stage.py {name}")
        .replace("stages/load", f"stages/{name}")
    )
    (project / "dvc.yaml").write_text(text, encoding="utf-8")
    graph = read_graph(project)
    for written in (kubeflow_files(graph, "a:1")["kubeflow.py"], airflow_files(graph, None)["airflow_dag.py"]):
        tree = ast.parse(written)
        imported = {
            alias.asname or alias.name
            for one in ast.walk(tree)
            if isinstance(one, (ast.Import, ast.ImportFrom))
            for alias in one.names
        }
        bound = {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}
        bound |= {one.id for one in ast.walk(tree) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
        assert not bound & (imported - {"run"})
        assert f'"{name}"' in written


def test_texts_of_the_project_cannot_leave_their_quotes(project: Path) -> None:
    (project / "README.md").write_text('# C:\\new """\\\n', encoding="utf-8")
    graph = read_graph(project)
    for text in (kubeflow_files(graph, "a:1")["kubeflow.py"], airflow_files(graph, None)["airflow_dag.py"]):
        assert "C:\\new" in str(ast.get_docstring(ast.parse(text)))
    (project / "README.md").write_text('# The "shops"\n', encoding="utf-8")
    graph = read_graph(project)
    files = {**kubeflow_files(graph, "a:1"), **airflow_files(graph, "@daily")}
    for name, text in files.items():
        if name.endswith(".py"):
            ast.parse(text)
    assert 'description="The \\"shops\\""' in files["airflow_dag.py"]
    assert "schedule='@daily'" in files["airflow_dag.py"]
    assert "schedule=None" in airflow_files(graph, None)["airflow_dag.py"]
    assert "COPY data data" in files["Dockerfile"]


@pytest.mark.parametrize(
    "text", ["30 4 * * 1", "*/15 * * * *", "0 0 1,15 jan-jun mon-fri", "@daily", " 0 0 * * 7 ", "0-30/5 1 * * sun"]
)
def test_schedules(text: str) -> None:
    assert check_cron(text) == text.strip()


@pytest.mark.parametrize(
    "text", ["", "daily", "@often", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "*/0 * * * *", "a * * * *",
             "* * * * * *", "*-5 * * * *"],
)  # fmt: skip
def test_what_is_no_schedule(text: str) -> None:
    with pytest.raises(UsageError, match="five fields"):
        check_cron(text)
