"""A real browser for tests: the machine's Chromium or Chrome, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

__all__ = ["CHROMIUM_ARGUMENTS", "find_browser", "page"]

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
CHROMIUM_ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def find_browser() -> str:
    """The machine's browser; the test is skipped where there is none."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None and _MAC.exists():
        found = str(_MAC)
    if found is None:
        pytest.skip("no browser is on this machine: install chromium (Debian: apt install chromium)")
    return found


@contextmanager
def page() -> Iterator[Page]:
    """A new page in a new browser; a script error or a failed request fails the test."""
    executable = find_browser()
    errors: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, headless=True, args=CHROMIUM_ARGUMENTS)
        try:
            opened = browser.new_page(viewport={"width": 1200, "height": 900})
            opened.on("pageerror", lambda error: errors.append(str(error)))
            yield opened
        finally:
            browser.close()
    assert not errors, errors
