"""What a gate is, what it looks at, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from jupyter_mlops.promotion.policy import Policy

__all__ = ["Champion", "Gate", "GateResult", "Predict", "Subject", "Tell"]

Tell = Callable[[str, float | None], None]
"""Says what a gate is doing, and how far it is (from 0 to 1, where that is known). Called without a message it only asks whether
to go on; what it raises, such as at a cancelled promotion, ends the gate."""
Predict = Callable[[Path, Sequence[Mapping[str, Any]], Tell], Mapping[str, Any]]


def _nobody(model: Path, rows: Sequence[Mapping[str, Any]], tell: Tell) -> Mapping[str, Any]:
    return {"error": "nobody here can ask a registered model", "log": None}


@dataclass(frozen=True)
class Champion:
    """The version in production, fetched when a gate asks for it.

    Attributes
    ----------
    project
        Gives its project, unpacked; raises `LookupError` with the reason where there is none (any more).
    registered
        Gives its folder as MLflow keeps it.
    """

    version: str
    project: Callable[[], Path]
    registered: Callable[[], Path]


@dataclass(frozen=True)
class Subject:
    """A model version as a gate sees it.

    Attributes
    ----------
    project
        The project it was made with, unpacked into a scratch folder.
    tags
        Of the version in the registry.
    python
        Interpreter of the environment in which things are run.
    compare
        Has the registered model predict the golden rows and compares that with the notebook's own predictions: a comparison as
        `jupyter_mlops.export.parity.Comparison` has it, with ``changed`` (files that are not those of the project), ``seconds``,
        ``tolerance``, or with ``error`` and ``log``.
    registered
        Gives the folder of the registered model.
    policy
        The project's `promotion.yaml`.
    champion
        None: no version is in production.
    predict
        Has a registered model (its folder) predict rows of requests: ``predictions``, ``probabilities`` (or None) in the order of
        ``classes``, and ``task``; or ``error`` and ``log``, with ``missing`` where it needs columns that the rows do not have.
    """

    model: str
    version: str
    project: Path
    tags: Mapping[str, str]
    python: str
    compare: Callable[[Tell], Mapping[str, Any]]
    registered: Callable[[], Path]
    policy: Policy = field(default_factory=Policy)
    champion: Champion | None = None
    predict: Predict = _nobody


@dataclass(frozen=True)
class GateResult:
    """A verdict, the figures behind it, and the end of what was printed.

    Attributes
    ----------
    ask
        Of an inconclusive one: whoever approves decides about it. Without an approval the promotion ends here all the same.
    """

    status: Literal["passed", "failed", "inconclusive"]
    message: str
    figures: Mapping[str, float | int | str | bool | None] = field(default_factory=dict)
    log: str | None = None
    ask: bool = False


class Gate(Protocol):
    """One question that a version has to answer well."""

    @property
    def name(self) -> str:
        """Of its step."""

    @property
    def title(self) -> str:
        """As people read it."""

    def run(self, subject: Subject, tell: Tell) -> GateResult:
        """Look at the version and judge."""
