"""What `%%validate` costs beside plain Great Expectations, and what the generated service's check costs a row.

    python benchmarks/validation.py [--rows 1000000] [--repeat 5]

Both sides of the first table validate the same frame with the same ten expectations, in one process and in turn; the figures are
medians. The second table times the row checks of a generated project on rows that break nothing.
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

LEVELS = [f"level {n}" for n in range(12)]
TEN = """
expect_column_values_to_not_be_null("a")
expect_column_values_to_not_be_null("name")
expect_column_values_to_be_between("a", -10, 10)
expect_column_values_to_be_between("b", 0, 1000, mostly=0.99)
expect_column_values_to_be_between("n", 0, 100)
expect_column_values_to_be_in_set("name", LEVELS)
expect_column_value_lengths_to_be_between("name", 1, 20)
expect_column_mean_to_be_between("a", -1, 1)
expect_column_unique_value_count_to_be_between("name", 1, 20)
expect_column_values_to_be_unique("key")
"""


def table(rows: int) -> pd.DataFrame:
    """A frame in which the ten expectations hold."""
    import numpy as np
    import pandas as pd

    generator = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "key": np.arange(rows),
            "a": generator.normal(size=rows).clip(-9, 9),
            "b": generator.exponential(30, rows),
            "n": generator.integers(0, 100, rows),
            "name": generator.choice(np.array(LEVELS, dtype=object), rows),
        }
    )


def beside_plain(rows: int, repeat: int) -> float:
    """Print medians of both sides; returns their ratio."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    from jupyter_mlops.data.expectations.calls import expectations_of, instance
    from jupyter_mlops.workflows.validate import validate_cell

    frame = table(rows)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    definition = context.data_sources.add_pandas("p").add_dataframe_asset("a").add_batch_definition_whole_dataframe("b")
    listed = expectations_of(TEN, {"LEVELS": LEVELS})

    def plain() -> None:
        suite = gx.ExpectationSuite(name="plain", expectations=[instance(one, at) for at, one in enumerate(listed)])
        assert definition.get_batch({"dataframe": frame}).validate(suite).success

    with tempfile.TemporaryDirectory() as folder:

        def ours() -> None:
            found = validate_cell(
                TEN,
                frame,
                frame_name="frame",
                namespace={"LEVELS": LEVELS},
                suite=None,
                infer=False,
                warn=False,
                folder=Path(folder),
            )
            assert found.success

        took: dict[str, list[float]] = {"plain": [], "ours": []}
        for turn in range(repeat + 1):  # the first fills caches of both
            for name, call in (("plain", plain), ("ours", ours)) if turn % 2 else (("ours", ours), ("plain", plain)):
                started = time.perf_counter()
                call()
                if turn:
                    took[name].append(time.perf_counter() - started)
    bare, mine = statistics.median(took["plain"]), statistics.median(took["ours"])
    print(f"| ten expectations, {rows:,} rows | seconds |\n|---|---|")
    print(f"| `batch.validate(suite)` | {bare:.2f} |\n| `%%validate` | {mine:.2f} |\n")
    print(f"ratio {mine / bare:.2f} (target: at most 1.1)\n")
    return mine / bare


def row_checks(count: int) -> tuple[Any, list[tuple[Any, ...]]]:
    """The generated project's check with so many expectations, and rows that break none of them."""
    template = Path(__file__).parents[1] / "jupyter_mlops" / "convert" / "templates" / "project" / "src" / "__package__"
    sys.path.insert(0, str(template))
    try:
        module = importlib.import_module("expectations")
    finally:
        sys.path.remove(str(template))
    columns, expectations = [], []
    for number in range((count + 3) // 4):
        columns += [
            {"name": f"real{number}", "kind": "float", "dtype": "float64"},
            {"name": f"text{number}", "kind": "string", "dtype": "object"},
        ]
        for kind, kwargs in (
            ("be_between", {"column": f"real{number}", "min_value": 0, "max_value": 10, "strict_max": True}),
            ("be_in_set", {"column": f"text{number}", "value_set": LEVELS}),
            ("match_regex", {"column": f"text{number}", "regex": "^level [0-9]+$"}),
            ("not_be_null", {"column": f"real{number}"}),
        ):
            expectations.append({"type": f"expect_column_values_to_{kind}", "kwargs": kwargs})
    rules = module.row_rules({"name": "bench", "expectations": expectations[:count]}, columns)
    names = [column["name"] for column in columns]
    row = tuple(1.5 if name.startswith("real") else LEVELS[1] for name in names)
    return module.RowChecks(rules, names), [row] * 1000


def row_costs(counts: Sequence[int]) -> float:
    """Print microseconds a row; returns the largest."""
    print("| expectations about a row | median, µs a row | p99, µs |\n|---|---|---|")
    worst = 0.0
    for count in counts:
        checks, rows = row_checks(count)
        took = []
        for row in rows * 20:
            started = time.perf_counter()
            assert not checks(row)
            took.append(1e6 * (time.perf_counter() - started))
        median, last = statistics.median(took), statistics.quantiles(took, n=100)[98]
        print(f"| {count} | {median:.1f} | {last:.1f} |")
        worst = max(worst, median)
    print("\ntarget: at most 100 µs")
    return worst


def main() -> int:
    """Print both tables; the exit code is 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the table")
    parser.add_argument("--repeat", type=int, default=5, help="turns of both sides")
    arguments = parser.parse_args()
    ratio = beside_plain(arguments.rows, arguments.repeat)
    worst = row_costs((10, 37))
    return int(ratio > 1.1 or worst > 100)


if __name__ == "__main__":
    sys.exit(main())
