"""Analysis (and, once the notebook has run, what was seen) to a `ProjectPlan`."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.convert import dependencies
from jupyter_mlops.convert.answers import find_answer
from jupyter_mlops.convert.features import engineered_program, feature_program
from jupyter_mlops.convert.identifiers import ProjectName
from jupyter_mlops.convert.imports import ImportTable, modules_of
from jupyter_mlops.convert.kale_steps import step_problems
from jupyter_mlops.convert.lifting.program import Lift
from jupyter_mlops.convert.loaders import Loaders
from jupyter_mlops.convert.metrics import metric_calls
from jupyter_mlops.convert.models import ModelChoice, choose_model
from jupyter_mlops.convert.modules import compose_modules, test_functions
from jupyter_mlops.convert.names import Names, Rewriter, classify
from jupyter_mlops.convert.pipeline import pipeline_stages
from jupyter_mlops.convert.plan import FeatureProgram, ProjectPlan
from jupyter_mlops.convert.rowflow import RowFlow
from jupyter_mlops.convert.sharing import SharedRun
from jupyter_mlops.convert.stages import StagePlan, plan_stages
from jupyter_mlops.convert.validated import CHECK, NotebookSuite, place_checks, plan_suites
from jupyter_mlops.notebook.cells import Stage
from jupyter_mlops.notebook.problems import Problem

if TYPE_CHECKING:
    from jupyter_mlops.notebook.dataflow import Analysis

__all__ = ["Seen", "Selection", "answering_variable", "make_plan", "needed_statements", "select"]

# What the generated package, service and tests import besides what the notebook does.
_BASE = ("numpy", "pandas", "scikit-learn", "skops", "pyyaml", "onnxruntime", "fastapi", "uvicorn", "uvloop", "httptools",
         "msgspec", "prometheus-client", "pyarrow")  # fmt: skip
_TEST = ("pytest", "httpx")
_LOADERS = ("read_csv", "read_parquet", "read_excel", "read_json", "read_sql", "read_table", "read_feather", "DataFrame",
            "read_pickle", "merge", "concat", "join", "query")  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """What the notebook's run showed, as far as planning needs it."""

    columns: tuple[str, ...] | None  # of the model's input, None when it is no frame
    layout: str = "frame"  # "frame" | "array" | "series"
    annotations: Mapping[str, str] = field(default_factory=dict)  # variable -> annotation
    values: Mapping[str, Any] | None = None  # plain values at the end of the run
    model_class: str = ""
    files: tuple[Path, ...] = ()
    kinds: Mapping[str, str] | None = None  # variable -> "module.Class" of its value at the end of the run


@dataclass(frozen=True)
class Selection:
    """What of the notebook goes into the project, before any text is made."""

    model: ModelChoice
    raw_name: str
    raw_candidates: tuple[str, ...]
    kept: frozenset[int]
    tests: tuple[int, ...]
    problems: tuple[Problem, ...]


def select(
    analysis: Analysis, *, model: str | None = None, choice: ModelChoice | Problem | None = None
) -> Selection | list[Problem]:
    """Choose the model, find the raw table, and slice. A list of problems (some of severity error) when it cannot be.

    Parameters
    ----------
    model
        Variable of the model, where another is meant than the notebook's tags or its order say.
    choice
        The model where it was chosen before, as for a notebook whose stages were suggested.
    """
    problems: list[Problem] = list(analysis.problems)
    choice = choice or choose_model(analysis, model)
    if isinstance(choice, Problem):
        return [*problems, choice]
    loads = [s for s in analysis.statements if s.stage is Stage.LOAD]
    if not loads:
        return [*problems, Problem("missing-tag", "error", "No cell is tagged 'load', and none was found that reads the data of the model.",
                                   fix="Tag the cell that reads the data (and joins it into one table) with 'load'.")]  # fmt: skip
    if choice.fit is None and choice.asked is None:
        return [*problems, Problem("no-fit", "error", f"The model {choice.variable!r} is never fitted.", fix="Call .fit in a cell tagged 'train'.")]  # fmt: skip
    kept = needed_statements(analysis, choice)
    for s in analysis.statements:
        if s.stage is Stage.VALIDATE and isinstance(s.node, (ast.Assert, ast.If, ast.For, ast.Expr)) and _checks(s.node):
            kept |= analysis.slice_statement(s.index)
    tests = tuple(s.index for s in analysis.statements if s.stage is Stage.TEST)
    for index in tests:
        kept |= analysis.slice_statement(index) - set(tests)
    kept -= {s.index for s in analysis.statements if s.stage in (Stage.SKIP, Stage.TEST)}
    names = classify(analysis, frozenset(kept), {})
    last_load = max(s.index for s in loads)
    later = {n for i in kept if i > last_load for n in analysis.statements[i].uses}
    bound = dict.fromkeys(n for s in loads for n in sorted(s.binds) if names.is_variable(n))
    candidates = tuple(n for n in bound if n in later)
    feeding = tuple(n for n in candidates if _feeds_model(analysis, choice, n, last_load))
    if len(feeding) > 1:  # a test set of its own: its rows are asked, the training's are not
        feeding = tuple(n for n in feeding if _rows_reach(analysis, choice, n, last_load)) or feeding
    raw = feeding or candidates
    if not raw:
        return [*problems, Problem("no-raw-table", "error", "Nothing that the 'load' cells bind reaches the model.",
                                   cell=loads[-1].cell, fix="Tag the cell that binds the table the model is trained on with 'load'.")]  # fmt: skip
    return Selection(choice, raw[0], raw, frozenset(kept), tests, tuple(problems))


