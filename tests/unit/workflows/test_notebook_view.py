"""What the sidebar is told about a notebook as it stands in the editor."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.conversion import hundred_cells
from jupyter_mlops.notebook.read import read_notebook
from jupyter_mlops.workflows.check import CheckOptions, check
from jupyter_mlops.workflows.notebook_view import notebook_view, restore_parameters
from jupyter_mlops.workflows.tag import suggest_tags
from tests.messages import check_message
from tests.notebooks import PENGUINS, write_notebook

HERE = Path("notebook.ipynb")
UNTAGGED = [(tag if tag == "md" else "", source) for tag, source in PENGUINS]
Message = dict[str, Any]


def cells(*made: tuple[str, str]) -> list[Message]:
    """Cells of a message from pairs of a tag ("md" for markdown) and a source."""
    return [
        {
            "id": f"c{number}", "type": "markdown" if tag == "md" else "code", "source": source.strip("\n"),
            "tags": [tag] if tag not in ("", "md") else [],
        }
        for number, (tag, source) in enumerate(made, start=1)
    ]  # fmt: skip


def view(*made: tuple[str, str], language: str = "python", path: Path = HERE) -> Message:
    found = notebook_view(path, language, cells(*made))
    check_message("notebook", "NotebookView", found)
    return found


def edges(found: Message) -> dict[tuple[str, str], list[str]]:
    return {(one["from"], one["to"]): one["names"] for one in found["edges"]}


def test_a_tagged_notebook_has_its_stages_and_what_crosses_between_them() -> None:
    found = view(*PENGUINS)
    assert found["tagged"] and found["model"]["variable"] == "model"
    order = ["imports", "functions", "parameters", "load", "validate", "features", "train", "evaluate", "test"]
    assert [one["stage"] for one in found["stages"]] == order
    assert not any(one["suggested"] for one in found["stages"])
    assert {one["stage"]: one["cells"] for one in found["stages"]}["load"] == ["c5"]
    assert edges(found) == {
        ("functions", "features"): ["NAMES", "NUMBERS", "is_heavy"],
        ("functions", "train"): ["NAMES", "NUMBERS"],
        ("parameters", "features"): ["heavy", "test_size"],  # `heavy` by way of the helper
        ("parameters", "train"): ["n_estimators"],
        ("load", "validate"): ["penguins"],
        ("load", "features"): ["penguins"],
        ("features", "train"): ["X_train", "y_train"],
        ("features", "evaluate"): ["X_test", "y_test"],
        ("features", "test"): ["y"],
        ("train", "evaluate"): ["model"],
        ("evaluate", "test"): ["accuracy", "predicted"],
    }
    assert found["suggestions"] == []


def test_an_untagged_notebook_has_the_stages_that_are_suggested() -> None:
    tagged, untagged = view(*PENGUINS), view(*UNTAGGED)
    assert not untagged["tagged"] and all(one["suggested"] for one in untagged["stages"])
    assert [(one["stage"], one["cells"]) for one in untagged["stages"]] == [(o["stage"], o["cells"]) for o in tagged["stages"]]
    assert edges(untagged) == edges(tagged)
    assert {one["tag"]: one["number"] for one in untagged["suggestions"]}["train"] == 9
    assert untagged["parametersCell"] is None and tagged["parametersCell"] == "c3"


def test_what_an_untagged_cell_hands_on_comes_from_the_stage_before_it() -> None:
    found = view(
        ("imports", "import pandas as pd\nfrom sklearn.linear_model import LinearRegression"),
        ("load", "raw = pd.read_csv('a.csv')"),
        ("", "clean = raw.dropna()"),
        ("", "clean.plot()"),
        ("train", "model = LinearRegression().fit(clean[['a']], clean['b'])"),
    )
    assert edges(found) == {("load", "train"): ["raw"]}


def test_a_stage_with_tagged_cells_is_no_suggestion() -> None:
    found = view(*[("load", s) if t == "load" else (t if t == "md" else "", s) for t, s in PENGUINS])
    assert {one["stage"]: one["suggested"] for one in found["stages"]}["load"] is False
    assert {one["stage"]: one["suggested"] for one in found["stages"]}["train"] is True


MIXED = """
from sklearn.linear_model import LogisticRegression
import pandas as pd
df = pd.read_csv("churn.csv")
X = df[["age", "visits"]].fillna(0)
y = df["left"]
model = LogisticRegression(max_iter=200)
model.fit(X, y)
print(model.score(X, y))
"""


def test_suggestions_are_those_of_the_command_and_mixed_cells_come_with_the_cells_they_become(tmp_path: Path) -> None:
    made = [("md", "# Churn"), ("", MIXED)]
    result = suggest_tags(write_notebook(tmp_path / "n.ipynb", made), split=True)
    found = view(*made)["suggestions"]
    assert [(one["number"], one["tag"], one["reason"]) for one in found] == [
        (one.cell, one.tag, one.reason) for one in result.suggestion.cells
    ]
    (mixed,) = found
    assert mixed["tag"] is None and mixed["reason"].startswith("mixed: ")
    assert mixed["parts"] == [{"tag": part.tag, "source": part.source} for part in result.splits[2]]
    assert "".join("".join(part["source"].split()) for part in mixed["parts"]) == "".join(MIXED.split())


def test_problems_are_those_of_check_and_edits_mend_them_one_by_one(tmp_path: Path) -> None:
    made = [
        ("", "import pandas as pd\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.ensemble import RandomForestClassifier"),
        ("", "df = pd.read_csv('a.csv')\nX, y = df[['a']], df['b']"),
        ("", "A, B, C, D = train_test_split(X, y)  # one half\nmodel = RandomForestClassifier().fit(A, C)\nmodel.predict(B)"),
    ]  # fmt: skip
    checked = check(write_notebook(tmp_path / "n.ipynb", made), CheckOptions())
    found = view(*made, path=tmp_path / "n.ipynb")["problems"]
    assert [(p["code"], p["number"], p["line"], p["message"], p["fix"]) for p in found] == [
        (p.code, p.cell, p.line, p.message, p.fix) for p in checked.problems
    ]
    mended = [one for one in found if one["edits"]]
    assert len(mended) == len(checked.mends) >= 2
    split = next(one for one in mended if "train_test_split" in one["message"] or one["line"] == 1)
    assert split["cell"] == "c3" and split["edits"] == [{
        "cell": "c3", "before": made[2][1],
        "source": made[2][1].replace("train_test_split(X, y)", "train_test_split(X, y, random_state=0)"),
    }]  # fmt: skip
    # After one edit, that problem is gone and the others are as they were.
    after = [(t, split["edits"][0]["source"] if n == 2 else s) for n, (t, s) in enumerate(made)]
    left = [one["code"] for one in view(*after, path=tmp_path / "n.ipynb")["problems"]]
    assert sorted([*left, split["code"]]) == sorted(one["code"] for one in found)


def test_cells_that_are_being_written_are_no_reason_to_fail() -> None:
    """Every prefix of a cell, as it comes while somebody types."""
    source = PENGUINS[7][1].strip("\n") + "\n%time x = df.groupby('species').agg({'a': lambda s: f'{s!r:>{3}}'})\n!ls {x}\n"
    for end in range(0, len(source), 17):
        made = [*PENGUINS[:7], ("features", source[:end]), *PENGUINS[8:]]
        found = view(*made)
        assert found["tagged"]
    broken = view(*PENGUINS[:7], ("features", "df = (penguins."), *PENGUINS[8:])
    (error,) = [one for one in broken["problems"] if one["code"] == "syntax-error"]
    assert error["cell"] == "c8" and error["number"] == 8 and error["line"] == 1 and error["edits"] == []
    assert ["c8"] in [one["cells"] for one in broken["stages"] if one["stage"] == "features"]


@pytest.mark.parametrize("language", ["R", "julia", "C++17"])
def test_another_language_is_one_clear_problem(language: str) -> None:
    found = view(("", "x <- 1"), language=language)
    (one,) = found["problems"]
    assert one["code"] == "unreadable" and language.lower() in one["message"] and "Only Python" in one["message"]
    assert found["stages"] == found["suggestions"] == []


def test_an_empty_notebook_and_one_without_a_language_are_fine() -> None:
    for made in ([], [("", "")], [("md", "# only text")], [("", "%%bash\nls"), ("", "# comment")]):
        found = view(*made, language="")
        assert found["stages"] == found["edges"] == found["suggestions"] == []
        assert found["model"] is None and not found["tagged"]


def test_the_view_of_a_large_notebook_takes_a_moment(tmp_path: Path) -> None:
    notebook = read_notebook(hundred_cells(tmp_path / "n.ipynb"))
    made = [("md" if c.kind != "code" else (c.stage or ""), c.source) for c in notebook.cells]
    made += [("" if tag != "md" else tag, source) for tag, source in made]
    view(*made)  # what is installed is looked up once
    started = time.thread_time()  # other threads and processes do not count
    notebook_view(HERE, "python", cells(*made))
    assert len(made) == 200 and time.thread_time() - started < 1


# -- parameters ---------------------------------------------------------------------------------------------------------

PARAMETERS = """
# what is tried
rate: float = 0.1   # per step
trees = (
    100  # many
)
name = "größe"
quiet = False
layers = [
    64,  # first
    32,  # second
]
options = {"a": 1, "b": [1, 2]}
nothing = None
path = 'data/x.csv'; seed = -1
"""


def restore(values: dict[str, str], *made: tuple[str, str], language: str = "python") -> Message:
    found = restore_parameters(HERE, language, cells(*made), values)
    check_message("notebook", "Restored", found)
    return found


def test_parameters_are_told_with_their_types() -> None:
    found = view(("parameters", PARAMETERS), ("parameters", "late = 1e999\nkeys = {1: 2}\nbig = 2**3\nblob = b'x'"))
    kinds = {one["name"]: (one["type"], one["value"]) for one in found["parameters"]}
    assert kinds == {
        "rate": ("number", 0.1), "trees": ("integer", 100), "name": ("string", "größe"), "quiet": ("boolean", False),
        "layers": ("list", [64, 32]), "options": ("object", {"a": 1, "b": [1, 2]}), "nothing": ("none", None),
        "path": ("string", "data/x.csv"), "seed": ("integer", -1), "late": ("number", "1e999"), "keys": ("object", "{1: 2}"),
    }  # fmt: skip
    assert found["parametersCell"] == "c1"


def test_restored_values_change_literals_and_nothing_else() -> None:
    values = {
        "rate": "3", "trees": "7", "name": "naïve", "quiet": "True", "layers": "[64, 16]", "options": "{'a': 1, 'b': [1, 5]}",
        "nothing": "0.5", "path": "data/y.csv", "seed": "42", "other": "1",
    }  # fmt: skip
    found = restore(values, ("md", "x"), ("parameters", PARAMETERS))
    assert (
        found["refused"] == [] and found["unknown"] == ["other"] and found["changed"] == [one for one in values if one != "other"]
    )
    (edit,) = found["edits"]
    assert edit["cell"] == "c2" and edit["before"] == PARAMETERS.strip("\n")
    assert (
        edit["source"]
        == """
