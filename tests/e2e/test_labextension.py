"""Tags in a real JupyterLab and a real browser: commands, chips, suggestions and fixes; the file holds them."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Error, Locator, Page, expect

from tests.browser import page
from tests.lab import Lab, running_lab
from tests.notebooks import PENGUINS, untagged, write_notebook
from tests.sidebar import BUNDLE, Sidebar, needs_bundle

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("labextension")]

TAGS = ("imports", "functions", "parameters", "load", "validate", "features", "train", "evaluate", "test", "skip")
# Only cells in view are in the page: the hardest for what stands above cells, and JupyterLab's default before 4.6.
MODE = "full"
MIXED = [
    ("imports", "import pandas as pd\nfrom sklearn.linear_model import LogisticRegression\n"
                "from sklearn.model_selection import train_test_split"),
    ("", "table = pd.read_csv('table.csv')\nX = table[['a', 'b']]\ny = table['y']\n"
         "X_train, X_test, y_train, y_test = train_test_split(X, y)\nmodel = LogisticRegression()\nmodel.fit(X_train, y_train)"),
    ("", "print(model.score(X_test, y_test))"),
]  # fmt: skip


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab with the extension; each test has a notebook of its own."""
    needs_bundle()
    place = tmp_path_factory.mktemp("tags")
    work = place / "work"
    work.mkdir()
    with running_lab(work, place, extension=BUNDLE, windowing=MODE) as running:
        yield running


@pytest.fixture
def penguins(lab: Lab, request: pytest.FixtureRequest) -> str:
    """Name of an untagged notebook."""
    name = f"{request.node.name}.ipynb"
    write_notebook(lab.work / name, untagged(PENGUINS))
    return name


def test_a_command_tags_cells_and_a_chip_shows_it(lab: Lab, penguins: str) -> None:
    with page() as opened:
        lab.open(opened, penguins)
        expect(opened.locator(".jp-mlops-Chip:visible")).to_have_count(0)

        def run(command: str) -> None:
            opened.evaluate("id => window.jupyterapp.commands.execute(id)", command)

        cells = opened.locator(".jp-Notebook .jp-CodeCell")
        cells.nth(0).locator(".jp-InputPrompt").click()
        cells.nth(1).locator(".jp-InputPrompt").click(modifiers=["Shift"])  # two cells at once
        run("mlops:tag-load")
        chips = opened.locator(".jp-mlops-Chip:visible")
        expect(chips).to_have_count(2, timeout=20_000)
        assert chips.first.text_content() == "load"
        cells.nth(0).locator(".jp-InputPrompt").click()
        run("mlops:tag-imports")
        expect(opened.locator(".jp-mlops-Chip[data-tag=imports]")).to_be_visible()
        cells.nth(1).locator(".jp-InputPrompt").click()
        run("mlops:clear-tag")
        expect(chips).to_have_count(1)
        opened.keyboard.press("Control+s")
        deadline = time.monotonic() + 20
        while True:
            tags: object = None
            with contextlib.suppress(ValueError):  # it is being written
                saved = json.loads((lab.work / penguins).read_text(encoding="utf-8"))
                tags = [c["metadata"].get("tags", []) for c in saved["cells"] if c["cell_type"] == "code"][:2]
            if tags == [["imports"], []]:
                break
            assert time.monotonic() < deadline, tags
            time.sleep(0.3)


def _cell(opened: Page, index: int) -> Locator:
    return opened.locator(f'.jp-Notebook .jp-Cell[data-windowed-list-index="{index}"]')


def _show(opened: Page, index: int) -> Locator:
    """Scroll to a cell, and give its chip in view.

    JupyterLab estimates the heights of cells that it has not drawn yet, and moves what is in view when it knows better: on a
    busy machine more than one try is needed.
    """
    chip = _cell(opened, index).locator(".jp-mlops-Chip")
    for left in reversed(range(10)):
        opened.evaluate("i => window.jupyterapp.shell.currentWidget.content.scrollToItem(i)", index)
        try:
            chip.scroll_into_view_if_needed(timeout=3000)
            expect(chip).to_be_in_viewport(timeout=3000)
            break
        except (AssertionError, Error):
            if not left:
                raise
    return chip


def _select(opened: Page, index: int, *modifiers: Literal["Shift"]) -> None:
    _cell(opened, index).locator(".jp-InputPrompt").click(modifiers=modifiers)


