"""Settings: the notebook's parameters, typed, from params.yaml and the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Settings:
    """Parameters of a training run.

    A field is taken from, in this order: the environment (LOAN_RATES_<FIELD>, as YAML), params.yaml, the
    notebook's own value.
    """

    seed: int = 0  # of the global generators, for code that sets none
    data_dir: Path = PROJECT / "data"  # folder that relative paths of the notebook start from

    @classmethod
    def load(cls, path: Path | None = None) -> Settings:
        """Read params.yaml and the environment.

        Raises
        ------
        ValueError
            A key is unknown or a value has another type; the message names it.
        """
        file = path or Path(os.environ.get("LOAN_RATES_PARAMS", PROJECT / "params.yaml"))
        given: dict[str, Any] = (
            dict(yaml.safe_load(file.read_text(encoding="utf-8")) or {}) if file.exists() else {}
        )
        defaults = cls()
        known = {one.name for one in fields(cls)}
        if unknown := sorted(given.keys() - known):
            raise ValueError(
                f"{file}: unknown setting {', '.join(unknown)}; known are {', '.join(sorted(known))}"
            )
        for name in known:
            if (text := os.environ.get(f"LOAN_RATES_{name.upper()}")) is not None:
                given[name] = yaml.safe_load(text)
        return replace(
            defaults,
            **{
                name: _checked(name, value, getattr(defaults, name))
                for name, value in given.items()
            },
        )


def _checked(name: str, value: Any, default: Any) -> Any:
    """The value in its default's type; refuses what does not fit."""
    if name == "data_dir":
        return (PROJECT / str(value)).resolve()
    if isinstance(default, bool) != isinstance(value, bool) and default is not None:
        raise ValueError(f"setting {name!r} wants {type(default).__name__}, got {value!r}")
    if isinstance(default, float) and isinstance(value, int):
        return float(value)
    if isinstance(default, tuple) and isinstance(value, list):
        return tuple(value)
    if isinstance(default, set) and isinstance(value, list):
        return set(value)
    if default is not None and value is not None and not isinstance(value, type(default)):
        raise ValueError(f"setting {name!r} wants {type(default).__name__}, got {value!r}")
    return value
