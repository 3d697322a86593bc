"""Where a repository's online store is: its settings in `feature_store.yaml`, and the name under which a publication fills it."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

from jupyter_mlops.errors import UsageError

__all__ = ["SQLITE", "is_of", "is_own", "namespace", "online_store", "unset_variables"]

SQLITE = "sqlite"
_PORTS = {"redis": 6379, "rediss": 6379}
# A server that does not answer is an error after this many seconds; without it, a request waits for ever.
_TIMEOUT = 5
_SLOT = r"_[0-9a-f]{8}_[ab]"


def online_store(address: str, password: str | None = None) -> str:
    """The section ``online_store`` of `feature_store.yaml`.

    Parameters
    ----------
    address
        ``sqlite`` (a file in the repository), ``redis://[USER@]HOST[:PORT][/DB]``, or ``rediss://`` for TLS.
    password
        Variable of the environment that holds the password. Only its name is written.

    Raises
    ------
    UsageError
        There is no such store, the address holds a password, or the variable is not set or holds what Feast would misread.
    """
    if address == SQLITE:
        if password is not None:
            raise UsageError("SQLite has no password. Leave --online-password away, or name a Redis: --online redis://HOST.")
        return "online_store:\n  type: sqlite\n  path: data/online_store.db\n"
    parts: list[str] = [*_redis(address), f"socket_timeout={_TIMEOUT}", f"socket_connect_timeout={_TIMEOUT}"]
    if password is not None:
        _check_password(password)
        parts.append(f"password=${{{password}}}")
    # Quoted: Feast puts the value of the variable into the text before it is read as YAML.
    return f"online_store:\n  type: redis\n  connection_string: '{','.join(parts)}'\n"


def _redis(address: str) -> list[str]:
    what = "redis://HOST, redis://USER@HOST:PORT/DB, rediss:// for TLS, or sqlite"
    try:
        split = urlsplit(address)
        port = split.port
    except ValueError as error:
        raise UsageError(f"The address of the online store cannot be read ({error}). Give one such as {what}.") from None
    if split.password is not None:
        # Never shown: it may be the right one.
        raise UsageError(
            "The address of the online store holds a password, which would stand in feature_store.yaml. Put it into a variable of "
            "the environment, and name that: --online-password VARIABLE."
        )
    if split.scheme not in _PORTS or not re.fullmatch(r"[\w.-]+", split.hostname or "") or split.query or split.fragment:
        raise UsageError(f"{address!r} is no address of an online store. Give one such as {what}.")
    database = split.path.strip("/") or "0"
    if not database.isdecimal():
        raise UsageError(f"The database of {address!r} is {database!r}, but Redis numbers them. Give one such as redis://HOST/0.")
    parts = [f"{split.hostname}:{port or _PORTS[split.scheme]}", f"db={database}"]
    if split.username:
        if not re.fullmatch(r"[\w.-]+", split.username):
            raise UsageError(f"The user {split.username!r} of the online store has signs that Feast's settings cannot hold.")
        parts.append(f"username={split.username}")
    return [*parts, "ssl=true"] if split.scheme == "rediss" else parts


def _check_password(variable: str) -> None:
    if not re.fullmatch(r"[A-Za-z_]\w*", variable):
        raise UsageError("--online-password takes the name of a variable of the environment, not the password itself.")
    value = os.environ.get(variable)
    if not value:
        raise UsageError(f"The variable {variable} is not set in the environment. Set it to the password of the online store.")
    try:
        misread = str(json.loads(value)) != value  # Feast reads the settings behind a comma as JSON, where they are some
    except ValueError:
        misread = False
    if misread or not value.isprintable() or set(value) & set(",'"):
        raise UsageError(f"Feast would misread the password in {variable} (it has , or ', or is JSON). Choose another one.")


def unset_variables(text: str) -> list[str]:
    """Variables that a `feature_store.yaml` names as ``${NAME}``, and that the environment does not hold."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    return sorted(set(re.findall(r"\$\{(\w+)\}", "\n".join(lines))) - set(os.environ))


def is_own(settings: Mapping[str, Any]) -> bool:
    """Whether the online store lies in the repository, and is replaced with it."""
    store = settings.get("online_store") or {}
    path = store.get("path", "data/online_store.db") if isinstance(store, Mapping) else ""
    kind = store.get("type", SQLITE) if isinstance(store, Mapping) else store
    return kind == SQLITE and not PurePath(path).is_absolute() and ".." not in PurePath(path).parts


def is_of(project: object, package: str) -> bool:
    """Whether a Feast project is one that publishing this package has named."""
    return isinstance(project, str) and re.fullmatch(re.escape(package) + f"({_SLOT})?", project) is not None


def namespace(package: str, former: object) -> str:
    """The Feast project of the next publication into a store that outlives the repository.

    A repository has two names there in turn: one is filled while services read the other. So a publication that fails leaves what
    is served as it was, and what a killed one has left is removed by the next.

    Parameters
    ----------
    former
        Project of the publication before, as its `feature_store.yaml` says it.
    """
    if is_of(former, package) and former != package:
        assert isinstance(former, str)
        return former[:-1] + ("b" if former.endswith("a") else "a")
    return f"{package}_{secrets.token_hex(4)}_a"
