"""Two runs side by side: what differs in parameters, metrics, code, data, git and environment."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from jupyter_mlops.tracking.directions import lower_is_better
from jupyter_mlops.tracking.listing import RunRow
from jupyter_mlops.tracking.listing_artifacts import RunArtifacts
from jupyter_mlops.workflows.runs_table import data_versions, duration_text, git_text, number_text, run_link

__all__ = ["CodeDifference", "Comparison", "DataDifference", "MetricPair", "ValuePair", "compare"]

Side = Literal["a", "b"]
_CONTEXT = 3  # unchanged lines around a change


@dataclass(frozen=True)
class ValuePair:
    """A parameter, package or fact of both runs; None where a run has none."""

    name: str
    a: str | None
    b: str | None

    @property
    def same(self) -> bool:
        """Whether both have the same."""
        return self.a == self.b


@dataclass(frozen=True)
class MetricPair:
    """A metric of both runs. `better` is None where they are equal or cannot be compared."""

    name: str
    a: float | None
    b: float | None
    lower: bool

    @property
    def difference(self) -> float | None:
        """From a to b."""
        return None if self.a is None or self.b is None else self.b - self.a

    @property
    def better(self) -> Side | None:
        """The run with the better value."""
        difference = self.difference
        if difference is None or math.isnan(difference) or difference == 0:
            return None
        return "b" if (difference < 0) == self.lower else "a"


@dataclass(frozen=True)
class CodeDifference:
    """A unified diff; `diff` is empty where the code is the same."""

    what: Literal["cell", "notebook"]
    diff: str


@dataclass(frozen=True)
class DataDifference:
    """A data file of one run or both."""

    path: str
    state: Literal["same", "changed", "only_a", "only_b", "unknown"]
    a: str | None  # MD5
    b: str | None


@dataclass(frozen=True)
class Comparison:
    """What `compare_runs` found; a is the first run, b the second.

    Attributes
    ----------
    environment
        Packages, and Python, whose versions differ; None where a run has no record of them.
    notes
        What could not be compared, and why.
    """

    uri: str
    a: RunRow
    b: RunRow
    metrics: Sequence[MetricPair]
    params: Sequence[ValuePair]
    code: Sequence[CodeDifference]
    data: Sequence[DataDifference]
    git: Sequence[ValuePair]
    environment: Sequence[ValuePair] | None
    notes: Sequence[str]

    def link(self, side: Side) -> str | None:
        """A run's page in MLflow, where the store is a server."""
        run = self.a if side == "a" else self.b
        return run_link(self.uri, run.experiment_id, run.run_id)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON; numbers that JSON does not know become text."""
        return {
            "a": _run_dict(self.a),
            "b": _run_dict(self.b),
            "metrics": [
                {
                    "name": one.name,
                    "a": _json(one.a),
                    "b": _json(one.b),
                    "difference": _json(one.difference),
                    "better": one.better,
                }
                for one in self.metrics
            ],
            "params": [asdict(one) | {"same": one.same} for one in self.params],
            "code": [asdict(one) for one in self.code],
            "data": [asdict(one) for one in self.data],
            "git": [asdict(one) | {"same": one.same} for one in self.git],
            "environment": None if self.environment is None else [asdict(one) for one in self.environment],
            "notes": list(self.notes),
        }

    def text(self) -> str:
        """The comparison for a terminal."""
        return "\n".join(_text(self)).rstrip()


def compare(uri: str, a: RunRow, b: RunRow, files_a: RunArtifacts, files_b: RunArtifacts) -> Comparison:
    """Compare two runs by their values and their files."""
    notes = [*files_a.problems, *files_b.problems]
    return Comparison(
        uri, a, b,
        metrics=[
            MetricPair(name, a.metrics.get(name), b.metrics.get(name), lower_is_better(name)) for name in _union(a.metrics, b.metrics)
        ],
        params=[ValuePair(name, a.params.get(name), b.params.get(name)) for name in _union(a.params, b.params)],
        code=list(_code(files_a, files_b, notes)),
        data=_data(a, b, files_a, files_b, notes),
        git=_git(a, b, notes),
        environment=_environment(files_a, files_b, notes),
        notes=notes,
    )  # fmt: skip


def _union(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys([*a, *b]))


def _code(a: RunArtifacts, b: RunArtifacts, notes: list[str]) -> Iterator[CodeDifference]:
    if a.source is not None and b.source is not None:
        yield CodeDifference("cell", _diff(a.source, b.source))
    elif a.source is not None or b.source is not None:
        notes.append(_lacks("the code of a tracked cell", a.source is None))
    if a.cells is not None and b.cells is not None:
        yield CodeDifference("notebook", _diff(*(_joined(one) for one in (a.cells, b.cells))))
    elif a.cells is not None or b.cells is not None:
        notes.append(_lacks("the notebook", a.cells is None))
    elif a.source is None and b.source is None:
        notes.append("Neither run has its code: it was recorded by other means than %%track and `jupyter mlops run`.")


def _lacks(what: str, first: bool) -> str:
    return f"The {'first' if first else 'second'} run does not have {what}, so that is not compared."


def _no_record(what: str, first: bool, second: bool) -> str:
    who = "Neither run has" if first and second else f"The {'first' if first else 'second'} run has no"
    return f"{who} {'a ' if first and second else ''}record of {what}."


def _joined(cells: Sequence[str]) -> str:
    """Cells one below the other. Their numbers are left out, so that one more cell does not change all that follow."""
    return "\n".join(f"# -- cell\n{one.rstrip()}\n" for one in cells if one.strip())


def _diff(a: str, b: str) -> str:
    lines = difflib.unified_diff(a.splitlines(), b.splitlines(), "a", "b", n=_CONTEXT, lineterm="")
    return "\n".join(lines)


def _data(a: RunRow, b: RunRow, files_a: RunArtifacts, files_b: RunArtifacts, notes: list[str]) -> list[DataDifference]:
    of_a, of_b = _versions(a, files_a), _versions(b, files_b)
    if of_a is None or of_b is None:
        notes.append(_no_record("the data that it read", of_a is None, of_b is None))
        return []
    found = []
    for path in _union(of_a, of_b):
        first, second = of_a.get(path), of_b.get(path)
        state: Literal["same", "changed", "only_a", "only_b", "unknown"]
        if path not in of_b:
            state = "only_a"
        elif path not in of_a:
            state = "only_b"
        elif first is None or second is None:
            state = "unknown"
        else:
            state = "same" if first == second else "changed"
        found.append(DataDifference(path, state, first, second))
    return found


def _versions(row: RunRow, files: RunArtifacts) -> dict[str, str | None] | None:
    if files.data is not None:
        return {str(one["path"]): str(one["md5"]) if one.get("md5") else None for one in files.data}
    tags = data_versions(row.tags)
    return {name: value.removeprefix("md5:") for name, value in tags.items()} if tags else None


def _git(a: RunRow, b: RunRow, notes: list[str]) -> list[ValuePair]:
    first, second = git_text(a.tags), git_text(b.tags)
    if first is None and second is None:
        notes.append("Neither run was made in a git repository.")
        return []
    pairs = [ValuePair("commit", first, second), ValuePair("branch", a.tags.get("git.branch"), b.tags.get("git.branch"))]
    if any(one.endswith("*") for one in (first or "", second or "")):
        notes.append("* The work tree differed from the commit; the run keeps the difference as git.diff.")
    return [one for one in pairs if one.a is not None or one.b is not None]


def _environment(a: RunArtifacts, b: RunArtifacts, notes: list[str]) -> list[ValuePair] | None:
    if a.environment is None or b.environment is None:
        notes.append(_no_record("its environment", a.environment is None, b.environment is None))
        return None
    facts = [ValuePair(name, _fact(a.environment, name), _fact(b.environment, name)) for name in ("python", "platform")]
    packages = [one.get("distributions") or {} for one in (a.environment, b.environment)]
    facts += [ValuePair(name, packages[0].get(name), packages[1].get(name)) for name in sorted(_union(*packages))]
    return [one for one in facts if not one.same]


def _fact(environment: Mapping[str, Any], name: str) -> str | None:
    value = environment.get(name)
    return None if value is None else str(value)


def _run_dict(row: RunRow) -> dict[str, Any]:
    return {
        "run_id": row.run_id, "name": row.name, "status": row.status, "experiment": row.experiment,
        "start_time": row.start_time, "end_time": row.end_time,
    }  # fmt: skip


def _json(value: float | None) -> float | str | None:
    return value if value is None or math.isfinite(value) else str(value)


def _text(found: Comparison) -> Iterator[str]:
    for side, row in (("a", found.a), ("b", found.b)):
        took = duration_text((row.end_time - row.start_time) / 1000) if row.end_time else "-"
        yield f"{side}  {row.name}  {row.run_id[:8]}  {row.status.lower()}  {row.experiment}  {took}"
    if found.metrics:
        yield from _section("metrics", (
            (" ", one.name, _number(one.a), _number(one.b), _change(one), f"{one.better} is better" if one.better else "")
            for one in found.metrics
        ))  # fmt: skip
    if found.params:
        yield from _section(
            "parameters", (("=" if one.same else "!", one.name, one.a or "-", one.b or "-") for one in found.params)
        )
    if found.data:
        yield from _section("data", (
            ("=" if one.state == "same" else "!", one.path, (one.a or "-")[:12], (one.b or "-")[:12], one.state.replace("_", " in "))
            for one in found.data
        ))  # fmt: skip
    if found.git:
        yield from _section("git", (("=" if one.same else "!", one.name, one.a or "-", one.b or "-") for one in found.git))
    if found.environment is not None:
        yield from _section("environment", (("!", one.name, one.a or "-", one.b or "-") for one in found.environment), "the same")
    for code in found.code:
        yield ""
        yield f"{code.what}: {'' if code.diff else 'the same code'}".rstrip()
        yield from code.diff.splitlines()
    if found.notes:
        yield ""
        yield from found.notes


def _section(title: str, rows: Iterator[tuple[str, ...]], empty: str = "") -> Iterator[str]:
    lines = [tuple(" ".join(cell.split())[:60] if cell.strip() else cell for cell in row) for row in rows]
    yield ""
    yield title if lines else f"{title}: {empty}"
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    for line in lines:
        yield "  ".join(cell.ljust(size) for cell, size in zip(line, widths, strict=True)).rstrip()


def _number(value: float | None) -> str:
    return "-" if value is None else number_text(value)


def _change(one: MetricPair) -> str:
    return "" if one.difference is None else f"{one.difference:+.4g}"
