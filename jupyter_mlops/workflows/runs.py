"""Listing the runs of an experiment, and putting two of them side by side."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from pathlib import Path

from jupyter_mlops.errors import UsageError
from jupyter_mlops.tracking.directions import lower_is_better
from jupyter_mlops.tracking.listing import RunRow, best_runs, experiment_names, find_run, latest_runs, waiting_runs
from jupyter_mlops.tracking.listing_artifacts import read_artifacts
from jupyter_mlops.tracking.store import check_reachable, shown
from jupyter_mlops.workflows.comparison import Comparison, compare
from jupyter_mlops.workflows.runs_table import RunsTable, table

__all__ = ["chosen_experiment", "compare_runs", "experiment_notes", "list_runs"]


def chosen_experiment(uri: str, explicit: str | None, notebook: Path | None, *, needed: bool = True) -> str | None:
    """The experiment's name: the given one, the notebook's, MLflow's own setting, or the only one that there is.

    Raises
    ------
    UsageError
        The notebook is none, or one is `needed` and there are several to choose from.
    """
    if notebook is not None and notebook.suffix != ".ipynb":
        raise UsageError(f"{notebook} is no notebook (.ipynb). An experiment is named with --experiment.")
    chosen = explicit or (notebook.stem if notebook is not None else os.environ.get("MLFLOW_EXPERIMENT_NAME"))
    if chosen or not needed:
        return chosen
    check_reachable(uri)
    names = [one for one in experiment_names(uri) if one != "Default"]
    if len(names) == 1:
        return names[0]
    there = f"There are: {', '.join(names[:20])}." if names else f"There is none yet at {shown(uri)}."
    raise UsageError(f"Which experiment? Name it with --experiment, or give the notebook. {there}")


def list_runs(
    uri: str, experiment: str, *, limit: int = 100, sort: str | None = None, maximize: bool | None = None, filter_string: str = "",
    kinds: Sequence[str] = (),
) -> RunsTable:  # fmt: skip
    """The newest runs of an experiment, or the best ones by a metric.

    Parameters
    ----------
    limit
        How many runs at most.
    sort
        A metric: the best runs of the whole experiment come first, then those without a number for it, the newest first.
    maximize
        Whether higher is better; by default, the metric's name says.
    filter_string
        In MLflow's language: ``metrics.auc > 0.8 and params.model = 'tree'``.
    kinds
        Only runs of these kinds: cell, rerun, sweep.

    Raises
    ------
    UsageError
        The filter cannot be read, or no run has the metric.
    TrackingError
        The store does not answer.
    """
    if limit < 1:
        raise UsageError(f"The number of runs has to be at least 1, not {limit}.")
    check_reachable(uri)
    rows: list[RunRow] = []
    if sort is not None:
        higher = not lower_is_better(sort) if maximize is None else maximize
        rows = best_runs(uri, experiment, sort, maximize=higher, limit=limit, filter_string=filter_string, kinds=kinds)
    if len(rows) < limit:
        known = {row.run_id for row in rows}
        newest = latest_runs(uri, experiment, limit=limit, filter_string=filter_string, kinds=kinds)
        if sort is not None and newest and not rows:
            raise UsageError(_no_metric(sort, newest))
        rows += [row for row in newest if row.run_id not in known][: limit - len(rows)]
    notes = experiment_notes(uri, experiment, empty=not rows, filtered=bool(filter_string or kinds))
    return table(uri, experiment, rows, sort=sort, notes=notes)


def compare_runs(uri: str, a: str, b: str, *, experiment: str | None = None) -> Comparison:
    """Put two runs side by side: parameters, metrics, code, data, git and environment.

    Parameters
    ----------
    a, b
        Ids, beginnings of ids, or names (of which the newest run is taken).
    experiment
        Where names are looked for first.

    Raises
    ------
    UsageError
        A run does not exist, a beginning is not unique, or both are the same run.
    TrackingError
        The store does not answer.
    """
    check_reachable(uri)
    first, second = (find_run(uri, one, experiment=experiment) for one in (a, b))
    if first.run_id == second.run_id:
        raise UsageError(f"{a!r} and {b!r} are the same run, {first.run_id}. Name two runs.")
    return compare(uri, first, second, read_artifacts(uri, first.run_id), read_artifacts(uri, second.run_id))


def _no_metric(sort: str, rows: Sequence[RunRow]) -> str:
    names = sorted({name for row in rows for name in row.metrics})
    if not names:
        return f"No run here has a metric, so they cannot be sorted by {sort!r}."
    close = difflib.get_close_matches(sort, names, 1)
    return f"No run here has the metric {sort!r}." + (
        f" Did you mean {close[0]!r}?" if close else f" There are: {', '.join(names[:20])}."
    )


def experiment_notes(uri: str, experiment: str, *, empty: bool, filtered: bool) -> list[str]:
    """What there is to know besides the runs: that there is no such experiment, that runs wait on disk.

    Parameters
    ----------
    empty
        No run is shown.
    filtered
        Only some of the runs were asked for.
    """
    notes = []
    if empty:
        names = experiment_names(uri)
        if experiment not in names:
            close = difflib.get_close_matches(experiment, names, 1)
            there = f" Did you mean {close[0]!r}?" if close else f" There are: {', '.join(names[:10])}." if names else ""
            notes.append(f"There is no experiment {experiment!r} yet.{there}")
        elif filtered:
            notes.append("The filter leaves none.")
    waiting = waiting_runs(uri, experiment)
    if waiting:
        what = "run waits" if waiting == 1 else "runs wait"
        notes.append(f"{waiting} {what} on disk for {shown(uri)}; `jupyter mlops sync` delivers.")
    return notes
