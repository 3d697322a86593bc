"""Dates: microseconds since 1970, and the proleptic calendar of Howard Hinnant's `civil_from_days`."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

from jupyter_mlops.export.graph import Graph, Unsupported
from jupyter_mlops.export.program.cells import Cell, Tracer, is_missing
from jupyter_mlops.export.program.registry import function, method
from jupyter_mlops.export.program.symbols import Symbol

__all__ = ["date_operator", "microseconds"]

_DAY = 86_400e6
_DIRECTIVES = {
    "%Y": ("year", 4),
    "%m": ("month", 2),
    "%d": ("day", 2),
    "%H": ("hour", 2),
    "%M": ("minute", 2),
    "%S": ("second", 2),
}


def microseconds(value: Any) -> float:
    """A timestamp or a span as a number."""
    import pandas as pd

    made = (
        pd.Timestamp(value)
        if not isinstance(value, pd.Timedelta) and "timedelta" not in type(value).__name__.lower()
        else pd.Timedelta(value)
    )
    if getattr(made, "tz", None) is not None:
        raise Unsupported("dates of a time zone")
    number: int = made.value if made.unit == "ns" else made.as_unit("ns").value
    if number % 1000:
        raise Unsupported("nanoseconds")
    return float(number // 1000)


def _floor_div(g: Graph, x: str, by: float) -> str:
    return g.op("Floor", g.op("Div", x, g.number(by)))


def _rest(g: Graph, x: str, by: float) -> str:
    return g.op("Sub", x, g.op("Mul", _floor_div(g, x, by), g.number(by)))


def _scaled(g: Graph, x: str, by: float) -> str:
    return g.op("Mul", x, g.number(by))


def _plus(g: Graph, x: str, by: float) -> str:
    return g.op("Add", x, g.number(by))


def _calendar(g: Graph, us: str) -> dict[str, str]:
    """Year, month and day of the microseconds since 1970."""
    z = _plus(g, _floor_div(g, us, _DAY), 719_468)
    era = _floor_div(g, z, 146_097)
    doe = g.op("Sub", z, _scaled(g, era, 146_097))
    yoe = g.op("Sub", doe, _floor_div(g, doe, 1460))
    yoe = g.op("Sub", g.op("Add", yoe, _floor_div(g, doe, 36_524)), _floor_div(g, doe, 146_096))
    yoe = _floor_div(g, yoe, 365)
    leap = g.op("Sub", _floor_div(g, yoe, 4), _floor_div(g, yoe, 100))
    doy = g.op("Sub", doe, g.op("Add", _scaled(g, yoe, 365), leap))
    mp = _floor_div(g, _plus(g, _scaled(g, doy, 5), 2), 153)
    day = _plus(g, g.op("Sub", doy, _floor_div(g, _plus(g, _scaled(g, mp, 153), 2), 5)), 1)
    early = g.op("Less", mp, g.number(10))
    month = g.op("Where", early, _plus(g, mp, 3), _plus(g, mp, -9))
    year = g.op("Add", yoe, _scaled(g, era, 400))
    year = g.op("Add", year, g.cast(g.op("LessOrEqual", month, g.number(2)), "double"))
    return {"year": year, "month": month, "day": day}


def _days(g: Graph, year: str, month: str, day: str) -> str:
    """Days since 1970 of a date."""
    year = g.op("Sub", year, g.cast(g.op("LessOrEqual", month, g.number(2)), "double"))
    era = _floor_div(g, year, 400)
    yoe = g.op("Sub", year, _scaled(g, era, 400))
    shifted = g.op("Where", g.op("Greater", month, g.number(2)), _plus(g, month, -3), _plus(g, month, 9))
    doy = _plus(g, g.op("Add", _floor_div(g, _plus(g, _scaled(g, shifted, 153), 2), 5), day), -1)
    doe = g.op("Add", g.op("Sub", g.op("Add", _scaled(g, yoe, 365), _floor_div(g, yoe, 4)), _floor_div(g, yoe, 100)), doy)
    return _plus(g, g.op("Add", _scaled(g, era, 146_097), doe), -719_468)


def _clock(size: float, count: float) -> Callable[[Graph, str], str]:
    return lambda g, us: _rest(g, _floor_div(g, us, size), count)


def _day_of_year(g: Graph, us: str) -> str:
    first = _days(g, _calendar(g, us)["year"], g.number(1), g.number(1))
    return _plus(g, g.op("Sub", _floor_div(g, us, _DAY), first), 1)


_WEEKDAY: Callable[[Graph, str], str] = lambda g, us: _rest(g, _plus(g, _floor_div(g, us, _DAY), 3), 7)  # noqa: E731
_PARTS: dict[str, tuple[Callable[[Graph, str], str], tuple[int, ...] | None]] = {
    "year": (lambda g, us: _calendar(g, us)["year"], None),
    "month": (lambda g, us: _calendar(g, us)["month"], tuple(range(1, 13))),
    "day": (lambda g, us: _calendar(g, us)["day"], tuple(range(1, 32))),
    "quarter": (lambda g, us: _plus(g, _floor_div(g, _plus(g, _calendar(g, us)["month"], -1), 3), 1), (1, 2, 3, 4)),
    "dayofweek": (_WEEKDAY, tuple(range(7))),
    "day_of_week": (_WEEKDAY, tuple(range(7))),
    "weekday": (_WEEKDAY, tuple(range(7))),
    "dayofyear": (_day_of_year, tuple(range(1, 367))),
    "day_of_year": (_day_of_year, tuple(range(1, 367))),
    "hour": (_clock(3600e6, 24), tuple(range(24))),
    "minute": (_clock(60e6, 60), tuple(range(60))),
    "second": (_clock(1e6, 60), tuple(range(60))),
    "microsecond": (_clock(1, 1e6), None),
}


def _date(t: Tracer, x: Symbol) -> str:
    if x.cell.kind != "date":
        raise Unsupported(f"a part of a date in a column of {x.cell.kind}s")
    return t.tensor(x.cell)


def _part(name: str) -> None:
    make, domain = _PARTS[name]

    @method("dt", name)
    def run(t: Tracer, out: Any, x: Symbol) -> list[Cell]:
        return [Cell(make(t.g, _date(t, x)), domain=domain)]


for _name in _PARTS:
    _part(_name)


@method("dt", "normalize")
def _normalize(t: Tracer, out: Any, x: Symbol) -> list[Cell]:
    return [Cell(_scaled(t.g, _floor_div(t.g, _date(t, x), _DAY), _DAY), "date")]


_NAMES = {
    "day_name": (_WEEKDAY, 0, "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()),
    "month_name": (
        _PARTS["month"][0], 1,
        "January February March April May June July August September October November December".split(),
    ),
}  # fmt: skip


def _name_of(name: str) -> None:
    make, first, names = _NAMES[name]

    @method("dt", name)
    def run(t: Tracer, out: Any, x: Symbol, locale: None = None) -> list[Cell]:
        cell = Cell(make(t.g, _date(t, x)))
        return [t.pick(t.code(cell, [first + at for at in range(len(names))]), names, float("nan"))]


for _name in _NAMES:
    _name_of(_name)


def _span(t: Tracer, x: Symbol) -> str:
    if x.cell.kind != "span":
        raise Unsupported("a length of time is needed")
    return t.tensor(x.cell)


@method("dt", "days")
def _span_days(t: Tracer, out: Any, x: Symbol) -> list[Cell]:
    return [Cell(_floor_div(t.g, _span(t, x), _DAY))]


@method("dt", "total_seconds")
def _total_seconds(t: Tracer, out: Any, x: Symbol) -> list[Cell]:
    return [Cell(t.g.op("Div", _span(t, x), t.g.number(1e6)))]


def date_operator(t: Tracer, name: str, a: Any, b: Any) -> Cell:
    """Comparisons, differences and quotients of dates and spans; constants are timestamps and Timedeltas."""
    g = t.g
    kinds, tensors = [], []
    for one in (a, b):
        if isinstance(one, Cell):
            kinds.append(one.kind)
            tensors.append(t.tensor(one))
        elif isinstance(one, (int, float)) and not isinstance(one, bool) and not is_missing(one):
            kinds.append("number")
            tensors.append(g.number(float(one)))
        else:
            import pandas as pd

            span = isinstance(one, pd.Timedelta) or "timedelta" in type(one).__name__.lower()
            kinds.append("span" if span else "date")
            tensors.append(g.number(microseconds(one)))
    x, y = tensors
    if name in ("eq", "ne", "lt", "le", "gt", "ge") and kinds[0] == kinds[1]:
        made = {"eq": "Equal", "ne": "Equal", "lt": "Less", "le": "LessOrEqual", "gt": "Greater", "ge": "GreaterOrEqual"}[name]
        found = g.op(made, x, y)
        return t.truth(g.op("Not", found) if name == "ne" else found)
    if name == "sub" and kinds[0] == kinds[1]:
        return Cell(g.op("Sub", x, y), "span")
    if name in ("sub", "add") and kinds == ["date", "span"]:
        return Cell(g.op("Sub" if name == "sub" else "Add", x, y), "date")
    if name == "truediv" and kinds == ["span", "span"]:
        return Cell(g.op("Div", x, y))
    raise Unsupported(f"{name} of {kinds[0]} and {kinds[1]}")


@function("pandas.to_datetime")
def _to_datetime(t: Tracer, out: Any, arg: Any, errors: str = "raise", format: Any = None) -> list[Cell]:  # noqa: A002 - pandas' name
    import pandas as pd

    if not isinstance(arg, Symbol) or arg.kind == "DataFrame":
        raise Unsupported("dates put together from several columns")
    if arg.cell.kind == "date":
        return [arg.cell]
    if arg.cell.kind != "text" or errors not in ("raise", "coerce"):
        raise Unsupported("numbers as dates")
    if format is None or format in ("ISO8601", "mixed"):
        first = arg.shadow.dropna()
        guessed = pd.tseries.api.guess_datetime_format(str(first.iloc[0])) if len(first) else None
        if guessed is None or format == "mixed":
            raise Unsupported("dates whose format is guessed row by row")
        return [_parsed(t, arg.cell, guessed, coerce=errors == "coerce", guessed=True)]
    return [_parsed(t, arg.cell, format, coerce=errors == "coerce", guessed=False)]


def _parsed(t: Tracer, cell: Cell, form: str, *, coerce: bool, guessed: bool) -> Cell:
    """A text in a fixed format; what is not quite in it is refused at run time, unless it is certainly no date."""
    import numpy as np

    g, text = t.g, t.tensor(cell)
    pieces = re.findall(r"%.|[^%]+", form)
    directives = [one for one in pieces if one.startswith("%")]
    if any(one not in _DIRECTIVES for one in directives) or len(set(directives)) != len(directives) or "%Y" not in directives:
        raise Unsupported(f"dates in the format {form!r}")
    if any(a.startswith("%") and b.startswith("%") for a, b in itertools.pairwise(pieces)) or any(
        re.search(r"[0-9]", one) for one in pieces if not one.startswith("%")
    ):
        raise Unsupported(f"dates in the format {form!r}, without separators")
    quoted = ["".join(rf"\x{{{ord(c):X}}}" for c in one) for one in pieces]
    strict = "".join(f"[0-9]{{{_DIRECTIVES[p][1]}}}" if p.startswith("%") else q for p, q in zip(pieces, quoted, strict=True))
    ok = g.op("RegexFullMatch", text, pattern=strict)
    gap = t.missing(cell)
    zeros = "-".join(["2000", *["01"] * 5])
    digits = g.op(
        "Tokenizer", g.flat(g.op("Where", ok, text, t.text(zeros))), domain="com.microsoft", mark=0, pad_value="#",
        tokenexp="[0-9]+", mincharnum=1,
    )  # fmt: skip
    values = {
        _DIRECTIVES[one][0]: g.cast(g.op("Gather", digits, g.const(np.array([at])), axis=1), "double")
        for at, one in enumerate(directives)
    }
    one, zero = t.full(1.0, text), t.full(0.0, text)
    year, month, day = values["year"], values.get("month", one), values.get("day", one)
    days = _days(g, year, month, day)
    us = _scaled(g, days, _DAY)
    for name, size in (("hour", 3600e6), ("minute", 60e6), ("second", 1e6)):
        us = g.op("Add", us, _scaled(g, values.get(name, zero), size))
    # A date that the calendar does not have comes back as another one
    again = _calendar(g, us)
    valid = g.op("And", ok, g.op("And", g.op("Equal", again["month"], month), g.op("Equal", again["day"], day)))
    for name, limit in (("hour", 24), ("minute", 60), ("second", 60)):
        if name in values:
            valid = g.op("And", valid, g.op("Less", values[name], g.number(limit)))
    in_range = g.op("And", g.op("Greater", year, g.number(1677)), g.op("Less", year, g.number(2262)))
    nothing = gap
    if coerce:
        loose = "(?s)" + ".*".join(r"\p{Nd}" for _ in directives)
        hopeless = g.op("Not", g.op("RegexFullMatch", text, pattern=f"(?s).*{loose}.*" if not guessed else r"(?s).*\p{Nd}.*"))
        nothing = g.op("Or", g.op("Or", gap, hopeless), g.op("And", ok, g.op("Not", valid)))
    valid = g.op("And", valid, in_range)
    t.refuse(g.op("Not", g.op("Or", valid, nothing)))
    return Cell(g.op("Where", valid, us, g.number(float("nan"))), "date")
