"""What the service of a project is asked.

To add a check: a function here that takes a `Probe`, asks, and raises `Differs` with what was expected and what came; its name,
as people read it, and the function in `CHECKS`; and a service that fails it among those of the gate's tests.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jupyter_mlops.promotion.gates.golden import Golden, as_text, is_close
from jupyter_mlops.promotion.gates.service import StartedService

if TYPE_CHECKING:
    import httpx

__all__ = ["CHECKS", "Differs", "NoAnswer", "Probe"]

_SINGLE = 25  # golden rows that are asked alone
_MANY = 500  # and together with others
_BATCH = 50  # in one request
_OTHER = 20  # and by the other protocols
_TOO_LARGE = 16_000_000  # bytes: more than a service takes
_BEGUN = 100_000  # of them are sent before it may answer
_SHOWN = 200  # characters of an answer in a message


class Differs(Exception):
    """Something else came than was expected."""

    def __init__(self, expected: str, came: str) -> None:
        super().__init__(f"{expected} expected, {came} came")


class NoAnswer(Exception):
    """The service hangs or has ended, so that it is not asked on."""


class Probe:
    """A client of a service, and what it has compared.

    Parameters
    ----------
    allowed
        Rows that may differ from the notebook.
    patience
        Seconds for an answer.

    Attributes
    ----------
    rows, differing
        Positions of the golden rows that were compared, and of those that differ.
    """

    def __init__(self, service: StartedService, golden: Golden, allowed: int, patience: float) -> None:
        import httpx

        self.service, self.golden, self.patience = service, golden, patience
        self.rows: set[int] = set()
        self.differing: dict[int, str] = {}
        self._allowed = allowed
        self._client = httpx.Client(base_url=service.url, timeout=patience, trust_env=False)

    def __enter__(self) -> Probe:
        return self

    def __exit__(self, *error: object) -> None:
        self._client.close()

    @property
    def row(self) -> dict[str, Any]:
        """One that the model predicts."""
        return dict(self.golden.rows[0])

    def ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Send a request.

        Raises
        ------
        NoAnswer
            None came.
        """
        import httpx

        what = f"an answer to {method} {path}"
        try:
            return self._client.request(method, path, **content)
        except httpx.TimeoutException:
            raise NoAnswer(f"{what} expected, none came within {self.patience:g} s") from None
        except httpx.TransportError as error:
            if self.service.has_ended(within=0.5):  # its connections go before it does
                raise NoAnswer(f"{what} expected, the service ended") from None
            raise Differs(what, f"a broken connection ({str(error).rstrip('.')})") from None

    def get(self, path: str) -> Any:
        """The JSON at a path."""
        return self._json(self.ask("GET", path), f"200 to GET {path}")

    def post(self, path: str, body: Any) -> Any:
        """The JSON that is answered to a good request."""
        return self._json(self.ask("POST", path, json=body), f"200 to POST {path}")

    def compare(self, positions: Sequence[int], answers: Any) -> None:
        """Compare predictions with the notebook's."""
        if not isinstance(answers, list) or len(answers) != len(positions):
            raise Differs(f"{len(positions)} predictions", as_text(answers))
        self.rows.update(positions)
        for position, answer in zip(positions, answers, strict=True):
            if difference := self.golden.difference(position, answer):
                self.differing[position] = difference
        if len(self.differing) > self._allowed:
            raise _Prediction(self.differing)

    def same(self, path: str, expected: Sequence[Any], got: Any) -> None:
        """Compare the predictions of two protocols."""
        if not is_close(list(expected), got, self.golden.absolute, self.golden.relative):
            raise Differs(f"from {path} what /predict says, {as_text(list(expected))},", as_text(got))

    def refuses(self, what: str, answer: httpx.Response) -> None:
        """The answer has to say, in JSON, that the caller did something wrong."""
        if not 400 <= answer.status_code < 500:
            raise Differs(f"400 to 499 to {what}", _shown(answer))
        try:
            fine = isinstance(answer.json(), dict)
        except ValueError:
            fine = False
        if not fine:
            raise Differs(f"an error in JSON to {what}", _shown(answer))

    def _json(self, answer: httpx.Response, expected: str) -> Any:
        if answer.status_code != 200:
            raise Differs(expected, _shown(answer))
        try:
            return answer.json()
        except ValueError:
            raise Differs(f"{expected} with JSON", _shown(answer)) from None


