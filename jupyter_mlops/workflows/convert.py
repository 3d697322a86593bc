"""The main job: a tagged notebook becomes a proven package, service and edge bundle."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.convert.formatting import tidy
from jupyter_mlops.convert.lifting.observed import Observed
from jupyter_mlops.convert.lifting.program import Lift
from jupyter_mlops.convert.lifting.watch import Watch
from jupyter_mlops.convert.models import ModelChoice
from jupyter_mlops.convert.pipeline_files import FOLDER
from jupyter_mlops.convert.plan import Facts, ProjectPlan
from jupyter_mlops.convert.planner import Seen, Selection, answering_variable, make_plan, select
from jupyter_mlops.convert.render import render
from jupyter_mlops.convert.suggest import lacks_tags
from jupyter_mlops.convert.suggest_cells import suggest
from jupyter_mlops.environment import inherited
from jupyter_mlops.errors import ConversionError, ExportError, MlopsError, OutputError, ParityError, UsageError
from jupyter_mlops.monitor.rules import FILE as MONITORING
from jupyter_mlops.monitor.rules import Rules
from jupyter_mlops.notebook.dataflow import analyse
from jupyter_mlops.notebook.problems import Problem
from jupyter_mlops.notebook.read import read_notebook
from jupyter_mlops.promotion.policy import FILE as POLICY
from jupyter_mlops.promotion.policy import Policy
from jupyter_mlops.sections import read_first
from jupyter_mlops.signature import Signature
from jupyter_mlops.workflows.boundary import Attempts, Boundary, Run, find_boundary, watched_path
from jupyter_mlops.workflows.events import Listener, Progress
from jupyter_mlops.workflows.output import check_target, publish, staging
from jupyter_mlops.workflows.parameters import check_parameters
from jupyter_mlops.workflows.report import Report
from jupyter_mlops.workflows.suites import notebook_suites

if TYPE_CHECKING:
    from jupyter_mlops.convert.capture import CaptureFacts
    from jupyter_mlops.notebook.dataflow import Analysis
    from jupyter_mlops.workflows.worker import Worker

__all__ = ["ConvertOptions", "ConvertResult", "convert"]

_DATA_LIMIT = 50 * 2**20  # bytes of data files that are copied into the project


@dataclass(frozen=True)
class ConvertOptions:
    """How to convert; the defaults are those of the command line."""

    parameters: Sequence[tuple[str, str]] | Mapping[str, Any] = ()
    model: str | None = None
    name: str | None = None  # of the project and of the registered model
    run: bool = True
    register: bool = True
    force: bool = False  # replace a project that was edited (it is kept beside)
    allow_mismatch: bool = False
    tracking_uri: str | None = None
    settings: Path | None = None  # folder of promotion.yaml and monitoring.yaml, where there are none beside the notebook
    cell_timeout: float | None = None


@dataclass(frozen=True)
class ConvertResult:
    """Where everything is."""

    report: Report
    folder: Path
    plan: ProjectPlan | None
    kept: Path | None = None  # an edited former project
    tracking_uri: str | None = None
    exit_code: int = 0

    @property
    def ok(self) -> bool:
        """True when nothing failed."""
        return self.report.status != "failed"


class _Failed(ConversionError):
    """Problems of severity error: they are in the report."""


def convert(
    notebook: Path, folder: Path, options: ConvertOptions | None = None, listen: Listener = lambda event: None
) -> ConvertResult:
    """Convert a notebook; progress goes to `listen`.

    Never raises for what the notebook or the environment lacks once the call itself is right: the result's report says
    which step failed and why. The former content of `folder` stays as it is unless the conversion succeeded (or failed
    only in parity, when the project is what shows the difference).

    Raises
    ------
    UsageError
        The notebook cannot be read, a parameter is unknown, the output folder must not be replaced.
    """
    options = options or ConvertOptions()
    report = Report()
    progress = Progress(listen)
    notebook, folder = Path(notebook), Path(folder)
    job = _Conversion(notebook, folder, options, report, progress)
    try:
        check_target(folder, force=options.force)
        with staging(folder) as place:
            return job.run(place)
    except MlopsError as error:
        return job.failed(error)
    except OSError as error:
        if error.errno == 28:
            reason = f"The disk is full ({error.filename or folder}). Free some space and convert again: nothing was changed."
        else:
            reason = f"{type(error).__name__}: {error}"
        return job.failed(OutputError(reason))


class _Conversion:
    """State of one conversion; its methods are the steps."""

    def __init__(self, notebook: Path, folder: Path, options: ConvertOptions, report: Report, progress: Progress) -> None:
        self.notebook, self.folder, self.options = notebook, folder, options
        self.report, self.progress = report, progress
        self.plan: ProjectPlan | None = None
        self.uri: str | None = None
        self.rules = Rules()
        self.values: dict[str, Any] = {}  # plain values that the notebook's run ended with

    def failed(self, error: MlopsError) -> ConvertResult:
        """The report of a failure; written where no good project would be lost."""
        report = self.report
        report.status, report.failed_step, report.error = "failed", self.progress.current, str(error)
        report.seconds = self.progress.seconds
        if not isinstance(error, _Failed):
            report.problems.append(Problem(error.code, "error", str(error)))
        self.progress.failed(str(error))
        try:
            check_target(self.folder, force=False)
            if not (self.folder / "src").exists():
                with staging(self.folder) as place:
                    report.write(place / "report.json")
                    publish(place, self.folder)
        except (MlopsError, OSError):
            pass  # the folder holds something else: the report goes to the caller only
        return ConvertResult(report, self.folder, self.plan, exit_code=error.exit_code)

    def run(self, place: Path) -> ConvertResult:
        """All steps, in the hidden folder `place`."""
        options, progress, report = self.options, self.progress, self.report
        with progress.step("read", str(self.notebook)):
            notebook = read_notebook(self.notebook)
        progress.done("read", f"{len(notebook.code_cells)} code cells")
        with progress.step("analyse"):
            report.problems += [*notebook.problems]
            analysis, choice = self._suggested(analyse(notebook))
            parameters = check_parameters(analysis, options.parameters)
            selection = select(analysis, model=options.model, choice=choice)
        if isinstance(selection, list):
            report.problems += selection
            raise _Failed(_first_error(selection))
        self._stop_on_errors([*notebook.problems, *selection.problems])
        progress.done("analyse", f"model {selection.model.variable!r}, {selection.model.reason}")
        if not options.run:
            plan = self._plan(analysis, selection, parameters, None)
            self._render(plan, place)
            self._planned(plan)
            report.status = "generated"
            for name in ("run", "export", "verify", "register"):
                progress.skipped(name, "--no-run")
            return self._finish(plan, place)
        from jupyter_mlops.workflows.worker import Worker

        with tempfile.TemporaryDirectory(prefix="jupyter-mlops-") as scratch, Worker() as worker:
            worker.start_call("warm")
            boundary = self._lift(analysis, selection, parameters, worker, place, Path(scratch))
            plan, facts = boundary.plan, boundary.run.facts
            exported = self._train_and_export(boundary, worker, place)
            plan = self.plan or plan  # it knows by now where the data is
            plan = self._prove(plan, exported, facts, worker, place)
            if options.register:
                self._register(plan, facts, exported, parameters, place)
            else:
                progress.skipped("register", "was not asked for")
                report.status = "generated"
        return self._finish(plan, place)

    def _suggested(self, analysis: Analysis) -> tuple[Analysis, ModelChoice | Problem | None]:
        """The analysis with suggested stages, and the model that they are about, where the tags do not say enough."""
        if not lacks_tags(analysis):
            return analysis, None
        suggestion = suggest(analysis, self.options.model)
        choice = suggestion.stages.choice
        if suggestion.cells and isinstance(choice, ModelChoice):
            untagged = not any(cell.stage for cell in analysis.notebook.code_cells)
            what = "No cell of this notebook is tagged" if untagged else "No cell is tagged 'load' or none is tagged 'train'"
            if analysis.notebook.steps:
                what = "Kale's tags do not say what a step does"
            self.report.tags = [one.as_dict() for one in suggestion.cells]
            self.report.problems.append(
                Problem(
                    "suggested-tags",
                    "info",
                    f"{what}, so the stages of its cells were suggested.",
                    fix="Look at them: Suggest Tags in JupyterLab, or `jupyter mlops tag` (--write puts them into the notebook).",
                )  # fmt: skip
            )
        return suggestion.staged(analysis), choice

    # -- steps --------------------------------------------------------------------------------------------------------

    def _plan(
        self, analysis: Analysis, selection: Selection, parameters: Mapping[str, Any], seen: Seen | None, **how: Any
    ) -> ProjectPlan:
        with self.progress.step("lift"):
            suites, unread = notebook_suites(analysis.notebook)
            plan = make_plan(analysis, selection, parameters=parameters, name=self.options.name, seen=seen, suites=suites, **how)
            folders = [self.notebook.absolute().parent, *([self.options.settings] if self.options.settings else [])]
            policy, _ = read_first(Policy, POLICY, folders)
            watched, self.rules = read_first(Rules, MONITORING, folders)
            log = self.rules.log
            plan = replace(
                plan, problems=(*plan.problems, *unread), policy=policy, monitoring=watched,
                log_omit=log.omit, log_hash=log.hash, log_days=log.days,
            )  # fmt: skip
        self.progress.current = "plan"
        self._stop_on_errors(plan.problems)
        with self.progress.step("plan"):
            self.plan = plan
        self.report.problems = list(dict.fromkeys([*self.report.problems, *plan.problems]))
        self.report.model = {"variable": plan.model_variable, "class": plan.model_class or None, "task": plan.task or None}
        return plan

    def _render(self, plan: ProjectPlan, place: Path) -> None:
        with self.progress.step("render"):
            for name, text in render(plan).items():
                path = place / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            for module in _local_modules(plan, self.notebook.parent):
                shutil.copyfile(module, place / "src" / module.name)
            tidy(place)

    def _planned(self, plan: ProjectPlan) -> None:
        """The attempts are over: say what came of them."""
        learned = len(plan.features.state)
        self.progress.done("lift", f"boundary {plan.boundary}" + (f", {learned} values learned in training" if learned else ""))
        self.progress.done("plan", f"{len(plan.stages)} stages, {len(plan.requirements)} requirements")
        self.progress.done("render", f"package {plan.package}")

    def _run_notebook(
        self, analysis: Analysis, selection: Selection, parameters: Mapping[str, Any], scratch: Path, watched: Watch
    ) -> CaptureFacts:
        from jupyter_mlops.convert.capture import CaptureRequest, run_notebook

        asked = selection.model.asked
        request = CaptureRequest(
            estimator=selection.model.variable,
            evaluated_at=None if asked is None else (asked.cell, asked.line),
            fitted=answering_variable(analysis, selection),
            watch=watched.payload(),
        )

        def told(cell: int, done: int, total: int) -> None:
            self.progress.say(f"cell {cell} ({done}/{total})", done / total if total else None)

        with self.progress.step("run", "the notebook as it stands"):
            facts = run_notebook(
                analysis.notebook, request, scratch, parameters=parameters, progress=told,
                cell_timeout=self.options.cell_timeout,
            )  # fmt: skip
        if facts.unpicklable:
            raise ExportError(
                f"The fitted model {selection.model.variable!r} cannot be saved: {facts.unpicklable}. "
                "Replace lambdas and functions defined inside of functions by functions of their own in a cell."
            )
        _same_libraries(facts)
        return facts

    def _lift(
        self, analysis: Analysis, selection: Selection, parameters: Mapping[str, Any], worker: Worker, place: Path, scratch: Path
    ) -> Boundary:
        """Run the notebook, and plan with what that showed, from the raw row if that can be proven."""
        seen: Seen | None = None

        def run(after: int | None = None, table: str = "") -> Run:
            nonlocal seen
            folder = scratch / ("first" if after is None else "second")
            folder.mkdir()
            watched = watched_path(analysis, selection, after, table)
            facts = self._run_notebook(analysis, selection, parameters, folder, watched)
            found = worker.call("look", folder=str(facts.folder))
            if found.get("layout") is None:
                raise ExportError(
                    f"The model {selection.model.variable!r} was never asked nor fitted while the notebook ran, "
                    "so there is nothing to prove."
                )
            self.values = found["values"]
            seen = Seen(
                columns=None if found["columns"] is None else tuple(found["columns"]),
                layout=found["layout"],
                annotations=found["annotations"],
                values=found["values"],
                model_class=facts.estimator_class.split(".")[-1],
                files=tuple(facts.files),
                kinds=facts.names,
            )
            renamed = {table: dict(pairs) for table, pairs in found["renamed"].items()}
            lift = Lift(watched, Observed.load(facts.folder), found["forms"], renamed, found["numbered"], after)
            kept = tuple(n for n in (selection.raw_candidates if after is None else (table,)) if n in found["frames"])
            return Run(facts, lift, kept)

        def check(of: Run, plan: ProjectPlan, table: str, synthetic: bool) -> dict[str, Any]:
            with self.progress.step("lift", "comparing the feature program with the notebook's own model input"):
                return worker.call(
                    "features", folder=str(of.facts.folder), project=str(place), package=plan.package, raw=table,
                    entries=[entry.as_dict() for entry in plan.features.state], stateful=plan.features.stateful,
                    synthetic=synthetic,
                )  # fmt: skip

        attempts = Attempts(
            plan=lambda **how: self._plan(analysis, selection, parameters, seen, **how),
            render=lambda plan: self._render(plan, place),
            check=check,
            rerun=run,
        )
        boundary, problems = find_boundary(analysis, selection, run(), attempts)
        if (answer := boundary.plan.answer) is not None:
            checked = worker.call(
                "answer", folder=str(boundary.run.facts.folder), project=str(place), package=boundary.plan.package
            )
            if not checked["ok"]:
                problem = Problem(
                    "answer-not-carried", "warning",
                    f"The notebook makes `{answer.original}` of its model's prediction ({checked['reason']}); "
                    "the service answers the model's own prediction.",
                    answer.cell, answer.line, "Use sklearn.compose.TransformedTargetRegressor, which keeps the inverse in the model.",
                )  # fmt: skip
                problems = (*problems, problem)
                boundary = replace(
                    boundary, plan=replace(boundary.plan, answer=None, problems=(*boundary.plan.problems, problem))
                )
                shutil.rmtree(place / "src")
                self._render(boundary.plan, place)
        self.plan = boundary.plan
        self.report.problems = list(dict.fromkeys([*self.report.problems, *problems]))
        self.report.boundary = boundary.plan.boundary
        self._planned(boundary.plan)
        return boundary

    def _train_and_export(self, boundary: Boundary, worker: Worker, place: Path) -> dict[str, Any]:
        plan, facts = boundary.plan, boundary.run.facts
        trained = facts.folder / "package"
        data_dir, data_files = self._data(facts, place)
        self.plan = plan = replace(plan, facts=replace(plan.facts, data_dir=data_dir, data_files=data_files))
        with self.progress.step("run", "the package's own pipeline"):
            self._pipeline(plan, place, trained, data_dir)
        self.progress.done("run", f"notebook {sum(facts.seconds.values()):.1f} s")
        with self.progress.step("export"):
            exported = worker.call(
                "export", folder=str(facts.folder), project=str(place), package=plan.package, raw=plan.raw_name,
                boundary="raw" if boundary.table else "engineered", needed=list(boundary.needed), trained=str(trained / "model.skops"),
                synthetic=boundary.synthetic, suites=[suite.name for suite in plan.served_suites],
            )  # fmt: skip
            exported["holdout"] = worker.call(
                "holdout", folder=str(facts.folder), project=str(place), package=plan.package, raw=plan.raw_name,
                boundary="raw" if boundary.table else "engineered", needed=list(boundary.needed), synthetic=boundary.synthetic,
            )  # fmt: skip
        self.report.state = exported["state"]
        measured = json.loads((trained / "metrics.json").read_text(encoding="utf-8"))["metrics"]
        exported["package_metrics"] = measured
        # The notebook's own numbers; what it only displayed is taken from the package.
        exported["metrics"] = {name: self.values.get(name, value) for name, value in measured.items()}
        for given in [*exported["problems"], *exported["holdout"]["problems"]]:
            self.report.problems.append(Problem(**given))
        if exported["carried"] == "notebook":
            pairs = [f"{n} {exported['metrics'][n]:.4g} in the notebook, {v:.4g} trained again" for n, v in measured.items()]
            problem = Problem(
                "retrained-differs", "warning",
                "Training again does not give the same model (no seed, or training that depends on the machine), so the notebook's "
                f"own fitted model is what is carried and proven{': ' if pairs else ''}{'; '.join(pairs)}.",
                fix="Set random_state on the split and the estimator.",
            )  # fmt: skip
            self.report.problems.append(problem)
        engine = "ONNX" if exported["engine"] == "onnx" else "scikit-learn only"
        self.progress.done("export", f"{exported['class']}, {engine}")
        return exported

    def _pipeline(self, plan: ProjectPlan, place: Path, trained: Path, data_dir: str | None) -> None:
        trained.mkdir()
        env = {
            **inherited(),
            "PYTHONPATH": str(place / "src"), "MPLBACKEND": "agg", "PYTHONHASHSEED": "0",
        }  # fmt: skip
        prefix = plan.package.upper()
        env[f"{prefix}_DATA_DIR"] = json.dumps(str((place / data_dir).resolve() if data_dir else place / "data"))
        done = subprocess.run(
            [sys.executable, "-m", f"{plan.package}.pipeline", "--params", str(place / "params.yaml"), "--out", str(trained)],
            cwd=place, env=env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise ExportError(
                "The notebook ran, but the package made from it fails:\n" + _last_lines(done.stderr)
                + "\nThis is most often a value that a cell gets from an untagged or skipped cell. "
                "Tag that cell, or report this notebook's pattern."
            )  # fmt: skip

    def _data(self, facts: CaptureFacts, place: Path) -> tuple[str | None, tuple[str, ...]]:
        """Copy the data files that lie beside the notebook into the project; folder and files, where they are otherwise."""
        home = self.notebook.resolve().parent
        beside = [f for f in facts.files if f.is_file() and f.is_relative_to(home) and not f.is_relative_to(place)]
        beside = [
            f
            for f in beside
            if f.suffix not in {".py", ".pyc", ".so"} and "site-packages" not in f.parts and f != self.notebook.resolve()
        ]
        beside = [f for f in beside if not any(part.startswith(".") for part in f.relative_to(home).parts)]
        beside = [f for f in beside if f.relative_to(home).parts[0] != "expectations"]  # suites are no data
        if not beside:
            return None, ()
        named = sorted(f.relative_to(home).as_posix() for f in beside)
        if sum(f.stat().st_size for f in beside) > _DATA_LIMIT:
            there = Path(os.path.relpath(home, self.folder.resolve())).as_posix()
            return there, tuple(f"{there}/{name}" for name in named)
        for file in beside:
            target = place / "data" / file.relative_to(home)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(facts.files.get(file) or file, target)
        return "data", tuple(f"data/{name}" for name in named)

    def _prove(
        self, plan: ProjectPlan, exported: dict[str, Any], facts: CaptureFacts, worker: Worker, place: Path
    ) -> ProjectPlan:
        from jupyter_mlops.workflows.bundle import write_bundle

        metrics, package_metrics = exported["metrics"], exported["package_metrics"]
        plan = self._with_signature(plan, exported)
        self.plan = plan
        self._render(plan, place)
        with self.progress.step("export", "model, service and bundle"):
            metadata = {
                "name": plan.name, "package": plan.package, "version": plan.version, "boundary": plan.boundary,
                "engine": plan.engine, "engine_reason": exported["engine_reason"], "trusted_types": exported["trusted_types"],
                "metrics": metrics, "package_metrics": package_metrics, "created": datetime.now(UTC).isoformat(timespec="seconds"),
                "run_id": None, "model_version": None, "notebook": plan.notebook, "carried": exported["carried"],
            }  # fmt: skip
            _write_json(place / "model" / "metadata.json", metadata)
            if plan.engine == "onnx":
                self.report.problems += write_bundle(place, facts.folder)
            else:
                shutil.rmtree(place / "edge", ignore_errors=True)
        with self.progress.step("verify", "notebook, package, service and bundle on the same rows"):
            parity = worker.call(
                "verify", project=str(place), package=plan.package, folder=str(facts.folder), allowed_by=exported["tolerance"]
            )
        parity = {**parity, "tolerance": exported["tolerance"], "carried": exported["carried"]}
        self.report.parity, self.report.metrics = parity, metrics
        self.report.model = {"variable": plan.model_variable, "class": exported["class"], "task": exported["task"]}
        plan = replace(plan, facts=replace(plan.facts, parity=parity), problems=tuple(self.report.problems))
        self.plan = plan
        self._render(plan, place)
        _write_json(place / "model" / "parity.json", parity)
        if plan.engine == "onnx":
            write_bundle(place, facts.folder)  # checksums over what was rendered again
        self.progress.done("verify", f"{parity['rows']} rows, {self.report.mismatches} mismatches", parity=parity)
        if self.report.mismatches and not self.options.allow_mismatch:
            self.report.status, self.report.failed_step = "failed", "verify"
            self.report.seconds = self.progress.seconds
            self.report.error = "Package, service or bundle predict something else than the notebook (see parity)."
            self._finish(plan, place)
            raise ParityError(
                f"{self.report.error} Nothing was registered; the project in {self.folder} shows the rows. "
                "Register it all the same, which is recorded: in the sidebar's options, or with --allow-mismatch."
            )
        self.report.mismatch_allowed = bool(self.report.mismatches)
        return plan

    def _with_signature(self, plan: ProjectPlan, exported: dict[str, Any]) -> ProjectPlan:
        from jupyter_mlops.convert.serving import row_fields

        raw = Signature.from_dict(exported["raw"])
        if (problem := self.rules.problem([one.name for one in raw.inputs])) is not None:
            raise UsageError(f"{MONITORING} of {self.notebook.name}: {problem}")
        return replace(
            plan, raw=raw, model=Signature.from_dict(exported["model"]), output=raw.output, task=exported["task"],
            engine=exported["engine"], identity=exported["identity"], composed=exported["composed"], fields=tuple(row_fields(raw)),
            model_class=exported["class"],
            facts=Facts(
                metrics=exported["metrics"], tolerance=exported["tolerance"], engine_reason=exported["engine_reason"],
                data_dir=plan.facts.data_dir, data_files=plan.facts.data_files, state=tuple(exported["state"]),
                holdout=exported["holdout"] if exported["holdout"]["rows"] else None,
            ),
        )  # fmt: skip

    def _register(
        self, plan: ProjectPlan, facts: CaptureFacts, exported: dict[str, Any], parameters: Mapping[str, Any], place: Path
    ) -> None:
        from jupyter_mlops.workflows.registering import register_project

        with self.progress.step("register"):
            done = register_project(
                plan, self.report, facts, exported, parameters, place, self.notebook, explicit_uri=self.options.tracking_uri,
                default_folder=self.folder.absolute().parent,
            )  # fmt: skip
        self.uri = done.uri
        self.report.status, self.report.run_id, self.report.model_version = "registered", done.run_id, done.version
        metadata = json.loads((place / "model" / "metadata.json").read_text(encoding="utf-8"))
        _write_json(place / "model" / "metadata.json", {**metadata, "run_id": done.run_id, "model_version": done.version})
        self.progress.done("register", f"{done.name} version {done.version}", run_id=done.run_id, version=done.version)

    def _finish(self, plan: ProjectPlan, place: Path) -> ConvertResult:
        self.report.seconds = self.progress.seconds
        if (self.folder / FOLDER).is_dir():
            self.report.problems.append(
                Problem(
                    "pipelines-left-out",
                    "info",
                    f"The project before had {FOLDER}/ for other orchestrators; this one has none.",
                    fix="Run `jupyter mlops pipeline` again, so that it is of the new stages.",
                )  # fmt: skip
            )
        self.report.write(place / "report.json")
        kept = publish(place, self.folder)
        return ConvertResult(self.report, self.folder, plan, kept, self.uri)

    def _stop_on_errors(self, problems: Sequence[Problem]) -> None:
        if errors := [p for p in problems if p.severity == "error"]:
            self.report.problems = list(dict.fromkeys([*self.report.problems, *problems]))
            raise _Failed(_first_error(errors))


def _first_error(problems: Sequence[Problem]) -> str:
    errors = [p for p in problems if p.severity == "error"]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{errors[0]}{more}" if errors else "The notebook cannot be converted."


def _write_json(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _last_lines(text: str, count: int = 25) -> str:
    return "\n".join(text.strip().split("\n")[-count:])


def _local_modules(plan: ProjectPlan, folder: Path) -> list[Path]:
    """Modules beside the notebook that the package's code imports."""
    names = {
        line.split()[1].split(".")[0] for module in plan.modules.values() for line in module.imports if line.startswith(("import ", "from "))
    }  # fmt: skip
    return [path for name in sorted(names) if (path := folder / f"{name}.py").is_file()]


def _same_libraries(facts: CaptureFacts) -> None:
    """The fitted model crosses from the kernel's process to ours: both must have the same libraries."""
    from importlib.metadata import PackageNotFoundError, version

    for module, distribution in (("sklearn", "scikit-learn"), ("pandas", "pandas"), ("numpy", "numpy")):
        theirs = facts.versions.get(module)
        try:
            ours = version(distribution)
        except PackageNotFoundError:
            continue
        if theirs is not None and theirs != ours:
            raise ExportError(
                f"The notebook's kernel has {distribution} {theirs}, jupyter-mlops runs beside {ours}. "
                "Install jupyter-mlops into the kernel's environment and convert there."
            )
