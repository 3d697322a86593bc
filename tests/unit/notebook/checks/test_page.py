"""The page of rules is what the rules say."""

from __future__ import annotations

from jupyter_mlops.notebook.checks.page import rules_page
from tests.conftest import ROOT


def test_the_page_is_up_to_date() -> None:
    assert (ROOT / "docs" / "rules.md").read_text(encoding="utf-8") == rules_page(), "run `make docs`"
