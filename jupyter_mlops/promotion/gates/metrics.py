"""Is the version better than the one in production, or not worse, on the same rows?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.errors import TrackingError
from jupyter_mlops.promotion.gates.kinds import Champion, GateResult, Subject, Tell
from jupyter_mlops.promotion.gates.sides import Answers, Sides, Undecided, Wrong, choose_score, sides_of
from jupyter_mlops.promotion.holdout import (
    Holdout,
    NoHoldout,
    label_problems,
    listed,
    read_holdout,
    read_signature,
    row_problems,
)
from jupyter_mlops.promotion.rules import MetricsRule
from jupyter_mlops.promotion.verdicts.paired import Interval, Rule, judge, paired_bootstrap
from jupyter_mlops.promotion.verdicts.scores import KINDS, fast, scorer

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Metrics"]

_TOLD = 200  # scorings between two looks whether to go on
_ADVICE = "Improve the model, or change what `metrics` asks for in promotion.yaml beside the notebook, and convert again."

Figures = dict[str, float | int | str | bool | None]


@dataclass(frozen=True)
class Metrics:
    """Challenger and champion on the challenger's holdout; a first version against a baseline.

    Attributes
    ----------
    resamples
        Of the bootstrap; half as many where a score takes probabilities, which takes milliseconds each time.
    """

    resamples: int = 2000
    name: str = "metrics"
    title: str = "Better than production"

    def run(self, subject: Subject, tell: Tell) -> GateResult:
        """Ask both about the same rows, and judge the interval of the difference."""
        rule = subject.policy.metrics
        figures: Figures = {}
        try:
            return _judged(subject, rule, figures, self.resamples, tell)
        except Undecided as error:
            return GateResult("inconclusive", str(error), figures, error.log, ask=rule.inconclusive == "ask")
        except Wrong as error:
            return GateResult("failed", str(error), figures, error.log)


def _judged(subject: Subject, rule: MetricsRule, figures: Figures, resamples: int, tell: Tell) -> GateResult:
    holdout = _holdout(subject, rule)
    figures |= {"rows": len(holdout.rows)}
    tell(f"version {subject.version} predicts {len(holdout.rows):,} rows", None)
    found = subject.predict(subject.registered(), holdout.rows, tell)
    if found.get("error"):
        raise Wrong(f"The registered model does not answer its own holdout: {found['error']}", found.get("log"))
    own, other, champion = Answers.of(found), None, subject.champion
    if champion is not None:
        figures["championVersion"] = champion.version
        other = _champion_answers(subject, champion, holdout, tell)
    called = f"champion (version {champion.version})" if champion is not None else ""
    score, note = choose_score(rule.score, holdout, subject.project, [own] if other is None else [own, other])
    sides = sides_of(score, holdout, own, other, called)
    if len(set(holdout.labels)) < 2:
        raise Undecided(f"All labels of the holdout are {holdout.labels[0]!r:.60}, so no model can be better than another on it.")
    asked: Rule = "not worse" if rule.rule == "not worse" and other is not None else "better"
    tell(f"comparing by {score}", None)
    comparison = _Comparison(score, sides, rule.confidence, resamples, tell)
    whole = comparison.interval()
    margin = rule.margin * abs(whole.champion) if KINDS[score].error else rule.margin
    status = judge(whole, asked, margin)
    figures |= comparison.figures(whole) | {"rule": asked, "against": sides.against}
    if asked == "not worse":
        figures["margin"] = round(margin, 6)
    message = comparison.sentence(whole) + "; " + _words(status, asked, rule, score)
    if other is None:
        message += f" (no version of {subject.model} is in production, so a baseline takes the champion's place)"
    message += f"; {note}" if note else ""
    if rule.segments and other is not None:
        worse, said = _segments(comparison, holdout, rule, figures)
        message += said
        status = "failed" if worse else status
    if status == "passed" and not holdout.is_held_out:
        # A model knows the rows that it was trained on, and a champion that was not trained on them does not.
        status = "inconclusive"
        message += f"; but the notebook evaluates on {holdout.evaluated_on}, so this is no proof: keep rows out of the training"
    if status == "failed":
        message += f". {_ADVICE}"
    return GateResult(status, message, figures, ask=status == "inconclusive" and rule.inconclusive == "ask")


def _holdout(subject: Subject, rule: MetricsRule) -> Holdout:
    try:
        holdout = read_holdout(subject.project)
    except NoHoldout as error:
        raise Undecided(str(error)) from None
    except ValueError as error:
        raise Wrong(f"The holdout of the project cannot be used: {error}. Convert the notebook again.") from None
    wrong = row_problems(holdout.rows, holdout.signature.inputs) + label_problems(holdout)
    if wrong or not holdout.rows:
        raise Wrong(f"The holdout cannot be used: {listed(wrong or ['it has no rows'], sign='; ')}. Convert the notebook again.")
    columns = [column.name for column in holdout.signature.inputs]
    if strange := [name for name in rule.segments if name not in columns]:
        raise Wrong(
            f"promotion.yaml asks for segments of {listed(strange)}, and the model's rows have no such column "
            f"(there are {listed(columns, 12)}). Mend that beside the notebook and convert again."
        )
    return holdout


def _champion_answers(subject: Subject, champion: Champion, holdout: Holdout, tell: Tell) -> Answers:
    """What the version in production says; the holdout is the challenger's, so it may not fit."""
    who = f"Version {champion.version}, which is in production,"
    tell(f"version {champion.version} predicts {len(holdout.rows):,} rows", None)
    try:
        folder = champion.registered()
    except (LookupError, TrackingError) as error:
        raise Undecided(f"{who} cannot be fetched, so there is nothing to compare with: {error}") from None
    found = subject.predict(folder, holdout.rows, tell)
    if found.get("missing"):
        raise Undecided(f"{who} needs columns that the holdout of this version does not have: {listed(found['missing'], 8)}.")
    if found.get("error"):
        reason = f"{who} does not answer the holdout of this version{_refused(folder, holdout)}. {found['error']}"
        raise Undecided(reason, found.get("log"))
    return Answers.of(found)


