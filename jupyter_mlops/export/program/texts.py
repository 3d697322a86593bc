"""Texts that ONNX cannot make, recognised by what they were made of.

ONNX has no operation that strips or lowers a text as Python does. But a program that compares, looks up or encodes the
result asks only *which of the known texts it is*, and that can be answered on the text as it came: the texts that
become "north ames" under `lower` and `strip` are those that match a regular expression, which this module writes by
undoing the edits one by one, last first.

To add an edit, write how it is undone: a function from a pattern (what the result must look like) to the patterns of
the texts that it is made of, and decorate it with the edit's name. It returns no pattern at all where nothing becomes
the result, and raises `Unsupported` where the answer is not known to be exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jupyter_mlops.export.graph import Unsupported

__all__ = ["ANY", "Edit", "Pattern", "Piece", "containing", "literal", "matcher", "regex_of", "spaces_class"]

_MOST = 40  # alternatives for one text


@dataclass(frozen=True)
class Edit:
    """One thing done to a text, such as strip or replace, with its arguments."""

    name: str
    args: tuple[Any, ...] = ()

    def __call__(self, text: str) -> str:
        """What Python makes of a text."""
        return _DOES[self.name](text, *self.args)


@dataclass(frozen=True)
class Piece:
    """One character out of a set (None: any), or any number of them when `many`."""

    chars: frozenset[str] | None
    many: bool = False


Pattern = tuple[Piece, ...]
ANY = Piece(None, many=True)

_DOES: dict[str, Callable[..., str]] = {
    "lower": str.lower,
    "upper": str.upper,
    "strip": str.strip,
    "lstrip": str.lstrip,
    "rstrip": str.rstrip,
    "replace": str.replace,
    "head": lambda text, count: text[:count],
    "tail": lambda text, start: text[start:],
}
_UNDOES: dict[str, Callable[..., list[Pattern]]] = {}


def _undoes(name: str) -> Callable[[Callable[..., list[Pattern]]], Callable[..., list[Pattern]]]:
    def register(function: Callable[..., list[Pattern]]) -> Callable[..., list[Pattern]]:
        _UNDOES[name] = function
        return function

    return register


def literal(text: str) -> Pattern:
    """The pattern of one text."""
    return tuple(Piece(frozenset(letter)) for letter in text)


def containing(text: str) -> Pattern:
    """The pattern of the texts that contain a text."""
    return (ANY, *literal(text), ANY)


def matcher(edits: Sequence[Edit], wanted: str | Pattern) -> str | None:
    """The regular expression (RE2, whole text) of the texts that become `wanted`; None when no text does."""
    patterns = [literal(wanted) if isinstance(wanted, str) else wanted]
    for edit in reversed(edits):
        patterns = [made for pattern in patterns for made in _UNDOES[edit.name](pattern, *edit.args)]
        if len(patterns) > _MOST:
            raise Unsupported(f"too many texts become the same under {edit.name}")
    return "(?s)(?:" + "|".join(map(regex_of, patterns)) + ")" if patterns else None


def _escape(letter: str) -> str:
    return letter if letter.isascii() and letter.isalnum() else rf"\x{{{ord(letter):X}}}"


def _char_class(chars: frozenset[str] | None) -> str:
    if chars is None:
        return "."
    if len(chars) == 1:
        return _escape(next(iter(chars)))
    return "[" + "".join(map(_escape, sorted(chars))) + "]"


def regex_of(pattern: Pattern) -> str:
    """A pattern as a regular expression."""
    return "".join(_char_class(piece.chars) + ("*" if piece.many else "") for piece in pattern)


@lru_cache(maxsize=1)
def _spaces() -> frozenset[str]:
    return frozenset(chr(point) for point in range(0x110000) if chr(point).isspace())


@lru_cache(maxsize=2)
def _changed(name: str) -> dict[str, str]:
    """The letters that lower or upper changes, and what they become."""
    does = _DOES[name]
    return {letter: made for letter in map(chr, range(0x110000)) if (made := does(letter)) != letter}


@lru_cache(maxsize=2)
def _sources(name: str) -> dict[str, frozenset[str]]:
    """By text of one letter or more: the single letters that become it; those that stay themselves are left out."""
    out: dict[str, set[str]] = {}
    for letter, made in _changed(name).items():
        out.setdefault(made, set()).add(letter)
    return {made: frozenset(letters) for made, letters in out.items()}


def _before(name: str, letter: str) -> frozenset[str]:
    """The letters that become this one."""
    kept = frozenset() if letter in _changed(name) else frozenset(letter)
    return _sources(name).get(letter, frozenset()) | kept


@lru_cache(maxsize=2)
def _longer(name: str) -> dict[str, frozenset[str]]:
    """By text of more than one letter: the single letters that become it (ß becomes SS under upper)."""
    return {made: letters for made, letters in _sources(name).items() if len(made) > 1}


def _case(name: str) -> Callable[[Pattern], list[Pattern]]:
    def undo(pattern: Pattern) -> list[Pattern]:
        longer = _longer(name)
        grown = frozenset("".join(longer))
        wanted = frozenset().union(*(piece.chars or () for piece in pattern))
        whole = all(piece.chars is not None for piece in pattern)
        if name == "lower" and wanted & {"σ", "ς"}:
            raise Unsupported("lower of a Greek sigma, which depends on its place")
        if name == "lower" and not whole and "\N{COMBINING DOT ABOVE}" not in wanted:
            grown = frozenset()  # the one letter that grows is met below, as an i that ends a known part
        if any(p.chars is not None and p.chars & grown and (not whole or p.many or len(p.chars) > 1) for p in pattern):
            raise Unsupported(f"{name} of a text that is only known in part, with letters that single letters become two of")
        letters = ["" if p.chars is None or len(p.chars) > 1 or p.many else next(iter(p.chars)) for p in pattern]
        made: list[Pattern] = []

        def walk(at: int, done: Pattern) -> None:
            if len(made) > _MOST:
                raise Unsupported(f"too many texts become the same under {name}")
            if at == len(pattern):
                made.append(done)
                return
            piece = pattern[at]
            if piece.chars is None:
                walk(at + 1, (*done, piece))
                return
            before = frozenset[str]().union(*(_before(name, letter) for letter in piece.chars))
            if name == "lower" and "i" in piece.chars and at + 1 < len(pattern) and pattern[at + 1].chars is None:
                before |= {"\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}"}
            if before or piece.many:
                walk(at + 1, (*done, Piece(before, piece.many)) if before else done)
            for text, single in longer.items():
                if letters[at : at + len(text)] == list(text):
                    walk(at + len(text), (*done, Piece(single)))

        walk(0, ())
        return made

    return undo


_undoes("lower")(_case("lower"))
_undoes("upper")(_case("upper"))


def _strip(pattern: Pattern, chars: frozenset[str], left: bool, right: bool) -> list[Pattern]:
    """Put back what is stripped; the result itself neither begins nor ends with it."""
    pieces = list(pattern)
    for side, first in ((left, 0), (right, -1)):
        if not side:
            continue
        while pieces and pieces[first].many and (pieces[first].chars or {""}) <= chars:
            pieces.pop(first)  # only what is stripped can stand there: none of it
        if not pieces:
            continue
        edge = pieces[first]
        if edge.many or edge.chars is None:
            raise Unsupported("strip of a text that is only known in part")
        kept = edge.chars - chars
        if not kept:
            return []
        pieces[first] = Piece(kept)
    around = Piece(chars, many=True)
    return [(*((around,) if left else ()), *pieces, *((around,) if right else ()))]


def _set(chars: str | None) -> frozenset[str]:
    return _spaces() if chars is None else frozenset(chars)


@_undoes("strip")
def _undo_strip(pattern: Pattern, chars: str | None = None) -> list[Pattern]:
    return _strip(pattern, _set(chars), True, True)


@_undoes("lstrip")
def _undo_lstrip(pattern: Pattern, chars: str | None = None) -> list[Pattern]:
    return _strip(pattern, _set(chars), True, False)


@_undoes("rstrip")
def _undo_rstrip(pattern: Pattern, chars: str | None = None) -> list[Pattern]:
    return _strip(pattern, _set(chars), False, True)


@_undoes("replace")
def _undo_replace(pattern: Pattern, old: str, new: str) -> list[Pattern]:
    if len(old) != 1 or len(new) > 1:
        raise Unsupported(f"replace({old!r}, {new!r}): only single letters are replaced inside of a text")
    if old == new:
        return [pattern]
    out = []
    removed = Piece(frozenset(old), many=True)
    for piece in pattern:
        if not new:
            out.append(removed)
        if piece.chars is None:
            if not piece.many:
                raise Unsupported(f"replace({old!r}, {new!r}) in a text that is only known in part")
            out.append(piece)
            continue
        before = piece.chars - {old} | ({old} if new and new in piece.chars else frozenset())
        if not before and not piece.many:
            return []
        if before:
            out.append(Piece(before, piece.many))
    return [(*out, *((removed,) if not new else ()))]


@_undoes("head")
def _undo_head(pattern: Pattern, count: int) -> list[Pattern]:
    """text[:count]"""
    if any(piece.many for piece in pattern):
        raise Unsupported("the beginning of a text that is only known in part")
    if len(pattern) > count:
        return []
    return [(*pattern, ANY)] if len(pattern) == count else [pattern]


@_undoes("tail")
def _undo_tail(pattern: Pattern, start: int) -> list[Pattern]:
    """text[start:]; a negative start counts from the end."""
    one = Piece(None)
    if start < 0:
        if any(piece.many for piece in pattern):
            raise Unsupported("the end of a text that is only known in part")
        return [] if len(pattern) > -start else [(ANY, *pattern)] if len(pattern) == -start else [pattern]
    shorter = [tuple([one] * count) for count in range(start)] if all(piece.many for piece in pattern) else []
    return [(*([one] * start), *pattern), *shorter]


def spaces_class() -> str:
    """What Python counts as a blank, as a character class."""
    return _char_class(_spaces())
