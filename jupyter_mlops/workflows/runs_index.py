"""The runs of an experiment in memory, for sorting and filtering all of them: read in the background, then kept up to date.

MLflow has no way to ask what changed, so a call asks for the newest runs and for those that were running; now and then all
are read again, so that runs which were deleted, renamed or delivered late show up too.
"""

from __future__ import annotations

import gc
import math
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from jupyter_mlops.tracking.listing import RunRow, run_pages, runs_by_id

__all__ = ["RunsIndex", "runs_index"]

_NEWEST = 100  # runs that each call asks for again
_RUNNING = 200  # runs that are asked for because they had not ended
_PAGE = 500  # runs that are read at once; whoever asks waits for one such page at most
_FRESH = 0.25  # seconds in which an answer is not asked for again
_FRESH_READING = 1.0  # the same, while all runs are read
_PATIENCE = 0.8  # seconds that a call waits for runs which are being read
_LET_GO = 2.0  # seconds that the reading pauses at most, so that it comes to an end whoever asks
_PAUSE = 60.0  # seconds between two readings of all runs
_SHARE = 50  # or as many times as long as one takes: at most a fiftieth of the time
_LONGEST = 2000  # characters of a tag that are kept
_NAN = math.nan
_INDEXES, _ROWS = 12, 200_000  # experiments that are kept, and their runs altogether


class RunsIndex:
    """The runs of one experiment, as far as they were read. All methods may be called from several threads."""

    def __init__(self, uri: str, experiment: str) -> None:
        self.uri, self.experiment = uri, experiment
        self.filled = False  # all runs were read once
        self.complete = False  # and nobody waits for another reading
        self._version = 0  # changes with the rows
        self._rows: dict[str, RunRow] = {}
        self._sorted: tuple[int, tuple[RunRow, ...]] = (-1, ())
        self._changed = threading.Condition()
        self._updating = threading.Lock()
        self._reader: threading.Thread | None = None
        self._touched: set[str] | None = None  # what calls learnt while all runs are read
        self._error: Exception | None = None
        self._closed = False
        self._first = False  # the first page is there
        self._read_at = self._updated_at = -1e9
        self._took = 0.0
        self._asking = 0  # calls that should not have to share the processor with the reading

    def count(self) -> int:
        """How many runs it has."""
        return len(self._rows)

    def rows(self) -> tuple[int, tuple[RunRow, ...]]:
        """A number that changes with the runs, and the runs, the newest first."""
        with self._changed:
            if self._sorted[0] != self._version:
                ordered = sorted(self._rows.values(), key=lambda row: (-row.start_time, row.run_id))
                self._sorted = (self._version, tuple(ordered))
            return self._sorted

    def update(self, needed: int, *, refresh: bool = False) -> None:
        """Learn what is new, inside of `undisturbed`. Returns when the first `needed` runs are there.

        Some runs are always waited for. Once some are known, the others are waited for `_PATIENCE` at most: what is read until
        then has to do, and `complete` says whether that is all.

        Parameters
        ----------
        refresh
            Read all runs again; until that is done, the index is not `complete`.

        Raises
        ------
        TrackingError
            The store refused, now or since the last call.
        """
        now = time.monotonic()
        with self._changed:
            reading = self._reader is not None
            if not reading and (refresh or not self.complete or now - self._read_at > max(_PAUSE, _SHARE * self._took)):
                self._error = None
                self.complete = self.complete and not refresh
                self._touched = set()
                self._reader = threading.Thread(target=self._read, name="runs-index", daemon=True)
                self._reader.start()
            elif reading and refresh:
                self.complete = False
            first = self._first
        if first:
            self._learn_changes(_FRESH_READING if reading else _FRESH)
        with self._changed:
            # Of an experiment that nothing is known of, at least the first page is waited for, however long it takes.
            self._changed.wait_for(lambda: self._first or self._reader is None)
            if not self.complete and not self._enough(needed, refresh):
                self._asking -= 1
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._enough(needed, refresh) or self._reader is None, _PATIENCE)
                self._asking += 1
            if self._error is not None:
                raise self._error

    def add(self, rows: Iterable[RunRow]) -> None:
        """Put runs in that were found by other means."""
        self._put(rows, touch=True)

    def close(self) -> None:
        """Let a reading end early."""
        self._closed = True

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """For the time of an answer: the reading of all runs pauses after its current page, unless that is waited for."""
        with self._changed:
            self._asking += 1
        try:
            yield
        finally:
            with self._changed:
                self._asking -= 1
                self._changed.notify_all()

    def _enough(self, needed: int, refresh: bool) -> bool:
        return self.complete or (len(self._rows) >= needed and not refresh)

    # -- reading all ------------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        started = time.monotonic()
        seen: set[str] = set()
        error: Exception | None = None
        try:
            with _rare_collections:
                for page in run_pages(self.uri, self.experiment, first=_NEWEST, size=_PAGE):
                    seen.update(row.run_id for row in page)
                    self._put(page)
                    with self._changed:
                        self._first = True
                        self._changed.notify_all()
                        if self._closed:  # whoever still waits has a page
                            break
                        self._changed.wait_for(lambda: not self._asking, _LET_GO)
        except Exception as found:  # whatever it is, the one who asks is told
            error = found
        with self._changed:
            if error is None and not self._closed:
                kept = seen | (self._touched or set())
                if gone := self._rows.keys() - kept:
                    self._rows = {key: row for key, row in self._rows.items() if key in kept}
                    self._version += len(gone)
                self.filled = self.complete = self._first = True
                self._read_at = time.monotonic()
                self._took = self._read_at - started
            self._error, self._reader, self._touched = error, None, None
            self._changed.notify_all()

    # -- what is new ------------------------------------------------------------------------------------------------------

    def _learn_changes(self, fresh: float) -> None:
        with self._updating:
            if time.monotonic() - self._updated_at < fresh:
                return
            newest: dict[str, RunRow] = {}
            whole = True
            for page in run_pages(self.uri, self.experiment, first=_NEWEST):
                newest.update((row.run_id, row) for row in page)
                if page[-1].run_id in self._rows or self._closed:
                    whole = len(page) < _NEWEST  # else there are more, which are known
                    break
            self._put(newest.values(), touch=True)
            if not newest:
                self._forget(lambda row: True)
            elif whole:
                self._forget(lambda row: row.run_id not in newest)
            else:
                oldest = min(row.start_time for row in newest.values())
                self._forget(lambda row: row.start_time > oldest and row.run_id not in newest)
                running = [r.run_id for r in self.rows()[1] if r.status in ("RUNNING", "SCHEDULED") and r.run_id not in newest]
                self._again(running[:_RUNNING])
            self._updated_at = time.monotonic()

    def _again(self, ids: Sequence[str]) -> None:
        if ids:
            found = runs_by_id(self.uri, ids, experiment=self.experiment)
            self._put(found.values(), touch=True)
            self._forget(lambda row: row.run_id in ids and row.run_id not in found)

    def _put(self, rows: Iterable[RunRow], *, touch: bool = False) -> None:
        slim = [_slim(row) for row in rows]
        with self._changed:
            for row in slim:
                if self._touched is not None and touch:
                    self._touched.add(row.run_id)
                elif self._touched is not None and row.run_id in self._touched:
                    continue  # what a call learnt is newer than the page
                if self._rows.get(row.run_id) != row:
                    self._rows[row.run_id] = row
                    self._version += 1

    def _forget(self, gone: Callable[[RunRow], bool]) -> None:
        with self._changed:
            for key in [key for key, row in self._rows.items() if gone(row)]:
                del self._rows[key]
                self._version += 1


