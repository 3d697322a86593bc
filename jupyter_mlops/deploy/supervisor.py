"""Keeps a deployment as its spec has it: starts, watches, restarts and stops its processes, and tells the Envoys.

One supervisor works for a deployment at a time. It may be killed at any moment: the processes go on, and the next one finds
them by what was written down.
"""

from __future__ import annotations

import http.client
import json
import logging
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from jupyter_mlops.deploy.envoy import ADMIN, bootstrap, write_backends, write_traffic
from jupyter_mlops.deploy.members import Member, kill, launch, read_members, terminate, write_members
from jupyter_mlops.deploy.spec import Spec
from jupyter_mlops.deploy.traffic import Backend, Traffic

__all__ = ["ENVOYS", "Supervisor", "ask_envoy"]

ENVOYS = ("envoy-a", "envoy-b")  # on one port: where one dies, the other goes on
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 30.0  # seconds between an end and a restart; doubled each time
_CALM = 30.0  # seconds of life after which the next pause is the first one again
_PROBE = 0.5  # seconds that a replica has to say that it is ready
_HANGS = 10  # times in a row that a ready replica does not: it may only be busy
_BETWEEN = 1.0  # seconds between two such questions
_DRAIN = 0.5  # seconds between the Envoys' knowing and the end of a replica
_GRACE = 35.0  # seconds that it has to end
_SETTLE = 1.0  # seconds after which every Envoy has followed
_NOTHING: Mapping[str, str] = {}  # an Envoy needs nothing of the environment
log = logging.getLogger(__name__)


@dataclass
class _Watched:
    """What the supervisor knows beside what is written down."""

    pause: float = _FIRST_PAUSE
    not_before: float = 0.0
    asked: float = 0.0
    silent: int = 0
    leaving: float | None = None  # since when it is not wanted any more
    told: bool = False


