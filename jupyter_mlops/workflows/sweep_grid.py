"""The points of a sweep: from a file or from the command line to checked combinations of parameters.

A grid is a mapping of parameters to values; a list of grids is the union of their products, so that a list of plain
mappings is a list of points. Values are a list, a single value, or a range::

    depth: [3, 5, 7]
    rate: {from: 0.001, to: 0.1, steps: 5, scale: log}
    seed: {from: 0, to: 9, step: 1}
"""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.errors import ParameterError, UsageError
from jupyter_mlops.notebook.checks.secrets import masked

if TYPE_CHECKING:
    from jupyter_mlops.workflows.run_notebook import Subject

__all__ = ["LIMIT", "Axes", "Point", "choose_points", "read_grid", "split_values"]

LIMIT = 256  # runs that need not be asked for

Point = dict[str, Any]
Axes = dict[str, list[Any]]  # a grid with its ranges written out

_RANGE = {"from", "to", "step", "steps", "scale"}


@dataclass(frozen=True)
class _Text:
    """A value of the command line, not yet read: what it means depends on the parameter's type."""

    text: str


def read_grid(source: Path | Mapping[str, Any] | Sequence[Any], more: Sequence[tuple[str, str]] = ()) -> list[Axes]:
    """Grids from a YAML or JSON file, or from values that are there already, and from ``-p name v1,v2``.

    Parameters
    ----------
    source
        A file, a mapping, or a list of mappings.
    more
        Further parameters, as texts; they come in addition to each grid, or take the place of its own.

    Raises
    ------
    UsageError
        The file cannot be read or says no grid.
    """
    where = "The grid"
    if isinstance(source, (str, Path)):
        where = str(source)
        source = _load(Path(source))
    grids = [source] if isinstance(source, Mapping) else source
    if isinstance(grids, str) or not isinstance(grids, Sequence) or not all(isinstance(one, Mapping) for one in grids):
        raise UsageError(f"{where} is no grid. It has to map parameters to lists of values, or be a list of such mappings.")
    extra = {name: [_Text(text) for text in split_values(texts)] for name, texts in more}
    problems: list[str] = []
    found: list[Axes] = []
    for grid in grids or [{}]:
        axes: Axes = {}
        for name, values in grid.items():
            try:
                axes[str(name)] = _values(values)
            except UsageError as error:
                problems.append(f"{name}: {error}")
        found.append(axes | extra)
    problems += [f"{name}: there is no value" for axes in found for name, values in axes.items() if not values]
    if problems:
        raise UsageError(f"{where} cannot be used:" + "".join(f"\n  {one}" for one in dict.fromkeys(problems)))
    if not any(found):
        raise UsageError(f"{where} names no parameter. Give at least one: -p NAME V1,V2 or --grid FILE.")
    return found


def split_values(text: str) -> list[str]:
    """``1,2,[3,4],"a,b"`` at its outer commas.

    >>> split_values('1, 2,[3,4],"a,b"')
    ['1', '2', '[3,4]', '"a,b"']
    """
    parts, depth, quote, start = [], 0, "", 0
    for position, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'" and not text[start:position].strip():
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character == "," and depth <= 0:
            parts.append(text[start:position].strip())
            start = position + 1
    return [part for part in [*parts, text[start:].strip()] if part]


def choose_points(
    grids: Sequence[Axes], subject: Subject, *, limit: int | None = None, sample: int | None = None, seed: int = 0
) -> list[Point]:
    """All combinations, or a random sample of them, in the types of the notebook's parameters.

    Parameters
    ----------
    limit
        How many runs are allowed; `LIMIT` where it is None.
    sample
        Take so many at random instead of all.

    Raises
    ------
    ParameterError
        Unknown parameters or values of other types, all of them together.
    UsageError
        There are more combinations than allowed.
    """
    typed = _checked(grids, subject)
    sizes = [math.prod(len(values) for values in axes.values()) for axes in typed]
    total = sum(sizes)
    wanted = total if sample is None else min(sample, total)
    if wanted < 1:
        raise UsageError(f"--random {sample} takes nothing. Give the number of combinations to try.")
    allowed = LIMIT if limit is None else limit
    if wanted > allowed:
        raise UsageError(
            f"These are {wanted:,} combinations, more than {allowed:,}. Say that you want so many (--limit {wanted}), take a "
            f"sample (--random {allowed}), or give fewer values."
        )
    order: Iterator[int] | list[int] = iter(range(total))
    if sample is not None:
        order = sorted(random.Random(seed).sample(range(total), wanted))  # noqa: S311 - a sample, no secret
    points: dict[str, Point] = {}
    for number in order:
        point = _decode(number, typed, sizes)
        points.setdefault(repr(sorted(point.items())), point)
    return list(points.values())