def _slim(row: RunRow) -> RunRow:
    """A run with texts that thousands of others share kept once, and long tags cut."""
    return replace(
        row,
        params={sys.intern(key): sys.intern(text) if len(text) < 40 else text for key, text in row.params.items()},
        # One NaN, so that a run equals itself when it is read again.
        metrics={sys.intern(key): _NAN if math.isnan(value) else value for key, value in row.metrics.items()},
        tags={sys.intern(key): sys.intern(text) if len(text) < 40 else text[:_LONGEST] for key, text in row.tags.items()},
    )


class _RareCollections:
    """Context in which Python looks for garbage less often: it takes a third of the time in which runs are read.

    In several threads at a time; the last one sets the threshold back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before = gc.get_threshold()

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._before = gc.get_threshold()
                gc.set_threshold(50_000, 20, 50)

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                gc.set_threshold(*self._before)


_rare_collections = _RareCollections()


class _Indexes:
    """The indexes of this process; the one that was asked least recently goes first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], RunsIndex] = OrderedDict()

    def get(self, uri: str, experiment: str) -> RunsIndex:
        with self._lock:
            index = self._kept.pop((uri, experiment), None)
            if index is None:
                index = RunsIndex(uri, experiment)
            self._kept[uri, experiment] = index
            while len(self._kept) > 1 and (len(self._kept) > _INDEXES or sum(one.count() for one in self._kept.values()) > _ROWS):
                _, dropped = self._kept.popitem(last=False)
                dropped.close()
            return index


_indexes = _Indexes()


def runs_index(uri: str, experiment: str) -> RunsIndex:
    """The index of an experiment, made when it is first asked for."""
    return _indexes.get(uri, experiment)
