"""`jupyter mlops batch`: files scored as the service would, no row lost, and nothing half done."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from jupyter_mlops.cli import main
from jupyter_mlops.tracking.lifecycle import apply_lifecycle, find_version
from jupyter_mlops.workflows.verify import running_service
from tests.conftest import Converted
from tests.promotable import MODEL

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("penguins")]

NUMBERS = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")


@pytest.fixture(scope="module")
def project(converted: Callable[[str], Converted]) -> Path:
    return converted(MODEL).folder


@pytest.fixture(scope="module")
def golden(project: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((project / "model" / "golden.json").read_text(encoding="utf-8"))
    return data


def table(rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as a table, with a column that the model does not know."""
    made: dict[str, Any] = {"row": list(range(len(rows)))}
    for name in rows[0]:
        made[name] = pa.array([row[name] for row in rows], pa.float64() if name in NUMBERS else pa.string())
    return pa.table(made)


def many(golden: dict[str, Any], count: int) -> tuple[pa.Table, list[Any]]:
    """So many rows, drawn from the golden ones, and what they are predicted as."""
    chosen = random.Random(0).choices(range(len(golden["rows"])), k=count)
    return table([golden["rows"][n] for n in chosen]), [golden["predictions"][n] for n in chosen]


def result(out: Path, kind: str = "parquet") -> pa.Table:
    parts = sorted(out.glob(f"part-*.{kind}"))
    return pa.concat_tables([pq.read_table(p) if kind == "parquet" else pyarrow.csv.read_csv(p) for p in parts])


def bad_rows(out: Path) -> list[tuple[str, int, str]]:
    files = sorted((out / "_bad").glob("*.parquet"))
    return sorted((one["file"], one["row"], one["reason"]) for path in files for one in pq.read_table(path).to_pylist())


