"""Grids: what a file says, what the command line says, and what does not fit the notebook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.errors import ParameterError, UsageError
from jupyter_mlops.workflows.run_notebook import Subject
from jupyter_mlops.workflows.sweep_grid import choose_points, read_grid, split_values
from tests.notebooks import write_notebook

PARAMETERS = "depth = 3\nrate = 0.1\nname = 'a'\nlayers = [1, 2]\npair = (1, 2)\nflag = True\nfree = None"


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    return Subject.read(
        write_notebook(tmp_path_factory.mktemp("grid") / "nb.ipynb", [("parameters", PARAMETERS), ("", "x = depth")])
    )


def _points(subject: Subject, source: Any, more: list[tuple[str, str]] | None = None, **options: Any) -> list[dict[str, Any]]:
    return choose_points(read_grid(source, more or []), subject, **options)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("1,2,3", ["1", "2", "3"]),
        ("[1,2],[3]", ["[1,2]", "[3]"]),
        ("'a,b',c", ["'a,b'", "c"]),
        ("{'a': 1, 'b': (2, 3)},None", ["{'a': 1, 'b': (2, 3)}", "None"]),
        ("it's,fine", ["it's", "fine"]),
        ("-1e-3", ["-1e-3"]),
        (" ", []),
    ],
)
def test_values_are_split_at_the_outer_commas(text: str, parts: list[str]) -> None:
    assert split_values(text) == parts


def test_the_product_in_order_the_last_parameter_fastest(subject: Subject) -> None:
    points = _points(subject, {"depth": [1, 2], "rate": [0.5, 1]})
    assert points == [{"depth": d, "rate": r} for d in (1, 2) for r in (0.5, 1.0)]
    assert isinstance(points[1]["rate"], float)


def test_values_of_the_command_line_take_the_parameters_type(subject: Subject) -> None:
    points = _points(subject, [], [("name", "007,1e-3,none"), ("layers", "[4],[5, 6]"), ("rate", "1e-3"), ("pair", "[3, 4]")])
    assert [one["name"] for one in points] == [name for name in ("007", "1e-3", "none") for _ in range(2)]
    assert [one["layers"] for one in points[:2]] == [[4], [5, 6]]
    assert points[0]["rate"] == 0.001
    assert points[0]["pair"] == (3, 4)


def test_yaml_reads_numbers_as_people_write_them(subject: Subject, tmp_path: Path) -> None:
    grid = tmp_path / "grid.yaml"
    grid.write_text("rate: [1e-3, .5, 2]\nname: [no, 2026-01-31, '1.10']\nfree: [null]\nflag: [true, false]\n", encoding="utf-8")
    points = _points(subject, grid)
    assert {one["rate"] for one in points} == {0.001, 0.5, 2.0}
    assert {one["name"] for one in points} == {"no", "2026-01-31", "1.10"}
    assert {one["flag"] for one in points} == {True, False}
    assert points[0]["free"] is None


def test_a_list_of_grids_is_the_union_and_nothing_runs_twice(subject: Subject) -> None:
    points = _points(subject, [{"depth": 1}, {"depth": [1, 2], "rate": 0.5}, {"depth": 1}])
    assert points == [{"depth": 1}, {"depth": 1, "rate": 0.5}, {"depth": 2, "rate": 0.5}]


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ({"from": 0.1, "to": 0.5, "step": 0.1}, [0.1, 0.2, 0.3, 0.4, 0.5]),
        ({"from": 1, "to": 0, "step": -0.5}, [1.0, 0.5, 0.0]),
        ({"from": 0.001, "to": 1, "steps": 4, "scale": "log"}, [0.001, 0.01, 0.1, 1.0]),
        ({"from": 0, "to": 1, "steps": 3}, [0.0, 0.5, 1.0]),
    ],
)
def test_ranges(subject: Subject, given: dict[str, Any], values: list[float]) -> None:
    assert [one["rate"] for one in _points(subject, {"rate": given})] == values


def test_a_range_of_whole_numbers_stays_whole(subject: Subject) -> None:
    assert [one["depth"] for one in _points(subject, {"depth": {"from": 2, "to": 8, "steps": 3}})] == [2, 5, 8]


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        ({"rate": {"from": 1, "to": 2}}, "step"),
        ({"rate": {"from": 1, "to": 2, "step": -1}}, "does not lead"),
        ({"rate": {"from": 0, "to": 2, "steps": 3, "scale": "log"}}, "above zero"),
        ({"rate": {"from": 1, "to": 2, "steps": 3, "width": 1}}, "width"),
        ({"rate": []}, "no value"),
        ([], "no parameter"),
        ("text", "cannot be read"),
        ([1, 2], "no grid"),
    ],
)
def test_a_grid_that_says_nothing_is_refused(grid: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_grid(grid)


def test_all_errors_are_told_together(subject: Subject) -> None:
    with pytest.raises(ParameterError) as caught:
        _points(subject, {"dpth": [1], "depth": [1, "x"], "name": [1.10], "flag": [1]})
    said = str(caught.value)
    assert said.startswith("4 problems, so nothing was run")
    for part in ("Did you mean 'depth'?", "'x' is str", "put 1.1 into quotes", "'flag' is bool"):
        assert part in said


def test_many_runs_have_to_be_asked_for(subject: Subject) -> None:
    huge = {"depth": list(range(10_000)), "rate": [i / 10 for i in range(10_000)]}
    with pytest.raises(UsageError, match=r"100,000,000 combinations.*--limit 100000000.*--random 256"):
        _points(subject, huge)
    assert len(_points(subject, {"depth": list(range(300))}, limit=300)) == 300
    first = _points(subject, huge, sample=5, seed=1)
    assert first == _points(subject, huge, sample=5, seed=1)
    assert first != _points(subject, huge, sample=5, seed=2)
    assert len({repr(one) for one in first}) == 5


def test_a_notebook_without_parameters_says_so(tmp_path: Path) -> None:
    bare = Subject.read(write_notebook(tmp_path / "bare.ipynb", [("", "x = 1")]))
    with pytest.raises(ParameterError, match="no cell tagged 'parameters'"):
        _points(bare, {"x": [1]})
