"""The magics as IPython knows them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand

from jupyter_mlops.errors import MlopsError
from jupyter_mlops.magics.arguments import (
    HelpShown,
    parse,
    runs_parser,
    sweep_parser,
    track_line_parser,
    track_parser,
    validate_parser,
)
from jupyter_mlops.magics.tracking import Tracking

__all__ = ["MlopsMagics"]


@magics_class
class MlopsMagics(Magics):
    """Magics of jupyter-mlops."""

    shell: Any

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self.tracking = Tracking(shell)

    @no_var_expand
    @line_magic
    def _track(self, line: str) -> None:
        """Begin the run of a tracked cell; it stands where ``%%track`` stood."""
        self.tracking.begin(line)

    @no_var_expand
    @line_cell_magic
    def track(self, line: str, cell: str | None = None) -> None:
        """Run the cell as an MLflow run (``%%track -h``); as a line: show or set the defaults (``%track -h``)."""
        try:
            if cell is not None:
                parse(track_parser(), line)
                self.shell.run_cell(f"%%track {line}\n{cell}")
                return
            given = parse(track_line_parser(), line)
        except HelpShown:
            return
        session = self.tracking.session
        if given.reset:
            session.leave_uri()
            session.experiment, session.tags, session.autolog = None, {}, True
        session.experiment = given.experiment or session.experiment
        if given.uri:
            session.use_uri(given.uri, self._notebook())
        session.tags = {k: v for k, v in {**session.tags, **dict(given.tag)}.items() if v}
        session.autolog = session.autolog if given.autolog is None else given.autolog
        from jupyter_mlops.widgets.card import show_settings

        show_settings(self.shell, session, self._notebook())

    @no_var_expand
    @line_magic
    def runs(self, line: str) -> None:
        """Recent runs of this notebook's experiment, or two of them side by side (``%runs -h``)."""
        try:
            given = parse(runs_parser(), line)
        except HelpShown:
            return
        if len(given.runs) not in (0, 2):
            raise UsageError("%runs: give two runs to compare, or none for the table.")
        from IPython.display import display

        from jupyter_mlops.widgets.runs_table import ComparisonView, RunsView
        from jupyter_mlops.workflows.runs import compare_runs, list_runs
        from jupyter_mlops.workflows.track import TrackOptions

        session, notebook = self.tracking.session, self._notebook()
        uri = session.resolved_uri(notebook)
        experiment = session.resolved_experiment(TrackOptions(experiment=given.experiment), notebook)
        try:
            if given.runs:
                view: Any = ComparisonView(compare_runs(uri, *given.runs, experiment=experiment))
            else:
                view = RunsView(list_runs(uri, experiment, limit=given.n, filter_string=given.filter, sort=given.sort))
        except MlopsError as error:
            raise UsageError(str(error)) from None
        if given.text:
            print(view._repr_mimebundle_()["text/plain"])
        else:
            display(view)

    @no_var_expand
    @line_cell_magic
    def validate(self, line: str, cell: str | None = None) -> None:
        """Check a table with the expectations of the cell's body, or of its suite's file (``%%validate -h``)."""
        try:
            given = parse(validate_parser(), line)
        except HelpShown:
            return
        from IPython.display import display

        from jupyter_mlops.workflows.validate import validate_cell

        namespace = self.shell.user_ns
        if given.frame not in namespace:
            raise UsageError(f"%%validate: there is no variable {given.frame!r} in the notebook yet. Run the cell that makes it.")
        notebook = self._notebook()
        try:
            found = validate_cell(
                cell or "", namespace[given.frame], frame_name=given.frame, namespace=namespace, suite=given.suite, infer=given.infer,
                warn=given.warn, folder=notebook.parent if notebook is not None else Path.cwd(),
            )  # fmt: skip
        except MlopsError as error:
            raise UsageError(str(error)) from None
        display({"text/html": found.html(), "text/plain": found.text()}, raw=True)
        self.tracking.note_validation(found)
        if not given.warn:
            found.raise_if_critical()

    @no_var_expand
    @line_magic
    def sweep(self, line: str) -> Any:
        """Run a notebook for many combinations of parameters, with live progress (``%sweep -h``)."""
        try:
            given = parse(sweep_parser(), line)
        except HelpShown:
            return None
        if self.tracking.is_off:
            return None
        from jupyter_mlops.widgets.sweep import sweep_live

        notebook = Path(given.notebook) if given.notebook else self._notebook()
        if notebook is None:
            raise UsageError("%sweep: which notebook this is, is not known here. Give its path: %sweep train.ipynb -p C 0.1,1")
        options = {name: value for name, value in vars(given).items() if name not in ("notebook", "grid") and value is not None}
        try:
            return sweep_live(notebook, given.grid, **options)
        except MlopsError as error:
            raise UsageError(str(error)) from None

    def _notebook(self) -> Path | None:
        from jupyter_mlops.workflows.surroundings import find_notebook

        return find_notebook(self.shell.user_ns)
