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
        self._is_busy = False

    @contextmanager
    def turn(self, seconds: float) -> Iterator[None]:
        """Ours for the length of the block. Raises WaitedTooLongError after `seconds` of waiting."""
        gate = self._join()
        if gate is not None:
            self._wait(gate, seconds)
        try:
            yield
        finally:
            self._pass_on()

    def _join(self) -> threading.Lock | None:
        """What opens when it is our turn; None where it is at once."""
        with self._guard:
            if not self._is_busy:
                self._is_busy = True
                return None
            gate = threading.Lock()
            gate.acquire()
            self._waiting.append(gate)
            return gate

    def _wait(self, gate: threading.Lock, seconds: float) -> None:
        is_ours = False
        try:
            is_ours = gate.acquire(timeout=seconds)
        finally:  # an interrupt comes here too
            if not is_ours and not self._leave(gate):
                self._pass_on()
        if not is_ours:
            raise WaitedTooLongError

    def _leave(self, gate: threading.Lock) -> bool:
        """We wait no more; False where it became our turn just as we gave up."""
        with self._guard:
            if gate not in self._waiting:
                return False
            self._waiting.remove(gate)
            return True

    def _pass_on(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_busy = False