def _refused(folder: Path, holdout: Holdout) -> str:
    """What the champion's own signature says against the rows."""
    try:
        columns = read_signature(folder / "artifacts" / "model").inputs
    except ValueError:
        return ""
    known = {column.name for column in columns}
    rows = [{name: value for name, value in row.items() if name in known} for row in holdout.rows]
    found = row_problems(rows, columns)
    return f": {listed(found, sign='; ')}" if found else ""


@dataclass
class _Comparison:
    """Both sides by one score."""

    score: str
    sides: Sides
    confidence: float
    resamples: int
    tell: Tell
    made: int = 0

    def __post_init__(self) -> None:
        self.function = scorer(self.score, self.sides.classes, self.sides.options)

    def _scored(self, truth: NDArray[Any], answers: NDArray[Any]) -> float:
        self.made += 1
        if self.made % _TOLD == 0:
            self.tell("", None)
        return self.function(truth, answers)

    def interval(self, rows: Any = slice(None)) -> Interval:
        """Of all rows, or of some.

        Raises
        ------
        Undecided
            The score cannot be computed.
        """
        truth, champion, challenger = (side[rows] for side in (self.sides.truth, self.sides.champion, self.sides.challenger))
        with fast():
            try:
                resamples = self.resamples // (2 if KINDS[self.score].needs == "probabilities" else 1)
                return paired_bootstrap(
                    truth, champion, challenger, self._scored, confidence=self.confidence, resamples=resamples
                )
            except ValueError as error:
                raise Undecided(f"{self.score} cannot be computed on these rows: {error}.") from None

    def difference(self, rows: Any) -> tuple[float, float]:
        """How much better the challenger is on some rows, and the champion's score there; not a number where it has none."""
        truth, champion, challenger = (side[rows] for side in (self.sides.truth, self.sides.champion, self.sides.challenger))
        with fast():
            try:
                before = self.function(truth, champion)
                return self.function(truth, challenger) - before, before
            except ValueError:
                return float("nan"), float("nan")

    def shown(self, found: Interval) -> tuple[float, float, float, float, float]:
        """Challenger, champion, difference, low and high in the score's own unit."""
        if KINDS[self.score].error:
            return -found.challenger, -found.champion, -found.difference, -found.high, -found.low
        return found.challenger, found.champion, found.difference, found.low, found.high

    def figures(self, found: Interval) -> Figures:
        """For the step's result."""
        names = ("challenger", "champion", "difference", "low", "high")
        numbers = {name: round(value, 6) for name, value in zip(names, self.shown(found), strict=True)}
        return {"score": self.score, **numbers, "confidence": self.confidence, "lessIsBetter": KINDS[self.score].error}

    def sentence(self, found: Interval) -> str:
        """The numbers, as people read them."""
        challenger, champion, difference, low, high = self.shown(found)
        less = ", less is better" if KINDS[self.score].error else ""
        return (
            f"{self.score} {_number(challenger)}, {self.sides.against} {_number(champion)}: {_number(difference, '+')}, "
            f"{100 * self.confidence:g}% interval {_number(low, '+')} to {_number(high, '+')} on {found.rows:,} rows{less}"
        )


