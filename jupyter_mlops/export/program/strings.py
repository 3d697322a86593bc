"""`series.str`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from jupyter_mlops.export.graph import Unsupported
from jupyter_mlops.export.program.cells import Cell, Tracer, is_missing
from jupyter_mlops.export.program.patterns import translate
from jupyter_mlops.export.program.registry import method
from jupyter_mlops.export.program.symbols import Symbol
from jupyter_mlops.export.program.texts import ANY, Edit, Pattern, containing, literal, matcher

__all__ = ["beginning", "edit", "ending", "length", "matches", "piece", "split"]


def edit(t: Tracer, cell: Cell, one: Edit) -> Cell:
    """The text after one more edit; it is made when somebody asks which of the known texts it is."""
    if cell.kind != "text":
        raise Unsupported(f"a text is needed, not a column of {cell.kind}s")
    filled = None if cell.filled is None else one(cell.filled)
    domain = None if cell.domain is None else tuple(dict.fromkeys(one(text) for text in cell.domain))
    unedited = cell.unedited if cell.edits else cell.domain
    return replace(cell, edits=(*cell.edits, one), filled=filled, domain=domain, unedited=unedited)


def _edit_method(name: str, parameters: Callable[..., tuple[Any, ...]]) -> None:
    @method("str", name, tabulates=True)
    def run(t: Tracer, out: Any, x: Symbol, *args: Any, **kwargs: Any) -> list[Cell]:
        try:
            given = parameters(*args, **kwargs)
        except TypeError as error:
            raise Unsupported(f"these arguments ({error})") from error
        return [edit(t, x.cell, Edit(name, given))]


for _name in ("lower", "upper"):
    _edit_method(_name, lambda: ())
for _name in ("strip", "lstrip", "rstrip"):
    _edit_method(_name, lambda to_strip=None: (to_strip,))


@method("str", "replace", tabulates=True)
def _replace(
    t: Tracer, out: Any, x: Symbol, pat: Any, repl: Any, n: int = -1, case: Any = None, flags: int = 0, regex: bool = False
) -> list[Cell]:
    literally = not regex or (isinstance(pat, str) and re.escape(pat) == pat)
    if not literally or n != -1 or case not in (None, True) or flags or not isinstance(pat, str) or not isinstance(repl, str):
        raise Unsupported("replace by a pattern")
    if len(pat) != 1 or len(repl) > 1:
        raise Unsupported(f"replace({pat!r}, {repl!r}): ONNX replaces nothing inside of a text")
    return [edit(t, x.cell, Edit("replace", (pat, repl)))]


@method("str", "slice", tabulates=True)
def _slice(t: Tracer, out: Any, x: Symbol, start: Any = None, stop: Any = None, step: Any = None) -> list[Cell]:
    return [piece(t, x.cell, slice(start, stop, step))]


def piece(t: Tracer, cell: Cell, key: slice) -> Cell:
    """text[start:stop]"""
    if key.step not in (None, 1):
        raise Unsupported("every n-th letter")
    out = cell
    if key.start not in (None, 0):
        out = edit(t, out, Edit("tail", (key.start,)))
        if key.stop is not None and (key.start < 0 or key.stop < 0):
            raise Unsupported("a slice from the end")
        key = slice(None, None if key.stop is None else max(0, key.stop - key.start))
    if key.stop is not None:
        if key.stop < 0:
            raise Unsupported("a slice up to the end")
        out = edit(t, out, Edit("head", (key.stop,)))
    return out


def split(t: Tracer, cell: Cell, separator: Any, at: int) -> tuple[Cell, str]:
    """text.split(separator)[at], and where there are too few pieces."""
    import numpy as np

    if not isinstance(separator, str) or not separator:
        raise Unsupported("a split at blanks, which ONNX counts otherwise")
    if cell.kind != "text":
        raise Unsupported("a split of numbers")
    g = t.g
    text = t.tensor(cell)
    pieces, count = g.ops("StringSplit", text, outputs=2, delimiter=separator)  # [rows, 1, most pieces], [rows, 1]
    # Python makes one empty piece of an empty text, ONNX none
    blank = g.op("Expand", t.text(""), g.op("Shape", text))
    pieces = g.op("Concat", pieces, *[g.op("Reshape", blank, g.ints(-1, 1, 1))] * (at + 1 if at >= 0 else -at), axis=2)
    count = g.op("Max", count, g.ints(1))
    short = g.op("LessOrEqual", count, g.ints(at)) if at >= 0 else g.op("Less", count, g.ints(-at))
    if at >= 0:
        chosen = g.op("Gather", pieces, g.const(np.array(at, dtype=np.int64)), axis=2)
    else:
        where = g.op("Max", g.op("Sub", count, g.ints(-at)), g.ints(0))
        index = g.op("Reshape", where, g.ints(-1, 1, 1))
        chosen = g.op("Reshape", g.op("GatherElements", pieces, index, axis=2), g.ints(-1, 1))
    made = g.op("Where", t.missing(cell), t.text(t.null), chosen)
    return Cell(made, "text"), short


@method("str", "split", "rsplit")
def _split(t: Tracer, out: Any, x: Symbol, pat: Any = None, n: int = -1, expand: bool = False, regex: Any = None) -> Any:
    import numpy as np

    if n not in (-1, 0) or regex:
        raise Unsupported("a split with a limit or a pattern")
    if not expand:
        return _Pieces(x, pat)
    cells = []
    for at in range(out.shape[1]):
        one, short = split(t, x.cell, pat, at)
        cells.append(t.where(short, Cell(t.full(t.null, t.base(x.cell)), "text", domain=()), one))
    # A text with more pieces than the sample rows have would give one column more
    _, more = split(t, x.cell, pat, out.shape[1])
    t.refuse(t.g.op("And", t.g.op("Not", more), t.g.op("Not", t.missing(x.cell))))
    assert np.ndim(out) == 2
    return cells


class _Pieces(Symbol):
    """`series.str.split(...)`, of which a piece is to be chosen."""

    def __init__(self, x: Symbol, separator: Any) -> None:
        super().__init__(x.shadow.str.split(separator), [replace(x.cell, kind="pieces")])
        self.text, self.separator = x.cell, separator


@method("str", "__getitem__", "get", tabulates=True)
def _get(t: Tracer, out: Any, x: Symbol, key: Any) -> list[Cell]:
    if isinstance(x, _Pieces):
        if not isinstance(key, int):
            raise Unsupported("several pieces of a text")
        one, short = split(t, x.text, x.separator, key)
        return [t.where(short, Cell(t.full(t.null, t.base(x.text)), "text", domain=()), one)]
    if isinstance(key, slice):
        return [piece(t, x.cell, key)]
    if key in (0, -1) and not isinstance(key, bool):
        return [edit(t, _not_empty(t, x.cell), Edit("head", (1,)) if key == 0 else Edit("tail", (-1,)))]
    raise Unsupported("a letter in the middle")


def _not_empty(t: Tracer, cell: Cell) -> Cell:
    """An empty text has no letter: pandas calls it missing."""
    if cell.kind != "text" or cell.edits or cell.filled is not None:
        raise Unsupported("a letter of a text that was changed")
    domain = None if cell.domain is None else tuple(one for one in cell.domain if one)
    text = t.tensor(cell)
    return Cell(t.g.op("Where", t.g.op("Equal", text, t.text("")), t.text(t.null), text), "text", domain=domain)


def matches(t: Tracer, cell: Cell, wanted: Pattern) -> str:
    """Where the text, missing ones aside, has this form; a boolean tensor."""
    g = t.g
    pattern = matcher(cell.edits, wanted)
    found = t.never(cell) if pattern is None else g.op("RegexFullMatch", t.base(cell), pattern=pattern)
    gap = g.op("Equal", t.base(cell), t.text(t.null))
    found = g.op("And", found, g.op("Not", gap))
    if cell.filled is not None:
        whole = matcher((), wanted)
        if whole is not None and re.fullmatch(
            re.sub(r"\\x\{([0-9A-F]+)\}", lambda m: re.escape(chr(int(m[1], 16))), whole), cell.filled
        ):
            found = g.op("Or", found, gap)
    return found


def _tested(t: Tracer, cell: Cell, found: str, na: Any) -> Cell:
    """A test's result; a missing text gives `na`."""
    if cell.kind != "text":
        raise Unsupported("a test of texts on numbers")
    if cell.filled is not None:
        return t.truth(found)
    result = t.truth(found)
    if na is False:
        return result
    missing = t.constant(na if isinstance(na, bool) else float("nan"), t.base(cell))
    return t.where(t.missing(cell), missing, result)


