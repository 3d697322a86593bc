"""Reference data of a model version: the rows that its notebook evaluated it on, with labels and predictions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.errors import NotFoundError
from jupyter_mlops.promotion.holdout import FILE, read_signature

if TYPE_CHECKING:
    import pandas as pd

    from jupyter_mlops.signature import Signature

__all__ = ["Reference", "read_reference"]


@dataclass(frozen=True)
class Reference:
    """What production is compared with.

    Attributes
    ----------
    frame
        Rows of the raw table, shape (rows, columns).
    labels, predictions, probabilities
        Of these rows; None where they are not known.
    measures
        How the notebook measures its model on them.
    source
        Which rows they are.
    """

    frame: pd.DataFrame
    signature: Signature
    source: str
    labels: Sequence[Any] | None = None
    predictions: Sequence[Any] | None = None
    probabilities: Sequence[Sequence[float]] | None = None
    measures: Sequence[Mapping[str, Any]] = ()


def read_reference(project: Path) -> Reference:
    """The reference data of a project: its labelled holdout, else its golden rows.

    Raises
    ------
    NotFoundError
        It has neither.
    """
    import pandas as pd

    try:
        signature = read_signature(project / "model")
        holdout, golden = (_read(project / name) for name in (FILE, "model/golden.json"))
    except ValueError as error:
        raise NotFoundError(f"The reference data of {project} cannot be read: {error}. Convert the notebook again.") from None
    data = holdout or golden
    if not data or not data.get("rows"):
        raise NotFoundError(f"{project} has no reference data to compare with: no labelled rows, no golden rows. Convert again.")
    names = [column.name for column in signature.inputs]
    frame = pd.DataFrame({name: [row.get(name) for row in data["rows"]] for name in names})
    if not holdout:
        return Reference(frame, signature, "golden rows", None, data.get("predictions"), data.get("probabilities"))
    return Reference(
        frame, signature, str(data.get("evaluated_on")), data["labels"], data.get("predictions"), data.get("probabilities"),
        data.get("measures") or (),
    )  # fmt: skip


def _read(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
