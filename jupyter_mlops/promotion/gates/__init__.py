"""The gates of a promotion, in their order.

To add a gate: a module here with a small class that has `name` (of its step), `title` (as people read it) and `run`, which looks
at a `Subject` and gives a `GateResult` with figures; a gate never changes anything. What it has to measure outside of the
project (a registry, a service) comes to it as a function of the `Subject`. Add it to `GATES`, and a test with a subject that
passes, one that does not, and one that cannot be judged. Promotions that began before keep the steps that they began with.
"""

from __future__ import annotations

from jupyter_mlops.promotion.gates.api import Api
from jupyter_mlops.promotion.gates.audit import Audit
from jupyter_mlops.promotion.gates.holdout_data import HoldoutData
from jupyter_mlops.promotion.gates.kinds import Gate
from jupyter_mlops.promotion.gates.latency import Latency
from jupyter_mlops.promotion.gates.metrics import Metrics
from jupyter_mlops.promotion.gates.parity import Parity
from jupyter_mlops.promotion.gates.project_tests import ProjectTests

__all__ = ["GATES"]

GATES: tuple[Gate, ...] = (
    Audit(),  # what is in it, before any of it runs
    ProjectTests(),
    Parity(),
    HoldoutData(),
    Metrics(),
    Api(),
    Latency(),
)
