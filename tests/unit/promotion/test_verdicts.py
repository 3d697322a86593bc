"""Verdicts: how often they are right where the truth is known, and each rule of the canary on its own."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from benchmarks.canary import CASES, promote
from jupyter_mlops.promotion.verdicts.canary import Answers, Canary, Limits, Step, Window
from jupyter_mlops.promotion.verdicts.error_rate import RATIOS, Counts, ErrorRate
from jupyter_mlops.promotion.verdicts.histograms import psi, quantile, shift_p_value
from jupyter_mlops.promotion.verdicts.paired import Interval, judge, paired_bootstrap

LIMITS = Limits()
STEP = Step(0.5, seconds=10, requests=100)


# -- the e-process ------------------------------------------------------------------------------------------------------


def test_evidence_is_the_weighted_likelihood_ratio_of_two_windows() -> None:
    found = ErrorRate().after(Counts(900, 9), Counts(100, 4)).after(Counts(500, 5), Counts(500, 9)).evidence
    expected = 0.0
    for ratio in RATIOS:
        one, two = ratio * 0.1 / (ratio * 0.1 + 0.9), ratio * 0.5 / (ratio * 0.5 + 0.5)
        product = binom.pmf(4, 13, one) / binom.pmf(4, 13, 0.1) * binom.pmf(9, 14, two) / binom.pmf(9, 14, 0.5)
        expected += ratio * product / sum(RATIOS)
    assert found == pytest.approx(expected, rel=1e-12)


def test_a_window_in_which_one_was_not_asked_says_nothing() -> None:
    known = ErrorRate().after(Counts(900, 9), Counts(100, 4))
    assert known.after(Counts(), Counts(100, 100)) == known.after(Counts(100, 100), Counts()) == known
    assert known.after(Counts(50, 0), Counts(50, 0)) == known


def test_much_evidence_is_still_a_number() -> None:
    known = ErrorRate()
    for _ in range(1000):
        known = known.after(Counts(1000, 0), Counts(1000, 1000))
    assert known.evidence > 1e300


def test_counts_make_sense() -> None:
    with pytest.raises(ValueError, match="5 errors in 4 requests"):
        Counts(4, 5)


# -- in simulated promotions --------------------------------------------------------------------------------------------


def _share_aborted(case: str, runs: int, within: float = float("inf")) -> float:
    ended = [promote(*CASES[case], np.random.default_rng(seed)) for seed in range(runs)]
    return sum(how == "abort" and seconds <= within for how, seconds, _ in ended) / runs


def test_a_good_canary_is_hardly_ever_aborted() -> None:
    assert _share_aborted("as good", 200) < 0.03


def test_a_bad_canary_is_found_in_time() -> None:
    assert _share_aborted("5% errors, at 10% of the traffic", 200, within=60) >= 0.9
    assert _share_aborted("5% errors, at 25% of the traffic", 200, within=60) >= 0.95


@pytest.mark.parametrize(
    ("case", "why"),
    [("5% errors", "fails more often"), ("twice as slow", "times the stable version's p95"), ("other predictions", "PSI")],
)
def test_it_says_what_is_bad(case: str, why: str) -> None:
    for seed in range(10):
        how, _, reason = promote(*CASES[case], np.random.default_rng(seed))
        assert how == "abort" and why in reason


# -- each rule ----------------------------------------------------------------------------------------------------------


def _window(stable: dict[str, Any] | None = None, canary: dict[str, Any] | None = None, seconds: float = 2.0) -> Window:
    made = [
        Answers(Counts(one.pop("requests", 200), one.pop("errors", 0)), **one) for one in (dict(stable or {}), dict(canary or {}))
    ]
    return Window(seconds, *made)


def test_it_goes_on_after_both_time_and_requests() -> None:
    known = Canary()
    said = []
    for window in (_window(seconds=1, canary={"requests": 60}), _window(seconds=1, canary={"requests": 60}), _window(seconds=8)):
        known = known.after(window, LIMITS)
        said.append((known.verdict(STEP, LIMITS).action, known.verdict(STEP, LIMITS).reason))
    assert said == [("hold", "60 of 100 requests"), ("hold", "2 of 10 s"), ("go", "320 requests in 10 s")]
    assert known.next_step().verdict(STEP, LIMITS).reason == "0 of 100 requests"


def test_no_traffic_holds_for_ever() -> None:
    known = Canary()
    for _ in range(1000):
        known = known.after(_window(canary={"requests": 0}), LIMITS)
    assert known.verdict(STEP, LIMITS).action == "hold"


def test_a_dead_canary_is_aborted_at_once() -> None:
    known = Canary().after(_window(canary={"requests": 0, "alive": False}), LIMITS)
    assert known.verdict(STEP, LIMITS).action == "abort"


def test_half_the_requests_failing_is_enough() -> None:
    bad = {"requests": 10, "errors": 5}
    known = Canary().after(_window(stable={"requests": 10}, canary=bad), replace(LIMITS, evidence=1e9))
    assert known.verdict(STEP, replace(LIMITS, evidence=1e9)).reason == "5 of 10 requests failed"
    few = Canary().after(_window(canary={"requests": 9, "errors": 9}), LIMITS)
    assert few.verdict(STEP, replace(LIMITS, evidence=1e9)).action == "hold"
    # A fault that both have is none of the canary's.
    both = Canary().after(_window(stable={"requests": 10, "errors": 5}, canary=bad), LIMITS)
    assert both.verdict(STEP, LIMITS).action == "hold"


def _latency(place: int, count: int = 60) -> tuple[int, ...]:
    return tuple(count if one == place else 0 for one in range(len(LIMITS.bounds) + 1))


def test_a_canary_that_refuses_what_the_stable_version_takes() -> None:
    """A version that wants a column which no caller sends fails nowhere."""
    asked = Canary()
    for _ in range(20):
        stable, refusing = Answers(Counts(90), refused=1), Answers(Counts(10), refused=10)
        asked = asked.after(Window(2.0, stable, refusing), LIMITS)
    assert asked.step_requests == 0  # none was answered
    found = asked.verdict(STEP, LIMITS)
    assert (found.action, found.reason) == ("abort", "10 of 10 requests were refused")
    some = Canary()
    for _ in range(60):
        some = some.after(Window(2.0, Answers(Counts(90), refused=1), Answers(Counts(10), refused=1)), LIMITS)
    found = some.verdict(STEP, LIMITS)
    assert found.action == "abort"
    assert found.reason.startswith("refuses requests more often")
    # Callers who send what neither takes are no reason.
    alike = Canary()
    for _ in range(60):
        alike = alike.after(Window(2.0, Answers(Counts(90), refused=45), Answers(Counts(10), refused=5)), LIMITS)
    assert alike.verdict(STEP, LIMITS).action == "go"


ALONE = "since it has all of the traffic"


@pytest.mark.parametrize(
    ("before", "since", "action", "why"),
    [
        ((0, 0), (3, 0), "go", ""), ((0, 0), (30, 0), "abort", ALONE), ((0, 0), (0, 30), "abort", ALONE), ((20, 0), (30, 0), "go", ""),
        ((20, 0), (62, 0), "abort", "62 of 100 requests failed"), ((10, 0), (40, 0), "abort", ALONE),
    ],
)  # fmt: skip
def test_with_all_the_traffic_it_is_held_to_what_the_champion_did(
    before: tuple[int, int], since: tuple[int, int], action: str, why: str
) -> None:
    """Of 100 requests a window: so many fail, so many are refused."""
    asked = Canary()
    for _ in range(5):
        asked = asked.after(Window(2.0, Answers(Counts(100, before[0]), refused=before[1]), Answers(Counts(2))), LIMITS)
    asked = asked.bake()
    for _ in range(5):
        asked = asked.after(Window(2.0, Answers(), Answers(Counts(100, since[0]), refused=since[1])), LIMITS)
    found = asked.verdict(Step(1.0, 0.0, 0), LIMITS)
    assert found.action == action, found
    assert why in found.reason


def test_many_rows_of_one_request_are_not_many_answers() -> None:
    asked = Canary()
    for number in range(30):
        usual = {"late": 2, "punctual": 8}
        batch = {"late": 502, "punctual": 8} if number == 3 else usual  # one request with 500 rows that are alike
        asked = asked.after(Window(2.0, Answers(Counts(10), (), usual), Answers(Counts(10), (), batch)), LIMITS)
    assert asked.verdict(Step(0.5, 10, 100), LIMITS).action == "go"
    moved = Canary()
    for _ in range(30):
        moved = moved.after(Window(2.0, Answers(Counts(10), (), {"late": 2, "punctual": 8}), Answers(Counts(10), (), {"late": 8, "punctual": 2})), LIMITS)  # fmt: skip
    assert "predicts otherwise" in moved.verdict(Step(0.5, 10, 100), LIMITS).reason


def test_slow_looks_hold_and_so_many_in_a_row_abort() -> None:
    slow = _window(stable={"latency": _latency(3)}, canary={"latency": _latency(5)}, seconds=20)
    known, said = Canary(), []
    for window in (slow, slow, _window(stable={"latency": _latency(3)}, canary={"latency": _latency(3)}), *[slow] * 4):
        known = known.after(window, LIMITS)
        said.append(known.verdict(STEP, LIMITS).action)
    assert said == ["hold", "hold", "go", "hold", "hold", "hold", "abort"]


@pytest.mark.parametrize(("times", "most"), [(1.0, 0), (2.0, 20)])
def test_latencies_with_a_long_tail_are_hardly_taken_for_slow_ones(times: float, most: int) -> None:
    """Half an hour at a tenth of 50 requests a second; the tail is one that a busy machine makes."""
    bounds, aborted = np.array(LIMITS.bounds), 0
    for seed in range(20):
        random, known = np.random.default_rng(seed), Canary()
        for _ in range(900):
            counts = [
                tuple(np.bincount(np.searchsorted(bounds, factor * random.lognormal(np.log(0.003), 1.0, random.poisson(rate))), minlength=16).tolist())
                for factor, rate in ((1.0, 90), (times, 10))
            ]  # fmt: skip
            known = known.after(Window(2.0, *(Answers(Counts(sum(one)), one) for one in counts)), LIMITS)
            if known.verdict(STEP, LIMITS).action == "abort":
                aborted += 1
                break
    assert aborted == most


def test_few_latencies_are_gathered_before_they_are_compared() -> None:
    known = Canary()
    for _ in range(4):
        known = known.after(_window(stable={"latency": _latency(3)}, canary={"latency": _latency(9, 10)}), LIMITS)
        assert known.slow == 0 and known.ratio is None
    known = known.after(_window(stable={"latency": _latency(3)}, canary={"latency": _latency(9, 10)}), LIMITS)
    assert known.slow == 1 and known.ratio is not None and known.ratio > 10


def test_predictions_that_moved() -> None:
    before = {"a": 500, "b": 500}
    for found, action in (({"a": 250, "b": 250}, "go"), ({"a": 100, "b": 400}, "abort"), ({"a": 20, "b": 80}, "go")):
        stable, canary = ({"predictions": one, "requests": sum(one.values())} for one in (before, found))
        window = _window(stable=stable, canary=canary, seconds=60)
        assert Canary().after(window, LIMITS).verdict(STEP, LIMITS).action == action, found


def test_predictions_that_moved_less_than_is_allowed_are_no_matter_of_luck() -> None:
    """Their index is 0.16; looked at all the time, it is above 0.25 now and then."""
    random = np.random.default_rng(7)
    above = aborted = 0
    for _ in range(100):
        known = Canary()
        for _ in range(20):
            late = [random.binomial(100, share) for share in (0.035, 0.14)]
            stable, canary = ({"predictions": {"0": 100 - one, "1": one}} for one in late)
            known = known.after(_window(stable=stable, canary=canary, seconds=2), LIMITS)
            if known.verdict(STEP, LIMITS).action == "abort":
                aborted += 1
                break
            above += min(sum(one.values()) for one in known.all_predictions) >= 200 and psi(*known.all_predictions) > 0.25
    assert aborted == 0 < above


def test_what_is_asked_at_other_times_is_no_change_of_the_predictions() -> None:
    """By day few rows are late and the canary has a twentieth, by night many are and it has half."""
    known = Canary()
    for share, late in ((0.05, 0.02), (0.5, 0.4)):
        counts = [4000 * (1 - share), 4000 * share]
        stable, canary = ({"predictions": {"0": n * (1 - late), "1": n * late}} for n in counts)
        known = known.next_step().after(_window(stable=stable, canary=canary, seconds=60), LIMITS)
    assert known.verdict(STEP, LIMITS).action == "go"
    assert psi(*known.all_predictions) == pytest.approx(0, abs=1e-9)


# -- histograms ---------------------------------------------------------------------------------------------------------


def test_quantiles_of_counts() -> None:
    bounds = (1.0, 2.0, 4.0)
    assert quantile((10, 0, 0, 0), bounds, 0.5) == 0.5
    assert quantile((0, 0, 10, 0), bounds, 0.5) == 3.0
    assert quantile((5, 0, 5, 0), bounds, 0.75) == 3.0
    assert quantile((1, 0, 0, 9), bounds, 0.5) == float("inf")
    assert quantile((0, 0, 0, 0), bounds, 0.5) == 0.0


def test_shares_that_are_equal_have_no_distance() -> None:
    assert psi({"a": 1000, "b": 3000}, {"a": 10, "b": 30}) == pytest.approx(0, abs=0.01)
    assert psi({}, {}) == 0
    assert psi({"a": 100}, {"b": 100}) > 1


def test_the_p_value_is_uniform_where_nothing_moved() -> None:
    random = np.random.default_rng(0)
    values = []
    for _ in range(400):
        drawn = [Counter(map(str, random.choice(6, n, p=[0.6, 0.2, 0.1, 0.05, 0.03, 0.02]))) for n in (2000, 150)]
        values.append(shift_p_value(*drawn))
    assert 0.01 <= np.mean(np.array(values) < 0.05) <= 0.09
    assert shift_p_value({}, {}) == shift_p_value({"a": 10}, {}) == shift_p_value({"a": 10}, {"a": 3}) == 1.0


# -- two models ---------------------------------------------------------------------------------------------------------


def _accuracy(truth: Any, answers: Any) -> float:
    return float(np.mean(truth == answers))


def _models(rows: int, difference: float, seed: int) -> tuple[Any, Any, Any]:
    """Truth, and answers of two models that differ in 8% of the rows."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 2, rows)
    kind = random.choice(4, rows, p=[0.81, 0.04 - difference / 2, 0.04 + difference / 2, 0.11])
    wrong = 1 - truth
    return truth, np.where((kind == 0) | (kind == 1), truth, wrong), np.where((kind == 0) | (kind == 2), truth, wrong)


