"""The files beside the model: what it is, what it takes, and rows whose answers are known."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Artifacts:
    """Content of the model folder, without the model itself."""

    folder: Path
    metadata: dict[str, Any]
    signature: dict[str, Any]
    golden: dict[str, Any]
    parity: dict[str, Any] | None

    @classmethod
    def read(cls, folder: Path) -> Artifacts:
        """Read the folder.

        Raises
        ------
        FileNotFoundError
            A file is missing.
        """
        report = _read(folder.parent / "report.json", {})
        parity = _read(folder / "parity.json", None) or report.get("parity")
        return cls(
            folder=folder,
            metadata=_read(folder / "metadata.json"),
            signature=_read(folder / "signature.json"),
            golden=_read(folder / "golden.json"),
            parity=parity,
        )

    @property
    def name(self) -> str:
        """Name of the model."""
        return str(self.metadata["name"])

    @property
    def version(self) -> str:
        """Version in the registry; the project's own while it is not registered."""
        return str(self.metadata.get("model_version") or self.metadata["version"])

    @property
    def output(self) -> dict[str, Any]:
        """What a prediction is: task, dtype, classes."""
        output: dict[str, Any] = self.signature["raw"]["output"]
        return output

    def example(self, count: int) -> list[dict[str, Any]]:
        """Rows that the model is known to predict."""
        rows: list[dict[str, Any]] = self.golden["rows"][:count]
        return rows


def _read(path: Path, *default: Any) -> Any:
    if default and not path.is_file():
        return default[0]
    return json.loads(path.read_text(encoding="utf-8"))