def _na(na: Any) -> Any:
    if (
        not isinstance(na, bool)
        and not is_missing(na)
        and type(na).__name__ != "_NoDefault"
        and na is not None
        and "no_default" not in str(na)
    ):
        raise Unsupported(f"na={na!r}")
    return na if isinstance(na, bool) else None


@method("str", "contains", tabulates=True)
def _contains(
    t: Tracer, out: Any, x: Symbol, pat: Any, case: bool = True, flags: int = 0, na: Any = None, regex: bool = True
) -> list[Cell]:
    cell = x.cell
    if cell.kind != "text" or not isinstance(pat, str):
        raise Unsupported("contains of anything but texts")
    if (not regex or re.escape(pat) == pat or not re.search(r"[\\.^$*+?{}\[\]|()]", pat)) and not flags:
        if not case:
            cell, pat = edit(t, cell, Edit("lower")), pat.lower()
            if not pat.isascii() or (regex and re.search("[kKsSiI]", pat)):
                raise Unsupported("case=False, which compares some letters otherwise than lower does")
        return [_tested(t, cell, matches(t, cell, containing(pat)), _na(na))]
    if not case or flags:
        raise Unsupported("a pattern with flags")
    return [_tested(t, cell, _searched(t, cell, f"(?s:.*)(?:{translate(pat)})(?s:.*)"), _na(na))]