def _decode(number: int, grids: Sequence[Axes], sizes: Sequence[int]) -> Point:
    """The combination of that number; the last parameter changes fastest."""
    for axes, size in zip(grids, sizes, strict=True):
        if number >= size:
            number -= size
            continue
        point: Point = {}
        for name, values in reversed(axes.items()):
            number, index = divmod(number, len(values))
            point[name] = values[index]
        return {name: point[name] for name in axes}
    raise AssertionError("the number is beyond the last grid")


def _checked(grids: Sequence[Axes], subject: Subject) -> list[Axes]:
    problems: dict[str, None] = {}
    typed: list[Axes] = []
    for axes in grids:
        out: Axes = {}
        for name, values in axes.items():
            out[name] = []
            for value in values:
                try:
                    out[name].append(_typed(name, value, subject))
                except ParameterError as error:
                    problems.setdefault(str(error))
        typed.append(out)
    if problems:
        many = list(problems)
        if len(many) == 1:
            raise ParameterError(many[0])
        left = f"\n  and {len(many) - 20} more" if len(many) > 20 else ""
        raise ParameterError(f"{len(many)} problems, so nothing was run:" + "".join(f"\n  {one}" for one in many[:20]) + left)
    return typed


def _typed(name: str, value: Any, subject: Subject) -> Any:
    if isinstance(value, _Text):
        return subject.check([(name, value.text)])[name]
    default = subject.declared.get(name)
    if isinstance(default, str) and not isinstance(value, str):
        # 1.10 has become 1.1 already, and 007 seven.
        before, given = masked({name: default})[name], masked({name: value})[name]
        raise ParameterError(f"Parameter {name!r} is str in the notebook ({before!r}): put {given!r} into quotes in the grid.")
    return subject.check({name: value})[name]


def _values(given: Any) -> list[Any]:
    if isinstance(given, Mapping) and {"from", "to"} <= given.keys():
        return _range(given)
    return list(given) if isinstance(given, (list, tuple)) else [given]


def _range(given: Mapping[str, Any]) -> list[Any]:
    unknown = ", ".join(sorted(set(given) - _RANGE))
    first, last, step, steps = given["from"], given["to"], given.get("step"), given.get("steps")
    scale = given.get("scale", "linear")
    if unknown:
        raise UsageError(f"a range has from, to, step or steps, and scale; {unknown} means nothing")
    if not all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in (first, last)):
        raise UsageError(f"a range goes from a number to a number, not from {first!r} to {last!r}")
    if (step is None) == (steps is None):
        raise UsageError("a range needs either step (the distance) or steps (how many values)")
    if scale not in ("linear", "log"):
        raise UsageError(f"the scale of a range is linear or log, not {scale!r}")
    if step is not None:
        if scale == "log" or not isinstance(step, (int, float)) or step == 0 or (last - first) / step < 0:
            raise UsageError(
                f"step {step!r} does not lead from {first} to {last}" if scale == "linear" else "a log range needs steps"
            )
        count = math.floor((last - first) / step + 1e-9) + 1
        return [_tidy(first + i * step) for i in range(count)]
    if not isinstance(steps, int) or steps < 2:
        raise UsageError(f"steps is the number of values, two or more; not {steps!r}")
    if scale == "log":
        if first <= 0 or last <= 0:
            raise UsageError("a log range lies above zero")
        ratio = last / first
        return [float(f"{first * ratio ** (i / (steps - 1)):.6g}") for i in range(steps)]
    values = [_tidy(first + (last - first) * i / (steps - 1)) for i in range(steps)]
    whole = isinstance(first, int) and isinstance(last, int) and all(float(value).is_integer() for value in values)
    return [int(value) for value in values] if whole else values


def _tidy(value: float) -> float:
    """Without the dust of binary fractions: 0.3, not 0.30000000000000004."""
    return value if isinstance(value, int) else float(f"{value:.12g}")


def _load(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"The grid {path} cannot be read ({error.strerror}). Give a YAML or JSON file: --grid FILE.") from error
    if path.suffix.lower() == ".json":
        try:
            return json.loads(text)
        except ValueError as error:
            raise UsageError(f"{path} is not JSON: {error}.") from error
    import yaml

    try:
        return yaml.load(text, Loader=_loader())  # noqa: S506 - a safe loader with fewer guesses
    except yaml.YAMLError as error:
        raise UsageError(f"{path} is not YAML: {' '.join(str(error).split())}.") from error


def _loader() -> Any:
    """YAML 1.2's reading of plain words: 1e-3 is a number; no, 12:30 and 2026-01-31 are texts."""
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag in ("tag:yaml.org,2002:null", "tag:yaml.org,2002:merge")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    for tag, pattern, starts in (
        ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
        ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
        ("float", r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan", "-+.0123456789"),
    ):
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), list(starts))
    return Loader
