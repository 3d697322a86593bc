"""Reading the prediction log: windows, samples, journals that are no Parquet yet, labels."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jupyter_mlops.monitor.log import PredictionLog, Window
from tests.unit.monitor.logs import Written

START = datetime(2026, 3, 1, 22, tzinfo=UTC)
ROWS = 300


def _frame(rows: int = ROWS, first: int = 0) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "size": np.arange(first, first + rows, dtype=float),
            "city": [None if n % 10 == 0 else f"c{n % 3}" for n in range(rows)],
            "when": pd.date_range("2026-01-01", periods=rows, freq="h"),
        }
    )


def _times(rows: int = ROWS, start: datetime = START) -> list[datetime]:
    return [start + timedelta(minutes=n) for n in range(rows)]


def _window(hours: float = 24, start: datetime = START) -> Window:
    return Window(start, start + timedelta(hours=hours))


@pytest.fixture(params=["journal", "parquet", "both"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> PredictionLog:
    """300 requests over five hours, and midnight among them."""
    written = Written(tmp_path)
    half = ROWS // 2
    frame, times = _frame(), _times()
    written.predictions(frame.iloc[:half], [0] * half, times[:half])
    if request.param == "both":
        written.compact()
    written.predictions(frame.iloc[half:], [1] * half, times[half:], name="s")
    if request.param == "parquet":
        written.compact()
        assert {path.parent.parent.name for path in tmp_path.rglob("*.parquet")} == {"day=2026-03-01", "day=2026-03-02"}
        assert not list((tmp_path / "open").glob("*.journal"))
    return PredictionLog(tmp_path)


def test_what_was_logged_is_read(log: PredictionLog) -> None:
    found = log.read("1", _window(), sample=1000)
    assert found.rows == len(found.frame) == ROWS
    together = found.frame.assign(prediction=found.meta["prediction"]).sort_values("size", ignore_index=True)
    expected = _frame()
    assert together["size"].tolist() == expected["size"].tolist()
    assert together["city"].tolist() == expected["city"].tolist()
    assert pd.to_datetime(together["when"]).tolist() == expected["when"].tolist()
    assert together["prediction"].tolist() == [0] * 150 + [1] * 150
    assert found.missing == {"size": 0, "city": 30, "when": 0}
    assert log.last("1") == _times()[-1]


def test_a_window_holds_what_lies_in_it(log: PredictionLog) -> None:
    found = log.read("1", Window(START + timedelta(minutes=10), START + timedelta(minutes=200)), sample=1000)
    assert sorted(found.frame["size"]) == list(range(10, 200))
    assert log.read("2", _window(), sample=10).rows == 0 and log.last("2") is None
    assert log.read("1", _window(start=START + timedelta(days=3)), sample=10).rows == 0
    with pytest.raises(ValueError, match="before it begins"):
        Window(START, START)


def test_a_sample_is_a_uniform_one(log: PredictionLog) -> None:
    drawn = [log.read("1", _window(), sample=60, seed=seed) for seed in range(30)]
    assert {(one.rows, len(one.frame), one.frame["size"].nunique()) for one in drawn} == {(ROWS, 60, 60)}
    assert drawn[0].missing["city"] == 30  # of all rows
    counts = np.bincount(np.concatenate([one.frame["size"].to_numpy(int) for one in drawn]) // 60, minlength=5)
    assert counts.min() > 300 and counts.max() < 420  # 360 in each fifth are expected
    again = log.read("1", _window(), sample=60, seed=3)
    assert again.frame.equals(drawn[3].frame) and not again.frame.equals(drawn[4].frame)


def test_what_was_mirrored_and_what_was_cut_off_is_left_out(tmp_path: Path) -> None:
    written = Written(tmp_path)
    written.predictions(_frame(5), [0] * 5, _times(5))
    written.predictions(_frame(7), [1] * 7, _times(7), arm="shadow")
    opened = written.predictions(_frame(3, first=10), [0] * 3, _times(3), close=False)
    with opened.path.open("ab") as file:
        file.write(b"\x10\x00\x00\x00half a frame")
    found = PredictionLog(tmp_path).read("1", _window(), sample=100)
    assert sorted(found.frame["size"]) == [0, 1, 2, 3, 4, 10, 11, 12]
    written.compact()  # not the one that is being written
    assert [path.name for path in (tmp_path / "open").glob("*.journal")] == [opened.path.name]
    assert PredictionLog(tmp_path).read("1", _window(), sample=100).rows == 8
    opened.close()
    written.compact()
    assert not list((tmp_path / "open").glob("*.journal"))
    assert PredictionLog(tmp_path).read("1", _window(), sample=100).rows == 8


@pytest.mark.parametrize("compacted", [True, False])
def test_of_several_labels_the_last_one_holds(tmp_path: Path, compacted: bool) -> None:
    written = Written(tmp_path)
    day = timedelta(days=1)
    written.feedback([("a", 0, 1, START), ("a", 1, "late", START), ("b", 0, None, START - 9 * day)])
    written.feedback([("a", 0, 0, START + day)])
    if compacted:
        written.compact()
    told = PredictionLog(tmp_path).labels(START)
    known = {(one.id, one.row): one.label for one in told.itertuples() if one.id == "a"}
    assert known == {("a", 0): 0, ("a", 1): "late"}
    assert PredictionLog(tmp_path / "nothing").labels(START).empty


@pytest.mark.parametrize("compacted", [False, True])
def test_hashes_are_not_compared(tmp_path: Path, compacted: bool) -> None:
    written = Written(tmp_path)
    frame = pd.DataFrame({"size": [1.0, 2.0], "name": ["3f", "9a"]})
    written.predictions(frame, [0, 1], _times(2), hashed=["name"])
    if compacted:
        written.compact()
    assert list(PredictionLog(tmp_path).read("1", _window(), sample=10).frame) == ["size"]
