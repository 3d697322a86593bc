"""How often the canary's verdict is right, in simulated promotions.

    python benchmarks/canary.py [--runs 200] [--json]

Requests arrive at 50 a second; the canary gets 1, 5, 25 and 50% of them in turn, each step for at least a minute and 100
requests, with a look every 2 seconds. Latencies are log-normal, predictions come from four classes. The stable version fails
in 1% of the requests. Seconds count from the start of the promotion.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from jupyter_mlops.promotion.verdicts.canary import Answers, Canary, Limits, Step, Window
from jupyter_mlops.promotion.verdicts.error_rate import Counts

RATE = 50.0  # requests a second
LOOK = 2.0  # seconds
STEPS = (Step(0.01), Step(0.05), Step(0.25), Step(0.5))
LIMITS = Limits()
LONGEST = 3600.0  # seconds of a simulated step


@dataclass(frozen=True)
class Version:
    """How a version behaves: share of errors, median latency in seconds, shares of its answers."""

    errors: float = 0.01
    latency: float = 0.004
    predictions: tuple[float, ...] = (0.4, 0.3, 0.2, 0.1)

    def answer(self, requests: int, random: np.random.Generator) -> Answers:
        """A window's answers."""
        latencies = self.latency * random.lognormal(0, 0.6, requests)
        places = np.searchsorted(LIMITS.bounds, latencies)
        buckets = np.bincount(places, minlength=len(LIMITS.bounds) + 1)
        drawn = random.multinomial(requests, self.predictions)
        return Answers(
            Counts(requests, int(random.binomial(requests, self.errors))),
            tuple(int(one) for one in buckets),
            {str(name): int(count) for name, count in enumerate(drawn)},
        )


def promote(canary: Version, steps: tuple[Step, ...], random: np.random.Generator) -> tuple[str, float, str]:
    """One promotion: how it ended, after how many seconds, and why."""
    stable, known, seconds = Version(), Canary(), 0.0
    for step in steps:
        known = known.next_step()
        while True:
            total = int(random.poisson(RATE * LOOK))
            mine = int(random.binomial(total, step.share))
            window = Window(LOOK, stable.answer(total - mine, random), canary.answer(mine, random))
            known = known.after(window, LIMITS)
            seconds += LOOK
            verdict = known.verdict(step, LIMITS)
            if verdict.action == "abort":
                return "abort", seconds, verdict.reason
            if verdict.action == "go" or known.step_seconds > LONGEST:
                break
    return "promoted", seconds, ""


CASES = {
    "as good": (Version(), STEPS),
    "2% errors": (Version(errors=0.02), STEPS),
    "5% errors": (Version(errors=0.05), STEPS),
    "5% errors, at 10% of the traffic": (Version(errors=0.05), (Step(0.1, 600.0),)),
    "5% errors, at 25% of the traffic": (Version(errors=0.05), (Step(0.25, 600.0),)),
    "twice as slow": (Version(latency=0.008), STEPS),
    "1.2 times as slow": (Version(latency=0.0048), STEPS),
    "other predictions": (Version(predictions=(0.1, 0.2, 0.3, 0.4)), STEPS),
}


def simulate(runs: int) -> list[dict[str, object]]:
    """A row for each case."""
    rows = []
    for name, (version, steps) in CASES.items():
        ended = [promote(version, steps, np.random.default_rng(seed)) for seed in range(runs)]
        aborted = [seconds for how, seconds, _ in ended if how == "abort"]
        rows.append(
            {
                "canary": name, "aborted": len(aborted) / runs,
                "within a minute": sum(one <= 60 for one in aborted) / runs,
                "median seconds": statistics.median(aborted) if aborted else None,
            }
        )  # fmt: skip
    return rows


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = simulate(arguments.runs)
    if arguments.json:
        print(json.dumps(rows))
        return
    print("| canary | aborted | within a minute | median seconds |\n|---|---|---|---|")
    for row in rows:
        print(f"| {row['canary']} | {row['aborted']:.1%} | {row['within a minute']:.1%} | {row['median seconds'] or ''} |")


if __name__ == "__main__":
    main()