@pytest.mark.parametrize("mode", ["defer", "contentVisibility", MODE])
def test_every_cell_in_view_of_a_long_notebook_has_its_chip(lab: Lab, mode: str) -> None:
    name, count = f"long-{mode}.ipynb", 300
    write_notebook(lab.work / name, [(TAGS[i % len(TAGS)], f"x{i} = {i}\ny{i} = x{i}\nprint(y{i})") for i in range(count)])
    lab.windowing(mode)
    try:
        with page() as opened:
            lab.open(opened, name)
            if mode == "defer":  # JupyterLab attaches cells when it is idle, and cannot scroll to those that are not yet there
                _cell(opened, count - 1).wait_for(state="attached", timeout=180_000)
            for index in (0, 150, 299, 75):
                opened.evaluate("i => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = i; }", index)
                expect(_show(opened, index)).to_have_text(TAGS[index % len(TAGS)])
            for _ in range(15):
                opened.locator(".jp-Notebook").hover()
                opened.mouse.wheel(0, 700)
                opened.wait_for_timeout(50)
            opened.wait_for_function(_ALL_IN_VIEW_HAVE_CHIPS, arg=list(TAGS))
            _select(opened, opened.evaluate(_FIRST_IN_VIEW))
            opened.evaluate("() => window.jupyterapp.commands.execute('mlops:clear-tag')")
            index = opened.evaluate("() => window.jupyterapp.shell.currentWidget.content.activeCellIndex")
            expect(_cell(opened, index).locator(".jp-mlops-Chip:visible")).to_have_count(0)
    finally:
        lab.windowing(MODE)


_IN_VIEW = """
  const view = document.querySelector('.jp-WindowedPanel-outer').getBoundingClientRect();
  const cells = Array.from(document.querySelectorAll('.jp-Notebook .jp-CodeCell')).filter(cell => {
    const box = cell.getBoundingClientRect();
    return box.height > 0 && box.top >= view.top && box.bottom <= view.bottom;
  });
"""
_ALL_IN_VIEW_HAVE_CHIPS = f"""tags => {{ {_IN_VIEW}
  return cells.length > 3 && cells.every(cell =>
    cell.querySelector('.jp-mlops-Chip')?.textContent === tags[cell.dataset.windowedListIndex % tags.length]);
}}"""
_FIRST_IN_VIEW = f"() => {{ {_IN_VIEW} return Number(cells[1].dataset.windowedListIndex); }}"


def test_the_drop_down_tags_several_cells_as_one_step_and_leaves_other_tags(lab: Lab) -> None:
    name = "others.ipynb"
    path = write_notebook(lab.work / name, [("", f"x = {i}") for i in range(4)])
    data = json.loads(path.read_text(encoding="utf-8"))
    data["cells"][1]["metadata"] = {"tags": ["hide-input", "load", "mine"], "other": {"kept": True}}
    path.write_text(json.dumps(data), encoding="utf-8")
    with page() as opened:
        lab.open(opened, name)
        sidebar = Sidebar(opened, lab)
        before = [[], ["hide-input", "load", "mine"], [], []]
        assert sidebar.tags() == before
        _select(opened, 2)
        dropdown = _cell(opened, 2).locator(".jp-mlops-TagDropdown")
        expect(dropdown).to_be_visible()
        _select(opened, 0)
        _select(opened, 2, "Shift")
        _cell(opened, 2).hover()
        dropdown.locator("jp-button, button").first.click()
        menu = opened.locator(".jp-mlops-TagMenu")
        menu.locator(".lm-Menu-item", has_text="train").click()
        after = [["train"], ["hide-input", "mine", "train"], ["train"], []]
        expect(opened.locator(".jp-mlops-Chip[data-tag=train]:visible")).to_have_count(3)
        assert sidebar.tags() == after
        expect(dropdown).to_contain_text("train")
        _select(opened, 3)
        opened.keyboard.press("z")
        assert sidebar.tags() == before
        expect(opened.locator(".jp-mlops-Chip:visible")).to_have_text(["load"])
        opened.keyboard.press("Shift+Z")
        assert sidebar.tags() == after

        # the chip opens the same menu, which ticks the tag that the cell has
        _cell(opened, 1).locator(".jp-mlops-Chip").click()
        expect(menu.locator(".lm-mod-toggled")).to_have_text("train")
        menu.locator(".lm-Menu-item", has_text="Clear the Tag").click()
        assert sidebar.tags()[1] == ["hide-input", "mine"]
        kept = opened.evaluate("() => window.jupyterapp.shell.currentWidget.content.model.cells.get(1).getMetadata('other')")
        assert kept == {"kept": True}


