"""How much memory this process takes at most while something runs."""

from __future__ import annotations

import threading
from pathlib import Path

__all__ = ["PeakMemory"]

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class PeakMemory:
    """Context that measures the peak of the resident memory, of this process alone.

    Linux keeps the peak itself (``VmHWM``, which writing 5 to ``clear_refs`` sets back, see proc(5)); elsewhere it is
    sampled twenty times a second.

    Attributes
    ----------
    mib
        The peak in MiB, once the context is left.
    """

    def __init__(self) -> None:
        self.mib = 0.0
        self._stop = threading.Event()
        self._sampler: threading.Thread | None = None

    def __enter__(self) -> PeakMemory:
        try:
            _CLEAR.write_text("5", encoding="ascii")
            self._exact = _high_water() is not None
        except OSError:
            self._exact = False
        if not self._exact:
            self._sampler = threading.Thread(target=self._sample, daemon=True)
            self._sampler.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        if self._exact:
            self.mib = _high_water() or 0.0
        elif self._sampler is not None:
            self._sampler.join()

    def _sample(self) -> None:
        import psutil

        process = psutil.Process()
        while True:
            self.mib = max(self.mib, process.memory_info().rss / 2**20)
            if self._stop.wait(0.05):
                return


def _high_water() -> float | None:
    for line in _STATUS.read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return None
