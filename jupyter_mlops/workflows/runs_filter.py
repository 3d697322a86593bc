"""The filter of the runs' list: words that must occur, and comparisons such as ``auc>0.8`` or ``status=failed``."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from jupyter_mlops.errors import UsageError
from jupyter_mlops.tracking.listing import RunRow
from jupyter_mlops.workflows.runs_table import FIXED, TAGS, Column, Value, value_of

__all__ = ["NO_FILTER", "RunsFilter", "number_of", "read_filter"]

_QUOTED = r"\"[^\"]*\"|'[^']*'"
_NAME = rf"(?:(?:metric|param|tag):|(?:metrics|params|tags)\.)?(?:{_QUOTED}|[^\s<>=!\"']+)"
_TOKEN = re.compile(
    rf"(?P<name>{_NAME})\s*(?P<sign><=|>=|!=|==|=|<|>)\s*(?P<value>{_QUOTED}|[^\s\"'<>=]+)(?=\s|$)|(?P<word>{_QUOTED}|\S+)"
)
_PREFIX = re.compile(r"(metric|param|tag)(?::|s\.)(.*)", re.DOTALL)
_FIELDS = {**FIXED, **{name: Column(name, name, "tag") for name in TAGS}}
_SIGNS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b, ">": lambda a, b: a > b, "<=": lambda a, b: a <= b, ">=": lambda a, b: a >= b,
    "=": lambda a, b: a == b, "!=": lambda a, b: a != b,
}  # fmt: skip
# MLflow's own tags that a person may look for; the others say where its files are.
_SEARCHED = frozenset(("mlflow.user", "mlflow.note.content", "mlflow.source.name"))


@dataclass(frozen=True)
class _Comparison:
    name: str
    kind: str  # metric, param, tag; empty for all of them and the columns of every run
    sign: str
    text: str
    number: float | None

    def values(self, row: RunRow) -> Iterator[Value]:
        if not self.kind and self.name in _FIELDS:
            yield value_of(row, _FIELDS[self.name])
        if self.kind in ("", "metric"):
            yield row.metrics.get(self.name)
        if self.kind in ("", "param"):
            yield row.params.get(self.name)
        if self.kind in ("", "tag"):
            yield row.tags.get(self.name)

    def matches(self, row: RunRow) -> bool:
        """Of several values of that name one is enough; a run that has none is unequal to every value."""
        values = [one for one in self.values(row) if one is not None]
        return any(map(self._holds, values)) if values else self.sign == "!="

    def _holds(self, value: Value) -> bool:
        if self.number is not None and (found := number_of(value)) is not None:
            return _SIGNS[self.sign](found, self.number)
        if self.sign == "=":
            return str(value).casefold() == self.text
        return self.sign == "!=" and str(value).casefold() != self.text


@dataclass(frozen=True)
class RunsFilter:
    """A filter that was read; without words and comparisons, which is `NO_FILTER`, it leaves all."""

    words: tuple[str, ...] = ()
    comparisons: tuple[_Comparison, ...] = ()

    def matches(self, row: RunRow) -> bool:
        """Whether a run has all words, and passes all comparisons."""
        return all(one.matches(row) for one in self.comparisons) and (not self.words or self._has_words(row))

    def _has_words(self, row: RunRow) -> bool:
        texts = [row.name, row.status, *row.params.values()]
        texts += [text for key, text in row.tags.items() if not key.startswith("mlflow.") or key in _SEARCHED]
        whole = "\n".join(texts).casefold()
        return all(word in whole or row.run_id.startswith(word) for word in self.words)

    def unknown(self, rows: Iterable[RunRow], names: Iterable[str]) -> list[str]:
        """A sentence for each name that no run has; `names` are the known ones."""
        rows, names = list(rows), list(names)
        found = []
        for one in self.comparisons:
            if not any(value is not None for row in rows for value in one.values(row)):
                close = difflib.get_close_matches(one.name, names, 1)
                found.append(f"No run has {one.name!r}." + (f" Did you mean {close[0]!r}?" if close else ""))
        return found


NO_FILTER = RunsFilter()


def read_filter(text: str) -> RunsFilter:
    """Read a filter: ``tree lr=0.1 auc>0.8 status=failed "two words" metric:auc>=0.5``.

    Words must all occur in a run's name, status, values of parameters or tags, or begin its id, in any case. Comparisons are
    of the columns that every run has (name, status, when, duration, git, data, notebook, kind), of metrics, parameters and
    tags; ``metric:``, ``param:`` and ``tag:`` before the name say which is meant. A duration is in seconds, a time a date.

    Raises
    ------
    UsageError
        A comparison lacks a side, or compares something that is no number.
    """
    words: list[str] = []
    comparisons: list[_Comparison] = []
    for found in _TOKEN.finditer(text):
        if found["word"] is None:
            comparisons.append(_comparison(found["name"], found["sign"], _bare(found["value"])))
            continue
        word = found["word"]
        if word[0] not in "\"'" and re.search(r"[<>=]", word):
            raise UsageError(
                f"The filter cannot be read at {word!r}. Write a comparison as auc>0.8, lr=0.1 or status=failed; "
                'put words that hold such a sign into quotes: "a=b".'
            )
        if bare := _bare(word).casefold():
            words.append(bare)
    return RunsFilter(tuple(words), tuple(comparisons))


def _comparison(name: str, sign: str, text: str) -> _Comparison:
    prefix = _PREFIX.fullmatch(name)
    kind, name = (prefix[1], _bare(prefix[2])) if prefix else ("", _bare(name))
    sign = "=" if sign == "==" else sign
    number = _time(text) if name == "when" and not kind else number_of(text)
    if number is None and sign not in ("=", "!="):
        what = "a date such as 2026-01-31" if name == "when" else "a number"
        raise UsageError(
            f"{text!r} in the filter {name}{sign}{text} is not {what}. Other values are compared with = and != only."
        )
    return _Comparison(name, kind, sign, text.casefold(), number)


def _bare(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _time(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp() * 1000
    except ValueError:
        return None


def number_of(value: Value) -> float | None:
    """A value as a number, where it is one."""
    if value is None or value == "":
        return None
    try:
        return float(value)
    except ValueError:
        return None
