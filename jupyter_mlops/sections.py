"""YAML files in sections (`promotion.yaml`, `monitoring.yaml`): each section a dataclass, each of its keys a field with its check.

A whole file is a dataclass, too: a field for each section, with the section's class as its default factory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from jupyter_mlops.errors import UsageError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["Check", "boolean", "is_number", "key", "list_of", "number", "one_of", "read_first", "read_sections"]

Check = Callable[[Any], Any]
"""What a value becomes; raises a ValueError that says what it must be."""

T = TypeVar("T", bound="DataclassInstance")


def key(default: Any, check: Check) -> Any:
    """A field of a section."""
    return field(default=default, metadata={"check": check})


def boolean(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def is_number(value: Any) -> bool:
    """Whether it is one; true and false are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def number(low: float, high: float, unit: str = "", *, whole: bool = False) -> Check:
    """From `low` to `high`."""

    def check(value: Any) -> float | int:
        if not is_number(value) or not low <= value <= high or (whole and value != int(value)):
            raise ValueError(f"a {'whole ' if whole else ''}number from {low:g} to {high:g}{unit and f' {unit}'}")
        return int(value) if whole else float(value)

    return check


def list_of(what: str, example: str, *, among: tuple[str, ...] = ()) -> Check:
    """Texts; with `among` only these."""

    def check(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
            raise ValueError(f"a list of {what}, such as {example}; quote names that are numbers")
        found = tuple(one.strip() for one in value)
        if among and not set(found) <= set(among):
            raise ValueError(f"a list of {what}: {', '.join(among)}")
        return found

    return check


def one_of(*words: str) -> Check:
    """One of these texts."""

    def check(value: Any) -> str:
        if value not in words:
            raise ValueError(f"one of {', '.join(words)}")
        return str(value)

    return check


def read_sections(kind: type[T], text: str, where: str) -> T:
    """What a file says; what it leaves out has its default.

    Parameters
    ----------
    kind
        Dataclass of the whole file.
    where
        The file, for messages.

    Raises
    ------
    UsageError
        It is no YAML, has an unknown key, or a value that is not allowed.
    """
    import yaml

    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        raise UsageError(f"{where}{line} is no YAML: {getattr(error, 'problem', None) or error}. Mend it there.") from None
    except (ValueError, RecursionError) as error:  # a date that there is not, or thousands of brackets
        raise UsageError(f"{where} cannot be read: {error}. Mend it there.") from None
    sections: dict[str, Any] = {section.name: section.default_factory for section in fields(kind)}
    made = {}
    for name, section in _mapping(data, where, "", sections).items():
        _known(name, sections, where, "")
        checks = {one.name: one.metadata["check"] for one in fields(sections[name])}
        values = {}
        for word, value in _mapping(section, where, name, sections).items():
            _known(word, checks, where, f"{name}.")
            try:
                values[word] = checks[word](value)
            except ValueError as error:
                raise UsageError(f"{where}: {name}.{word} is {value!r}, but must be {error}.") from None
        made[name] = sections[name](**values)
    return kind(**made)


def read_first(kind: type[T], file: str, folders: Iterable[Path]) -> tuple[str, T]:
    """The file of this name in the first of some folders that has it, for a project to take over.

    Returns
    -------
    tuple
        Its text, which is empty where none has it, and what it says.

    Raises
    ------
    UsageError
        It cannot be read, or says something that is not allowed.
    """
    path = next((path for folder in folders if (path := folder / file).exists()), None)
    if path is None:
        return "", kind()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}. Mend or remove it.") from None
    return text if text.endswith("\n") else f"{text}\n", read_sections(kind, text, str(path))


def _mapping(data: Any, where: str, name: str, sections: Mapping[str, Any]) -> Mapping[Any, Any]:
    if data is None:
        return {}
    if not isinstance(data, dict):
        what = f"{name} must hold keys" if name else f"it must hold sections, such as {next(iter(sections))},"
        raise UsageError(f"{where}: {what} with a colon behind each, not {str(data)[:60]!r}.")
    return data


def _known(word: Any, known: Mapping[str, Any], where: str, prefix: str) -> None:
    if word in known:
        return
    near = get_close_matches(str(word), known, 1)
    meant = f" Did you mean {prefix}{near[0]}?" if near else ""
    raise UsageError(f"{where}: {prefix}{word} is no known key; known are {', '.join(prefix + one for one in known)}.{meant}")
