"""Who gets which share of the requests: plain data, checked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from jupyter_mlops.errors import UsageError

__all__ = ["ARM_HEADER", "STICKY_HEADER", "Backend", "Traffic"]

STICKY_HEADER = "x-user-id"  # requests with the same value meet the same version while its share does not shrink
ARM_HEADER = "x-model-arm"  # tells a service which version the request was meant for: stable or canary
_WHOLE = 10_000  # a share is kept in hundredths of a percent


@dataclass(frozen=True)
class Backend:
    """A version of a model and the ports of its replicas that are ready, on loopback."""

    version: str
    ports: tuple[int, ...] = ()

    @property
    def cluster(self) -> str:
        """As Envoy names it."""
        return f"version-{self.version}"


@dataclass(frozen=True)
class Traffic:
    """Stable version, and how much of its traffic others get.

    Attributes
    ----------
    stable
        Gets what the others do not, and all of it where a replica of theirs dies.
    shares
        Part of the requests (0 to 1) of each other version.
    shadow
        Version that is sent a copy of each request; its answers are thrown away.
    """

    stable: str
    shares: Mapping[str, float] = field(default_factory=dict)
    shadow: str | None = None

    def __post_init__(self) -> None:
        if self.stable in self.shares:
            raise UsageError(
                f"Version {self.stable} is the stable one: it gets what the others do not. Give the shares of others."
            )
        for version, share in self.shares.items():
            if not 0 <= share <= 1:
                raise UsageError(f"The share of version {version} is {share}, but must lie between 0 and 1.")
        if sum(self.weights.values()) != _WHOLE or min(self.weights.values()) < 0:
            raise UsageError(f"The shares {dict(self.shares)} are more than the whole traffic. Give at most 1 in all.")

    @property
    def weights(self) -> dict[str, int]:
        """Of each version, in ten thousandths; the stable one first."""
        others = {version: round(share * _WHOLE) for version, share in self.shares.items()}
        return {self.stable: _WHOLE - sum(others.values()), **others}
