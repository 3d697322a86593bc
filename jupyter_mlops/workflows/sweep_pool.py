"""Many notebooks at a time on joblib: loky on this machine, or the backends that carry it to a cluster.

joblib takes the next run when one ends, in a thread of its own, and hands the outcomes over in the order in which they
come. A worker process that is killed ends the pool with all that runs in it; what ran is run again, one at a time, so
that a notebook that kills its worker takes nobody along twice.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import signal
import threading
import time
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import count, islice
from typing import Any, TypeVar

from jupyter_mlops.errors import EnvironmentLackError, MissingPackageError, MlopsError, UsageError
from jupyter_mlops.notebook.checks.secrets import redacted
from jupyter_mlops.workflows.run_job import NotebookJob, NotebookOutcome, perform, spare_imports

__all__ = ["ENGINES", "Pool", "thread_limits"]

T = TypeVar("T")

# engine -> joblib's name of the backend, what has to be importable, and what to install
ENGINES: dict[str, tuple[str, tuple[str, ...], str]] = {
    "local": ("loky", (), ""),
    "spark": ("spark", ("joblibspark", "pyspark"), "pip install joblibspark pyspark"),
    "dask": ("dask", ("dask", "distributed"), "pip install 'dask[distributed]'"),
    "ray": ("ray", ("ray",), "pip install ray"),
}
_THREADS = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
)  # fmt: skip
_LOST = (
    "The worker process that ran the notebook was killed. That is what the system does when memory runs out: use fewer "
    "workers (--workers)."
)


def thread_limits(workers: int) -> dict[str, str]:
    """Variables that share the machine's cores among kernels; what the user has set stays."""
    from joblib import cpu_count

    share = str(max(1, cpu_count() // max(1, workers)))
    return {name: share for name in _THREADS if name not in os.environ}


class Pool:
    """Workers for notebooks.

    Parameters
    ----------
    engine
        One of `ENGINES`, or the name of a backend that is registered with joblib.
    workers
        How many run at a time; None: as many as there are cores, or as the cluster has.

    Raises
    ------
    MissingPackageError
        The engine's package is not installed.
    UsageError
        There is no such engine, or no worker.
    """

    def __init__(self, engine: str = "local", workers: int | None = None) -> None:
        from joblib import cpu_count

        if workers is not None and workers < 1:
            raise UsageError(f"--workers {workers} runs nothing. Give how many notebooks run at a time.")
        self.engine = engine
        self.backend = _registered(engine)
        self.local = self.backend == "loky"
        self.workers: int | None = (workers or cpu_count()) if self.local else workers
        self._warming: Generator[Any, None, None] | None = None

    def warm(self, tasks: int) -> None:
        """Let the workers load papermill while the caller does something else; `tasks` will come at most."""
        if self.local:
            from joblib import delayed

            processes = min(self.workers or 1, tasks)
            self._warming = self._parallel("generator_unordered", alone=processes == 1)(
                delayed(_prepare)(os.getpid()) for _ in range(processes)
            )

    def close(self) -> None:
        """Stop workers that have not been given anything."""
        if self._warming is not None:
            _stop(self._warming)

    def run(
        self, tasks: Iterable[T], start: Callable[[T], NotebookJob], lost: Callable[[T, str, bool], None]
    ) -> Generator[tuple[T, NotebookOutcome], None, None]:
        """Outcomes as they come.

        Parameters
        ----------
        start
            Called when the turn of a task comes, in another thread.
        lost
            Called with a task whose worker died, why, and whether it is tried again.

        Raises
        ------
        EnvironmentLackError
            The engine gave up.
        """
        if self._warming is not None:
            for _ in self._warming:
                pass
        waiting, suspects = deque(tasks), deque[T]()
        while waiting:
            fallen = yield from self._round(waiting, start, alone=self.workers == 1)
            for task in fallen:
                lost(task, _LOST, True)
            suspects.extend(fallen)
        while suspects:
            for task in (yield from self._round(suspects, start, alone=True)):
                lost(task, _LOST, False)

    def _round(
        self, waiting: deque[T], start: Callable[[T], NotebookJob], *, alone: bool
    ) -> Generator[tuple[T, NotebookOutcome], None, list[T]]:
        """Take tasks from the queue until it is empty or the pool breaks; returns those that were lost in it."""
        from joblib import delayed
        from joblib.externals.loky import BrokenProcessPool

        flying: dict[int, T] = {}
        numbers = count()
        owner = os.getpid()

        def take() -> Iterator[Any]:
            while waiting:
                task = waiting.popleft()
                number = next(numbers)
                flying[number] = task
                yield delayed(_work)(number, start(task), owner)

        try:
            for number, outcome in self._outcomes(take(), alone=alone):
                yield flying.pop(number), outcome
        except BrokenProcessPool:
            return list(flying.values())
        except (MlopsError, OSError):
            raise
        except Exception as error:
            raise EnvironmentLackError(
                f"The engine {self.engine!r} gave up: {type(error).__name__}: {error}. What is done is kept: go on with --resume."
            ) from error
        return []

    def _outcomes(self, calls: Iterator[Any], *, alone: bool) -> Iterator[tuple[int, NotebookOutcome]]:
        try:
            parallel = self._parallel("generator_unordered", alone=alone)
        except ValueError:
            # A backend that hands results over only when all of them are there: give it as many as it has workers.
            from joblib import effective_n_jobs, parallel_config

            with parallel_config(backend=self.backend, n_jobs=self.workers or -1):
                many = 1 if alone else effective_n_jobs(self.workers or -1)
            while chunk := list(islice(calls, many)):
                yield from self._parallel("list", alone=False)(chunk)
            return
        outcomes = parallel(calls)
        try:
            for outcome in outcomes:  # noqa: UP028 - which would close it before `_stop` does
                yield outcome
        finally:
            _stop(outcomes)

    def _parallel(self, return_as: str, *, alone: bool) -> Any:
        """joblib's call. One worker would be this process itself: take two and give them one task at a time."""
        from joblib import Parallel, parallel_config

        processes = max(2, self.workers or 1) if self.local else self.workers or -1
        with parallel_config(backend=self.backend, n_jobs=processes):
            return Parallel(return_as=return_as, batch_size=1, pre_dispatch=1 if alone else "n_jobs")


def _stop(outcomes: Generator[Any, None, None]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # joblib's, that nobody wants what is on its way
        outcomes.close()


def _registered(engine: str) -> str:
    """joblib's name of the engine's backend, registered."""
    from joblib.parallel import BACKENDS

    if engine not in ENGINES:
        if engine in BACKENDS:
            return engine
        raise UsageError(f"There is no engine {engine!r}. Choose one of {', '.join(ENGINES)}.")
    backend, packages, command = ENGINES[engine]
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingPackageError(f"The engine {engine!r} needs {' and '.join(missing)}: {command}")
    try:
        if engine == "spark":
            importlib.import_module("joblibspark").register_spark()
        elif engine == "ray":
            importlib.import_module("ray.util.joblib").register_ray()
        elif engine == "dask":
            importlib.import_module("distributed").Client()  # a cluster of its own, or the one that DASK_SCHEDULER_ADDRESS names
    except Exception as error:
        raise EnvironmentLackError(f"The engine {engine!r} does not start: {type(error).__name__}: {error}") from error
    return backend


def _prepare(owner: int) -> None:
    """In a worker, before its first notebook."""
    spare_imports()
    import jupyter_mlops.workflows.papermill_engine  # noqa: F401

    _guard(owner)


def _work(number: int, job: NotebookJob, owner: int) -> tuple[int, NotebookOutcome]:
    started = time.perf_counter()
    try:
        _prepare(owner)
        return number, perform(job)
    except Exception as error:  # whatever it is, it is this run's alone
        seconds = round(time.perf_counter() - started, 3)
        what = redacted(f"The notebook could not be run: {type(error).__name__}: {error}", job.values)
        trace = redacted(traceback.format_exc(), job.values)
        return number, NotebookOutcome("FAILED", seconds, reason="environment", error=what, traceback=trace)


_guarded = False


def _guard(owner: int) -> None:
    """A worker goes when its sweep is gone, and its kernel with it. Ctrl-C is the sweep's business, not the worker's."""
    global _guarded
    if _guarded or os.getppid() != owner:
        return
    _guarded = True
    if threading.current_thread() is threading.main_thread():
        # Not SIG_IGN, which kernels would inherit.
        signal.signal(signal.SIGINT, lambda number, frame: None)

    def watch() -> None:
        while os.getppid() == owner:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, name="jupyter-mlops-owner", daemon=True).start()
