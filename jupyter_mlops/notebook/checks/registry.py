"""The rules and their table.

To add a rule:

1. Take the module of its theme (`leakage`, `skew`, `seeds`, ...) or make one and name it in `MODULES`.
2. Write a generator that takes the `Context` and yields a `Finding` for each place, and put ``@rule(...)`` above it:
   code, severity, one sentence, an example that it finds and one like it that it does not. Both are cells of a notebook.
3. Take what the code does from the context (`calls`, `analysis`, `events`), not from its text.
4. Put at least three notebooks that it finds and three near misses into ``tests/unit/notebook/checks/labelled/``.
5. ``make docs`` writes the page of rules; ``python benchmarks/checks.py`` shows hits, misses and false alarms.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_mlops.notebook.problems import Severity

if TYPE_CHECKING:
    from jupyter_mlops.notebook.checks.context import Context

__all__ = ["MODULES", "Edit", "Finding", "Rule", "rule", "rules", "selected"]

# Themes in the order of the page of rules.
MODULES = (
    "reading", "kale", "names", "execution", "leakage", "skew", "evaluation", "seeds", "packages", "places", "secrets",
    "interactive", "deprecated", "running",
)  # fmt: skip


@dataclass(frozen=True)
class Edit:
    """Replace a piece of a cell's source. Lines are 1-based, columns 0-based and in characters; the end is exclusive."""

    cell: int
    line: int
    column: int
    end_line: int
    end_column: int
    text: str


@dataclass(frozen=True)
class Finding:
    """One place that a rule found; code and severity come from the rule unless `severity` departs from it."""

    cell: int | None
    line: int | None
    message: str
    fix: str | None = None
    edits: tuple[Edit, ...] = ()
    severity: Severity | None = None


Find = Callable[["Context"], Iterator[Finding]]


@dataclass(frozen=True)
class Rule:
    """A rule as registered; `bad` and `good` are cells of notebooks that it finds and does not find."""

    code: str
    theme: str
    severity: Severity
    summary: str
    bad: tuple[str, ...]
    good: tuple[str, ...]
    find: Find
    mends: bool = False


_RULES: dict[str, Rule] = {}


def rule(
    code: str,
    severity: Severity,
    summary: str,
    *,
    bad: str | tuple[str, ...],
    good: str | tuple[str, ...],
    mends: bool = False,
) -> Callable[[Find], Find]:
    """Register a rule under its code; the theme is the module that it stands in. `mends`: ``--fix`` can do it."""

    def register(find: Find) -> Find:
        theme = find.__module__.rpartition(".")[2]
        cells = [(one,) if isinstance(one, str) else one for one in (bad, good)]
        assert code not in _RULES, f"two rules are called {code}"
        _RULES[code] = Rule(code, theme, severity, summary, cells[0], cells[1], find, mends)
        return find

    return register


def rules() -> Mapping[str, Rule]:
    """All rules by code, in the order of the themes."""
    for module in MODULES:
        importlib.import_module(f"jupyter_mlops.notebook.checks.{module}")
    return dict(sorted(_RULES.items(), key=lambda item: MODULES.index(item[1].theme)))


def selected(select: frozenset[str] | None, ignore: frozenset[str]) -> Mapping[str, Rule]:
    """The rules that codes and themes name; `select` of None takes all.

    Raises
    ------
    KeyError
        A name is neither a code nor a theme.
    """
    known = rules()
    for name in (select or frozenset()) | ignore:
        if name not in known and name not in MODULES:
            raise KeyError(name)

    def named(one: Rule, names: frozenset[str]) -> bool:
        return one.code in names or one.theme in names

    def wanted(one: Rule) -> bool:
        if one.code in ignore or (select is not None and not named(one, select)):
            return False
        # A code that is selected by its own name stays when its theme is ignored.
        return one.theme not in ignore or one.code in (select or ())

    return {code: one for code, one in known.items() if wanted(one)}