def _searched(t: Tracer, cell: Cell, pattern: str) -> str:
    return t.g.op("And", t.g.op("RegexFullMatch", t.tensor(cell), pattern=pattern), t.g.op("Not", t.missing(cell)))


@method("str", "match", tabulates=True)
def _match(t: Tracer, out: Any, x: Symbol, pat: str, case: bool = True, flags: int = 0, na: Any = None) -> list[Cell]:
    if not case or flags:
        raise Unsupported("a pattern with flags")
    return [_tested(t, x.cell, _searched(t, x.cell, f"(?:{translate(pat)})(?s:.*)"), _na(na))]


@method("str", "fullmatch", tabulates=True)
def _fullmatch(t: Tracer, out: Any, x: Symbol, pat: str, case: bool = True, flags: int = 0, na: Any = None) -> list[Cell]:
    if not case or flags:
        raise Unsupported("a pattern with flags")
    return [_tested(t, x.cell, _searched(t, x.cell, f"(?:{translate(pat)})"), _na(na))]


@method("str", "startswith", tabulates=True)
def _startswith(t: Tracer, out: Any, x: Symbol, pat: Any, na: Any = None) -> list[Cell]:
    return [_tested(t, x.cell, beginning(t, x.cell, pat), _na(na))]


@method("str", "endswith", tabulates=True)
def _endswith(t: Tracer, out: Any, x: Symbol, pat: Any, na: Any = None) -> list[Cell]:
    return [_tested(t, x.cell, ending(t, x.cell, pat), _na(na))]


