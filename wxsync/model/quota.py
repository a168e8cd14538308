"""How calls are counted against WeCom's limits (WeCom page 90312), wherever the counts are kept.

A window slides: nobody knows whether WeCom's own minutes begin with the clock's. Calls are counted in grains
of a sixtieth of the window, by the wall clock in UTC (seconds since the epoch), and a permit may be used for
`LAPSE` seconds after it was reserved; both are added to the window, so that neither can over-spend it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

LAPSE: Final = 2.0
"""Seconds for which a reserved permit may be used."""
GRAINS: Final = 60
"""Of a window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """At most `limit` calls under `name` in any `span` seconds, where each call counts for `weight`."""

    name: str
    span: int
    limit: int
    weight: int = 1

    @property
    def grain(self) -> int:
        """Seconds that are counted together."""
        return max(1, self.span // GRAINS)

    def grain_at(self, moment: float) -> int:
        """The beginning of the grain in which `moment` lies."""
        return int(moment // self.grain) * self.grain

    def leaves_at(self, grain: int) -> float:
        """When what was counted in the grain that begins at `grain` counts no more."""
        return grain + self.grain + LAPSE + self.span

    def room(self, used: Mapping[int, int], now: float) -> int:
        """How many more calls fit; `used` holds the calls by the beginning of their grain."""
        return (self.limit - self._spent(used, now)) // self.weight

    def wait(self, used: Mapping[int, int], now: float) -> float:
        """Seconds until one more call fits; 0 where it does."""
        excess = self.weight + self._spent(used, now) - self.limit
        if excess <= 0:
            return 0.0
        for grain in sorted(grain for grain in used if self.counts(grain, now)):
            excess -= used[grain]
            if excess <= 0:
                return self.leaves_at(grain) - now
        return float(self.span)  # the limit itself is none at all

    def _spent(self, used: Mapping[int, int], now: float) -> int:
        return sum(count for grain, count in used.items() if self.counts(grain, now))

    def counts(self, grain: int, now: float) -> bool:
        """Not what has left, nor what lies ahead: that was counted while the clock was ahead."""
        return self.leaves_at(grain) > now >= grain - LAPSE


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What one kind of call is counted under."""

    key: str
    """Under which the call is held back after a 45009."""
    windows: tuple[Window, ...]
    locks: tuple[str, ...]
    """Names under which whoever counts in one of the windows excludes the others; sorted."""
    longest_hold: float
    """Seconds: a hold with a later end was written while the clock was ahead, and counts for nothing."""

    def is_possible(self, hold: Hold, now: float) -> bool:
        return hold.until <= now + self.longest_hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """So many permits, or none and the seconds after which there may be some."""

    count: int
    wait: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unused:
    """Permits of one reservation that were not used."""

    count: int
    reserved_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """No such call until then: WeCom has said 45009, for the `step`th time in a row (from 0)."""

    until: float
    step: int
