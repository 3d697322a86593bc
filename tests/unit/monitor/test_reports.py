"""Reports in their folder: found by their window, and never beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from jupyter_mlops.monitor.reports import Reports, monitoring_folder

WINDOW = "20261130T120000"


@pytest.fixture
def reports(tmp_path: Path) -> Reports:
    """Of version 3, with one report that has a page."""
    made = Reports(monitoring_folder(tmp_path / "deployed" / "predictions"), "3")
    place = made.place(datetime(2026, 11, 30, 12, tzinfo=UTC))
    place.mkdir(parents=True)
    (place / "report.json").write_text('{"verdict": "ok"}', encoding="utf-8")
    (place / "report.html").write_text("a page", encoding="utf-8")
    return made


def test_a_report_is_found_by_the_end_of_its_window(reports: Reports, tmp_path: Path) -> None:
    assert reports.folder == tmp_path / "deployed" / "monitoring" / "version=3"
    assert reports.windows() == [WINDOW]
    assert reports.read(WINDOW) == {"verdict": "ok"}
    page = reports.page(WINDOW, "report")
    assert page is not None and page.read_text(encoding="utf-8") == "a page"
    assert reports.page(WINDOW, "drift") is None


def test_windows_come_in_their_order_and_nothing_else_is_one(reports: Reports) -> None:
    for name in ("20261201T000000", "20260101T000000", "notes", "20260101T0000"):
        (reports.folder / name).mkdir()
        (reports.folder / name / "report.json").write_text("{}", encoding="utf-8")
    (reports.folder / "20270101T000000").mkdir()  # about to be written
    assert reports.windows() == ["20260101T000000", WINDOW, "20261201T000000"]


@pytest.mark.parametrize("text", ["", "{", "[1]", '"x"', "\udcff"])
def test_what_cannot_be_read_is_none(reports: Reports, text: str) -> None:
    (reports.folder / WINDOW / "report.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert reports.read(WINDOW) is None
    assert reports.read("20000101T000000") is None


@pytest.mark.parametrize(
    ("version", "window", "page"),
    [
        ("..", WINDOW, "report"), ("3/../3", WINDOW, "report"), ("", WINDOW, "report"), ("3", "..", "report"), ("3", f"{WINDOW}/.", "report"),
        ("3", "", "report"), ("3", WINDOW, "../report"), ("3", WINDOW, "report.html"), ("3", WINDOW, "\0"), ("4", WINDOW, "report"),
        ("\u0663", WINDOW, "report"),
    ],
)  # fmt: skip
def test_no_name_leads_elsewhere(reports: Reports, version: str, window: str, page: str) -> None:
    (reports.folder / "report.html").write_text("a secret", encoding="utf-8")
    assert Reports(reports.output, version).page(window, page) is None


def test_no_link_leads_elsewhere(reports: Reports, tmp_path: Path) -> None:
    outside = tmp_path / "outside" / WINDOW
    outside.mkdir(parents=True)
    (outside / "report.html").write_text("a secret", encoding="utf-8")
    (reports.folder / WINDOW / "drift.html").symlink_to(outside / "report.html")
    (reports.folder / "20260101T000000").symlink_to(outside)
    (reports.output / "version=4").symlink_to(outside.parent)
    assert reports.page(WINDOW, "drift") is None
    assert reports.page("20260101T000000", "report") is None
    assert Reports(reports.output, "4").page(WINDOW, "report") is None
