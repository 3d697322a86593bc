"""The sidebar in a browser, for tests: sections, commands, what axe finds, pictures."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from jupyter_mlops.errors import NotFoundError
from jupyter_mlops.tracking.lifecycle import apply_lifecycle
from jupyter_mlops.workflows.deploying import undeploy
from tests.conftest import ROOT, Converted
from tests.lab import Lab, running_lab
from tests.promotable import MODEL

__all__ = ["BUNDLE", "PICTURES", "Sidebar", "lab_in_production", "needs_bundle"]

BUNDLE = ROOT / "jupyter_mlops" / "labextension"
PICTURES = ROOT / "build" / "pictures"  # of the tests, to look at
_AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def needs_bundle() -> None:
    """Skip where the extension is not built."""
    if not (BUNDLE / "package.json").exists():
        pytest.skip("the extension is not built: make labextension")


@contextmanager
def lab_in_production(converted: Callable[[str], Converted], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """JupyterLab with a converted notebook whose version 1 is in production; nothing is left of a deployment."""
    needs_bundle()
    work = Path(shutil.copytree(converted(MODEL).folder.parent, folder / "work"))
    apply_lifecycle(f"sqlite:///{work / 'mlflow.db'}", MODEL, "1", None)
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(folder / "data_dir"))  # the server's
    with running_lab(work, folder, extension=BUNDLE) as running:
        yield running
        with suppress(NotFoundError):
            undeploy(MODEL)


@dataclass
class Sidebar:
    """The sidebar of one page."""

    page: Page
    lab: Lab

    def open(self, notebook: str | None = None) -> Locator:
        """Open a notebook, if one is named, and the sidebar."""
        if notebook is not None:
            self.lab.open(self.page, notebook)
        return self.show()

    def show(self) -> Locator:
        """Show the sidebar."""
        self.page.wait_for_function("() => window.jupyterapp?.commands.hasCommand('mlops:show-sidebar')", timeout=60_000)
        # A page that has just been loaded may still be putting its own sidebars in order.
        self.page.evaluate("() => window.jupyterapp.restored.then(() => undefined)")
        self.run("mlops:show-sidebar")
        self.root.wait_for(state="visible", timeout=30_000)
        return self.root

    def reload(self) -> Locator:
        """Load the page again and show the sidebar."""
        self.page.reload()
        self.page.wait_for_selector("#jupyterlab-splash", state="detached", timeout=90_000)
        return self.show()

    @property
    def root(self) -> Locator:
        """The whole sidebar."""
        return self.page.locator("#jupyter-mlops-sidebar")

    def run(self, command: str, **arguments: Any) -> None:
        """Execute a command."""
        self.page.evaluate("([id, args]) => void window.jupyterapp.commands.execute(id, args)", [command, arguments])

    def section(self, title: str) -> Locator:
        """A section, unfolded."""
        head = self.root.locator(".jp-AccordionPanel-title", has_text=title).first
        if head.get_attribute("aria-expanded") != "true":
            head.click()
        return self.root.locator(f"#jupyter-mlops-{title.lower()}")

    def fold(self, *titles: str) -> None:
        """Fold sections, so that others have the room."""
        for title in titles:
            head = self.root.locator(".jp-AccordionPanel-title", has_text=title).first
            if head.get_attribute("aria-expanded") == "true":
                head.click()

    def widen(self, pixels: int) -> None:
        """Drag the edge of the left area there."""
        handle = self.page.locator("#jp-main-split-panel > .lm-SplitPanel-handle:not(.lm-mod-hidden)").first
        box = handle.bounding_box()
        assert box is not None
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 300)
        self.page.mouse.down()
        self.page.mouse.move(pixels, box["y"] + 300, steps=5)
        self.page.mouse.up()

    def tags(self) -> list[list[str]]:
        """Tags of the cells of the current notebook."""
        cells = self.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.model.toJSON().cells")
        return [cell["metadata"].get("tags", []) for cell in cells]

    def theme(self, name: str) -> None:
        """Change the theme, such as Light, Dark or Dark High Contrast."""
        self.page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", f"JupyterLab {name}"
        )
        light = "true" if name == "Light" else "false"
        self.page.wait_for_selector(
            f"body[data-jp-theme-light='{light}'][data-jp-theme-name='JupyterLab {name}']", state="attached"
        )
        self.page.wait_for_timeout(1000)  # colours fade

    def accessible(self, selector: str = "#jupyter-mlops-sidebar") -> None:
        """Fail where axe finds anything serious or critical."""
        if self.page.evaluate("() => typeof window.axe === 'undefined'"):
            self.page.add_script_tag(path=str(_AXE))
        self.page.wait_for_selector(selector)
        found = self.page.evaluate(
            """async ([selector, rules]) => {
              const result = await axe.run(document.querySelector(selector), { runOnly: rules });
              return result.violations.map(one => ({
                impact: one.impact, id: one.id, nodes: one.nodes.map(node => node.html.slice(0, 200) + ' ' + node.failureSummary)
              }));
            }""",
            [selector, _RULES],
        )
        serious = [one for one in found if one["impact"] in ("serious", "critical")]
        assert not serious, json.dumps(serious, indent=1)

    def picture(self, name: str, of: Locator | None = None, *, folder: Path = PICTURES) -> None:
        """Keep a picture."""
        folder.mkdir(parents=True, exist_ok=True)
        (of or self.page).screenshot(path=str(folder / f"{name}.png"))
