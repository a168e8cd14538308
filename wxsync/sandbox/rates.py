"""How often something happened of late, for limits by the minute, the hour and the day (WeCom page 90312)."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86_400
BEIJING: Final = 8 * HOUR
"""What WeCom's midnight is ahead of UTC's."""


def day_of(moment: float) -> int:
    """The number of the day in Beijing."""
    return int((moment + BEIJING) // DAY)


@dataclass(frozen=True, slots=True)
class Window:
    """At most so much within so many seconds; a day is one of the calendar in Beijing."""

    seconds: int
    most: int

    def holds(self, then: float, now: float) -> bool:
        """What happened then still counts now."""
        return day_of(then) == day_of(now) if self.seconds == DAY else now - then < self.seconds


class Rates:
    """What was counted, by whatever it was counted for. Windows slide, which is the strict reading."""

    def __init__(self) -> None:
        self._counted: defaultdict[Hashable, deque[tuple[float, int]]] = defaultdict(deque)

    def has_room(self, what: Hashable, windows: Sequence[Window], now: float, amount: int = 1) -> bool:
        """So much more passes no window's limit."""
        counted = self._counted[what]
        while counted and not any(window.holds(counted[0][0], now) for window in windows):
            counted.popleft()
        return all(
            amount + sum(each for then, each in counted if window.holds(then, now)) <= window.most
            for window in windows
        )

    def add(self, what: Hashable, now: float, amount: int = 1) -> None:
        """So much happened now."""
        self._counted[what].append((now, amount))

    def spend(self, what: Hashable, windows: Sequence[Window], now: float) -> bool:
        """Count one more where there is room; whether there was."""
        if not self.has_room(what, windows, now):
            return False
        self.add(what, now)
        return True
