"""``python -m jupyter_mlops.jobs ID``: run one job."""

from __future__ import annotations

import sys

from jupyter_mlops.jobs.runner import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
