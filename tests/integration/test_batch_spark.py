"""`jupyter mlops batch --engine spark`: the executors make the parts that the local engine would make."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.conftest import Converted
from tests.integration.test_batch import bad_rows, manifest, many, result, score, table
from tests.promotable import MODEL

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("penguins")]
SPARK = ("--engine", "spark", "--master", "local[2]")
needs_java = pytest.mark.skipif(
    shutil.which("java") is None and "JAVA_HOME" not in os.environ,
    reason="Spark needs Java, and there is none (Debian: apt install openjdk-17-jre-headless)",
)


@pytest.fixture(scope="module")
def project(converted: Callable[[str], Converted]) -> Path:
    return converted(MODEL).folder


@needs_java
def test_spark_goes_on_where_a_killed_batch_stopped(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    golden = json.loads((project / "model" / "golden.json").read_text(encoding="utf-8"))
    rows = [dict(golden["rows"][n % len(golden["rows"])]) for n in range(4000)]
    for at in (5, 1500, 3999):
        rows[at]["body_mass_g"] = float("inf")
    pq.write_table(table(rows), tmp_path / "rows.parquet", row_group_size=200)
    options = ["--part-rows", "200", "--batch-rows", "100"]
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-m", "batch", tmp_path / "rows.parquet", out, *options], cwd=project, stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while not list(out.glob("_done/[0-9]*.json")) and time.monotonic() < deadline:
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = {f"part-{one.stem}.parquet" for one in out.glob("_done/[0-9]*.json")}
    assert 1 <= len(done) < 20
    before = {name: (out / name).stat().st_mtime_ns for name in done}
    assert score(project, tmp_path / "rows.parquet", out, *options, *SPARK, "--resume") == 0, capsys.readouterr().err
    assert before == {name: (out / name).stat().st_mtime_ns for name in done}  # those were whole
    assert score(project, tmp_path / "rows.parquet", tmp_path / "local", *options) == 0
    assert result(out).equals(result(tmp_path / "local"))
    assert bad_rows(out) == bad_rows(tmp_path / "local")
    assert [row for _, row, _ in bad_rows(out)] == [5, 1500, 3999]
    made = manifest(out)
    assert made["engine"] == "spark"
    assert (made["rows"], made["scored"], made["bad"]) == (4000, 3997, 3)
    assert made["parts"] == manifest(tmp_path / "local")["parts"]
    assert "session at local[2]" in capsys.readouterr().out


@needs_java
def test_what_fails_on_an_executor_is_said_and_leaves_the_rest(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    golden = json.loads((project / "model" / "golden.json").read_text(encoding="utf-8"))
    rows, _ = many(golden, 1000)
    (tmp_path / "in").mkdir()
    pq.write_table(rows, tmp_path / "in" / "a.parquet")
    pq.write_table(rows, tmp_path / "in" / "b.parquet", compression="none")
    damaged = bytearray((tmp_path / "in" / "b.parquet").read_bytes())
    damaged[4:2000] = b"\xff" * 1996  # the pages, not what is said about them at the end
    (tmp_path / "in" / "b.parquet").write_bytes(damaged)
    one_at_a_time = ("--engine", "spark", "--master", "local[1]")
    assert score(project, tmp_path / "in", tmp_path / "out", *one_at_a_time) == 2
    said = capsys.readouterr().err
    assert "b.parquet cannot be read" in said
    assert "--resume" in said
    assert (tmp_path / "out" / "part-00000.parquet").is_file()
    assert not (tmp_path / "out" / "_SUCCESS").exists()
    assert not (tmp_path / "out" / "part-00001.parquet").exists()


def test_a_machine_without_java_is_told_what_to_install(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    golden = json.loads((project / "model" / "golden.json").read_text(encoding="utf-8"))
    pq.write_table(table(golden["rows"][:10]), tmp_path / "rows.parquet")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert score(project, tmp_path / "rows.parquet", tmp_path / "out", *SPARK) == 2
    assert "apt install openjdk-17-jre-headless" in capsys.readouterr().err