def needed_statements(analysis: Analysis, choice: ModelChoice) -> set[int]:
    """What fits, asks and measures the chosen model, with all that it needs."""
    kept: set[int] = set()
    anchor = choice.asked or choice.fit
    for use in (choice.fit, choice.asked):
        if use is not None:
            kept |= analysis.slice_statement(use.statement)
    if anchor is not None:
        kept |= analysis.slice([(anchor.statement, choice.variable)])
    return kept | _metric_statements(analysis, choice, frozenset(kept))


def _checks(node: ast.stmt) -> bool:
    return any(isinstance(n, (ast.Assert, ast.Raise)) for n in ast.walk(node))


def _feeds_model(analysis: Analysis, choice: ModelChoice, name: str, last_load: int) -> bool:
    anchor = choice.asked or choice.fit
    assert anchor is not None
    nodes = [n.id for n in ast.walk(anchor.argument) if isinstance(n, ast.Name)] if anchor.argument is not None else []
    if name in nodes:
        return True
    path = analysis.slice([(anchor.statement, n) for n in nodes]) if nodes else analysis.slice_statement(anchor.statement)
    return any(name in analysis.statements[i].uses for i in path if i > last_load)


def _rows_reach(analysis: Analysis, choice: ModelChoice, name: str, last_load: int) -> bool:
    """Whether rows of a table are rows of the model's input, and not only something that was learned from them."""
    anchor = choice.asked or choice.fit
    assert anchor is not None
    roots = RowFlow(analysis, Loaders(analysis)).path(anchor.statement, anchor.argument)
    return bool({i for i in analysis.defined_by(name) if i <= last_load} & roots)


def _metric_statements(analysis: Analysis, choice: ModelChoice, kept: frozenset[int]) -> set[int]:
    """Statements that measure the chosen model, with all that they need."""
    fitted = choice.fit.statement if choice.fit is not None else -1
    tagged = any(s.stage is Stage.EVALUATE for s in analysis.statements)
    found: set[int] = set()
    derived: set[str] = set()
    for s in analysis.statements:
        if s.index <= fitted or s.stage in (Stage.SKIP, Stage.TEST) or (tagged and s.stage is not Stage.EVALUATE):
            continue
        if isinstance(s.node, (ast.FunctionDef, ast.ClassDef, ast.For, ast.While)):
            continue
        named = bool(s.binds & set(analysis.notebook.metrics))
        measures = named or any(True for _ in metric_calls(s.node)) or bool(derived & s.uses and s.binds)
        if not measures:
            continue
        needs = analysis.slice_statement(s.index)
        if fitted not in needs or not (choice.variable in s.uses or _asks(analysis, choice, needs)):
            continue
        derived |= s.binds
        found |= needs
    return found


def _asks(analysis: Analysis, choice: ModelChoice, needs: frozenset[int]) -> bool:
    return any(u.statement in needs for u in choice.uses)


def _static_annotations(analysis: Analysis, kept: frozenset[int]) -> dict[str, str]:
    """Annotations that the syntax alone gives away, for conversions without a run."""
    out: dict[str, str] = {}
    for index in sorted(kept):
        match analysis.statements[index].node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Attribute(value=ast.Name(id="pd"), attr=attr))):
                if attr in _LOADERS:
                    out[name] = "pd.DataFrame"
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Subscript(value=ast.Name(id=source), slice=key)):
                if out.get(source) == "pd.DataFrame" and not isinstance(key, ast.Constant):
                    out[name] = "pd.DataFrame"
    return out


