"""What the parts of the service share, and its way from loading to draining."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import threading
from collections.abc import Sequence
from types import FrameType

from msgspec import UNSET, UnsetType
from starlette.types import Scope

from service.artifacts import Artifacts
from service.batching import Batcher
from service.config import Config
from service.engine import Engine, Outputs
from service.errors import Problem, RequestError
from service.metrics import Metrics
from service.prediction_log import PredictionLog
from service.rows import convert_rows
from service.schemas import Row

log = logging.getLogger(__name__)


class State:
    """The model with what belongs to it. `ready` turns false before the service stops."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.artifacts = Artifacts.read(config.model_dir)
        self.metrics = Metrics(
            self.artifacts.output["classes"],
            {
                "model_name": self.artifacts.name,
                "model_version": self.artifacts.version,
                "engine": self.artifacts.metadata["engine"],
            },
        )
        self.log = PredictionLog(config, self.artifacts, self.metrics) if config.log_dir else None
        self.loaded = False
        self.draining = False
        self._batcher: Batcher

    @property
    def ready(self) -> bool:
        """True when requests should be sent here."""
        return self.loaded and not self.draining

    async def start(self) -> None:
        """Load the model and prove that it answers."""
        engine = Engine(self.artifacts)
        golden = convert_rows(self.artifacts.example(8))
        engine.predict(golden)
        engine.predict(golden[:1])
        self._batcher = Batcher(
            _Counted(engine, self.metrics), self.metrics.waits, batch_rows=self.config.batch_rows
        )
        # What is loaded now stays: garbage collection need not look at it again in a request.
        gc.collect()
        gc.freeze()
        if self.log is not None:
            self.log.start()
        self.loaded = True
        self._drain_on_signal()
        log.info("serving %s version %s", self.artifacts.name, self.artifacts.version)

    def stop(self) -> None:
        """Let go of the model; no request is in flight any more."""
        self.loaded = False
        self._batcher.close()
        if self.log is not None:
            self.log.stop()

    async def predict(self, scope: Scope, rows: Sequence[Row]) -> tuple[Outputs, str | UnsetType]:
        """Predict the rows of a request, together with other requests that are there now.

        Returns
        -------
        tuple
            The predictions, and the request's name in the log, if there is one.

        Raises
        ------
        RequestError
            413 for too many rows, 422 when the model refuses one.
        """
        if len(rows) > self.config.max_rows:
            why = f"{len(rows)} rows are more than the {self.config.max_rows} that are accepted"
            raise RequestError(413, Problem((), why, "too_many_rows"))
        outputs = await self._batcher.predict(rows) if rows else Outputs([], [])
        if self.log is not None:
            return outputs, self.log.record(scope, rows, outputs)
        return outputs, UNSET

    def _drain_on_signal(self) -> None:
        """On SIGTERM turn not ready, and only then, after a while, let the server stop."""
        if threading.current_thread() is not threading.main_thread():
            return  # started by a test client
        stop = signal.getsignal(signal.SIGTERM)
        loop = asyncio.get_running_loop()

        def drain(number: int, frame: FrameType | None) -> None:
            if self.draining or not callable(stop):
                return
            self.draining = True
            log.info("draining for %s seconds", self.config.drain_seconds)
            loop.call_soon_threadsafe(
                loop.call_later, self.config.drain_seconds, stop, number, frame
            )

        if callable(stop):
            signal.signal(signal.SIGTERM, drain)


class _Counted:
    """Calls the model and counts what it predicts."""

    def __init__(self, engine: Engine, metrics: Metrics) -> None:
        self._predict = engine.predict
        self._predicted = metrics.predicted

    def __call__(self, rows: Sequence[Row]) -> Outputs:
        outputs = self._predict(rows)
        self._predicted(outputs.labels)
        return outputs
