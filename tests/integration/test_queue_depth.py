"""The generated service tells how many requests wait for its model: what the replicas in a cluster are scaled by."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.conftest import Converted

pytestmark = pytest.mark.slow

# The whole application, in one process with its clients, so that the model can be held until they have looked.
_SCRIPT = """
import asyncio, json, pathlib, threading
from contextlib import suppress
import httpx
from service.app import create_app
from service.engine import Engine

rows = json.loads(pathlib.Path("model/golden.json").read_text())["rows"][:1] * 300  # more than one call on the event loop takes
held_one, let_go = threading.Event(), threading.Event()
predict = Engine.predict

def held(engine, rows):
    if len(rows) >= 300:
        held_one.set()
        assert let_go.wait(60)
    return predict(engine, rows)

async def depth(client):
    lines = (await client.get("/metrics")).text.splitlines()
    [line] = [line for line in lines if line.startswith("service_queue_depth{")]
    return float(line.rsplit(" ", 1)[1])

async def main():
    Engine.predict = held
    app = create_app()
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://x", timeout=60) as client:
        seen = [await depth(client)]
        asked = []
        for waiting in range(4):
            asked.append(asyncio.create_task(client.post("/predict", json=rows)))
            with suppress(TimeoutError):  # what is seen then says what is wrong
                async with asyncio.timeout(30):
                    while not held_one.is_set() or await depth(client) < waiting:
                        await asyncio.sleep(0.05)
            seen.append(await depth(client))
        let_go.set()
        answers = await asyncio.gather(*asked)
        small = await asyncio.gather(*(client.post("/predict", json=rows[0]) for _ in range(20)))
        seen.append(await depth(client))
        print(json.dumps({"seen": seen, "statuses": sorted({one.status_code for one in [*answers, *small]})}))

asyncio.run(main())
"""


@pytest.mark.parametrize("name", ["penguins", "penguins_messy"])
def test_the_queue_grows_while_requests_wait(name: str, converted: Callable[[str], Converted]) -> None:
    folder = converted(name).folder
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(folder / "src"), str(folder)))}
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    # The first one is with the model, the others wait; at the end nobody does.
    assert json.loads(done.stdout.splitlines()[-1]) == {"seen": [0, 0, 1, 2, 3, 0], "statuses": [200]}
