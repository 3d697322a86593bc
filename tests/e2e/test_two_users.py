"""Two people at one server: the author of a version may not approve it, a colleague does."""

from __future__ import annotations

import getpass
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import pages
from tests.conftest import Converted
from tests.lab import Lab, running_lab
from tests.promotable import add_quick_version
from tests.sidebar import BUNDLE, Sidebar, needs_bundle

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("two-users")]

PROMOTION = 300_000  # ms on a busy machine
# Who somebody is stands in a cookie, as behind a proxy that has asked for a name.
PEOPLE = """
from jupyter_server.auth.identity import IdentityProvider, User

class People(IdentityProvider):
    def get_user(self, handler):
        name = handler.get_cookie("person")
        return User(username=name, name=name.title()) if name else super().get_user(handler)
"""


@pytest.fixture
def lab(converted: Callable[[str], Converted], tmp_path: Path) -> Iterator[Lab]:
    """JupyterLab that knows its people, and a second version, whose tests take no time."""
    needs_bundle()
    work = Path(shutil.copytree(converted("penguins").folder.parent, tmp_path / "work"))
    assert add_quick_version(f"sqlite:///{work / 'mlflow.db'}", tmp_path / "version") == "2"
    (tmp_path / "people.py").write_text(PEOPLE, encoding="utf-8")
    options = ["--ServerApp.identity_provider_class=people.People"]
    env = {"PYTHONPATH": str(tmp_path)}
    # as JupyterHub has it, below an address of its own
    with running_lab(work, tmp_path, extension=BUNDLE, env=env, base_url="/user/x/", options=options) as running:
        yield running


def _enter(opened: Page, lab: Lab, person: str) -> Sidebar:
    opened.set_default_timeout(60_000)
    opened.context.add_cookies([{"name": "person", "value": person, "url": lab.base}])
    sidebar = Sidebar(opened, lab)
    sidebar.open("penguins.ipynb")
    return sidebar


def test_a_colleague_approves(lab: Lab) -> None:
    author = getpass.getuser()  # who has converted it
    with pages(2) as (his, hers):
        authors = _enter(his, lab, author)
        models = authors.section("Models")
        expect(models).to_contain_text(f"by {author}")
        models.get_by_role("button", name="Promote version 2").click()
        expect(models).to_contain_text("Waiting for an approval", timeout=PROMOTION)
        note = models.locator(".jp-mlops-Note")
        expect(note).to_contain_text(author)
        expect(models.get_by_role("button", name="Approve")).to_have_count(0)
        expect(models.get_by_role("button", name="Reject")).to_have_count(0)
        authors.accessible()
        authors.picture("two-users-author")

        colleagues = _enter(hers, lab, "grace")
        decided = colleagues.section("Models")
        expect(decided).to_contain_text(f"Version 2, made by {author}")
        colleagues.accessible()
        decided.get_by_label("Comment").fill("I have looked at the gates")
        decided.get_by_role("button", name="Approve").focus()
        hers.keyboard.press("Enter")
        expect(decided).to_contain_text("version 2 of penguins is in production", timeout=PROMOTION)
        decided.locator("summary", has_text="Journal").click()
        approval = decided.locator(".jp-mlops-Journal li", has_text="I have looked at the gates")
        expect(approval).to_contain_text("grace")
        assert hers.evaluate("() => document.activeElement !== document.body")
        colleagues.picture("two-users-colleague")

        # the author sees it without doing anything
        expect(models).to_contain_text("version 2 of penguins is in production", timeout=PROMOTION)
        expect(models.locator(".jp-mlops-Version", has_text="Version 2")).to_contain_text("Production")
