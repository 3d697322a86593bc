"""``python -m jupyter_mlops``."""

from __future__ import annotations

import sys

from jupyter_mlops.cli import main

sys.exit(main())
