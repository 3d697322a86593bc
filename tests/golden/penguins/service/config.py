"""Settings of the service, from the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

PREFIX = "SERVICE_"


@dataclass(frozen=True)
class Config:
    """Every field can be set as ``SERVICE_<FIELD>``, for example ``SERVICE_MAX_ROWS=500``."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    root_path: str = ""  # where a proxy mounts the service
    max_body: int = 10_000_000  # bytes of a request
    max_rows: int = 10_000  # rows of a request
    batch_rows: int = (
        256  # rows of one model call on the event loop; larger requests go to a thread
    )
    drain_seconds: float = 1.0  # between "not ready" and the end of accepting, after SIGTERM
    grace_seconds: int = 30  # for requests in flight, after that
    direct: bool = True  # answer predictions before the middleware stack; 0 shows them to tracing
    access_log: bool = False
    log_level: str = "info"
    log_dir: str = ""  # folder of the prediction log; without one, none is kept
    log_omit: str = ""  # columns that are not logged: a JSON list, or with commas between them
    log_hash: str = ""  # columns of which an HMAC is logged
    log_hash_key: str = ""  # its key
    log_queue: int = 50_000  # rows that may wait to be written; more are lost, and counted
    log_seconds: float = 300.0  # after which a journal becomes Parquet
    log_days: int = 0  # that are kept; 0 keeps all
    feature_store: str = ""  # folder of a Feast repository, for /predict/entity
    model_dir: Path = Path(__file__).resolve().parents[1] / "model"

    @classmethod
    def from_environment(cls) -> Config:
        """Read the environment.

        Raises
        ------
        ValueError
            A setting is unknown or has a value of another type; the message names it.
        """
        known = {PREFIX + field.name.upper(): field for field in fields(cls)}
        given: dict[str, Any] = {}
        for name, text in os.environ.items():
            # Kubernetes sets SERVICE_PORT_8000_TCP and the like for a service of that name.
            if (field := known.get(name)) is not None:
                given[field.name] = _parse(name, text, type(field.default))
        return cls(**given)


def _parse(name: str, text: str, kind: type) -> Any:
    if kind is bool:
        if text.lower() not in ("0", "1", "false", "true"):
            raise ValueError(f"{name} must be 0 or 1, not {text!r}")
        return text.lower() in ("1", "true")
    if kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            raise ValueError(f"{name} must be a number, not {text!r}") from None
        if not 0 <= value < float("inf"):
            raise ValueError(f"{name} must not be negative, but is {text!r}")
        return value
    return Path(text) if issubclass(kind, Path) else text
