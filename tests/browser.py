"""A real browser for tests: the machine's Chromium or Chrome, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

__all__ = ["CHROMIUM_ARGUMENTS", "find_browser", "page", "pages"]

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
CHROMIUM_ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

expect.set_options(timeout=30_000)  # ms; a busy machine needs longer than the usual five seconds


def find_browser() -> str:
    """The machine's browser; the test is skipped where there is none."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None and _MAC.exists():
        found = str(_MAC)
    if found is None:
        pytest.skip("no browser is on this machine: install chromium (Debian: apt install chromium)")
    return found


@contextmanager
def pages(count: int, *, known: str | None = None) -> Iterator[list[Page]]:
    """New pages in a new browser, each as of another person; a script error in one of them fails the test.

    `known` is a text of errors that are there without us, too.
    """
    executable = find_browser()
    errors: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, headless=True, args=CHROMIUM_ARGUMENTS)
        try:
            opened = [browser.new_page(viewport={"width": 1200, "height": 900}) for _ in range(count)]  # a context for each
            for one in opened:
                one.on("pageerror", lambda error: errors.append(str(error)))
            yield opened
        finally:
            browser.close()
    errors = [one for one in errors if known is None or known not in one]
    assert not errors, errors


@contextmanager
def page(*, known: str | None = None) -> Iterator[Page]:
    """A new page in a new browser; a script error fails the test. For `known`, see `pages`."""
    with pages(1, known=known) as (opened,):
        yield opened
