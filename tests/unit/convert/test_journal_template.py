"""The generated `journal.py`: nothing that was written is lost, and nobody takes over a journal that is being written."""

from __future__ import annotations

import importlib.util
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FILE = Path(__file__).parents[3] / "jupyter_mlops/convert/templates/project/service/journal.py"
SPEC = importlib.util.spec_from_file_location("journal_template", FILE)
assert SPEC is not None and SPEC.loader is not None
journal = importlib.util.module_from_spec(SPEC)
sys.modules["journal_template"] = journal  # msgspec looks the types up there
SPEC.loader.exec_module(journal)


def records(start: int, count: int) -> Any:
    made = journal.Records()
    for n in range(start, start + count):
        made.add((n, f"id-{n}", "", [(n, None, "é")], [n % 2], None))
    return made


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Any]:
    header = journal.Header("predictions", "m", "3", "integer", [journal.Column("a", "integer"), journal.Column("b", "float")])
    opened = journal.Journal(tmp_path / "open" / "one.journal", header)
    opened.append(records(0, 5))
    opened.append(records(5, 3))
    yield opened
    opened.close()


def times(path: Path) -> list[int]:
    found = journal.read_journal(path)
    assert found is not None and found[0].version == "3"
    return [one.time for many in found[1] for one in many]


def test_what_was_appended_is_read(made: Any) -> None:
    assert times(made.path) == list(range(8))
    (first, *_), _ = journal.read_journal(made.path)[1]
    assert (first.id, first.rows, first.labels, first.probabilities) == ("id-0", [(0, None, "é")], [0], None)


def test_a_record_that_cannot_be_encoded_leaves_the_others_whole(made: Any) -> None:
    some = records(8, 2)
    with pytest.raises(TypeError):
        some.add((10, "id-10", "", [("long " * 1000, object())], [0], None))
    some.add((10, "id-10", "", [(10, None, "é")], [0], None))
    made.append(some)
    assert times(made.path) == list(range(11))


def test_a_journal_that_was_cut_off_gives_its_whole_frames(made: Any) -> None:
    whole = made.path.read_bytes()
    counts = set()
    for size in range(len(whole)):
        made.path.write_bytes(whole[:size])
        counts.add(0 if journal.read_journal(made.path) is None else len(times(made.path)))
    assert counts == {0, 5}
    made.path.write_bytes(whole[:-1] + b"?")
    assert len(times(made.path)) == 5  # the last frame's checksum is wrong


def test_a_full_disk_leaves_no_half_frame(made: Any) -> None:
    before = made.path.stat().st_size
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (before + 20, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            made.append(records(8, 10))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert made.path.stat().st_size == before
    made.append(records(8, 2))  # there is room again
    assert times(made.path) == list(range(10))


def test_a_journal_that_somebody_removed_says_so(made: Any) -> None:
    made.path.unlink()
    with pytest.raises(FileNotFoundError, match="was removed"):
        made.append(records(8, 1))


def test_only_a_journal_that_nobody_writes_is_abandoned(made: Any) -> None:
    code = (
        f"import importlib.util, sys; s = importlib.util.spec_from_file_location('j', {str(FILE)!r});"
        "j = importlib.util.module_from_spec(s); sys.modules['j'] = j; s.loader.exec_module(j);"
        "from pathlib import Path; print(j.is_abandoned(Path(sys.argv[1])))"
    )

    def asked() -> str:
        return subprocess.check_output([sys.executable, "-c", code, str(made.path)], text=True).strip()

    assert asked() == "False"
    made.close()
    assert asked() == "True"
    made._file = os.open(made.path, os.O_RDONLY)  # for the fixture to close
