"""Writers who go one at a time, in the order in which they came."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class WaitedTooLongError(Exception):
    """Those before us did not come to an end."""


class WriterQueue:
    """A lock for threads, of which the one that has waited longest is always next.

    SQLite has no such order: who waits asks again and again, ever less often, and whoever just came may find
    the lock free first. Beside a run that writes sixty times a second somebody waited for a second and more.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._whose: threading.Lock | None = None

    @contextmanager
    def turn(self, seconds: float) -> Iterator[None]:
        """Ours for the length of the block. Raises WaitedTooLongError after `seconds` of waiting."""
        gate = threading.Lock()
        gate.acquire()
        try:
            self._join(gate)
            if not gate.acquire(timeout=seconds):
                raise WaitedTooLongError
            yield
        finally:  # wherever an interrupt came
            self._leave(gate)

    def _join(self, gate: threading.Lock) -> None:
        """It opens when it is our turn."""
        with self._guard:
            self._waiting.append(gate)
            if self._whose is None:
                self._call_next()

    def _leave(self, gate: threading.Lock) -> None:
        with self._guard:
            if self._whose is gate:
                self._call_next()
            elif gate in self._waiting:
                self._waiting.remove(gate)

    def _call_next(self) -> None:
        self._whose = self._waiting.popleft() if self._waiting else None
        if self._whose is not None:
            self._whose.release()
