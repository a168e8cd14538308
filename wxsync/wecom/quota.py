"""How many calls WeCom takes in a minute (WeCom page 90312), kept on our side of the line."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Final

CALLS: Final = 10_000
"""Per corp and API, in each `WINDOW`."""
WINDOW: Final = 60.0

Clock = Callable[[], float]


class Quota:
    """A sliding window for each API path; `claim` never sleeps, it says how long to."""

    def __init__(self, *, calls: int = CALLS, window: float = WINDOW, clock: Clock = time.monotonic) -> None:
        self._calls = calls
        self._window = window
        self._clock = clock
        self._made: dict[str, deque[float]] = defaultdict(deque)
        self._held_until: dict[str, float] = {}

    def claim(self, path: str) -> float:
        """0 where a call of `path` may go out now, and is counted; else the seconds to wait and ask again."""
        now = self._clock()
        held = self._held_until.get(path, now) - now
        if held > 0:
            return held
        made = self._made[path]
        while made and made[0] <= now - self._window:
            made.popleft()
        if len(made) >= self._calls:
            return made[0] + self._window - now
        made.append(now)
        return 0.0

    def hold(self, path: str, seconds: float) -> None:
        """Let no call of `path` out for `seconds`: WeCom has said that it takes none (45009)."""
        until = self._clock() + seconds
        self._held_until[path] = max(until, self._held_until.get(path, until))