@pytest.mark.parametrize(
    ("rows", "difference", "low", "high"), [(500, -0.01, 0, 0.04), (2000, 0, 0.01, 0.12), (2000, 0.02, 0.85, 1)]
)
def test_better_is_said_as_often_as_it_should(rows: int, difference: float, low: float, high: float) -> None:
    said = []
    for seed in range(100):
        found = paired_bootstrap(*_models(rows, difference, seed), _accuracy, resamples=300, seed=seed)
        said.append(judge(found, "better") == "passed")
    assert low <= np.mean(said) <= high


def test_the_interval_is_the_same_each_time_and_holds_the_difference() -> None:
    truth, champion, challenger = _models(2000, 0.02, 1)
    one, two = (paired_bootstrap(truth, champion, challenger, _accuracy, seed=7) for _ in range(2))
    assert one == two and one.rows == 2000 and one.low < one.difference < one.high
    assert one.difference == pytest.approx(_accuracy(truth, challenger) - _accuracy(truth, champion))


@pytest.mark.parametrize(
    ("low", "high", "better", "not_worse"),
    [(0.01, 0.03, "passed", "passed"), (-0.005, 0.02, "inconclusive", "passed"), (-0.03, 0.01, "inconclusive", "inconclusive"),
     (-0.03, -0.02, "failed", "failed"), (-0.008, -0.002, "failed", "passed"), (0.0, 0.0, "failed", "passed")],
)  # fmt: skip
def test_verdicts_of_intervals(low: float, high: float, better: str, not_worse: str) -> None:
    found = Interval((low + high) / 2, low, high, 0.8, 0.8, 100, 0.9)
    assert (judge(found, "better"), judge(found, "not worse", 0.01)) == (better, not_worse)


def test_models_that_answer_alike_are_not_worse() -> None:
    truth, champion, _ = _models(200, 0, 3)
    found = paired_bootstrap(truth, champion, champion, _accuracy)
    assert (found.low, found.high) == (0, 0)
    assert (judge(found, "not worse"), judge(found, "better")) == ("passed", "failed")


def test_rows_that_do_not_match_or_cannot_be_scored() -> None:
    with pytest.raises(ValueError, match="3 rows, 2 answers"):
        paired_bootstrap(np.zeros(3), np.zeros(2), np.zeros(3), _accuracy)

    def never(truth: Any, answers: Any) -> float:
        raise ValueError("one class only")

    with pytest.raises(ValueError, match="0 of 50 resamples"):
        paired_bootstrap(np.zeros(3), np.zeros(3), np.zeros(3), never, resamples=50)
