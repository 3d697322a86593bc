"""`%%validate` cells: which table is checked where in the generated project, and what the project cannot check."""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyter_mlops.convert.plan import SuitePlan
from jupyter_mlops.notebook.cells import Stage
from jupyter_mlops.notebook.problems import Problem

if TYPE_CHECKING:
    from jupyter_mlops.notebook.cells import Notebook
    from jupyter_mlops.notebook.dataflow import Analysis

__all__ = ["CHECK", "ROW_WISE", "TABLE_ONLY", "NotebookSuite", "ValidateCell", "place_checks", "plan_suites", "validate_cells"]

CHECK = "check_expectations"  # what stage functions call
# What the generated `expectations` module judges on one row, ...
ROW_WISE = frozenset(
    """expect_column_values_to_not_be_null expect_column_values_to_be_null expect_column_values_to_be_between
    expect_column_values_to_be_in_set expect_column_values_to_not_be_in_set expect_column_value_lengths_to_be_between
    expect_column_value_lengths_to_equal expect_column_values_to_match_regex expect_column_values_to_match_regex_list
    expect_column_values_to_not_match_regex expect_column_values_to_not_match_regex_list
    expect_column_values_to_match_strftime_format expect_column_values_to_be_json_parseable
    expect_column_pair_values_a_to_be_greater_than_b expect_column_pair_values_to_be_equal expect_column_pair_values_to_be_in_set
    expect_multicolumn_sum_to_equal expect_multicolumn_values_to_be_equal
    expect_select_column_values_to_be_unique_within_record""".split()
)
# ... and the generated `validation` and `measures` modules on a table besides.
TABLE_ONLY = frozenset(
    """expect_column_values_to_be_unique expect_column_values_to_be_increasing expect_column_values_to_be_decreasing
    expect_column_value_z_scores_to_be_less_than expect_compound_columns_to_be_unique expect_column_values_to_be_of_type
    expect_column_values_to_be_in_type_list expect_column_mean_to_be_between expect_column_median_to_be_between
    expect_column_stdev_to_be_between expect_column_min_to_be_between expect_column_max_to_be_between
    expect_column_sum_to_be_between expect_column_unique_value_count_to_be_between
    expect_column_proportion_of_unique_values_to_be_between expect_column_proportion_of_non_null_values_to_be_between
    expect_column_distinct_values_to_be_in_set expect_column_distinct_values_to_contain_set
    expect_column_distinct_values_to_equal_set expect_column_most_common_value_to_be_in_set
    expect_column_quantile_values_to_be_between expect_column_kl_divergence_to_be_less_than expect_column_to_exist
    expect_table_columns_to_match_set expect_table_columns_to_match_ordered_list expect_table_row_count_to_be_between
    expect_table_row_count_to_equal expect_table_column_count_to_be_between expect_table_column_count_to_equal""".split()
)


@dataclass(frozen=True)
class ValidateCell:
    """A `%%validate` cell as it stands, or a line ``%validate``, which runs a suite's file."""

    cell: int
    line: int  # of the magic
    table: str  # the variable that it checks
    suite: str
    body: str
    warn: bool


@dataclass(frozen=True)
class NotebookSuite:
    """A cell with the content of its suite's file."""

    cell: ValidateCell
    content: Mapping[str, Any]


def validate_cells(notebook: Notebook) -> tuple[ValidateCell, ...]:
    """The notebook's `%%validate` cells, in order; cells tagged `skip` are left out."""
    found = []
    magics = [
        (cell, one)
        for cell in notebook.code_cells
        if cell.stage is not Stage.SKIP
        for one in cell.magics
        if one.name == "validate"
    ]
    for cell, magic in magics:
        try:
            words = shlex.split(magic.args)
        except ValueError:
            words = magic.args.split()
        table, suite, warn = "", "", False
        while words:
            word = words.pop(0)
            if word == "--suite" and words:
                suite = words.pop(0)
            elif word.startswith("--suite="):
                suite = word.partition("=")[2]
            elif word == "--warn":
                warn = True
            elif not word.startswith("-"):
                table = table or word
        if table:
            body = "\n".join(cell.source.split("\n")[magic.line :]) if magic.kind == "cell" else ""
            found.append(ValidateCell(cell.number, magic.line, table, suite or table, body, warn))
    return tuple(found)


