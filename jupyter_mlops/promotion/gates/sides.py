"""What challenger and champion answered to the holdout, as arrays that one score judges alike."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.promotion.holdout import Holdout, listed
from jupyter_mlops.promotion.verdicts.scores import KINDS, called

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Answers", "Sides", "Undecided", "Wrong", "choose_score", "sides_of"]


class _Said(Exception):
    """A message, and what was printed where something was run."""

    def __init__(self, message: str, log: str | None = None) -> None:
        super().__init__(message)
        self.log = log


class Undecided(_Said):
    """It cannot be judged; the message says why."""


class Wrong(_Said):
    """Something that has to be mended first; the message says what."""


@dataclass(frozen=True)
class Answers:
    """What a model answered: one prediction a row and, for classifiers, a probability for each of its classes."""

    predictions: Sequence[Any]
    probabilities: Sequence[Sequence[float]] | None
    classes: Sequence[Any] | None
    task: str

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Answers:
        """From what `Subject.predict` gives."""
        return cls(found["predictions"], found["probabilities"], found["classes"], found["task"])


@dataclass(frozen=True)
class Sides:
    """Arrays for a `scorer`: truth, and the answers of both.

    Attributes
    ----------
    champion
        Of the one in production, else of the baseline.
    against
        What the champion's side is called in a message.
    """

    truth: NDArray[Any]
    challenger: NDArray[Any]
    champion: NDArray[Any]
    against: str
    classes: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)


def choose_score(wanted: str, holdout: Holdout, project: Path, both: Sequence[Answers]) -> tuple[str, str]:
    """The score, and what has to be said about the choice.

    Parameters
    ----------
    wanted
        Of the policy; ``auto``: the first one that the notebook measures on the holdout, or at all.
    both
        Challenger, and champion if there is one.

    Raises
    ------
    Wrong
        The policy asks for one that does not measure such a model.
    """
    task = both[0].task
    default = "rmse" if task == "regression" else "accuracy"
    lacking = _without_probabilities(holdout, both)
    if wanted != "auto":
        if (KINDS[wanted].needs == "numbers") != (task == "regression"):
            fitting = [name for name, kind in KINDS.items() if (kind.needs == "numbers") == (task == "regression")]
            raise Wrong(
                f"promotion.yaml asks for the score {wanted}, which does not measure a {task}. Choose one of {', '.join(fitting)}."
            )
        if KINDS[wanted].needs == "probabilities" and lacking:
            return default, f"{default} instead of {wanted}: {lacking}"
        return wanted, ""
    measured = [str(one["name"]) for one in holdout.measures] + _metrics(project)
    for name in measured:
        score = called(name, task)
        if score is None:
            continue
        if KINDS[score].needs == "probabilities" and lacking:
            return default, f"{default} instead of {score}: {lacking}"
        return score, ""
    return default, ""


def _metrics(project: Path) -> list[str]:
    """Names of the notebook's metrics."""
    try:
        return list(json.loads((project / "model" / "metadata.json").read_text(encoding="utf-8"))["metrics"])
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _without_probabilities(holdout: Holdout, both: Sequence[Answers]) -> str:
    """Why probabilities cannot be compared; "" where they can."""
    for answers, who in zip(both, ("this version", "the one in production"), strict=False):
        if answers.probabilities is None or not answers.classes:
            return f"{who} gives no probabilities"
    known = set(both[0].classes or ())
    unknown = sum(label not in known for label in holdout.labels)
    return f"{unknown:,} labels are no class of this version" if unknown else ""


def sides_of(score: str, holdout: Holdout, own: Answers, other: Answers | None, champion: str) -> Sides:
    """Both sides, for one score.

    Parameters
    ----------
    other
        None: no version is in production, and a baseline takes its place.
    champion
        What it is called.

    Raises
    ------
    Undecided
        The two answer different things.
    Wrong
        The challenger does not answer as its own signature says.
    """
    if other is not None and other.task != own.task:
        raise Undecided(f"{champion} makes a {other.task}, this version a {own.task}: they cannot be compared.")
    if KINDS[score].needs == "numbers":
        return _numbers(score, holdout, own, other, champion)
    names = list(own.classes or dict.fromkeys([*holdout.labels, *own.predictions]))
    if other is not None and other.classes and not set(other.classes) & set(names):
        answered = listed([repr(one) for one in other.classes])
        raise Undecided(
            f"{champion} answers other classes ({answered}) than this version ({listed([repr(one) for one in names])})."
        )
    known = len(names)
    codes = {name: code for code, name in enumerate(names)}
    for label in (*holdout.labels, *own.predictions, *(other.predictions if other is not None else ())):
        codes.setdefault(label, len(codes))
    return _classes(score, holdout, own, other, champion, codes, known)


def _numbers(score: str, holdout: Holdout, own: Answers, other: Answers | None, champion: str) -> Sides:
    import numpy as np

    truth, mine = (np.array(values, dtype=float) for values in (holdout.labels, own.predictions))
    if not np.isfinite(mine).all():
        raise Wrong(f"This version answers {int((~np.isfinite(mine)).sum()):,} rows of the holdout with no number.")
    if other is not None:
        theirs = np.array(other.predictions, dtype=float)
        if not np.isfinite(theirs).all():
            raise Undecided(f"{champion} answers {int((~np.isfinite(theirs)).sum()):,} rows of the holdout with no number.")
        return Sides(truth, mine, theirs, champion)
    middle, what = (np.median(truth), "the median") if score in ("mae", "mape") else (truth.mean(), "the mean")
    return Sides(truth, mine, np.full(len(truth), middle), f"always answering {what}")


def _classes(
    score: str, holdout: Holdout, own: Answers, other: Answers | None, champion: str, codes: Mapping[Any, int], known: int
) -> Sides:
    import numpy as np

    truth, mine = (np.array([codes[one] for one in values]) for values in (holdout.labels, own.predictions))
    counts = np.bincount(truth, minlength=known)
    against = champion
    if KINDS[score].needs == "labels":
        if other is not None:
            theirs = np.array([codes[one] for one in other.predictions])
        else:
            usual = int(counts.argmax())
            theirs = np.full(len(truth), usual)
            against = (
                f"always answering {next(name for name, code in codes.items() if code == usual)!r:.60}, the most frequent class"
            )
    else:
        mine = np.array(own.probabilities, dtype=float)
        if not np.isfinite(mine).all():
            raise Wrong(
                f"This version answers {int((~np.isfinite(mine)).any(axis=1).sum()):,} rows with probabilities that are no numbers."
            )
        if other is not None:
            theirs = np.zeros_like(mine)
            given = np.array(other.probabilities, dtype=float)
            if not np.isfinite(given).all():
                raise Undecided(
                    f"{champion} answers {int((~np.isfinite(given)).any(axis=1).sum()):,} rows with probabilities that are no numbers."
                )
            for at, name in enumerate(other.classes or ()):
                if codes.get(name, known) < known:
                    theirs[:, codes[name]] = given[:, at]
        else:
            theirs = np.tile(counts[:known] / len(truth), (len(truth), 1))
            against = "always answering the shares of the classes"
    options = next((one for one in holdout.measures if called(str(one["name"]), own.task) == score), {})
    given_options = {key: options[key] for key in ("average", "multi_class") if options.get(key) is not None}
    if codes.get(options.get("pos_label"), known) < known:
        given_options["positive"] = codes[options["pos_label"]]
    if given_options.get("average") == "binary" and known != 2:
        del given_options["average"]
    return Sides(truth, mine, theirs, against, known, given_options)
