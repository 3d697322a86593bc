"""The stages of a notebook as a graph: which cells are in each, and which variables cross from one to another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_mlops.convert.suggest import is_import, lacks_tags
from jupyter_mlops.convert.suggest_cells import Suggestion
from jupyter_mlops.notebook.cells import Stage
from jupyter_mlops.notebook.dataflow import Analysis

__all__ = ["stage_edges", "stage_nodes", "stages_of_statements"]

Crossing = tuple[Stage, str]  # the stage that a variable comes from, and its name


def stages_of_statements(analysis: Analysis, suggestion: Suggestion) -> dict[int, Stage]:
    """Stage of each statement that has one: its cell's tag, else, in a notebook that lacks tags, the suggested one."""
    tagged = {s.index: s.stage for s in analysis.statements if s.stage is not None}
    if not lacks_tags(analysis):
        return tagged
    proposed = {one.cell: one.tag for one in suggestion.cells if one.tag is not None}
    found: dict[int, Stage] = {}
    for s in analysis.statements:
        stage = tagged.get(s.index) or proposed.get(s.cell) or suggestion.stages.of.get(s.index)
        if stage is not None:
            found[s.index] = stage
    return found


def stage_nodes(analysis: Analysis, of: Mapping[int, Stage], ids: Mapping[int, str]) -> list[dict[str, Any]]:
    """The stages that there are, in the order in which a project runs them.

    Parameters
    ----------
    of
        What `stages_of_statements` gave.
    ids
        Of cells, by number.
    """
    tagged = {cell.number: cell.stage for cell in analysis.notebook.code_cells if cell.stage is not None}
    cells: dict[Stage, set[int]] = {}
    for index, stage in of.items():
        cells.setdefault(stage, set()).add(analysis.statements[index].cell)
    for number, stage in tagged.items():  # also those without a statement, such as one that is being written
        cells.setdefault(stage, set()).add(number)
    return [
        {
            "stage": str(stage),
            "cells": [ids[number] for number in sorted(cells[stage])],
            "suggested": not any(tagged.get(number) is stage for number in cells[stage]),
        }
        for stage in Stage
        if stage in cells
    ]


def stage_edges(analysis: Analysis, of: Mapping[int, Stage]) -> list[dict[str, Any]]:
    """Which variables cross from a stage to another.

    What is imported is left out, since every stage uses it. A statement of no stage counts as a part of the one that uses
    it, as in a conversion.
    """
    found: dict[tuple[Stage, Stage], dict[str, None]] = {}
    known: dict[int, frozenset[Crossing]] = {}
    for index, stage in of.items():
        if stage in (Stage.IMPORTS, Stage.SKIP):
            continue
        for source, name in _crossing(analysis, of, index, known):
            if source is not stage:
                found.setdefault((source, stage), {})[name] = None
    order = list(Stage)
    pairs = sorted(found, key=lambda pair: (order.index(pair[0]), order.index(pair[1])))
    return [{"from": str(a), "to": str(b), "names": sorted(found[a, b])} for a, b in pairs]


def _crossing(
    analysis: Analysis, of: Mapping[int, Stage], index: int, known: dict[int, frozenset[Crossing]]
) -> frozenset[Crossing]:
    """What a statement takes from stages, also by way of statements that have none."""
    if index in known:
        return known[index]
    known[index] = frozenset()  # a statement that needs itself, in a loop
    found: set[Crossing] = set()
    for name in analysis.statements[index].uses:
        if name.startswith("<"):
            continue
        for source in analysis.reaching(index, name):
            if source == index or is_import(analysis.statements[source]):
                continue
            stage = of.get(source)
            if stage is not None:
                found.add((stage, name))
            else:
                found |= _crossing(analysis, of, source, known)
    known[index] = frozenset(found)
    return known[index]
