"""Which metrics a re-run of a notebook gives, and whether more of one is better."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_mlops.convert.metrics import bound_metrics, is_metric_call, metric_name
from jupyter_mlops.notebook.cells import Stage
from jupyter_mlops.tracking.directions import lower_is_better

if TYPE_CHECKING:
    from jupyter_mlops.notebook.dataflow import Analysis

__all__ = ["MetricSources", "direction", "first_ranked", "metric_sources"]

_MORE = frozenset(
    """
    accuracy acc auc auroc auprc ap map precision recall sensitivity specificity f fbeta r score kappa mcc corr corrcoef correlation
    jaccard iou dice ndcg mrr silhouette gini bleu rouge likelihood
    """.split()
)
# They are measured of every run, and seldom what a sweep is about.
_ASIDE = frozenset("duration latency time seconds minutes elapsed runtime memory mib gib mb gb bytes kb size".split())


@dataclass(frozen=True)
class MetricSources:
    """Where metrics come from.

    Parameters
    ----------
    names
        Variables that hold one at the end of the notebook, the measured ones first.
    shown
        Cells whose last line shows a metric without binding it: cell number, and the metric's name.
    tracked
        Whether cells record runs of their own (``%%track``), whose metrics belong to the re-run too.
    """

    names: tuple[str, ...]
    shown: tuple[tuple[int, str], ...]
    tracked: bool

    @property
    def known(self) -> tuple[str, ...]:
        """All names that can be told without running."""
        return tuple(dict.fromkeys([*self.names, *(name for _, name in self.shown)]))


def metric_sources(analysis: Analysis) -> MetricSources:
    """Find the metrics of a notebook in its code.

    A variable is one when it is bound to a call that measures (``roc_auc_score(...)``), to something computed of such
    a variable, or, in a cell tagged `evaluate`, to anything but a literal; whether it holds a number shows in the run.
    """
    measured: dict[str, None] = {}
    computed: dict[str, None] = {}
    shown: list[tuple[int, str]] = []
    last = {statement.cell: statement for statement in analysis.statements}
    for statement in analysis.statements:
        if statement.stage is Stage.PARAMETERS:
            continue
        for name in bound_metrics(statement, frozenset(measured), None):
            measured.setdefault(name)
        node = statement.node
        if statement.stage is Stage.EVALUATE and isinstance(node, (ast.Assign, ast.AnnAssign)):
            if node.value is not None and not isinstance(node.value, ast.Constant):
                for name in sorted(statement.binds):
                    computed.setdefault(name)
        if last[statement.cell] is statement and isinstance(node, ast.Expr) and is_metric_call(node.value):
            assert isinstance(node.value, ast.Call)
            shown.append((statement.cell, metric_name(node.value)))
    names = [name for name in dict.fromkeys([*measured, *computed]) if not name.startswith("_")]
    tracked = any(magic.name == "track" for cell in analysis.notebook.code_cells for magic in cell.magics)
    return MetricSources(tuple(names), tuple(pair for pair in shown if pair[1] not in names), tracked)


def direction(name: str) -> bool | None:
    """True where more of the metric is better, False where less is, None where its name does not say.

    >>> direction("valid_auc"), direction("rmse"), direction("neg_log_loss"), direction("rows")
    (True, False, True, None)
    """
    if lower_is_better(name):
        return False
    words = _words(name)
    return True if words & _MORE or words & {"neg", "negative"} else None


def first_ranked(names: Iterable[str]) -> str | None:
    """The first metric whose direction is known; times and sizes come last."""
    found = [name for name in names if direction(name) is not None]
    return next((name for name in found if not _words(name) & _ASIDE), found[0] if found else None)


def _words(name: str) -> set[str]:
    return {word.rstrip("0123456789") for word in re.findall(r"[A-Z]?[a-z]+\d*|[A-Z]+\d*", name) for word in [word.lower()]}