def test_suggestions_are_accepted_and_dismissed_one_by_one(lab: Lab, penguins: str) -> None:
    with page() as opened:
        opened.set_viewport_size({"width": 1200, "height": 2400})  # all cells are in view
        sidebar = Sidebar(opened, lab)
        sidebar.open(penguins)
        notebook = sidebar.section("Notebook")
        expect(notebook).to_contain_text("9 suggested tags")
        expect(opened.locator(".jp-mlops-Proposal")).to_have_count(0)  # nobody has asked for them at the cells
        notebook.get_by_role("button", name="Suggest Tags").first.click()
        proposals = opened.locator(".jp-mlops-Proposal:visible")
        expect(proposals).to_have_count(9)
        expect(proposals.locator("span").first).to_have_attribute("title", "imports")  # why
        _cell(opened, 4).get_by_role("button", name="Accept the tag load").click()
        expect(_cell(opened, 4).locator(".jp-mlops-Chip")).to_have_text("load")
        _cell(opened, 8).get_by_role("button", name="Dismiss the suggestion train").click()
        notebook.get_by_role("button", name="Dismiss the suggestion for cell 2").click()
        notebook.get_by_role("button", name="Tag cell 3 as parameters").click()
        expect(proposals).to_have_count(5)
        sidebar.run("mlops:check-notebook")
        expect(notebook).to_contain_text("5 suggested tags")
        assert [i for i, tags in enumerate(sidebar.tags()) if tags] == [2, 4]
        notebook.get_by_role("button", name="Accept All").first.click()
        expect(proposals).to_have_count(0)
        tagged = [tags[0] if tags else None for tags in sidebar.tags()]
        assert tagged == [
            None, None, "parameters", "functions", "load", None, "validate", "features", None, "evaluate", "test"
        ]  # fmt: skip


def test_a_mixed_cell_is_split_and_a_problem_is_fixed(lab: Lab) -> None:
    write_notebook(lab.work / "mixed.ipynb", MIXED)
    with page() as opened:
        sidebar = Sidebar(opened, lab)
        sidebar.open("mixed.ipynb")
        notebook = sidebar.section("Notebook")

        def sources() -> list[str]:
            found = opened.evaluate("() => window.jupyterapp.shell.currentWidget.content.model.toJSON().cells.map(c => c.source)")
            return [one if isinstance(one, str) else "".join(one) for one in found]

        before = sources()
        # the problem stands at its cell, the badge leads to it in the sidebar
        badge = _cell(opened, 1).locator(".jp-mlops-Badge")
        expect(badge).to_have_attribute("data-severity", "warning")
        badge.click()
        expect(notebook).to_contain_text("train_test_split has no random_state")
        notebook.get_by_role("button", name="Fix unseeded-split in cell 2").click()
        expect(notebook).to_contain_text("1 problem was fixed")
        expect(notebook).to_contain_text("No problems found")
        expect(badge).to_have_count(0)
        assert sources()[1] == before[1].replace("(X, y)", "(X, y, random_state=0)")

        notebook.get_by_role("button", name="Suggest Tags").first.click()
        _cell(opened, 1).get_by_role("button", name="Split this cell").click()
        expect(opened.locator(".jp-Notebook .jp-CodeCell")).to_have_count(5)
        assert sidebar.tags() == [["imports"], ["load"], ["features"], ["train"], []]
        assert sources()[1] == "table = pd.read_csv('table.csv')"
        assert sources()[3] == "model = LogisticRegression()\nmodel.fit(X_train, y_train)"
        _select(opened, 0)
        opened.keyboard.press("z")
        expect(opened.locator(".jp-Notebook .jp-CodeCell")).to_have_count(3)
        assert sidebar.tags() == [["imports"], [], []]
        opened.keyboard.press("z")
        assert sources() == before
        expect(badge).to_be_visible()


def test_what_is_known_follows_the_typing(lab: Lab) -> None:
    cells = [("imports", "import pandas as pd"), ("load", "table = pd.read_csv('table.csv')"), ("", "")]
    write_notebook(lab.work / "typing.ipynb", cells)
    with page() as opened:
        sidebar = Sidebar(opened, lab)
        sidebar.open("typing.ipynb")
        notebook = sidebar.section("Notebook")
        expect(notebook).to_contain_text("Problems")
        expect(notebook).not_to_contain_text("absolute-path")
        _cell(opened, 2).locator(".cm-content").click()
        opened.keyboard.type("path = '/data/of/somebody/table.csv'")
        expect(notebook).to_contain_text("absolute-path")
        expect(_cell(opened, 2).locator(".jp-mlops-Badge")).to_be_visible()
        expect(_cell(opened, 2).locator(".cm-content")).to_be_focused()
        for _ in range(len("/data/of/somebody/table.csv'")):
            opened.keyboard.press("Backspace")
        opened.keyboard.type("table.csv'")
        expect(notebook).not_to_contain_text("absolute-path")
        expect(_cell(opened, 2).locator(".jp-mlops-Badge")).to_have_count(0)
        opened.keyboard.type("\nframe = (")  # a cell that is not Python yet
        expect(_cell(opened, 2).locator(".jp-mlops-Badge[data-severity=error]")).to_be_visible()
        opened.keyboard.type("3)")
        expect(_cell(opened, 2).locator(".jp-mlops-Badge")).to_have_count(0)
