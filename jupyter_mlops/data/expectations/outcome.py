"""What a validation found: failed expectations as bounded tables for people, and as plain data for runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any

from jupyter_mlops.errors import ValidationFailed

__all__ = ["Failure", "Validation"]

_ROWS = 20  # of a table that is shown
_KEPT = 200  # of a table that is recorded
_COLOURS = {"critical": "#b3261e", "warning": "#8a6100", "info": "#33608a"}
_HEAD = ("column", "expectation", "severity", "unexpected", "share", "examples")


@dataclass(frozen=True)
class Failure:
    """One expectation that does not hold.

    `unexpected` counts rows; it and `share` are None where the expectation is not about single rows. `reason` says what was
    observed instead, or why it could not be judged.
    """

    column: str
    expectation: str
    severity: str
    unexpected: int | None
    share: float | None
    examples: tuple[str, ...]
    reason: str

    def cells(self) -> tuple[str, ...]:
        """The row of the table."""
        count = "" if self.unexpected is None else f"{self.unexpected:,}"
        share = "" if self.share is None else f"{100 * self.share:.3g} %"
        return (self.column, self.expectation, self.severity, count, share, ", ".join(self.examples) or self.reason)


@dataclass(frozen=True)
class Validation:
    """The outcome of a suite on a table.

    `success` is about critical expectations: those of severity warning and info are shown and never stop a notebook. With
    `warn` nothing stops it.
    """

    suite: str
    success: bool
    rows: int
    checked: int  # expectations
    failures: tuple[Failure, ...]
    seconds: float
    path: Path | None = None
    warn: bool = False
    notes: tuple[str, ...] = ()  # what became of the suite's file
    calls: str = ""  # what --infer learned, to be pasted into a cell

    def raise_if_critical(self) -> None:
        """Stop here when a critical expectation failed.

        Raises
        ------
        ValidationFailed
            Its text is the bounded table.
        """
        if not self.success and not self.warn:
            raise ValidationFailed(self.text())

    def as_dict(self) -> dict[str, Any]:
        """Plain, bounded data for JSON."""
        return {
            "suite": self.suite,
            "success": self.success,
            "rows": self.rows,
            "expectations": self.checked,
            "failed": len(self.failures),
            "failures": [{**asdict(one), "examples": list(one.examples)} for one in self.failures[:_KEPT]],
            "seconds": round(self.seconds, 4),
            "file": None if self.path is None else f"{self.path.parent.name}/{self.path.name}",
        }

    def headline(self) -> str:
        """The outcome in one line."""
        table = (
            f"{self.checked} expectation{'' if self.checked == 1 else 's'} on {self.rows:,} row{'' if self.rows == 1 else 's'}"
        )
        if not self.failures:
            return f"{self.suite}: {table} hold ({self.seconds:.2f} s)"
        counts = [(sum(f.severity == s for f in self.failures), s) for s in ("critical", "warning", "info")]
        named = ", ".join(f"{count} {severity}" for count, severity in counts if count)
        return f"{self.suite}: {len(self.failures)} of {table} fail ({named}; {self.seconds:.2f} s)"

    def text(self) -> str:
        """Headline and table as plain text, at most about 20 lines."""
        parts = [self.headline()]
        if self.failures:
            parts.append(_table([f.cells() for f in self.failures[:_ROWS]]))
            if (more := len(self.failures) - _ROWS) > 0:
                parts.append(f"and {more} more")
        parts += self.notes
        if self.calls:
            parts.append(self._bounded_calls(80))
        return "\n".join(parts)

    def _bounded_calls(self, limit: int) -> str:
        lines = self.calls.split("\n")
        more = [f"# and {len(lines) - limit} more in the suite's file"] if len(lines) > limit else []
        return "\n".join([*lines[:limit], *more])

    def html(self) -> str:
        """The same as HTML; everything from the data is escaped."""
        colour = "#2e6b34" if not self.failures else _COLOURS["critical" if not self.success else "warning"]
        parts = [f'<div style="font-weight:600;color:{colour}">{escape(self.headline())}</div>']
        if self.failures:
            head = "".join(f'<th style="text-align:left">{name}</th>' for name in _HEAD)
            rows = "".join(_html_row(one) for one in self.failures[:_ROWS])
            parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>")
            if (more := len(self.failures) - _ROWS) > 0:
                parts.append(f"<div>and {more} more</div>")
        parts += [f"<div>{escape(note)}</div>" for note in self.notes]
        if self.calls:
            parts.append(f'<pre style="max-height:24em;overflow:auto">{escape(self._bounded_calls(1000))}</pre>')
        return f'<div class="jupyter-mlops-validation">{"".join(parts)}</div>'


def _html_row(failure: Failure) -> str:
    styles = ["text-align:left"] * len(_HEAD)
    styles[_HEAD.index("severity")] = f"color:{_COLOURS.get(failure.severity, 'inherit')}"
    styles[_HEAD.index("share")] += ";white-space:nowrap"
    cells = zip(failure.cells(), styles, strict=True)
    return "<tr>" + "".join(f'<td style="{style}">{escape(cell)}</td>' for cell, style in cells) + "</tr>"


def _table(rows: Sequence[Sequence[str]]) -> str:
    limits = (24, 64, 8, 11, 7, 80)
    cut = [
        [cell if len(cell) <= limit else cell[: limit - 1] + "…" for cell, limit in zip(row, limits, strict=True)] for row in rows
    ]
    table = [list(_HEAD), *cut]
    widths = [max(len(row[at]) for row in table) for at in range(len(_HEAD))]
    lines = []
    for row in table:
        cells = [
            cell.rjust(width) if at in (3, 4) else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