def make_plan(
    analysis: Analysis,
    selection: Selection,
    *,
    parameters: Mapping[str, Any],
    name: str | None = None,
    seen: Seen | None = None,
    boundary: str = "raw",
    thrifty: bool = True,
    raw_name: str | None = None,
    lift: Lift | None = None,
    complete: Sequence[tuple[str, str | None]] = (),
    suites: Sequence[NotebookSuite] = (),
) -> ProjectPlan:
    """The plan of the project.

    Parameters
    ----------
    parameters
        Values given with -p, by the notebook's names.
    seen
        What the run showed; None plans from the syntax alone (``--no-run``).
    boundary
        "engineered" gives up the raw boundary: requests hold the model's own input.
    lift, complete
        See `feature_program`.
    suites
        Of the notebook's `%%validate` cells.
    """
    notebook = analysis.notebook
    raw = raw_name or selection.raw_name
    names = classify(analysis, selection.kept, parameters)
    rewriter = Rewriter(analysis, names)
    project = ProjectName(name or notebook.path.stem)
    package = str(project.package)
    table = ImportTable(analysis, names, package)
    annotate = {**_static_annotations(analysis, selection.kept), **(seen.annotations if seen else {})}
    apart = set(names.imports) | set(names.helpers) | set(names.constants) | {
        s.index for s in analysis.statements if s.stage is Stage.PARAMETERS and any(b in names.settings for b in s.binds)
    }  # fmt: skip
    rest = [i for i in sorted(selection.kept) if i not in apart]
    model = selection.model.variable
    wanted = {model} | {
        n for i in selection.tests for n in analysis.statements[i].uses if names.is_variable(n)
    } | {raw}  # fmt: skip
    found = find_answer(analysis, selection.model, names)
    unanswered = [found] if isinstance(found, Problem) else []
    answer = None if isinstance(found, Problem) else found
    if answer is not None and answer.variable:
        wanted.add(answer.variable)
    features, shared = _features(analysis, selection, names, rewriter, raw, seen, boundary, thrifty, rest, lift, complete)
    if shared is not None:
        table.shared[shared.function] = "features"
    if features.stateful:
        table.shared.update(dict.fromkeys(("FeatureState", "Learning", "with_levels", "codes_of", "by_group"), "state"))
        rewriter.teach(features)
    if complete:
        table.shared["complete"] = "schema"
    checks, unchecked = place_checks(analysis, suites, frozenset(rest), shared.indexes if shared is not None else ())
    table.shared[CHECK] = "validation"
    checked, limits = plan_suites(analysis, suites, checks, raw, features.boundary)
    stages = plan_stages(
        analysis, list(shared.order) if shared else rest, names, rewriter, annotate=annotate, wanted=frozenset(wanted),
        model=model, values=seen.values if seen else None, shared=shared, checks=checks,
    )  # fmt: skip
    problems = [
        *selection.problems, *names.problems, *unanswered, *_decisions(selection, stages, raw), *unchecked, *limits,
    ]  # fmt: skip
    modules = compose_modules(analysis, names, rewriter, table, stages, features, package, notebook.path.name)
    tests, test_imports = test_functions(analysis, selection.tests, names, rewriter, table, stages, model)
    pipeline = pipeline_stages(
        stages.functions, modules, settings=names.settings.values(), model=model, answer=answer,
        kinds=seen.kinds if seen else None, local=_local_modules(analysis),
        suites=[suite.name for suite in checked if suite.placed],
    )  # fmt: skip
    problems += step_problems(analysis, selection.kept, pipeline, model)
    needed = _requirements(analysis, names, problems, seen)
    title = _title(analysis) or project.replace("-", " ").capitalize()
    return ProjectPlan(
        title=title,
        name=str(project),
        package=package,
        version="1",
        description=_description(analysis) or f"Made from {notebook.path.name}.",
        notebook=notebook.path.name,
        python="3.11",
        model_variable=model,
        model_class=seen.model_class if seen else "",
        task="",
        settings=tuple(names.settings.values()),
        modules=modules,
        stages=stages.functions,
        pipeline=pipeline,
        features=features,
        raw_name=raw,
        results=stages.results,
        metrics=stages.metrics,
        tests=tests,
        test_imports=test_imports,
        requirements=tuple(f"{n}=={v}" for n, v in _pins(needed)),
        locked=dependencies.lock((*needed, *_TEST)),
        trusted=tuple(sorted({"sklearn", "numpy", "scipy", "pandas", package, *_roots(analysis, names)})),
        problems=tuple(dict.fromkeys(problems)),
        kept_cells=tuple(sorted({analysis.statements[i].cell for i in selection.kept})),
        boundary=features.boundary,
        answer=answer,
        answer_imports=() if answer is None else table.needed([answer.code, "np"], module="answer", own=("prediction", "fitted")),
        identity=features.identity,
        suites=checked,
        untyped=tuple(
            sorted({"pandas", "pyarrow", "pyspark", "scipy", "sklearn", "skops", "onnxruntime", "yaml", *_roots(analysis, names)})
        ),
    )