def _any_of(t: Tracer, cell: Cell, texts: Any, form: Callable[[str], Pattern]) -> str:
    wanted = texts if isinstance(texts, tuple) else (texts,)
    if not wanted or not all(isinstance(one, str) for one in wanted):
        raise Unsupported("a test for anything but texts")
    found = matches(t, cell, form(wanted[0]))
    for one in wanted[1:]:
        found = t.g.op("Or", found, matches(t, cell, form(one)))
    return found


def beginning(t: Tracer, cell: Cell, texts: Any) -> str:
    """Where the text begins with one of these."""
    return _any_of(t, cell, texts, lambda one: (*literal(one), ANY))


def ending(t: Tracer, cell: Cell, texts: Any) -> str:
    """Where the text ends with one of these."""
    return _any_of(t, cell, texts, lambda one: (ANY, *literal(one)))


def length(t: Tracer, cell: Cell) -> Cell:
    """Number of characters; NaN for a missing text."""
    if cell.kind != "text":
        raise Unsupported("the length of a number")
    g = t.g
    letters = g.op(
        "Tokenizer", g.flat(t.tensor(cell)), domain="com.microsoft", mark=0, pad_value="##", tokenexp="(?s).", mincharnum=1
    )
    count = g.sum(g.cast(g.op("Not", g.op("Equal", letters, t.text("##"))), "double"))
    return Cell(g.op("Where", t.missing(cell), g.number(float("nan")), count))


@method("str", "len", tabulates=True)
def _len(t: Tracer, out: Any, x: Symbol) -> list[Cell]:
    if isinstance(x, _Pieces):
        raise Unsupported("the number of pieces")
    return [length(t, x.cell)]


@method("str", "extract")
def _extract(t: Tracer, out: Any, x: Symbol, pat: str, flags: int = 0, expand: bool = True) -> list[Cell]:
    """A group between two separators, such as " ([A-Za-z]+)\\.": the whole match is found, the separators split off."""
    if flags:
        raise Unsupported("a pattern with flags")
    from re import _parser as parser  # type: ignore[attr-defined]

    parsed = list(parser.parse(pat))
    groups = [at for at, (op, _) in enumerate(parsed) if str(op) == "SUBPATTERN"]
    around = [(str(op), chr(arg)) for at, (op, arg) in enumerate(parsed) if at not in groups and str(op) == "LITERAL"]
    if len(groups) != 1 or len(around) != len(parsed) - 1 or len(around) > 2 or x.cell.edits or x.cell.filled:
        raise Unsupported("only a group between two letters can be extracted")
    at = groups[0]
    if at > 1 or len(parsed) - at > 2:
        raise Unsupported("only a group between two letters can be extracted")
    inner = list(parsed[at][1][3])
    if (
        len(inner) != 1
        or str(inner[0][0]) != "MAX_REPEAT"
        or inner[0][1][0] < 1
        or len(inner[0][1][2]) != 1
        or str(inner[0][1][2][0][0]) != "IN"
    ):
        raise Unsupported("only a run of letters of one kind can be extracted")
    allowed = re.compile(pat[pat.index("(") : pat.index(")") + 1])
    if any(allowed.fullmatch(letter) for _, letter in around):
        raise Unsupported("the letters around the group also belong to it")
    g = t.g
    cell = x.cell
    text = t.tensor(cell)
    tokens = g.op("Tokenizer", g.flat(text), domain="com.microsoft", mark=0, pad_value="", tokenexp=translate(pat), mincharnum=1)
    # One column of empty texts, for a batch in which nothing is found
    tokens = g.op("Concat", tokens, g.op("Expand", t.text(""), g.op("Shape", text)), axis=1)
    token = Cell(g.columns(tokens, [0]), "text")
    found = g.op("Not", g.op("Equal", token.block, t.text("")))
    if at == 1:
        token = split(t, token, around[0][1], 1)[0]
    if len(parsed) - at == 2:
        token = split(t, token, around[-1][1], 0)[0]
    keep = g.op("And", found, g.op("Not", t.missing(cell)))
    return [Cell(g.op("Where", keep, token.block, t.text(t.null)), "text")]
