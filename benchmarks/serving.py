"""Requests per second and latency of a generated service, beside other servers of the same model.

    python benchmarks/serving.py --project DIR [--repeats 3] [--seconds 3] [--json FILE]

One row, one worker each, loopback. All servers run at the same time and are measured in turn, so that a busy machine
slows all of them; the table gives medians and ratios. DIR is a converted project whose engine is ONNX and whose
features are columns of the row (the bare application knows no others). BentoML lives in an environment of its own:
`--bento PYTHON` names its interpreter; without it a line says so.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.load import Load, generator, measure

CLIENTS = (1, 16, 64)
BENTO = Path.home() / ".cache" / "jupyter-mlops" / "bentoml" / "bin" / "python"
UVICORN = ["--no-access-log", "--no-proxy-headers", "--no-server-header", "--log-level", "warning"]


@dataclass(frozen=True)
class Server:
    """A contestant: how it starts, where it answers and what it is sent."""

    name: str
    command: list[str]
    environment: dict[str, str]
    url: str
    body: bytes
    folder: Path


@dataclass(frozen=True)
class Target:
    """A ratio that the generated service is held to."""

    text: str
    ratio: float
    least: float | None = None
    most: float | None = None

    @property
    def met(self) -> bool:
        """True when the ratio is on the right side."""
        return (self.least is None or self.ratio >= self.least) and (self.most is None or self.ratio <= self.most)


def main() -> int:
    """Measure and print. Returns 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", type=Path, required=True, help="a converted project")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--only", help="names of servers, with commas")
    parser.add_argument("--bento", type=Path, default=BENTO, help=f"interpreter with bentoml and onnxruntime (default {BENTO})")
    parser.add_argument("--json", type=Path, help="write the numbers here as well")
    arguments = parser.parse_args()
    project = arguments.project.resolve()
    signature = json.loads((project / "model" / "signature.json").read_text(encoding="utf-8"))
    if not signature["identity"] or signature["onnx"] is None or any(i["column"] is None for i in signature["onnx"]["inputs"]):
        parser.error("the project's model must be ONNX, fed by the columns of the row")
    with tempfile.TemporaryDirectory() as folder:
        servers = _servers(project, Path(folder), arguments.bento)
        if arguments.only:
            servers = [one for one in servers if one.name in arguments.only.split(",")]
        results = _measure(servers, arguments.repeats, arguments.seconds)
    targets = _targets(results)
    print(_table(results, targets))
    if not arguments.bento.is_file():
        print(f"\nBentoML was not measured: {arguments.bento} is not there. Make it with:\n"
              f"  uv venv {arguments.bento.parents[1]} && uv pip install -p {arguments.bento} bentoml onnxruntime")  # fmt: skip
    if arguments.json:
        report = {
            "generator": generator(), "seconds": arguments.seconds, "repeats": arguments.repeats,
            "servers": {name: {str(c): asdict(load) for c, load in rows.items()} for name, rows in results.items()},
            "targets": [{**asdict(one), "met": one.met} for one in targets],
        }  # fmt: skip
        arguments.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0 if all(one.met for one in targets) else 1


def _servers(project: Path, folder: Path, bento: Path) -> list[Server]:
    here = Path(__file__).resolve().parent
    rows = json.loads((project / "model" / "golden.json").read_text(encoding="utf-8"))["rows"]
    row = next((one for one in rows if None not in one.values()), rows[0])
    body = json.dumps(row).encode()
    shared = {"BENCHMARK_PROJECT": str(project)}

    def uvicorn(name: str, app: str) -> Server:
        port = _free_port()
        command = [sys.executable, "-m", "uvicorn", app, "--port", str(port), *UVICORN]
        return Server(name, command, shared, f"http://127.0.0.1:{port}/predict", body, here)

    port = _free_port()
    own = Server(
        "generated", [sys.executable, "-m", "service"], {"SERVICE_PORT": str(port), "SERVICE_LOG_LEVEL": "warning"},
        f"http://127.0.0.1:{port}/predict", body, project,
    )  # fmt: skip
    servers = [own, uvicorn("bare", "apps.bare:app"), uvicorn("fastapi-sklearn", "apps.handwritten:app")]
    port = _free_port()
    split = {"columns": list(row), "data": [list(row.values())]}
    servers.append(
        Server(
            "mlflow",
            [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(mlflow_model(project, folder)), "-h", "127.0.0.1",
             "-p", str(port), "--env-manager", "local", "-w", "1"],
            {"PYTHONPATH": str(project / "src")},
            f"http://127.0.0.1:{port}/invocations", json.dumps({"dataframe_split": split}).encode(), folder,
        )
    )  # fmt: skip
    if bento.is_file():
        port = _free_port()
        command = [str(bento), "-m", "bentoml", "serve", "apps.bento:Model", "--port", str(port), "--host", "127.0.0.1"]
        environment = {**shared, "BENTOML_DO_NOT_TRACK": "True", "BENTOML_HOME": str(folder / "bentoml")}
        servers.append(
            Server("bentoml", command, environment, f"http://127.0.0.1:{port}/predict", json.dumps({"row": row}).encode(), here)
        )
    return servers


