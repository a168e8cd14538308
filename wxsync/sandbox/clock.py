"""A clock that runs like another one and can be moved ahead of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class MovableClock:
    """Seconds since 1970 by `base`, plus as much as it was moved. It never goes back."""

    base: Callable[[], float] = time.time
    ahead: float = 0.0

    def __call__(self) -> float:
        return self.base() + self.ahead

    def forward(self, seconds: float) -> None:
        """So much time has passed. `ValueError` below 0: tokens, windows and jobs only grow older."""
        if not 0 <= seconds < float("inf"):
            raise ValueError("the clock moves forward only, by a number of seconds")
        self.ahead += seconds
