"""Raw rows against the suites that a generated service checks requests with, by the project's own module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jupyter_mlops.errors import ExportError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from jupyter_mlops.signature import Column

__all__ = ["ExpectedRows"]


class ExpectedRows:
    """The critical expectations about single rows.

    Parameters
    ----------
    module
        The project's `expectations` module: what is judged here is what the service will say.
    suites
        Names of the suites that requests are checked with.
    columns
        Of a request's row.
    """

    def __init__(self, module: Any, suites: Sequence[str], columns: Sequence[Column]) -> None:
        described = [{"name": column.name, "kind": column.kind, "dtype": column.dtype} for column in columns]
        rules = [rule for name in suites for rule in module.row_rules(module.read_suite(name), described)]
        self._rules = [rule for rule in rules if rule.severity == "critical"]
        self._names = [column.name for column in columns]
        self._broken = module.RowChecks(self._rules, self._names)

    def _rows(self, frame: pd.DataFrame) -> list[tuple[Any, ...]]:
        """Rows as the service holds them: Python's values, None where one is missing."""
        columns = []
        for name in self._names:
            column = frame[name]
            missing = column.isna().tolist()
            columns.append([None if gone else value for value, gone in zip(column.tolist(), missing, strict=True)])
        return list(zip(*columns, strict=True))

    def passes(self, frame: pd.DataFrame) -> np.ndarray:
        """Which rows break none, as a boolean array."""
        import numpy as np

        return np.array([not self._broken(row) for row in self._rows(frame)], dtype=bool)

    def require(self, golden: pd.DataFrame) -> None:
        """The notebook's own rows must pass: its validation saw them.

        Raises
        ------
        ExportError
            One does not.
        """
        for row in self._rows(golden):
            for number in self._broken(row):
                rule = self._rules[number]
                values = [row[self._names.index(name)] for name in rule.columns]
                raise ExportError(
                    f"A row that the notebook predicts breaks its own expectations: column {', '.join(rule.columns)}: {rule.says(values)} "
                    f"(suite {rule.suite}). Run the %%validate cell on the table as the 'load' cells leave it."
                )

    def narrowed(self, columns: tuple[Column, ...]) -> tuple[Column, ...]:
        """The columns, without null where the notebook expects none."""
        never = {rule.columns[0] for rule in self._rules if rule.missing == "break"}
        return tuple(replace(column, nullable=False) if column.name in never else column for column in columns)
