"""The whole way by keyboard: no mouse is touched, the focus is always to be seen and never lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import page
from tests.lab import Lab, running_lab
from tests.notebooks import PENGUINS, untagged, write_notebook
from tests.sidebar import BUNDLE, Sidebar, needs_bundle

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("sidebar-keyboard")]

_FOCUS = """() => {
  const node = document.activeElement;
  // A button of JupyterLab's toolkit has the focus in its shadow.
  const seen = [node, node.shadowRoot?.activeElement].some(one => {
    const style = one && getComputedStyle(one);
    return style && ((style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none');
  });
  return {
    name: node.getAttribute('aria-label') || (node.labels?.[0] ?? node).textContent.trim().slice(0, 60),
    lost: node === document.body || node === document.documentElement,
    inside: !!node.closest('#jupyter-mlops-sidebar, .jp-mlops-Strip'),
    seen,
    html: node.outerHTML.slice(0, 200),
  };
}"""


@dataclass
class Keys:
    """Keys of one page; after each one the focus is looked at."""

    page: Page

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)
            self.look()

    def look(self) -> None:
        """The focus is somewhere, and where it is ours it is to be seen."""
        self.page.evaluate("() => new Promise(requestAnimationFrame)")
        deadline = time.monotonic() + 5
        while (focus := self.page.evaluate(_FOCUS))["lost"] and time.monotonic() < deadline:  # what had it is drawn anew
            self.page.wait_for_timeout(50)
        assert not focus["lost"], "the focus is lost"
        assert focus["seen"] or not focus["inside"], focus

    def to(self, name: str, *, key: str = "Tab", most: int = 60) -> None:
        """Press a key until the focus is at what has such a name."""
        passed: list[str] = []
        for _ in range(most):
            passed.append(self.page.evaluate(_FOCUS)["name"])
            if passed[-1] == name:
                return
            self.press(key)
        raise AssertionError(f"{key} does not come to {name}: {passed}")

    def command(self, words: str) -> None:
        """Run a command of the palette."""
        self.page.keyboard.press("Control+Shift+c")
        field = self.page.locator(".lm-CommandPalette-input:focus")
        expect(field).to_have_count(1)
        self.page.keyboard.type(words)
        expect(self.page.locator(".lm-CommandPalette-item.lm-mod-active")).to_contain_text(words)
        self.page.keyboard.press("Enter")
        expect(field).to_have_count(0)
        self.look()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """JupyterLab with the extension and an untagged notebook."""
    needs_bundle()
    work = tmp_path / "work"
    work.mkdir()
    write_notebook(work / "penguins.ipynb", untagged(PENGUINS))
    with running_lab(work, tmp_path, extension=BUNDLE) as running:
        yield running


def test_tags_stages_runs_and_a_conversion_by_keyboard(lab: Lab) -> None:
    with page() as opened:
        opened.set_default_timeout(60_000)
        lab.open(opened, "penguins.ipynb")
        keys, sidebar = Keys(opened), Sidebar(opened, lab)

        def focused(selector: str) -> None:
            expect(opened.locator(selector).and_(opened.locator(":focus"))).to_have_count(1)

        def title(name: str) -> Locator:
            return sidebar.root.locator(".jp-AccordionPanel-title", has_text=name)

        # suggested tags
        keys.command("Show the Sidebar from Notebook")
        expect(sidebar.root).to_contain_text("9 suggested tags")
        keys.to("Suggest Tags")
        keys.press("Enter")
        expect(opened.locator(".jp-mlops-Proposal:visible")).to_have_count(9)
        keys.to("Accept All")
        keys.press("Enter")
        expect(opened.locator(".jp-mlops-Chip:visible")).to_have_count(9)
        expect(sidebar.root.locator(".jp-mlops-Message")).to_contain_text("9 cells were tagged")
        tagged = sidebar.tags()

        # the stages: arrows walk, Enter goes to the cell
        expect(sidebar.root.locator(".jp-mlops-Stage.jp-mod-suggested")).to_have_count(0)
        keys.to("Notebook Section", key="Shift+Tab")
        keys.to("imports · cell 2")
        keys.press("ArrowDown", "ArrowDown")
        focused('.jp-mlops-Stage[data-tag="parameters"]')
        keys.press("End")
        focused('.jp-mlops-Stage[data-tag="test"]')
        keys.press("Home", "ArrowDown", "Enter")
        focused(".jp-Notebook .jp-Cell")
        assert opened.evaluate("() => window.jupyterapp.shell.currentWidget.content.activeCellIndex") == 3

        # the key T opens the menu of tags, a letter chooses; Z takes it back
        keys.press("t")
        menu = opened.locator(".jp-mlops-TagMenu")
        expect(menu).to_be_visible()
        expect(menu.locator(".lm-mod-active")).to_contain_text("functions")
        opened.keyboard.press("t")  # the menu closes: the focus goes back to the cell
        expect(menu).to_have_count(0)
        focused(".jp-Notebook .jp-Cell")
        assert sidebar.tags()[3] == ["train"]
        keys.press("z")
        assert sidebar.tags() == tagged
        keys.press("t", "ArrowDown", "ArrowDown")
        opened.keyboard.press("Enter")
        expect(menu).to_have_count(0)
        focused(".jp-Notebook .jp-Cell")
        assert sidebar.tags()[3] == ["load"]
        keys.press("z")
        assert sidebar.tags() == tagged
        keys.press("t")
        opened.keyboard.press("Escape")
        focused(".jp-Notebook .jp-Cell")
        # Tab goes from the cell to its chip, Enter opens the menu there
        keys.to("Stage of this cell: functions. Change it.")
        keys.press("Enter")
        expect(menu).to_be_visible()
        opened.keyboard.press("Escape")
        focused(".jp-mlops-Chip[data-tag=functions]")
        keys.command("Clear the Tag of Cells")
        assert sidebar.tags()[3] == []
        focused(".jp-Notebook .jp-Cell")
        keys.press("z")
        assert sidebar.tags() == tagged
        assert opened.evaluate("() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.canUndo()")
        keys.press("z")  # all nine were one step
        assert not any(sidebar.tags())
        keys.press("Shift+z")
        assert sidebar.tags() == tagged

        # sections are folded out by Enter, the arrows go from title to title
        keys.command("Show the Sidebar from Notebook")
        expect(title("Notebook")).to_be_focused()
        keys.press("ArrowDown", "Enter")
        expect(title("Runs")).to_have_attribute("aria-expanded", "true")
        expect(sidebar.root).to_contain_text("No runs yet")
        keys.to("Track a Cell")
        keys.press("Enter")
        focused(".jp-Notebook .jp-Cell, .jp-Notebook .cm-content")
        assert opened.evaluate("() => window.jupyterapp.shell.currentWidget.content.activeCell.model.sharedModel.source") == (
            "%load_ext jupyter_mlops"
        )
        keys.press("z")

        # a conversion is started and cancelled
        keys.command("Show the Sidebar from Notebook")
        keys.press("ArrowDown", "ArrowDown", "Enter")
        expect(title("Convert")).to_have_attribute("aria-expanded", "true")
        expect(sidebar.root.get_by_role("button", name="Convert", exact=True)).to_be_visible()
        keys.to("Options")
        keys.press("Enter")
        keys.to("Register the model")
        keys.press("Space")
        expect(sidebar.root.get_by_label("Register the model")).not_to_be_checked()
        keys.to("Convert", key="Shift+Tab")
        keys.press("Enter")
        expect(sidebar.root.get_by_role("button", name="Cancel")).to_be_visible()
        keys.to("Cancel")
        keys.press("Enter")
        expect(sidebar.root.locator("#jupyter-mlops-convert")).to_contain_text("Cancelled")
        keys.to("Convert Again", most=3)
        sidebar.accessible()
        assert not (lab.work / "penguins").exists()
