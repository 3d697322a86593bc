"""Tags are written into the file as it is: nothing else changes, byte for byte."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_mlops.notebook.edit_tags import NewCell, edit_notebook

CODE = {"cell_type": "code", "execution_count": 3, "metadata": {}, "outputs": [{"text": ["é\n"]}], "source": ["a = 1\n", "b = 2"]}


def _notebook(*cells: dict[str, Any]) -> dict[str, Any]:
    return {"cells": list(cells), "metadata": {"x": [1.50, 1e5]}, "nbformat": 4, "nbformat_minor": 5}


STYLES: list[dict[str, Any]] = [
    {"indent": 1, "ensure_ascii": False},
    {"indent": 1, "sort_keys": True},
    {"indent": 4},
    {"indent": "\t", "ensure_ascii": False},
    {"indent": None},
    {"indent": None, "separators": (",", ":")},
]


@pytest.mark.parametrize("style", STYLES)
def test_the_result_is_what_the_same_writer_would_write(style: dict[str, Any]) -> None:
    first = {**CODE, "metadata": {"tags": ["hide"], "trusted": True}}
    before = _notebook(first, {**CODE, "metadata": {"collapsed": False}}, CODE)
    text = edit_notebook(json.dumps(before, **style), {1: "load", 2: "train", 3: "evaluate"}, {})
    after = _notebook(
        {**CODE, "metadata": {"tags": ["hide", "load"], "trusted": True}},
        {**CODE, "metadata": {"collapsed": False, "tags": ["train"]}},
        {**CODE, "metadata": {"tags": ["evaluate"]}},
    )
    assert json.loads(text) == after
    if style.get("indent") is not None:
        assert text == json.dumps(after, **style)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"cells": [{"source": "x"}]}', '{"cells": [{"metadata": {"tags": ["load"]}, "source": "x"}]}'),
        ('{"cells": [{"metadata": {"tags": []}}]}', '{"cells": [{"metadata": {"tags": ["load"]}}]}'),
        ('{"cells": [{"metadata": {"tags": ["a", "b"]}}]}', '{"cells": [{"metadata": {"tags": ["a", "b", "load"]}}]}'),
        ('{"cells": [{"metadata":{}}],\n "a":1.0e3 }\n', '{"cells": [{"metadata":{"tags": ["load"]}}],\n "a":1.0e3 }\n'),
        # keys and escapes that only look like the ones that are meant
        ('{"metadata": {"cells": [1]}, "cells": [{"source": "\\"metadata\\": {}", "metadata": {"\\u00e9": "]}"}}]}',
         '{"metadata": {"cells": [1]}, "cells": [{"source": "\\"metadata\\": {}", "metadata": {"\\u00e9": "]}", "tags": ["load"]}}]}'),
        ('\ufeff{"cells": [{"metadata": {}}]}', '\ufeff{"cells": [{"metadata": {"tags": ["load"]}}]}'),
        ('{\r\n "cells": [\r\n  {\r\n   "metadata": {}\r\n  }\r\n ]\r\n}\r\n',
         '{\r\n "cells": [\r\n  {\r\n   "metadata": {\r\n    "tags": [\r\n     "load"\r\n    ]\r\n   }\r\n  }\r\n ]\r\n}\r\n'),
    ],
)  # fmt: skip
def test_odd_files(before: str, after: str) -> None:
    assert edit_notebook(before, {1: "load"}, {}) == after


def test_nothing_to_change_changes_nothing() -> None:
    text = ' {"cells" :[ ] }'
    assert edit_notebook(text, {}, {}) == text


@pytest.mark.parametrize("style", STYLES)
def test_a_split_cell_keeps_what_it_had(style: dict[str, Any]) -> None:
    one = {**CODE, "id": "ab", "metadata": {"tags": ["hide"]}}
    before = _notebook({**CODE, "id": "ab-2"}, one, CODE)
    parts = [NewCell("a = 1", "load"), NewCell("b = 2\nc = 'é'", None), NewCell("d = 4", "train")]
    after = json.loads(edit_notebook(json.dumps(before, **style), {3: "test"}, {2: parts}))
    assert after["cells"][0] == before["cells"][0]
    assert after["cells"][4]["metadata"] == {"tags": ["test"]}
    first, second, third = after["cells"][1:4]
    assert [first["id"], second["id"], third["id"]] == ["ab", "ab-3", "ab-4"]
    assert [c["metadata"]["tags"] for c in (first, second, third)] == [["hide", "load"], ["hide"], ["hide", "train"]]
    assert second["source"] == ["b = 2\n", "c = 'é'"]
    assert (first["outputs"], second["outputs"], third["outputs"]) == ([], [], CODE["outputs"])
    assert (first["execution_count"], third["execution_count"]) == (None, 3)


TEXT = st.text(max_size=8)
METADATA = st.dictionaries(TEXT, st.one_of(TEXT, st.integers(), st.none(), st.lists(TEXT, max_size=3)), max_size=3).flatmap(
    lambda d: st.sampled_from([d, {**d, "tags": ["kept"]}, {**d, "tags": []}])
)
CELL = st.fixed_dictionaries(
    {"cell_type": st.just("code"), "metadata": METADATA, "source": st.one_of(TEXT, st.lists(TEXT, max_size=3))}
)


@given(
    cells=st.lists(CELL, min_size=1, max_size=5),
    style=st.sampled_from(STYLES),
    data=st.data(),
)
@settings(max_examples=100, deadline=None)
def test_only_tags_change(cells: list[dict[str, Any]], style: dict[str, Any], data: st.DataObject) -> None:
    before = {"nbformat": 4, "cells": cells, "metadata": {"é": "☃"}}
    text = json.dumps(before, **style)
    numbers = data.draw(st.sets(st.integers(1, len(cells)), min_size=1))
    new = edit_notebook(text, dict.fromkeys(numbers, "load"), {})
    wanted = json.loads(text)
    for number in numbers:
        metadata = wanted["cells"][number - 1]["metadata"]
        given_tags = metadata.get("tags")
        metadata["tags"] = [*(given_tags if isinstance(given_tags, list) else []), "load"]
    assert json.loads(new) == wanted
