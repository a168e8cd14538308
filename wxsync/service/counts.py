"""What this process has counted itself: callbacks that came, and those that were refused."""

from __future__ import annotations

from collections import Counter
from threading import Lock
from typing import Final

MOST_WORDS: Final = 200
"""Different words that are counted apart: what comes from outside must not grow without end."""
OTHER: Final = "other"


class CallbackCounts:
    """Counts from the start of this process on; any thread may count and ask."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._received: Counter[tuple[str, str]] = Counter()
        self._rejected: Counter[str] = Counter()
        self._unknown: Counter[str] = Counter()

    def received(self, corp: str, kind: str) -> None:
        """A callback that is signed and was stored; `corp` is the config's name, `kind` its receiver."""
        with self._lock:
            known = (corp, kind) in self._received or len(self._received) < MOST_WORDS
            self._received[corp, kind if known else OTHER] += 1

    def rejected(self, reason: str) -> None:
        """A callback that was refused; `reason` is one word of a few: refused, store."""
        with self._lock:
            known = reason in self._rejected or len(self._rejected) < MOST_WORDS
            self._rejected[reason if known else OTHER] += 1

    def unknown(self, corp: str, count: int) -> None:
        """So many events of which nothing goes by were worked off."""
        with self._lock:
            self._unknown[corp] += count

    def all_unknown(self) -> dict[str, int]:
        """Corp -> how many."""
        with self._lock:
            return dict(self._unknown)

    def all_received(self) -> dict[tuple[str, str], int]:
        """(corp, kind) -> how many."""
        with self._lock:
            return dict(self._received)

    def all_rejected(self) -> dict[str, int]:
        """Reason -> how many."""
        with self._lock:
            return dict(self._rejected)