@dataclass
class Supervisor:
    """Of one deployment.

    Parameters
    ----------
    replica
        Command, folder and environment of a replica: of project folder, port, and folder of the feature repository (or empty).
    """

    folder: Path
    replica: Callable[[Path, int, str], tuple[list[str], Path, Mapping[str, str]]]
    free_port: Callable[[], int]
    now: Callable[[], int]
    members: dict[str, Member] = field(default_factory=dict)
    _watched: dict[str, _Watched] = field(default_factory=dict)
    _backends: tuple[Backend, ...] | None = None
    _stable: str | None = None
    _traffic: Traffic | None = None
    _shared: float = 0.0  # when the shares were last changed

    def adopt(self) -> None:
        """Go on with the processes that a former supervisor has left."""
        self.members = read_members(self.folder)

    @property
    def is_over(self) -> bool:
        """Whether nothing runs."""
        return not any(one.alive for one in self.members.values())

    def turn(self, spec: Spec) -> None:
        """One look at everything; returns at once, but for the questions to replicas."""
        before = dict(self.members)
        wanted = _wanted(spec) if spec.running else {}
        self._bury(wanted)
        for name, version in wanted.items():
            if name not in self.members or not self.members[name].pid:
                self._start(name, version, spec)
            elif not self._known(name).told:
                self._known(name).leaving = None  # it is wanted again
        self._probe()
        self._tell(spec, wanted)
        self._part(wanted)
        if self.members != before:
            write_members(self.folder, self.members)

    # -- life and death -------------------------------------------------------------------------------------------------

    def _bury(self, wanted: Mapping[str, str | None]) -> None:
        """Those that have ended by themselves are started again, after a pause."""
        for name, member in list(self.members.items()):
            if name not in wanted and not member.alive:
                del self.members[name]
                self._watched.pop(name, None)
            if name not in wanted or not member.pid or member.alive:
                continue
            watched = self._known(name)
            if self.now() - member.started > _CALM * 1000:
                watched.pause = _FIRST_PAUSE
            watched.not_before = time.monotonic() + watched.pause
            watched.pause = min(2 * watched.pause, _LONGEST_PAUSE)
            watched.silent = 0
            log.warning("%s %s", name, member.ended_with)
            self.members[name] = replace(
                member, pid=0, since=None, ready=False, restarts=member.restarts + 1, last_end=member.ended_with
            )

    def _start(self, name: str, version: str | None, spec: Spec) -> None:
        watched = self._known(name)
        if time.monotonic() < watched.not_before:
            return
        watched.leaving = None
        member = self.members.get(name) or Member(name, 0, None, 0, version)
        member = replace(member, started=self.now())
        if version is None:
            file = self.folder / f"{name}.json"
            file.write_text(json.dumps(bootstrap(self.folder, spec.host, spec.port, name=name)), encoding="utf-8")
            if self._traffic is None:
                self._publish(spec, {})
            command, folder, environment = _envoy_command(file), self.folder, _NOTHING
        else:
            member = replace(member, port=self.free_port())
            assert member.port is not None
            command, folder, environment = self.replica(
                Path(spec.versions[version].project), member.port, spec.feature_store(version)
            )
        place = self.folder / "logs"
        place.mkdir(exist_ok=True)
        try:
            self.members[name] = launch(command, place / f"{name}.log", folder=folder, environment=environment, member=member)
        except OSError as error:  # its folder is gone, or the disk is full
            log.warning("%s cannot be started: %s", name, error)
            watched.not_before = time.monotonic() + watched.pause
            watched.pause = min(2 * watched.pause, _LONGEST_PAUSE)
            ended = f"cannot be started: {error.strerror}"
            self.members[name] = replace(member, pid=0, restarts=member.restarts + 1, last_end=ended)
            return
        write_members(self.folder, self.members)  # at once: whoever supervises next has to know of it
        log.info("%s started", name)

    def _part(self, wanted: Mapping[str, str | None]) -> None:
        """Those that are not wanted: told to the Envoys first, then asked to end, then made to."""
        for name, member in self.members.items():
            if name in wanted or not member.pid:
                continue
            watched = self._known(name)
            if watched.leaving is None:
                watched.leaving = time.monotonic()
                self.members[name] = replace(member, ready=False)
            elif not watched.told and time.monotonic() - watched.leaving > _DRAIN:
                watched.told = True
                terminate(member)
            elif time.monotonic() - watched.leaving > _GRACE:
                kill(member)

    # -- health ---------------------------------------------------------------------------------------------------------

    def _probe(self) -> None:
        for name, member in list(self.members.items()):
            watched = self._known(name)
            pause = _BETWEEN if member.ready else 0.1
            if not member.pid or watched.leaving is not None or time.monotonic() - watched.asked < pause:
                continue
            watched.asked = time.monotonic()
            answers = _answers(member, self.folder)
            watched.silent = 0 if answers else watched.silent + 1
            if answers and not member.ready:
                self.members[name] = replace(member, ready=True)
            elif member.ready and watched.silent >= _HANGS:
                log.warning("%s does not answer and is started anew", name)
                self.members[name] = replace(member, ready=False)
                kill(member)

    # -- traffic --------------------------------------------------------------------------------------------------------

    def _tell(self, spec: Spec, wanted: Mapping[str, str | None]) -> None:
        living: dict[str, list[int]] = {version: [] for version in spec.versions}
        for name, member in self.members.items():
            if member.ready and name in wanted and member.version in living and member.port is not None and member.pid:
                living[member.version].append(member.port)
        self._publish(spec, living)

    def _publish(self, spec: Spec, living: Mapping[str, list[int]]) -> None:
        # A version that goes stays known until no Envoy can send it anything any more.
        settling = self._traffic != spec.traffic or time.monotonic() - self._shared < _SETTLE
        leaving = [one.version for one in self._backends or () if one.version not in spec.versions] if settling else []
        backends = tuple(Backend(version, tuple(living.get(version, ()))) for version in [*spec.versions, *leaving])
        if (backends, spec.traffic.stable) != (self._backends, self._stable):
            write_backends(self.folder, backends, spec.traffic.stable)
            self._backends, self._stable = backends, spec.traffic.stable
        # A share of a version that an Envoy does not know yet would be answered with 503.
        if self._traffic is None or (self._traffic != spec.traffic and self._all_know(spec.traffic)):
            write_traffic(self.folder, spec.traffic)
            self._traffic, self._shared = spec.traffic, time.monotonic()

    def _all_know(self, traffic: Traffic) -> bool:
        needed = {Backend(version).cluster for version in (*traffic.weights, traffic.shadow) if version is not None}
        for name in ENVOYS:
            member = self.members.get(name)
            if member is not None and member.alive:
                said = ask_envoy(self.folder, name, "/clusters") or ""
                if not needed <= {line.split("::")[0] for line in said.splitlines()}:
                    return False
        return True

    def _known(self, name: str) -> _Watched:
        return self._watched.setdefault(name, _Watched())


def _wanted(spec: Spec) -> dict[str, str | None]:
    names: dict[str, str | None] = dict.fromkeys(ENVOYS)
    for version, served in spec.versions.items():
        names |= {f"{version}.{number}": version for number in served.numbers}
    return names


def _envoy_command(bootstrap_file: Path) -> list[str]:
    return [
        str(Path(sys.executable).with_name("envoy")), "-c", str(bootstrap_file), "--disable-hot-restart", "--concurrency", "1",
        "--log-level", "warning",
    ]  # fmt: skip


def _answers(member: Member, folder: Path) -> bool:
    if member.version is None:
        return ask_envoy(folder, member.name, "/ready") is not None
    return _ask(http.client.HTTPConnection("127.0.0.1", member.port, timeout=_PROBE), "/health/ready") is not None


def ask_envoy(folder: Path, name: str, path: str) -> str | None:
    """What the admin interface of an Envoy says; None where it does not answer with 200."""
    return _ask(_Unix(folder / f"{name}-{ADMIN}"), path)


def _ask(connection: http.client.HTTPConnection, path: str) -> str | None:
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        return text if answer.status == 200 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


class _Unix(http.client.HTTPConnection):
    """HTTP over a socket of the file system."""

    def __init__(self, path: Path) -> None:
        super().__init__("envoy", timeout=_PROBE)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_PROBE)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            # By way of an open folder the path is short enough for a socket, wherever the folder lies.
            short = Path(f"/proc/self/fd/{folder}")
            self.sock.connect(str((short if short.exists() else self._path.parent) / self._path.name))
        finally:
            os.close(folder)
