"""Names of things in generated code, valid by construction."""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Collection, Iterable

__all__ = ["ProjectName", "PythonIdentifier", "unique"]


class PythonIdentifier(str):
    """A valid identifier that is no keyword: ``"Flight delays (2013)"`` becomes ``flight_delays_2013``."""

    def __new__(cls, value: str, *, fallback: str = "name") -> PythonIdentifier:
        plain = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode()
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain)
        text = re.sub(r"_+", "_", re.sub(r"\W+", "_", words)).strip("_").lower() or fallback
        if text[0].isdigit():
            text = f"{fallback}_{text}"
        if keyword.iskeyword(text) or keyword.issoftkeyword(text):
            text += "_"
        return super().__new__(cls, text)


class ProjectName(str):
    """A distribution name (PEP 503 normal form) for a notebook's title or file name."""

    def __new__(cls, value: str) -> ProjectName:
        return super().__new__(cls, PythonIdentifier(value, fallback="notebook").strip("_").replace("_", "-"))

    @property
    def package(self) -> PythonIdentifier:
        """The import name of the project's package. It never hides a builtin or a library that the code imports."""
        name = PythonIdentifier(self, fallback="notebook")
        return PythonIdentifier(f"{name}_model") if hasattr(builtins, name) or name in _TAKEN else name


# Top-level folders of the project and libraries that generated code imports.
_TAKEN = frozenset({"service", "edge", "tests", "model", "pandas", "numpy", "sklearn", "mlflow", "skops", "yaml", "test"})


def unique(wanted: str, taken: Collection[str], *, suffixes: Iterable[str] = ("stage", "step")) -> str:
    """`wanted`, or `wanted` with a suffix or number that is not in `taken`."""
    if wanted not in taken:
        return wanted
    for suffix in suffixes:
        if (name := f"{wanted}_{suffix}") not in taken:
            return name
    number = 2
    while f"{wanted}_{number}" in taken:
        number += 1
    return f"{wanted}_{number}"
