"""Great Expectations decides, and what it says becomes a bounded table."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jupyter_mlops.data.expectations.calls import expectations_of
from jupyter_mlops.data.expectations.judge import judge
from jupyter_mlops.data.expectations.library import quiet
from jupyter_mlops.data.expectations.outcome import Failure, Validation
from jupyter_mlops.data.expectations.suite import Suite
from jupyter_mlops.errors import MlopsError, ValidationFailed


def run(body: str, frame: pd.DataFrame) -> Validation:
    return judge(Suite("s", expectations_of(body, {"pd": pd})), frame)


def test_failures_have_column_count_share_and_examples() -> None:
    frame = pd.DataFrame({"age": [5, 7, 7, None, 99], "name": ["a", "<b>", "c", "d", "e"]})
    found = run(
        'expect_column_values_to_be_between("age", 0, 6)\nexpect_column_values_to_be_in_set("name", ["a"], severity="info")',
        frame,
    )
    critical, info = found.failures
    assert (critical.column, critical.severity, critical.unexpected, critical.share, critical.examples) == (
        "age",
        "critical",
        3,
        0.75,
        ("7.0", "99.0"),
    )
    assert (info.severity, info.unexpected) == ("info", 4)
    assert not found.success
    with pytest.raises(ValidationFailed, match=r"age +values_to_be_between\(min_value=0, max_value=6\) +critical +3 +75 %"):
        found.raise_if_critical()
    assert issubclass(ValidationFailed, MlopsError)
    assert "&lt;b&gt;" in found.html()
    assert "<b>" not in found.html()
    json.dumps(found.as_dict(), allow_nan=False)


def test_severities_below_critical_do_not_stop() -> None:
    found = run('expect_column_values_to_be_between("a", 5, severity="warning")', pd.DataFrame({"a": [1]}))
    assert found.success
    assert len(found.failures) == 1
    found.raise_if_critical()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('expect_column_values_to_be_between("no", 0, 1)', "there is no column no"),
        ('expect_column_values_to_be_between("mixed", 0, 1)', "could not be judged"),
        ('expect_column_pair_values_to_be_equal("a", "no")', "there is no column no"),
        ('expect_column_kl_divergence_to_be_less_than("t", {"values": ["x"], "weights": [1.0]}, 0.1)', "that the expected distribution does not have"),
        ('expect_column_quantile_values_to_be_between("a", {"quantiles": [0.5], "value_ranges": [[8, 9]]})', r"observed q0\.5=2"),
        ('expect_table_columns_to_match_set(["a", "q"])', "missing: .*q"),
        ('expect_column_mean_to_be_between("a", 8, 9)', "observed 2"),
    ],
)  # fmt: skip
def test_an_exception_inside_is_a_failure_with_its_reason(body: str, reason: str) -> None:
    frame = pd.DataFrame({"a": [1, 2, 3], "mixed": [1, "x", None], "t": ["x", "y", "y"]})
    (failure,) = run(body, frame).failures
    assert pd.Series([failure.reason]).str.contains(reason).all(), failure.reason


def test_results_belong_to_their_expectations_whatever_order_they_come_in() -> None:
    body = '\n'.join(f'expect_column_values_to_be_between("{name}", 0, 1)' for name in ("a", "gone", "b", "c"))  # fmt: skip
    found = run(body, pd.DataFrame({"a": [0], "b": [5], "c": [1]}))
    assert [one.column for one in found.failures] == ["gone", "b"]


def test_dates_from_a_file_compare_with_columns_of_dates() -> None:
    days = pd.date_range("2020-01-01", periods=3)
    frame = pd.DataFrame({"naive": days, "aware": days.tz_localize("Europe/Berlin")})
    for column in frame.columns:
        assert not run(f'expect_column_values_to_be_between("{column}", "2020-01-01", "2020-01-03T00:00:00")', frame).failures
        (failure,) = run(f'expect_column_values_to_be_between("{column}", "2020-01-02")', frame).failures
        assert failure.unexpected == 1
        assert not run(f'expect_column_values_to_be_in_set("{column}", {[str(d) for d in days]})', frame).failures


def test_columns_may_be_named_by_anything() -> None:
    frame = pd.DataFrame({7: [1, 2], ("a", "b"): [3, 4], None: [1, 1]})
    found = run("expect_column_values_to_be_between(\"7\", 1, 2)\nexpect_column_max_to_be_between(\"('a', 'b')\", 4, 4)", frame)
    assert not found.failures
    assert next(iter(frame.columns)) == 7


def test_nullable_and_unhashable_columns() -> None:
    frame = pd.DataFrame(
        {"i": pd.array([1, None, 3], dtype="Int64"), "b": pd.array([True, None, False], dtype="boolean"), "l": [[1], [2], None]}
    )
    body = 'expect_column_values_to_be_between("i", 1, 3)\nexpect_column_values_to_be_in_set("b", [True, False])\nexpect_column_values_to_not_be_null("l")'
    assert [one.column for one in run(body, frame).failures] == ["l"]


def test_a_class_of_the_notebook_works_by_its_snake_case_name() -> None:
    with quiet():
        import great_expectations.expectations as gxe

    class ExpectColumnValuesToBePercentOfTests(gxe.ExpectColumnValuesToBeBetween):  # type: ignore[misc, name-defined]
        min_value: float = 0
        max_value: float = 100

    frame = pd.DataFrame({"p": [50, 101]})
    found = run('expect_column_values_to_be_percent_of_tests("p")', frame)
    assert [one.unexpected for one in found.failures] == [1]


def test_the_tables_are_bounded() -> None:
    failures = tuple(Failure(f"column{n}" * 10, "x" * 500, "critical", n, 0.5, ("v" * 100,) * 5, "") for n in range(1000))
    found = Validation("s", False, 10, 1000, failures, 0.1, calls="\n".join(["expect()"] * 5000))
    assert len(found.text()) < 12_000
    assert "and 980 more" in found.text()
    assert len(found.as_dict()["failures"]) == 200
    assert len(found.html()) < 60_000


def test_the_frame_is_let_go() -> None:
    frame = pd.DataFrame({"a": np.arange(10)})
    run('expect_column_values_to_be_between("a", 0, 9)', frame)
    gone = weakref.ref(frame)
    del frame
    gc.collect()
    assert gone() is None


def test_nothing_is_printed_written_or_sent(tmp_path: Path) -> None:
    code = f"""
import socket, sys
def refuse(*given, **named): raise AssertionError("a connection was tried")
socket.socket.connect = socket.create_connection = refuse
import pandas as pd
from pathlib import Path
from jupyter_mlops.workflows.validate import validate_cell
found = validate_cell('expect_column_values_to_be_between("a", 0, 1)', pd.DataFrame({{"a": [0, 5] * 5000}}), frame_name="df", namespace={{}},
                      suite=None, infer=False, warn=False, folder=Path({str(tmp_path / "work")!r}))
assert not found.success
"""
    for name in ("home", "work", "tmp"):
        (tmp_path / name).mkdir()
    environment = {**os.environ, "HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "tmp")}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    files = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()]
    assert files == ["work/expectations/df.json"]