def _segments(comparison: _Comparison, holdout: Holdout, rule: MetricsRule, figures: Figures) -> tuple[list[str], str]:
    """Values of columns in which the challenger is worse, and what a message says about them."""
    import numpy as np

    worse, judged, small, odd = [], 0, 0, 0
    for column in rule.segments:
        values = [row.get(column) for row in holdout.rows]
        for value in dict.fromkeys(values):
            at = np.array([one == value for one in values])
            if at.sum() < rule.segment_rows:
                small += 1
                continue
            difference, champion = comparison.difference(at)
            if not np.isfinite(difference):
                odd += 1
                continue
            judged += 1
            margin = rule.segment_margin * abs(champion) if KINDS[comparison.score].error else rule.segment_margin
            if difference >= -margin:
                continue  # its interval reaches above the line, so it need not be computed
            found = comparison.interval(at)
            if judge(found, "not worse", margin) == "failed":
                name = "missing" if value is None else str(value)[:40]
                worse.append(f"{column} {name} ({comparison.sentence(found)})")
    figures |= {"segments": judged, "segmentsWorse": len(worse), "segmentsTooSmall": small}
    said = f"; {judged} segments of {', '.join(rule.segments)} judged"
    said += f", {small} with fewer than {rule.segment_rows} rows not" if small else ""
    said += f", {odd} not, for they have one class only" if odd else ""
    allowed = f"{rule.segment_margin:g}" if not KINDS[comparison.score].error else f"{100 * rule.segment_margin:g}%"
    said += f"; worse by more than {allowed} in {listed(worse, 3, '; ')}" if worse else ""
    return worse, said


def _words(status: str, asked: Rule, rule: MetricsRule, score: str) -> str:
    """The verdict, as a sentence goes on."""
    if asked == "better":
        return {"passed": "better", "failed": "not better"}.get(status, "more rows would tell whether it is better")
    by = f"{100 * rule.margin:g}% of it" if KINDS[score].error else f"{rule.margin:g}"
    words = {"passed": f"not worse by {by}", "failed": f"worse by more than {by}"}
    return words.get(status, f"more rows would tell whether it is worse by {by}")


def _number(value: float, sign: str = "") -> str:
    if abs(value) >= 1000:
        return f"{value:{sign},.0f}"
    return f"{value:{sign}.3g}" if sign else f"{value:.4g}"