def mlflow_model(project: Path, folder: Path) -> Path:
    """The project's scikit-learn model in MLflow's format, made in a process of its own."""
    target = folder / "mlflow_model"
    package = json.loads((project / "model" / "metadata.json").read_text(encoding="utf-8"))["package"]
    code = (
        "import sys, mlflow, mlflow.sklearn; from importlib import import_module;"
        "load = import_module(sys.argv[1] + '.persist').load_model;"
        "mlflow.sklearn.save_model(load(), sys.argv[2], pip_requirements=['scikit-learn'], serialization_format='cloudpickle')"
    )
    environment = {**os.environ, "PYTHONPATH": str(project / "src")}
    subprocess.run([sys.executable, "-c", code, package, str(target)], check=True, env=environment, capture_output=True)
    return target


def _measure(servers: list[Server], repeats: int, seconds: float) -> dict[str, dict[int, Load]]:
    loads: dict[str, dict[int, list[Load]]] = {one.name: {c: [] for c in CLIENTS} for one in servers}
    with contextlib.ExitStack() as stack:
        for server in servers:
            stack.enter_context(running(server))
        for server in servers:  # warm up
            measure(server.url, server.body, clients=4, seconds=1)
        for repeat in range(repeats):
            for clients in CLIENTS:
                for server in servers:
                    load = measure(server.url, server.body, clients=clients, seconds=seconds)
                    loads[server.name][clients].append(load)
                    print(
                        f"  {repeat + 1}/{repeats} {server.name:16} {clients:3} clients {load.requests_per_second:9.0f}/s",
                        file=sys.stderr,
                    )
    return {name: {c: _median(runs) for c, runs in rows.items()} for name, rows in loads.items()}


def _median(runs: list[Load]) -> Load:
    def middle(name: str) -> float:
        return float(statistics.median(getattr(run, name) for run in runs))

    return Load(middle("requests_per_second"), middle("p50"), middle("p99"), sum(run.errors for run in runs))


@contextlib.contextmanager
def running(server: Server) -> Iterator[None]:
    beside = os.pathsep.join([str(Path(server.command[0]).parent), os.environ.get("PATH", "")])  # mlflow looks for uvicorn there
    environment = {**os.environ, "PATH": beside, **server.environment}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(server.command, cwd=server.folder, env=environment, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 120
            while not _answers(server):
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise RuntimeError(f"{server.name} did not start:\n{log.read().decode(errors='replace')[-3000:]}")
                time.sleep(0.2)
            yield
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _answers(server: Server) -> bool:
    request = urllib.request.Request(server.url, data=server.body, headers={"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return bool(json.loads(answer.read()))
    except urllib.error.HTTPError as error:
        if error.code < 500:
            raise RuntimeError(f"{server.name} refuses the row: {error.read().decode()[:500]}") from None
        return False
    except OSError:
        return False


def _targets(results: dict[str, dict[int, Load]]) -> list[Target]:
    def ratio(other: str, clients: int) -> float:
        return results["generated"][clients].requests_per_second / results[other][clients].requests_per_second

    targets = []
    if "bare" in results:
        targets.append(Target("requests/s of the bare application, 1 client", ratio("bare", 1), least=0.8))
        targets.append(Target("requests/s of the bare application, 64 clients", ratio("bare", 64), least=1.5))
    if "mlflow" in results:
        targets.append(Target("requests/s of mlflow models serve, 1 client", ratio("mlflow", 1), least=30))
    if "bentoml" in results:
        targets.append(Target("requests/s of BentoML, 1 client", ratio("bentoml", 1), least=5))
    own = results["generated"][16]
    targets.append(Target("p99 / p50, 16 clients", own.p99 / own.p50, most=4))
    return targets


def _table(results: dict[str, dict[int, Load]], targets: list[Target]) -> str:
    head = (
        "| server | "
        + " | ".join(f"{c} client{'s' if c > 1 else ''}: requests/s, p50, p99 (ms)" for c in CLIENTS)
        + " | errors |"
    )
    lines = [head, "|---" * (len(CLIENTS) + 2) + "|"]
    for name, rows in results.items():
        cells = [f"{rows[c].requests_per_second:,.0f}, {rows[c].p50:.2f}, {rows[c].p99:.2f}" for c in CLIENTS]
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {sum(rows[c].errors for c in CLIENTS)} |")
    lines += ["", "| the generated service against | ratio | target | |", "|---|---|---|---|"]
    for one in targets:
        wanted = f"at least {one.least:g}" if one.least is not None else f"at most {one.most:g}"
        lines.append(f"| {one.text} | {one.ratio:.2f} | {wanted} | {'met' if one.met else 'MISSED'} |")
    return "\n".join(lines)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main())
