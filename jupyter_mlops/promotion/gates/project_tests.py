"""The generated project's own tests, run where this runs."""

from __future__ import annotations

import re
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from xml.etree import ElementTree as ET

from jupyter_mlops.promotion.gates.kinds import GateResult, Subject, Tell
from jupyter_mlops.promotion.process import clean_environment, run_process

__all__ = ["ProjectTests"]

_OUTCOME = re.compile(
    r"^(?P<test>.+?) (?P<outcome>PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)\b.*\[ *(?P<done>\d+)/(?P<total>\d+)\]"
)
_NO_TESTS = 5  # pytest's exit code
_NAMED = 5  # tests that a message names


@dataclass(frozen=True)
class ProjectTests:
    """Unit tests, golden rows, service, bundle and the notebook's own asserts: all of ``tests/``."""

    name: str = "tests"
    title: str = "Tests of the project"

    def run(self, subject: Subject, tell: Tell) -> GateResult:
        """Run pytest in the project; every test has to pass."""
        lacking, other = _environment(subject.project)
        if lacking:
            return GateResult(
                "failed",
                f"The tests cannot run here: {', '.join(lacking)} not installed. Install what is missing into the environment of "
                "jupyter-mlops (python -m pip install ...) and promote again.",
                {"missing": ", ".join(lacking)},
            )
        counted = _Counted()

        def hear(line: str) -> None:
            if found := _OUTCOME.match(line):
                counted.add(found)
                tell(counted.sentence(), counted.done / counted.total)

        with tempfile.TemporaryDirectory(prefix="jupyter-mlops-") as scratch:
            results = Path(scratch) / "results.xml"
            done = run_process(
                [
                    subject.python, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-o", "addopts=", "-o",
                    "console_output_style=count", "--color=no", f"--rootdir={subject.project}", f"--junitxml={results}",
                ],
                folder=subject.project, environment=clean_environment(), seconds=subject.policy.tests.seconds, hear=hear,
                ask=lambda: tell("", None),
            )  # fmt: skip
            report = _Report.read(results)
        figures = {**report.figures, "seconds": round(done.seconds, 1), **({"otherVersions": other} if other else {})}
        if done.code is None:
            last = f" The last one that ended was {counted.last}." if counted.last else ""
            message = (
                f"The tests did not end within {subject.policy.tests.seconds:.0f} s and were stopped after {counted.done} of "
                f"{counted.total or 'an unknown number of'} tests.{last} Mend the one that hangs and convert again."
            )
            return GateResult("failed", message, {**figures, "done": counted.done}, done.log)
        if report.bad:
            named = ", ".join(report.bad[:_NAMED]) + (f" and {len(report.bad) - _NAMED} more" if len(report.bad) > _NAMED else "")
            message = f"{len(report.bad)} of {report.total} tests failed: {named}. Mend what they show and convert again."
            return GateResult("failed", message, figures, done.log)
        if done.code == _NO_TESTS or (done.code == 0 and not report.total):
            return GateResult(
                "failed", "The project has no tests, so nothing is known. Convert the notebook again.", figures, done.log
            )
        if done.code != 0:
            message = f"pytest ended with code {done.code} before it could run the tests: see its log."
            return GateResult("failed", message, figures, done.log)
        if report.passed == 0:
            return GateResult("inconclusive", f"All {report.total} tests were skipped, so nothing is known.", figures, done.log)
        skipped = f", {report.skipped} skipped" if report.skipped else ""
        return GateResult("passed", f"{report.passed} passed{skipped}", figures, done.log)


@dataclass
class _Counted:
    """What pytest has said so far."""

    done: int = 0
    total: int = 0
    failed: int = 0
    last: str = ""

    def add(self, found: re.Match[str]) -> None:
        self.done, self.total, self.last = int(found["done"]), int(found["total"]), found["test"]
        self.failed += found["outcome"] in ("FAILED", "ERROR")

    def sentence(self) -> str:
        failed = f", {self.failed} failed" if self.failed else ""
        return f"{self.done} of {self.total} tests{failed}"


@dataclass(frozen=True)
class _Report:
    """What stands in pytest's junit file."""

    total: int = 0
    skipped: int = 0
    bad: Sequence[str] = field(default_factory=tuple)
    known: bool = False

    @property
    def passed(self) -> int:
        return self.total - self.skipped - len(self.bad)

    @property
    def figures(self) -> dict[str, float | int | str | bool | None]:
        if not self.known:
            return {}
        return {"tests": self.total, "passed": self.passed, "failed": len(self.bad), "skipped": self.skipped}

    @classmethod
    def read(cls, path: Path) -> _Report:
        """Nothing is known of one that was stopped."""
        try:
            root = ET.parse(path).getroot()  # noqa: S314 - pytest's own, of a process that runs the same code
        except (OSError, ET.ParseError):
            return cls()
        bad: dict[str, None] = {}  # a test may fail, and its fixture after it
        names, skipped = set(), 0
        for case in root.iter("testcase"):
            name = f"{case.get('classname', '')}::{case.get('name', '')}".lstrip(":")
            names.add(name)
            kinds = {one.tag for one in case}
            if kinds & {"failure", "error"}:
                bad[name] = None
            elif "skipped" in kinds:
                skipped += 1
        return cls(len(names), skipped, tuple(bad), True)


def _environment(project: Path) -> tuple[list[str], str]:
    """Distributions that the project needs and this environment lacks, and a sentence on those of another version."""
    from packaging.requirements import InvalidRequirement, Requirement

    wanted = ["pytest", "httpx"]
    try:
        declared = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8")).get("project", {})
        wanted = [*declared.get("dependencies", []), *(declared.get("optional-dependencies", {}).get("test") or wanted)]
    except (OSError, tomllib.TOMLDecodeError):
        pass  # pytest will say
    lacking, other = [], []
    for text in wanted:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        try:
            here = version(requirement.name)
        except PackageNotFoundError:
            lacking.append(requirement.name)
            continue
        if not requirement.specifier.contains(here, prereleases=True):
            other.append(f"{requirement.name} {here} ({requirement.specifier})")
    return lacking, ", ".join(other)
