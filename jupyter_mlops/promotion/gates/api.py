"""Does the real service answer as its callers expect?"""

from __future__ import annotations

from dataclasses import dataclass

from jupyter_mlops.notebook.checks.secrets import redacted
from jupyter_mlops.promotion.gates.api_checks import CHECKS, Differs, NoAnswer, Probe
from jupyter_mlops.promotion.gates.golden import golden_to_ask
from jupyter_mlops.promotion.gates.kinds import GateResult, Subject, Tell
from jupyter_mlops.promotion.gates.service import ServiceError, started_service

__all__ = ["Api"]

_NAMED = 3  # failed checks that a message tells in full


@dataclass(frozen=True)
class Api:
    """The service of the project, started and asked over HTTP: all of `jupyter_mlops.promotion.gates.api_checks.CHECKS`.

    Attributes
    ----------
    ready
        Seconds that the service may take to start.
    patience
        Seconds for an answer.
    """

    ready: float = 90.0
    patience: float = 10.0
    name: str = "api"
    title: str = "API of the service"

    def run(self, subject: Subject, tell: Tell) -> GateResult:
        """Start it, ask it, stop it; every check has to pass."""
        golden = golden_to_ask(subject.project)
        if isinstance(golden, GateResult):
            return golden
        allowed = golden.allowed if subject.tags.get("mismatch_allowed") == "true" else 0
        tell("starting the service", None)
        passed: list[str] = []
        failed: list[str] = []
        try:
            with (
                started_service(subject.project, subject.python, tell, seconds=self.ready) as service,
                Probe(service, golden, allowed, self.patience) as probe,
            ):
                for name, check in CHECKS:
                    tell(name, (len(passed) + len(failed)) / len(CHECKS))
                    try:
                        check(probe)
                        passed.append(name)
                    except Differs as error:
                        failed.append(f"{name}: {error}")
                    except NoAnswer as error:
                        failed.append(f"{name}: {error}")
                        break  # it would be waited for each of the others
                service.stop()  # so that all that it prints is in the log
                log = service.log
        except ServiceError as error:
            return GateResult("failed", f"The service did not start. {error} Its log says why.", log=error.log)
        figures = {"checks": len(CHECKS), "passed": len(passed), "rows": len(probe.rows)}
        if failed:
            named = "; ".join(failed[:_NAMED]) + (f"; and {len(failed) - _NAMED} more" if len(failed) > _NAMED else "")
            message = f"{len(passed)} of {len(CHECKS)} checks passed. {named}. Mend that and convert again."
            return GateResult("failed", redacted(message), figures, log)
        differing = f"; {len(probe.differing)} rows differ: allowed when the version was made" if probe.differing else ""
        return GateResult("passed", f"{len(probe.rows)} rows, {len(passed)} checks{differing}", figures, ", ".join(passed))
