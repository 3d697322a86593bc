"""Python's regular expressions as RE2's, which ONNX Runtime has, for the part in which both mean the same.

Only whether a text matches is asked, so that the order of alternatives and greediness do not matter.
"""

from __future__ import annotations

import re
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from jupyter_mlops.export.graph import Unsupported

__all__ = ["translate"]

_CATEGORIES = {
    "CATEGORY_DIGIT": r"\p{Nd}",
    "CATEGORY_NOT_DIGIT": r"\P{Nd}",
}


def translate(pattern: str, flags: int = 0) -> str:
    """The pattern for RE2.

    Raises
    ------
    Unsupported
        It uses what RE2 has not or understands otherwise: look-around, back references, word boundaries, ignored case.
    """
    try:
        parsed = parser.parse(pattern, flags)
    except re.error as error:
        raise Unsupported(f"the pattern {pattern!r}: {error}") from error
    if parsed.state.flags & ~(re.UNICODE | re.DOTALL):
        raise Unsupported(f"flags in the pattern {pattern!r}")
    return _sequence(parsed, bool(parsed.state.flags & re.DOTALL), pattern)


def _letter(code: int) -> str:
    one = chr(code)
    return one if one.isascii() and one.isalnum() else rf"\x{{{code:X}}}"


def _sequence(parsed: Any, dotall: bool, pattern: str) -> str:
    return "".join(_node(op, argument, dotall, pattern) for op, argument in parsed)


def _node(op: Any, argument: Any, dotall: bool, pattern: str) -> str:
    name = str(op)
    if name == "LITERAL":
        return _letter(argument)
    if name == "NOT_LITERAL":
        return f"[^{_letter(argument)}]"
    if name == "ANY":
        return "(?s:.)" if dotall else r"[^\n]"
    if name == "IN":
        return _char_class(argument, pattern)
    if name == "BRANCH":
        return "(?:" + "|".join(_sequence(one, dotall, pattern) for one in argument[1]) + ")"
    if name == "SUBPATTERN":
        _, add, remove, inner = argument
        if add or remove:
            raise Unsupported(f"flags inside of the pattern {pattern!r}")
        return f"(?:{_sequence(inner, dotall, pattern)})"
    if name in ("MAX_REPEAT", "MIN_REPEAT"):
        low, high, inner = argument
        if low > 500 or (high is not codes.MAXREPEAT and high > 500):
            raise Unsupported(f"repetitions in the pattern {pattern!r}")
        upper = "" if high is codes.MAXREPEAT else str(high)
        return f"(?:{_sequence(inner, dotall, pattern)}){{{low},{upper}}}"
    if name == "AT" and str(argument) in ("AT_BEGINNING", "AT_BEGINNING_STRING"):
        return r"\A"
    if name == "AT" and str(argument) == "AT_END_STRING":
        return r"\z"
    if name == "AT" and str(argument) == "AT_END":
        return r"(?:\n?\z)"
    raise Unsupported(f"{name.lower()} in the pattern {pattern!r}")


def _char_class(items: Any, pattern: str) -> str:
    out = []
    for op, argument in items:
        name = str(op)
        if name == "NEGATE":
            out.append("^")
        elif name == "LITERAL":
            out.append(_letter(argument))
        elif name == "RANGE":
            out.append(f"{_letter(argument[0])}-{_letter(argument[1])}")
        elif name == "CATEGORY" and str(argument) in _CATEGORIES:
            out.append(_CATEGORIES[str(argument)])
        elif name == "CATEGORY" and str(argument) == "CATEGORY_SPACE":
            from jupyter_mlops.export.program.texts import spaces_class

            out.append(spaces_class()[1:-1])
        elif name == "CATEGORY" and str(argument) == "CATEGORY_WORD":
            out.append(r"\p{L}\p{N}_")
        else:
            raise Unsupported(f"{str(argument).lower()} in the pattern {pattern!r}")
    return "[" + "".join(out) + "]"
