"""One stage of dvc.yaml: python stage.py NAME. The package need not be installed."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))

from penguins.stages import main  # noqa: E402

if __name__ == "__main__":
    main()
