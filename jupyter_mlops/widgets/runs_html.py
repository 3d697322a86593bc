"""Runs and comparisons as HTML that needs no script: for nbconvert, for GitHub, for frontends without widgets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from html import escape
from importlib.resources import files

from jupyter_mlops.tracking.listing import RunRow
from jupyter_mlops.workflows.comparison import Comparison, MetricPair
from jupyter_mlops.workflows.runs_table import Column, RunsTable, Value, duration_text, number_text, value_text

__all__ = ["comparison_html", "css", "runs_html", "title"]

_ROWS = 100  # of a table that stays in the notebook file
_LONG = 200  # characters of a value
_STATUS = {"finished": "good", "failed": "bad", "killed": "warn", "running": "warn", "scheduled": "warn"}


@cache
def css() -> str:
    """The style sheet that the static and the live table share."""
    return (files("jupyter_mlops.widgets") / "runs_table.css").read_text(encoding="utf-8")


def title(table: RunsTable) -> str:
    """What the table shows, in a line."""
    return f"{table.experiment}: best runs by {table.sort}" if table.sort else f"{table.experiment}: newest runs"


def runs_html(table: RunsTable) -> str:
    """The table; of many rows, only the first hundred."""
    count = len(table.rows)
    bar = (
        f'<div class="mlops-runs-bar"><b>{escape(title(table))}</b>'
        f'<span class="mlops-runs-quiet">{count:,} {"run" if count == 1 else "runs"}</span></div>'
    )
    columns = [(place, one) for place, one in enumerate(table.columns) if one.shown]
    rows = [(row, table.values(row)) for row in table.rows]
    best = {place: _best(column, [values[place] for _, values in rows]) for place, column in columns}
    head = "".join(f'<th scope="col"{_class(one)}>{escape(one.title)}</th>' for _, one in columns)
    body = "".join(
        f"<tr>{''.join(_cell(table, row, one, values[place], best[place]) for place, one in columns)}</tr>"
        for row, values in rows[:_ROWS]
    )
    notes = list(table.notes)
    if count > _ROWS:
        notes.append(f"{count - _ROWS:,} more runs are not in this static table.")
    hidden = [one.title for one in table.columns if not one.shown]
    if hidden and rows:
        notes.append(f"Also recorded, the same in all runs or beyond the first columns: {', '.join(hidden)}.")
    grid = (
        f'<div class="mlops-runs-scroll"><table class="mlops-runs-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        if rows
        else '<div class="mlops-runs-note">No runs.</div>'
    )
    return f'<style>{css()}</style><div class="mlops-runs">{bar}{grid}{_notes(notes)}</div>'


def _class(column: Column, *more: str) -> str:
    names = [*(["mlops-runs-n"] if column.numeric and column.kind != "when" else []), *more]
    return f' class="{" ".join(names)}"' if names else ""


def _best(column: Column, values: list[Value]) -> float | None:
    numbers = [one for one in values if isinstance(one, float) and one == one]
    if column.kind != "metric" or len(numbers) < 2:
        return None
    return min(numbers) if column.lower else max(numbers)


def _cell(table: RunsTable, row: RunRow, column: Column, value: Value, best: float | None) -> str:
    text = escape(_short(value_text(value, column)))
    if column.kind == "name":
        link = table.link(row)
        name = f'<a href="{escape(link)}" target="_blank" rel="noopener noreferrer">{text}</a>' if link else text
        return f"<td>{'↳ ' if row.parent else ''}{name} <code>{escape(row.run_id[:8])}</code></td>"
    if column.kind == "status":
        return f'<td><span class="mlops-runs-{_STATUS.get(str(value), "quiet")}">{text}</span></td>'
    return f"<td{_class(column, *(['mlops-runs-best'] if best is not None and value == best else []))}>{text}</td>"


def _short(text: str) -> str:
    return text if len(text) <= _LONG else text[: _LONG - 1] + "…"


def _notes(notes: Iterable[str]) -> str:
    return "".join(f'<div class="mlops-runs-note">{escape(one)}</div>' for one in notes)


def comparison_html(found: Comparison, *, style: bool = True) -> str:
    """Two runs side by side. What is the same is folded away."""
    sheet = f"<style>{css()}</style>" if style else ""
    return f'{sheet}<div class="mlops-runs"><div class="mlops-runs-pair">{"".join(_sections(found))}</div></div>'


def _sections(found: Comparison) -> Iterator[str]:
    yield _grid("", ["", "run", "status", "started", "duration", "git"], [
        [side, _run(found, row, found.link("a" if side == "a" else "b")), _status(row), escape(_started(row)), escape(_took(row)), _commit(found, side)]
        for side, row in (("a", found.a), ("b", found.b))
    ])  # fmt: skip
    if found.metrics:
        yield _grid("Metrics", ["metric", "a", "b", "difference"], [_metric(one) for one in found.metrics], numeric=(1, 2, 3))
    if found.params:
        rows = [(one.same, [escape(one.name), _text(one.a), _text(one.b)]) for one in found.params]
        yield _folded("Parameters", ["parameter", "a", "b"], rows)
    for code in found.code:
        yield f"<h3>{'Code of the cell' if code.what == 'cell' else 'Code of the notebook'}</h3>"
        yield _diff(code.diff) if code.diff else '<div class="mlops-runs-same">the same</div>'
    if found.data:
        words = {"same": "same", "changed": "changed", "only_a": "only in a", "only_b": "only in b", "unknown": "unknown"}
        rows = [
            (
                one.state == "same",
                [escape(one.path), _text((one.a or "")[:12]), _text((one.b or "")[:12]), _state(words[one.state])],
            )
            for one in found.data
        ]
        yield _folded("Data", ["file", "a", "b", ""], rows)
    if found.environment is not None:
        rows = [(False, [escape(one.name), _text(one.a), _text(one.b)]) for one in found.environment]
        yield _folded("Environment", ["package", "a", "b"], rows)
    yield _notes(found.notes)


def _grid(name: str, head: list[str], rows: list[list[str]], numeric: tuple[int, ...] = ()) -> str:
    """A table of cells that are escaped already."""
    marks = [' class="mlops-runs-n"' if place in numeric else "" for place in range(len(head))]
    top = "".join(f'<th scope="col"{mark}>{escape(one)}</th>' for one, mark in zip(head, marks, strict=True))
    body = "".join(f"<tr>{''.join(f'<td{mark}>{one}</td>' for one, mark in zip(row, marks, strict=True))}</tr>" for row in rows)
    start = f"<h3>{escape(name)}</h3>" if name else ""
    return f'{start}<div class="mlops-runs-scroll"><table class="mlops-runs-table"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _folded(name: str, head: list[str], rows: list[tuple[bool, list[str]]]) -> str:
    differing = [row for same, row in rows if not same]
    equal = [row for same, row in rows if same]
    html = _grid(name, head, differing) if differing else f'<h3>{escape(name)}</h3><div class="mlops-runs-same">the same</div>'
    if equal:
        html += f"<details><summary>{len(equal)} that are the same</summary>{_grid('', head, equal)}</details>"
    return html


def _run(found: Comparison, row: RunRow, link: str | None) -> str:
    name = escape(row.name)
    if link:
        name = f'<a href="{escape(link)}" target="_blank" rel="noopener noreferrer">{name}</a>'
    where = f" in {escape(row.experiment)}" if found.a.experiment != found.b.experiment else ""
    return f"{name} <code>{escape(row.run_id[:8])}</code>{where}"


def _status(row: RunRow) -> str:
    status = row.status.lower()
    return f'<span class="mlops-runs-{_STATUS.get(status, "quiet")}">{escape(status)}</span>'


def _started(row: RunRow) -> str:
    return value_text(row.start_time, Column("when", "when", "when"))


def _took(row: RunRow) -> str:
    return duration_text((row.end_time - row.start_time) / 1000) if row.end_time else ""


def _commit(found: Comparison, side: str) -> str:
    pairs = {one.name: one for one in found.git}
    facts = [getattr(pairs[name], side) for name in ("commit", "branch") if name in pairs]
    return escape(" on ".join(one for one in facts if one)) or '<span class="mlops-runs-same">none</span>'


def _metric(one: MetricPair) -> list[str]:
    cells = ["–" if value is None else escape(number_text(value)) for value in (one.a, one.b)]
    if one.better is not None:
        place = 0 if one.better == "a" else 1
        cells[place] = f'<b class="mlops-runs-good" title="better">{cells[place]}</b>'
    difference = one.difference
    change = "–" if difference is None else "=" if difference == 0 else escape(f"{difference:+.4g}")
    about = "lower" if one.lower else "higher"
    return [f'<span title="{about} is better">{escape(one.name)} {"↓" if one.lower else "↑"}</span>', *cells, change]


def _text(value: str | None) -> str:
    return escape(_short(value)) if value else '<span class="mlops-runs-same">–</span>'


def _state(word: str) -> str:
    return f'<span class="mlops-runs-{"same" if word == "same" else "warn"}">{word}</span>'


def _diff(diff: str) -> str:
    kinds = {"+": "plus", "-": "minus", "@": "where"}
    lines = diff.splitlines()[2:]  # without the names
    spans = "".join(f'<span class="mlops-runs-{kinds.get(line[:1], "same-line")}">{escape(line) or " "}</span>' for line in lines)
    return f'<pre class="mlops-runs-diff">{spans}</pre>'