def manifest(out: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((out / "_SUCCESS").read_text(encoding="utf-8"))
    return data


def score(project: Path, given: Path, out: Path, *options: str) -> int:
    return main(["batch", "--project", str(project), str(given), str(out), *options])


def test_a_registered_model_scores_a_folder(
    converted: Callable[[str], Converted], golden: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    shutil.copyfile(converted(MODEL).folder.parent / "mlflow.db", tmp_path / "mlflow.db")
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    rows, expected = many(golden, 1000)
    (tmp_path / "in" / "day=2").mkdir(parents=True)
    pq.write_table(rows.slice(0, 700), tmp_path / "in" / "a.parquet", row_group_size=100)
    pq.write_table(rows.slice(700), tmp_path / "in" / "day=2" / "b.parquet")
    (tmp_path / "in" / "_SUCCESS").write_text("", encoding="utf-8")
    command = [MODEL, str(tmp_path / "in"), str(tmp_path / "out")]
    assert main(["batch", *command]) == 2
    assert "No version of penguins is in production" in capsys.readouterr().err
    assert main(["batch", f"{MODEL}@champion", *command[1:]]) == 2
    assert "has no alias 'champion' (it has: staging)" in capsys.readouterr().err
    apply_lifecycle(uri, MODEL, "1", None)
    assert main(["batch", *command, "--part-rows", "250", "--batch-rows", "64", "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["step"] for one in events[:-1] if one["status"] == "done"] == ["fetch", "plan", "score"]
    made = events[-1]["manifest"]
    assert made == manifest(tmp_path / "out")
    facts = find_version(uri, MODEL, "1")
    assert made["model"].items() >= {"name": MODEL, "version": "1", "archive": facts.digest, "run_id": facts.run_id}.items()
    assert (made["rows"], made["scored"], made["bad"]) == (1000, 1000, 0)
    assert [(one["file"], one["first_row"], one["rows"]) for one in made["parts"]] == [
        ("a.parquet", 0, 300), ("a.parquet", 300, 300), ("a.parquet", 600, 100), ("day=2/b.parquet", 0, 300),
    ]  # fmt: skip
    got = result(tmp_path / "out")
    assert got.column_names == [*rows.column_names, *made["added"]]
    assert got.select(rows.column_names).equals(rows)  # all columns, in their order
    assert got["prediction"].to_pylist() == expected
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == ["_SUCCESS", *(f"part-0000{n}.parquet" for n in range(4))]


def test_what_the_service_refuses_is_a_bad_row(project: Path, golden: dict[str, Any], tmp_path: Path) -> None:
    """Row by row the same: refused by both, or predicted alike, whatever is in the row."""
    rows = [dict(row) for row in golden["rows"][:40]]
    inputs = json.loads((project / "model" / "signature.json").read_text(encoding="utf-8"))["raw"]["inputs"]
    for at, column in enumerate(inputs):
        rows[3 * at][column["name"]] = None
    rows[30]["bill_length_mm"], rows[31]["bill_depth_mm"] = float("inf"), 0.0
    rows[32]["island"], rows[33]["sex"] = "Atlantis", ""
    pq.write_table(table(rows), tmp_path / "rows.parquet")
    assert score(project, tmp_path / "rows.parquet", tmp_path / "out", "--batch-rows", "16") == 0
    got = {row["row"]: row for row in result(tmp_path / "out").to_pylist()}
    bad = {row for _, row, _ in bad_rows(tmp_path / "out")}
    refused = set()
    with running_service(project) as url, httpx.Client() as client:
        for at, row in enumerate(rows):
            answer = client.post(f"{url}/predict", content=json.dumps(row), headers={"content-type": "application/json"})
            if answer.status_code != 200:
                assert 400 <= answer.status_code < 500, answer.text
                refused.add(at)
                continue
            said = answer.json()
            assert got[at]["prediction"] == said["prediction"]
            for label, probability in said.get("probabilities", {}).items():
                assert got[at][f"probability_{label}"] == pytest.approx(probability, abs=1e-12)
    assert bad == refused
    assert 30 in bad
    assert set(got) | bad == set(range(40))
    assert manifest(tmp_path / "out")["bad"] == len(bad)


def test_csv_files_and_lines_that_are_no_rows(project: Path, golden: dict[str, Any], tmp_path: Path) -> None:
    rows, expected = many(golden, 300)
    pyarrow.csv.write_csv(rows, tmp_path / "rows.csv")
    lines = (tmp_path / "rows.csv").read_text(encoding="utf-8").splitlines()
    lines[11] += ",more"
    lines[21] = "one"
    fields = lines[31].split(",")
    at = lines[0].replace('"', "").split(",").index("bill_length_mm")
    fields[at] = "long"
    lines[31] = ",".join(fields)
    lines[-1] += ",more"
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert score(project, tmp_path / "rows.csv", tmp_path / "out", "--format", "csv", "--batch-rows", "7") == 0
    assert bad_rows(tmp_path / "out") == [
        ("rows.csv", 10, f"the line has {len(rows.column_names) + 1} fields, not {len(rows.column_names)}"),
        ("rows.csv", 20, f"the line has 1 fields, not {len(rows.column_names)}"),
        ("rows.csv", 30, "column 'bill_length_mm' does not fit float64: 'long'"),
        ("rows.csv", 299, f"the line has {len(rows.column_names) + 1} fields, not {len(rows.column_names)}"),
    ]  # fmt: skip
    got = result(tmp_path / "out", "csv")
    kept = [n for n in range(300) if n not in (10, 20, 30, 299)]
    assert got["row"].to_pylist() == kept
    assert got["prediction"].to_pylist() == [expected[n] for n in kept]
    assert manifest(tmp_path / "out")["rows"] == 300


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_columns_in_the_names_of_folders(project: Path, golden: dict[str, Any], tmp_path: Path, kind: str) -> None:
    """As Spark writes them with ``partitionBy("sex", "day", "code")``: a column that the model needs, a date, and one that is no number."""
    usual = [n for n, row in enumerate(golden["rows"]) if row["sex"] in ("male", "female", None)][:300]
    rows, expected = table([golden["rows"][n] for n in usual]), [golden["predictions"][n] for n in usual]
    at = rows.column_names.index("sex")
    parts = []
    for sex in ("male", "female", None):
        for day, code in (("2026-05-01", "007"), ("2026-05-02", "010")):
            mask = [one == sex and (number % 2 == 0) == (code == "007") for number, one in enumerate(rows["sex"].to_pylist())]
            if any(mask):
                folder = tmp_path / "in" / f"sex={sex or '__HIVE_DEFAULT_PARTITION__'}" / f"day={day}" / f"code={code}"
                folder.mkdir(parents=True)
                part = rows.filter(pa.array(mask)).remove_column(at)
                parts.append((sex, day, code, [expected[n] for n in np.flatnonzero(mask)]))
                if kind == "csv":
                    pyarrow.csv.write_csv(part, folder / "part.csv")
                else:
                    pq.write_table(part, folder / "part.parquet", row_group_size=20)
    assert len(parts) >= 4
    assert score(project, tmp_path / "in", tmp_path / "out", "--part-rows", "30") == 0
    got = result(tmp_path / "out")
    types = [pa.string(), pa.string() if kind == "csv" else pa.date32(), pa.string()]
    assert [got.schema.field(name).type for name in ("sex", "day", "code")] == types
    found = sorted(got.select(["row", "sex", "day", "code", "prediction"]).to_pylist(), key=lambda one: int(one["row"]))
    assert [one["prediction"] for one in found] == expected
    assert [one["sex"] for one in found] == rows["sex"].to_pylist()
    assert {(str(one["day"]), one["code"]) for one in found} == {(day, code) for _, day, code, _ in parts}
    assert bad_rows(tmp_path / "out") == []


def test_a_killed_batch_goes_on_with_what_is_not_done(project: Path, golden: dict[str, Any], tmp_path: Path) -> None:
    rows, _ = many(golden, 20_000)
    pq.write_table(rows, tmp_path / "rows.parquet", row_group_size=100)
    options = ["--part-rows", "100", "--batch-rows", "50"]
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-m", "batch", tmp_path / "rows.parquet", out, *options], cwd=project, stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while len(list(out.glob("_done/*.json"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = {one.name for one in out.glob("_done/[0-9]*.json")}
    assert 3 <= len(done) < 200
    assert not (out / "_SUCCESS").exists()
    before = {one.name: one.stat().st_mtime_ns for one in out.glob("part-*.parquet") if f"{one.stem[5:]}.json" in done}
    assert score(project, tmp_path / "rows.parquet", out, *options) == 2  # it has to be said what is meant
    broken = out / sorted(before)[0]  # not what its report says: made again
    broken.write_bytes(broken.read_bytes()[:100])
    assert score(project, tmp_path / "rows.parquet", out, *options, "--resume") == 0
    after = {name: (out / name).stat().st_mtime_ns for name in before}
    assert {name for name in before if after[name] != before[name]} == {broken.name}
    assert score(project, tmp_path / "rows.parquet", tmp_path / "straight", *options) == 0
    assert result(out).equals(result(tmp_path / "straight"))
    assert manifest(out)["parts"] == manifest(tmp_path / "straight")["parts"]
    assert not [one for one in out.rglob("*") if one.name.endswith(".partial") or one.name in ("_job.json", "_done", ".lock")]


def test_too_many_bad_rows_fail_the_batch(
    project: Path, golden: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [dict(row) for row in golden["rows"][:100]]
    for row in rows[40:60]:
        row["body_mass_g"] = float("inf")
    pq.write_table(table(rows), tmp_path / "rows.parquet", row_group_size=10)
    options = ["--part-rows", "10"]
    assert score(project, tmp_path / "rows.parquet", tmp_path / "out", *options, "--max-bad", "0.1") == 1
    said = capsys.readouterr().err
    assert "--max-bad allows 0.1" in said
    assert "column 'body_mass_g' does not fit float64 (20)" in said
    assert not (tmp_path / "out" / "_SUCCESS").exists()
    # It stopped as soon as that was certain; with another limit it goes on.
    assert len(list((tmp_path / "out").glob("part-*.parquet"))) == 6
    assert score(project, tmp_path / "rows.parquet", tmp_path / "out", *options, "--max-bad", "0.2", "--resume") == 0
    assert (manifest(tmp_path / "out")["scored"], manifest(tmp_path / "out")["bad"]) == (80, 20)
    for row in rows:
        row["body_mass_g"] = float("inf")
    pq.write_table(table(rows), tmp_path / "none.parquet")
    assert score(project, tmp_path / "none.parquet", tmp_path / "none") == 1
    assert "nothing was predicted" in capsys.readouterr().err


def test_an_output_is_never_mixed_with_anything(
    project: Path, golden: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pq.write_table(table(golden["rows"][:50]), tmp_path / "rows.parquet")
    given, out = tmp_path / "rows.parquet", tmp_path / "out"

    def refused(*options: str, out: Path = out) -> str:
        assert score(project, given, out, *options) == 2
        return capsys.readouterr().err

    out.mkdir()
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    assert "holds other files" in refused()
    assert "holds other files" in refused("--resume")
    assert [one.name for one in out.iterdir()] == ["notes.txt"]
    assert score(project, given, out, "--force") == 0
    (former,) = tmp_path.glob("out.*.former")
    assert (former / "notes.txt").read_text(encoding="utf-8") == "mine"
    assert "holds a finished batch" in refused()
    first = manifest(out)
    assert score(project, given, out, "--resume") == 0
    assert manifest(out) == first  # there was nothing to do
    assert "--prefix differed" in refused("--resume", "--prefix", "model_")
    assert score(project, given, out, "--force", "--prefix", "model_") == 0
    assert manifest(out)["added"][0] == "model_prediction"
    assert len(list(tmp_path.glob("out.*.former"))) == 1  # a former batch is replaced
    pq.write_table(table(golden["rows"][:60]), given)
    assert "the files in IN differed" in refused("--resume", "--prefix", "model_")
    assert "within each other" in refused(out=tmp_path / "rows.parquet" / "x")


def test_what_can_never_be_scored_is_said_before_anything_is_written(
    project: Path, golden: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = table(golden["rows"][:50])
    text = rows.set_column(rows.column_names.index("body_mass_g"), "body_mass_g", rows["body_mass_g"].cast(pa.string()))
    (tmp_path / "cut.parquet").write_bytes(b"PAR1 no more")
    (tmp_path / "empty").mkdir()
    cases = {
        "text": (text, "'body_mass_g' is string; the model takes float (float64)"),
        "clash": (
            rows.append_column("prediction", rows["row"]),
            "'prediction' already; give the new columns other names with --prefix",
        ),
    }
    for name, (wrong, message) in cases.items():
        pq.write_table(wrong, tmp_path / f"{name}.parquet")
        assert score(project, tmp_path / f"{name}.parquet", tmp_path / "out") == 2
        assert message in capsys.readouterr().err
    for name, message in {
        "cut.parquet": "cut.parquet cannot be read",
        "empty": "no Parquet or CSV file",
        "none": "There is no ",
    }.items():
        assert score(project, tmp_path / name, tmp_path / "out") == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert score(project, tmp_path / "clash.parquet", tmp_path / "out", "--prefix", "my_") == 0
    assert "my_prediction" in result(tmp_path / "out").column_names
    assert main(["batch", str(tmp_path), str(tmp_path / "out")]) == 2
    assert "--project DIR" in capsys.readouterr().err
    assert main(["batch", "--project", str(tmp_path), str(tmp_path), str(tmp_path / "out")]) == 2
    assert "is no generated project" in capsys.readouterr().err
    shutil.copytree(project / "model", tmp_path / "older" / "model")
    assert score(tmp_path / "older", tmp_path / "clash.parquet", tmp_path / "never") == 2
    assert "has no batch/: an earlier version of jupyter-mlops made it" in capsys.readouterr().err
    assert not (tmp_path / "never").exists()


def test_a_changed_model_predicts_nothing(
    project: Path, golden: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "project"
    shutil.copytree(project, copy)
    wrong = {**golden, "predictions": golden["predictions"][::-1]}
    (copy / "model" / "golden.json").write_text(json.dumps(wrong), encoding="utf-8")
    pq.write_table(table(golden["rows"][:50]), tmp_path / "rows.parquet")
    assert score(copy, tmp_path / "rows.parquet", tmp_path / "out") == 2
    assert "the notebook predicted" in capsys.readouterr().err


def test_two_do_not_write_to_one_folder(
    project: Path, golden: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import fcntl

    pq.write_table(table(golden["rows"][:50]), tmp_path / "rows.parquet")
    (tmp_path / "out").mkdir()
    with (tmp_path / "out" / ".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert score(project, tmp_path / "rows.parquet", tmp_path / "out") == 2
    assert "Another process writes to" in capsys.readouterr().err


def test_a_full_disk_leaves_whole_parts_only(
    project: Path, golden: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, _ = many(golden, 3000)
    noise = random.Random(0)
    rows = rows.append_column("noise", pa.array(noise.randbytes(200) for _ in range(3000)))
    pq.write_table(rows, tmp_path / "rows.parquet", row_group_size=1000)
    command = [sys.executable, "-m", "batch", str(tmp_path / "rows.parquet"), str(tmp_path / "out"), "--part-rows", "2000"]
    limited = ["bash", "-c", 'ulimit -f 200; exec "$@"', "-", *command]  # KB that a file may have
    done = subprocess.run(limited, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "Make room there, and go on with --resume" in done.stderr
    assert {one.name for one in (tmp_path / "out").iterdir()} == {"_job.json"}
    assert score(project, tmp_path / "rows.parquet", tmp_path / "out", "--part-rows", "2000", "--resume") == 0
    assert result(tmp_path / "out").num_rows == 3000