# what is tried
rate: float = 3.0   # per step
trees = (
    7  # many
)
name = "naïve"
quiet = True
layers = [
    64,  # first
    16,  # second
]
options = {"a": 1, "b": [1, 5]}
nothing = 0.5
path = 'data/y.csv'; seed = 42
""".strip("\n")
    )


def test_the_values_that_the_notebook_has_change_nothing() -> None:
    same = {
        "rate": "0.1", "trees": "100", "name": "größe", "quiet": "False", "layers": "[64, 32]", "options": "{'a': 1, 'b': [1, 2]}",
        "nothing": "None", "path": "data/x.csv", "seed": "-1",
    }  # fmt: skip
    assert restore(same, ("parameters", PARAMETERS)) == {"edits": [], "changed": [], "unknown": [], "refused": []}


def test_what_does_not_fit_is_refused_with_a_reason() -> None:
    long = "x" * 5972 + "... (9000 characters)"
    values = {"rate": "fast", "trees": "0.5", "name": "***", "path": long, "quiet": "maybe", "layers": "[1, nan]", "seed": "5"}
    found = restore(values, ("parameters", PARAMETERS))
    assert found["changed"] == ["seed"] and len(found["refused"]) == 6
    about = {name: next(one for one in found["refused"] if repr(name) in one) for name in values if name != "seed"}
    assert "float" in about["rate"] and "int" in about["trees"] and "masked" in about["name"] and "cut" in about["path"]
    nan = restore({"rate": "nan"}, ("parameters", PARAMETERS))
    assert nan["edits"] == [] and "plain value" in nan["refused"][0]


def test_the_last_of_several_cells_decides() -> None:
    made = [("parameters", "a = 1\nb = 1"), ("injected-parameters", "a = 2"), ("", "a = 3"), ("parameters", "b = b + 1")]
    found = restore({"a": "9", "b": "9"}, *made)
    assert found["edits"] == [{"cell": "c2", "before": "a = 2", "source": "a = 9"}]
    assert found["changed"] == ["a"] and "computed in cell 4" in found["refused"][0]


def test_parameters_behind_a_magic_or_in_another_language_are_left_alone() -> None:
    found = restore({"a": "2", "b": "5"}, ("parameters", "%time a = 1\nb = 1"))
    assert [one["source"] for one in found["edits"]] == ["%time a = 1\nb = 5"] and "magic" in found["refused"][0]
    other = restore({"a": "2"}, ("parameters", "a <- 1"), language="R")
    assert other["edits"] == [] and "Only Python" in other["refused"][0]
    assert restore({"a": "2"}, ("", "a = 1"))["unknown"] == ["a"]