def place_checks(
    analysis: Analysis, suites: Sequence[NotebookSuite], kept: frozenset[int], unreachable: Collection[int]
) -> tuple[dict[int, tuple[str, ...]], list[Problem]]:
    """Calls that check tables, by the statement that they follow.

    A table is checked right after the last statement that made it what the `%%validate` cell saw.

    Parameters
    ----------
    kept
        Statements that are part of the project.
    unreachable
        Those of them that stand in a function which training and serving share: nothing is checked there.
    """
    placed: dict[int, tuple[str, ...]] = {}
    problems: list[Problem] = []
    for suite in suites:
        cell = suite.cell
        made = _made_by(analysis, cell)
        if made and made <= kept and max(made) not in unreachable:
            placed[max(made)] = (*placed.get(max(made), ()), f'{CHECK}({cell.table}, "{cell.suite}")')
            continue
        if made and made <= kept:
            why = "it is made in the function of the features, which serving calls too"
        elif made:
            cells = sorted({analysis.statements[i].cell for i in made - kept})
            why = f"cell {cells[0]}, which changes it before, is not part of training"
        else:
            why = "nothing before it binds the table"
        problems.append(
            Problem(
                "not-validated",
                "warning",
                f"The table {cell.table!r} is not checked when the project trains: {why}.",
                cell.cell,
                cell.line,
                "Validate the table as the 'load' cells leave it, or between two stages.",
            )  # fmt: skip
        )
    return placed, problems


def _made_by(analysis: Analysis, cell: ValidateCell) -> frozenset[int]:
    place = (cell.cell, cell.line)
    following = next((s.index for s in analysis.statements if (s.cell, s.first_line) > place), len(analysis.statements))
    return analysis.reaching(following, cell.table)


def plan_suites(
    analysis: Analysis, suites: Sequence[NotebookSuite], placed: Mapping[int, Sequence[str]], raw: str, boundary: str
) -> tuple[tuple[SuitePlan, ...], list[Problem]]:
    """The suites of the project, and what of them it does not check as the notebook does.

    Parameters
    ----------
    raw, boundary
        Variable of the raw table, and where serving starts.
    """
    calls = {call for lines in placed.values() for call in lines}
    loaded = max((s.index for s in analysis.statements if s.stage is Stage.LOAD and raw in s.binds | s.mutates), default=-1)
    plans: list[SuitePlan] = []
    problems: list[Problem] = []
    for suite in suites:
        cell = suite.cell
        is_raw = cell.table == raw and max(_made_by(analysis, cell), default=-1) == loaded
        served = is_raw and boundary == "raw"
        expectations = [_softened(one) if cell.warn else dict(one) for one in suite.content["expectations"]]
        problems += _limits(cell, expectations, served)
        if is_raw and not served:
            problems.append(
                Problem(
                    "requests-not-validated",
                    "warning",
                    f"Requests are not checked with the suite {cell.suite!r}: it is about the raw table, and they hold engineered features.",
                    cell.cell,
                    cell.line,
                )  # fmt: skip
            )
        content = {**suite.content, "name": cell.suite, "expectations": expectations}
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        plans.append(
            SuitePlan(cell.suite, cell.table, cell.cell, text, f'{CHECK}({cell.table}, "{cell.suite}")' in calls, served)
        )
    return tuple(plans), problems


def _softened(expectation: Mapping[str, Any]) -> dict[str, Any]:
    """What a cell with --warn only shows does not stop the project either."""
    severity = expectation.get("severity") or "critical"
    return {**expectation, "severity": "warning" if severity == "critical" else severity}


def _limits(cell: ValidateCell, expectations: Sequence[Mapping[str, Any]], served: bool) -> list[Problem]:
    conditional = [one for one in expectations if one["kwargs"].get("row_condition")]
    unknown = sorted({one["type"] for one in expectations if one["type"] not in ROW_WISE | TABLE_ONLY})
    problems = []
    if unknown or conditional:
        named = [*unknown, *(["row_condition"] if conditional else [])]
        problems.append(
            Problem(
                "not-validated",
                "warning",
                f"The project does not check {', '.join(named)} of the suite {cell.suite!r}: only Great Expectations itself does.",
                cell.cell,
                cell.line,
                "It stays in the suite's file; check it in the notebook, or say it with other expectations.",
            )  # fmt: skip
        )
    mostly = [one for one in expectations if one["kwargs"].get("mostly", 1) < 1 and one["type"] in ROW_WISE]
    if served and any((one.get("severity") or "critical") == "critical" for one in mostly):
        problems.append(
            Problem(
                "judged-in-training",
                "info",
                f"{len(mostly)} expectation{'s' if len(mostly) > 1 else ''} of the suite {cell.suite!r} hold{'' if len(mostly) > 1 else 's'} for most "
                "rows only: training judges them, the service counts the rows that break them and answers.",
                cell.cell,
                cell.line,
            )  # fmt: skip
        )
    return problems