class _Prediction(Differs):
    """Other predictions than the notebook's."""

    def __init__(self, differing: Mapping[int, str]) -> None:
        Exception.__init__(self, f"{len(differing)} rows differ from the notebook, such as: {next(iter(differing.values()))}")


def _health(probe: Probe) -> None:
    for path in ("/health/live", "/health/ready"):
        probe.get(path)


def _metadata(probe: Probe) -> None:
    for path in ("/model", f"/v2/models/{probe.golden.name}"):
        found = probe.get(path)
        name = found.get("name") if isinstance(found, dict) else None
        if name != probe.golden.name:
            raise Differs(f"the model {probe.golden.name} at {path}", as_text(name))


def _one_row(probe: Probe) -> None:
    for position in probe.golden.pick(_SINGLE):
        probe.compare([position], [probe.post("/predict", probe.golden.rows[position])])


def _many_rows(probe: Probe) -> None:
    picked = probe.golden.pick(_MANY)
    for start in range(0, len(picked), _BATCH):
        positions = picked[start : start + _BATCH]
        probe.compare(positions, probe.post("/predict", [probe.golden.rows[at] for at in positions]))


def _open_inference(probe: Probe) -> None:
    rows, expected = _predicted(probe)
    path = f"/v2/models/{probe.golden.name}"
    try:
        tensors = [
            {
                "name": one["name"],
                "datatype": one["datatype"],
                "shape": [len(rows)],
                "data": [row.get(one["name"]) for row in rows],
            }
            for one in probe.get(path)["inputs"]
        ]
    except (KeyError, TypeError):
        raise Differs(f"inputs with name and datatype at {path}", "something else") from None
    answer = probe.post(f"{path}/infer", {"inputs": tensors})
    try:
        got = next(one["data"] for one in answer["outputs"] if one["name"] == "prediction")
    except (KeyError, TypeError, StopIteration):
        raise Differs(f"an output named prediction from {path}/infer", as_text(answer)) from None
    probe.same(f"{path}/infer", expected, got)


def _invocations(probe: Probe) -> None:
    rows, expected = _predicted(probe)
    names = [one["name"] for one in probe.golden.columns]
    split = {"columns": names, "data": [[row.get(name) for name in names] for row in rows]}
    answer = probe.post("/invocations", {"dataframe_split": split})
    probe.same("/invocations", expected, answer.get("predictions") if isinstance(answer, dict) else answer)


def _predicted(probe: Probe) -> tuple[list[Mapping[str, Any]], list[Any]]:
    """Rows, and what ``/predict`` says of them."""
    rows = [probe.golden.rows[at] for at in probe.golden.pick(_OTHER)]
    answers = probe.post("/predict", rows)
    try:
        return rows, [one["prediction"] for one in answers]
    except (KeyError, TypeError):
        raise Differs("predictions from /predict", as_text(answers)) from None


def _missing_column(probe: Probe) -> None:
    """Where every column may be missing, an empty row may be predicted; it has to be answered all the same."""
    required = next((one["name"] for one in probe.golden.columns if not one["nullable"]), None)
    if required is not None:
        row = {name: value for name, value in probe.row.items() if name != required}
        probe.refuses(f"a row without {required}", probe.ask("POST", "/predict", json=row))
    elif (answer := probe.ask("POST", "/predict", json={})).status_code != 200:
        probe.refuses("a row without columns", answer)


def _wrong_type(probe: Probe) -> None:
    name = probe.golden.columns[0]["name"]
    wrong = {**probe.row, name: {"not": "a value"}}
    probe.refuses(f"an object as {name}", probe.ask("POST", "/predict", json=wrong))
    probe.refuses("a wrong row among good ones", probe.ask("POST", "/predict", json=[probe.row, wrong]))


