"""What a promotion under load loses when something is killed at each of its steps.

    python benchmarks/faults.py [--json FILE]

Each cell is a promotion of its own: version 1 serves, four clients ask all the time (about 300 requests a second), version 2 gets 10, 50
and 100% of the traffic, and one part is killed as soon as the step has begun. A promotion that was cut off is begun again. Afterwards
traffic, journal and registry have to agree, and every request has to be answered by the version that they name.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.conftest import converted_once
from tests.faults import FAULTS, STEPS, Outcome, Scene, run_with_fault
from tests.mlflow_server import MlflowServer
from tests.promotable import MODEL, model_folder, quick_project


def main() -> int:
    """Measure and print; 1 when a limit is not kept."""
    parser = argparse.ArgumentParser(description="Promotions under load in which something is killed.")
    parser.add_argument("--json", type=Path, help="write the outcomes to this file")
    arguments = parser.parse_args()
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        place = Path(folder)
        scene = _scene(place)
        try:
            print(
                f"{'killed':<16}{'at':>6}{'ended':>10}{'requests':>10}{'failed':>8}{'share':>9}{'runs':>6}{'seconds':>9}",
                flush=True,
            )
            for fault, step in [(None, 0), *((fault, step) for fault in FAULTS for step in STEPS)]:
                outcomes.append(found := run_with_fault(scene, fault, step))
                print(
                    f"{found.fault:<16}{f'{step}%' if step else '':>6}{found.status:>10}{found.requests:>10}{len(found.failed):>8}"
                    f"{found.failed_share:>9.4%}{found.runs:>6}{found.seconds:>9.1f}  {'; '.join(found.wrong)}",
                    flush=True,
                )
        finally:
            scene.server.kill()
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(one) for one in outcomes], indent=1) + "\n", encoding="utf-8")
    bad = [one for one in outcomes if one.wrong or one.failed_share > 0.001]
    print(f"{len(outcomes) - len(bad)} of {len(outcomes)} lose at most 0.1% and agree afterwards")
    return 1 if bad or outcomes[0].failed else 0


def _scene(place: Path) -> Scene:
    for name in ("server", "models", "converted"):
        (place / name).mkdir()
    server = MlflowServer(place / "server").start()
    os.environ |= {
        "JUPYTER_DATA_DIR": str(place / "data"), "JUPYTER_MLOPS_DATABASE": f"sqlite:///{place / 'mlops.db'}", "MLFLOW_TRACKING_URI": server.uri,
    }  # fmt: skip
    made = converted_once(MODEL, place / "converted")
    row = json.loads((made.folder / "model" / "golden.json").read_text(encoding="utf-8"))["rows"][0]
    return Scene(
        server, quick_project(made.tracking_uri, place / "made"), model_folder(made.tracking_uri, "1"), row, place / "models"
    )


if __name__ == "__main__":
    sys.exit(main())
