"""Change the tags of cells in an .ipynb file and nothing else: all other bytes stay as they were.

Dumping the JSON anew would change indentation, escapes and the order of keys, and with them the user's diff. So the
places of the cells are found in the text, and only there something is put in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_mlops.notebook.json_places import elements_of, members_of, skip, value_end

__all__ = ["NewCell", "edit_notebook"]

_COMPACT = re.compile(r'\{"[^"]*":\S')
_LINES = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True)
class NewCell:
    """One of the cells that a cell is split into: its source and its stage tag, if it gets one."""

    source: str
    tag: str | None


def edit_notebook(text: str, tags: Mapping[int, str], splits: Mapping[int, Sequence[NewCell]]) -> str:
    """The notebook's text with tags added and cells split.

    Parameters
    ----------
    text
        The file, as it is.
    tags
        Tag to add, by the 1-based number of the cell.
    splits
        Cells to replace by several, by number. Outputs stay with the last of them.
    """
    cells = elements_of(text, members_of(text, skip(text, 1 if text.startswith("\ufeff") else 0))["cells"].begin)
    newline = "\r\n" if "\r\n" in text else "\n"
    edits: list[tuple[int, int, str]] = []
    taken = {str(json.loads(text[a:b]).get("id", "")) for a, b in cells} if splits else set()
    for number, (begin, end) in enumerate(cells, start=1):
        if number in splits:
            between = text[cells[number - 2][1] : begin] if number > 1 else "," + text[text.rindex("[", 0, begin) + 1 : begin]
            parts = _split(text[begin:end], splits[number], taken)
            edits.append((begin, end, between.join(_laid_out(part, text, begin, newline) for part in parts)))
        elif number in tags:
            edits.append(_tag_edit(text, begin, end, tags[number], newline))
    for begin, end, new in sorted(edits, reverse=True):
        text = text[:begin] + new + text[end:]
    return text


def _before(text: str, at: int) -> str:
    """The white space in front of a place."""
    begin = at
    while begin and text[begin - 1] in " \t\r\n":
        begin -= 1
    return text[begin:at]


def _step(text: str, cell_at: int, key_at: int) -> str | None:
    """What one level of nesting indents by; None where the cell is written on one line."""
    outer, inner = _before(text, cell_at), _before(text, key_at)
    if "\n" not in inner:
        return None
    return inner.rsplit("\n", 1)[1].removeprefix(outer.rsplit("\n", 1)[-1])


def _tag_edit(text: str, begin: int, end: int, tag: str, newline: str) -> tuple[int, int, str]:
    """Where to put a tag into a cell, and what."""
    cell = members_of(text, begin)
    word = json.dumps(tag)
    first = min(cell.values(), key=lambda m: m.key_at)
    step = _step(text, begin, first.key_at)
    lead = _before(text, first.key_at)  # in front of a member of the cell
    if "metadata" not in cell:
        value = _put({"tags": [tag]}, lead, step, newline)
        return first.key_at, first.key_at, f'"metadata": {value},{lead or " "}'
    metadata = cell["metadata"]
    members = members_of(text, metadata.begin)
    if not members:
        return metadata.begin, metadata.end, _put({"tags": [tag]}, lead, step, newline)
    inner = _before(text, min(m.key_at for m in members.values()))
    if "tags" not in members:
        last = max(m.end for m in members.values())
        return last, last, f',{inner or " "}"tags": {_put([tag], inner, step, newline)}'
    there = members["tags"]
    elements = elements_of(text, there.begin)
    if not elements:
        return there.begin, there.end, _put([tag], inner, step, newline)
    _, last = elements[-1]
    return last, last, f",{_before(text, elements[-1][0]) or ('' if len(elements) < 2 else ' ')}{word}"


def _put(value: Any, lead: str, step: str | None, newline: str) -> str:
    """A value as JSON whose first line stands behind `lead`."""
    if step is None or "\n" not in lead:
        return json.dumps(value, ensure_ascii=False)
    margin = lead.rsplit("\n", 1)[1]
    return json.dumps(value, indent=step, ensure_ascii=False).replace("\n", newline + margin)


def _laid_out(cell: dict[str, Any], text: str, begin: int, newline: str) -> str:
    """A new cell in the style of the one that stands at `begin`."""
    first = min(members_of(text, begin).values(), key=lambda m: m.key_at)
    step = _step(text, begin, first.key_at)
    original = text[begin : value_end(text, begin)]
    ascii_only = original.isascii() and "\\u" in original
    if step is None:
        compact = _COMPACT.match(original) is not None
        return json.dumps(cell, ensure_ascii=ascii_only, separators=(",", ":") if compact else (", ", ": "))
    margin = _before(text, begin).rsplit("\n", 1)[-1]
    return json.dumps(cell, ensure_ascii=ascii_only, indent=step).replace("\n", newline + margin)


def _split(original: str, parts: Sequence[NewCell], taken: set[str]) -> list[dict[str, Any]]:
    cell: dict[str, Any] = json.loads(original)
    made = []
    for position, part in enumerate(parts):
        one = json.loads(original)
        one["source"] = _LINES.findall(part.source) if isinstance(cell.get("source"), list) else part.source
        metadata = one.setdefault("metadata", {})
        if part.tag is not None:
            metadata["tags"] = [*metadata.get("tags", []), part.tag]
        if position < len(parts) - 1:  # what is shown is what the end of the cell showed
            one.update(outputs=[], execution_count=None)
        if position and isinstance(cell.get("id"), str):
            one["id"] = _new_id(cell["id"], position + 1, taken)
        made.append(one)
    return made


def _new_id(old: str, number: int, taken: set[str]) -> str:
    """An id that no other cell has: at most 64 characters, as nbformat wants it."""
    while (new := f"{old[:58]}-{number}") in taken:
        number += 1
    taken.add(new)
    return new