def _unknown_column(probe: Probe) -> None:
    row = {**probe.row, "a column that the model does not have": 1}
    probe.refuses("a row with an unknown column", probe.ask("POST", "/predict", json=row))


def _malformed(probe: Probe) -> None:
    for path in ("/predict", "/invocations", f"/v2/models/{probe.golden.name}/infer"):
        answer = probe.ask("POST", path, content=b'{"a": [1, ', headers={"content-type": "application/json"})
        probe.refuses(f"half a JSON object at {path}", answer)


def _too_large(probe: Probe) -> None:
    """A body that is announced, and begun; the rest is sent when the service wants to see it before it answers."""
    what = f"a body of {_TOO_LARGE // 1_000_000} MB without a row"
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {_TOO_LARGE}\r\n\r\n".encode()
    try:
        with socket.create_connection(("127.0.0.1", probe.service.port), timeout=min(2.0, probe.patience)) as connection:
            connection.sendall(head + b" " * _BEGUN)
            try:
                came = connection.recv(4096)
            except TimeoutError:
                connection.settimeout(probe.patience)
                connection.sendall(b" " * (_TOO_LARGE - _BEGUN))
                came = connection.recv(4096)
    except TimeoutError:
        raise NoAnswer(f"an answer to {what} expected, none came within {probe.patience:g} s") from None
    except OSError as error:
        raise Differs(f"400 to 499 to {what}", f"a broken connection ({error})") from None
    if not came.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")):
        raise Differs(f"400 to 499 to {what}", came.partition(b"\r\n")[0].decode(errors="replace") or "the end of the connection")


def _metrics(probe: Probe) -> None:
    rows = [probe.golden.rows[at] for at in probe.golden.pick(7)]
    before = _counted(probe)
    probe.post("/predict", rows)
    probe.ask("POST", "/predict", json={**probe.row, "a column that the model does not have": 1})
    after = _counted(probe)
    for name, wanted in (("service_requests_total", 2), ("service_rows_total", len(rows))):
        if after.get(name, 0) - before.get(name, 0) != wanted:
            raise Differs(f"{name} to grow by {wanted}", f"{before.get(name)} and then {after.get(name)}")


def _counted(probe: Probe) -> dict[str, float]:
    from prometheus_client.parser import text_string_to_metric_families

    answer = probe.ask("GET", "/metrics")
    if answer.status_code != 200:
        raise Differs("200 to GET /metrics", _shown(answer))
    found: dict[str, float] = {}
    try:
        for family in text_string_to_metric_families(answer.text):
            for sample in family.samples:
                found[sample.name] = found.get(sample.name, 0) + sample.value
    except ValueError:
        raise Differs("Prometheus' text format at /metrics", _shown(answer)) from None
    return found


def _end(probe: Probe) -> None:
    ended = probe.service.stop()
    if ended.code is None:
        raise Differs("the end of the service after SIGTERM", "none, so that it was killed")
    if ended.code not in (0, -signal.SIGTERM, 128 + signal.SIGTERM):
        raise Differs("exit code 0 after SIGTERM", str(ended.code))
    if ended.left:
        raise Differs("no process of the service after its end", str(ended.left))


CHECKS: tuple[tuple[str, Callable[[Probe], None]], ...] = (
    ("health", _health),
    ("metadata", _metadata),
    ("one row", _one_row),
    ("many rows", _many_rows),
    ("Open Inference Protocol", _open_inference),
    ("invocations", _invocations),
    ("missing column", _missing_column),
    ("wrong type", _wrong_type),
    ("unknown column", _unknown_column),
    ("malformed body", _malformed),
    ("too large body", _too_large),
    ("metrics", _metrics),
    ("end on SIGTERM", _end),
)


def _shown(answer: httpx.Response) -> str:
    return f"{answer.status_code} {answer.text[:_SHOWN]}".strip()
