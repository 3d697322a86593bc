"""The notebook's own test cells."""

from __future__ import annotations

from penguins.pipeline import PipelineResult


def test_cell_11(result: PipelineResult) -> None:
    """Cell 11 of the notebook."""
    y = result.values["y"]
    predicted = result.values["predicted"]
    accuracy = result.values["accuracy"]
    assert accuracy > 0.9
    assert set(predicted) <= set(y)
