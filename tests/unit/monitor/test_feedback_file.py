"""Labels from a file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from jupyter_mlops.cli import main
from jupyter_mlops.errors import UsageError
from jupyter_mlops.monitor.log import PredictionLog
from jupyter_mlops.workflows.feedback import add_feedback

BEFORE = datetime.now(UTC) - timedelta(days=1)


def _known(log: Path) -> dict[tuple[str, int], object]:
    return {(one.id, one.row): one.label for one in PredictionLog(log).labels(BEFORE).itertuples()}


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_labels_of_a_file_are_in_the_log(tmp_path: Path, suffix: str) -> None:
    table = pd.DataFrame({"order": ["a", "a", "b", "c"], "at": [0, 1, 0, 0], "late": [1, 0, 1, None]})
    file = tmp_path / f"labels{suffix}"
    if suffix == ".csv":
        table.to_csv(file, index=False)
    elif suffix == ".parquet":
        table.to_parquet(file)
    else:
        table.to_json(file, orient="records", lines=True)
    log = tmp_path / "log"
    assert main(["feedback", "m", str(file), "--id", "order", "--label", "late", "--row", "at", "--log", str(log)]) == 0
    assert _known(log) == {("a", 0): 1, ("a", 1): 0, ("b", 0): 1}
    table.assign(late="yes").iloc[:1].to_csv(tmp_path / "again.csv", index=False)
    assert add_feedback(log, tmp_path / "again.csv", identity="order", label="late", row="at") == 1
    assert _known(log)["a", 0] == "yes"


@pytest.mark.parametrize(
    ("name", "content"),
    [("labels.csv", "id,row,label\n0017,0,1\n0017,1,0\n12e5,0,1\n"),
     ("labels.jsonl", '{"id": "0017", "row": 0, "label": 1}\n{"id": "0017", "row": 1, "label": 0}\n{"id": "12e5", "row": 0, "label": 1}\n')],
)  # fmt: skip
def test_ids_that_look_like_numbers_and_several_rows_of_one_request(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    assert add_feedback(tmp_path / "log", tmp_path / name) == 3
    assert _known(tmp_path / "log") == {("0017", 0): 1, ("0017", 1): 0, ("12e5", 0): 1}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("id,truth\na,1\n", "no column 'label'"), ("id,label\n,1\n", "1 labels without id"), ("id,label\na,1\na,0\n", "several labels of a, row 0"),
        ("", "cannot be read"), ("id,label,row\na,1,\n", "'nan' as the position"), ("id,label,row\na,1,0.5\n", "'0.5' as the position"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_adds_nothing(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "labels.csv"
    file.write_text(content)
    with pytest.raises(UsageError, match=said):
        add_feedback(tmp_path / "log", file)
    assert not (tmp_path / "log").exists()
    with pytest.raises(UsageError, match="no known kind"):
        add_feedback(tmp_path / "log", tmp_path / "labels.xls")