def answering_variable(analysis: Analysis, selection: Selection) -> str:
    """The notebook's fitted object that turns the model's prediction back, "" where there is none."""
    found = find_answer(analysis, selection.model, classify(analysis, selection.kept, {}))
    return "" if found is None or isinstance(found, Problem) else found.variable


def _features(
    analysis: Analysis, selection: Selection, names: Names, rewriter: Rewriter, raw: str, seen: Seen | None,
    boundary: str, thrifty: bool, rest: Sequence[int], lift: Lift | None, complete: Sequence[tuple[str, str | None]],
) -> tuple[FeatureProgram, SharedRun | None]:  # fmt: skip
    columns: Sequence[str] | None = seen.columns if seen else None
    anchor = selection.model.asked or selection.model.fit
    if boundary == "raw" and anchor is not None and anchor.argument is not None:
        program = feature_program(
            analysis, names, rewriter, raw_name=raw, asked_at=anchor.statement, argument=anchor.argument, columns=columns,
            thrifty=thrifty, rest=rest, lift=lift, complete=complete,
        )  # fmt: skip
        if program is not None:
            return program
    return engineered_program(columns, seen.layout if seen else "frame"), None


def _decisions(selection: Selection, stages: StagePlan, raw: str) -> list[Problem]:
    """What was decided for the user, as information."""
    out = [
        Problem("pulled-in", "info", f"This untagged cell is needed and was put into stage '{stage}'.", cell)
        for cell, stage in stages.pulled
    ]
    choice = selection.model
    if choice.others:
        out.append(
            Problem(
                "model-chosen",
                "info",
                f"Several models are fitted; {choice.variable!r} was taken, {choice.reason} (others: {', '.join(choice.others)}).",
                fix="Name another one: in the sidebar's options, or with --model.",
            )  # fmt: skip
        )
    if not stages.metrics:
        out.append(
            Problem(
                "no-metrics",
                "warning",
                "No metric of this model was found, so the run is registered without one.",
                fix="Bind a metric to a name in a cell tagged 'evaluate', such as auc = roc_auc_score(...).",
            )  # fmt: skip
        )
    return out


def _roots(analysis: Analysis, names: Names) -> set[str]:
    """Top-level modules of third parties that the kept code imports: their classes may stand in the saved model."""
    roots = {m.split(".")[0] for i in names.imports for m in modules_of(analysis.statements[i].node)}
    return {r for r in roots if dependencies.distribution_of_module(r) is not None} - {"pandas"}


def _local_modules(analysis: Analysis) -> set[str]:
    return {path.stem for path in analysis.notebook.path.parent.glob("*.py")}


def _requirements(analysis: Analysis, names: Names, problems: list[Problem], seen: Seen | None) -> list[str]:
    needed: dict[str, None] = dict.fromkeys(_BASE)
    for index in names.imports:
        statement = analysis.statements[index]
        for module in modules_of(statement.node):
            if dependencies.is_local(module, analysis.notebook.path.parent):
                continue
            distribution = dependencies.distribution_of_module(module)
            if distribution is not None:
                needed.setdefault(distribution)
            elif not dependencies.is_installed(module):
                problems.append(
                    Problem(
                        "missing-package",
                        "warning",
                        f"The package of module {module!r} is not installed here.",
                        statement.cell,
                        statement.first_line,
                        "Install it into the notebook's kernel and convert again.",
                    )  # fmt: skip
                )
    for file in seen.files if seen else ():
        found = dependencies.distribution_of_file(file)
        if found is not None and _is_data(file):
            needed.setdefault(found)
    return list(needed)


def _is_data(path: Path) -> bool:
    return path.suffix.lower() in {
        ".csv",
        ".zip",
        ".gz",
        ".parquet",
        ".json",
        ".tsv",
        ".xlsx",
        ".feather",
        ".arff",
        ".txt",
        ".bz2",
        ".xz",
    }


def _pins(names: list[str]) -> list[tuple[str, str]]:
    from importlib.metadata import PackageNotFoundError, version

    out = []
    for name in names:
        try:
            out.append((name, version(name).split("+")[0]))
        except PackageNotFoundError:
            continue
    return out


def _title(analysis: Analysis) -> str | None:
    for cell in analysis.notebook.cells:
        if cell.kind == "markdown":
            for line in cell.source.split("\n"):
                if line.startswith("# "):
                    return line[2:].strip()
            return None
    return None


def _description(analysis: Analysis) -> str | None:
    """First paragraph of the first markdown cell, below its title."""
    for cell in analysis.notebook.cells:
        if cell.kind == "markdown":
            text = "\n".join(line for line in cell.source.split("\n") if not line.startswith("#")).strip()
            return " ".join(text.split("\n\n")[0].split()) or None
    return None
