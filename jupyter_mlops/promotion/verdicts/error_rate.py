"""Does the canary fail more often than the stable version? An answer that may be looked at as often as one likes."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log

__all__ = ["RATIOS", "Counts", "ErrorRate"]

RATIOS = (1.5, 2.0, 3.0, 5.0)  # how many times the stable version's error rate a bad canary may have


@dataclass(frozen=True)
class Counts:
    """Requests that a version answered, and how many of them with an error of its own."""

    requests: int = 0
    errors: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.errors <= self.requests:
            raise ValueError(f"{self.errors} errors in {self.requests} requests")


@dataclass(frozen=True)
class ErrorRate:
    """An e-process for "the canary fails no more often than the stable version".

    When m requests of a window failed, and both versions fail equally often, the canary's part of them is
    Binomial(m, w), with w the canary's share of the window's requests. Were it r times as often, the share would be
    r w / (r w + 1 - w). The likelihood ratios of the windows are multiplied for each r, and their mean over `RATIOS`, each
    with r as its weight so that what is very bad is found soon, is a supermartingale while the canary is no worse: it ever
    reaches 1 / alpha with a probability of at most alpha (Ville's inequality), however often it is looked at. A repeated
    significance test has no such bound.

    Attributes
    ----------
    logs
        Logarithm of the likelihood ratio so far, for each of `RATIOS`.

    References
    ----------
    Ramdas, Grünwald, Vovk, Shafer: Game-theoretic statistics and safe anytime-valid inference. Statistical Science, 2023.
    """

    logs: tuple[float, ...] = (0.0,) * len(RATIOS)

    def after(self, stable: Counts, canary: Counts) -> ErrorRate:
        """With one more window; one in which only one of the versions was asked says nothing."""
        failed = stable.errors + canary.errors
        if not stable.requests or not canary.requests or not failed:
            return self
        share = canary.requests / (stable.requests + canary.requests)

        def gain(ratio: float) -> float:
            worse = ratio * share / (ratio * share + 1 - share)
            return canary.errors * log(worse / share) + stable.errors * log((1 - worse) / (1 - share))

        return ErrorRate(tuple(so_far + gain(ratio) for so_far, ratio in zip(self.logs, RATIOS, strict=True)))

    @property
    def evidence(self) -> float:
        """Against the canary: 20 is as rare as one in twenty where it is no worse."""
        return sum(ratio * exp(min(one, 700.0)) for one, ratio in zip(self.logs, RATIOS, strict=True)) / sum(RATIOS)
