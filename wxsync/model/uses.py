"""What runs did unasked, counted limit by limit within the last 24 hours and 7 days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, NamedTuple

WINDOWS: Final[Mapping[str, timedelta]] = MappingProxyType(
    {"24h": timedelta(hours=24), "7d": timedelta(days=7)}
)
"""Window -> how far it reaches back."""
FACTORS: Final[Mapping[str, int]] = MappingProxyType({"24h": 2, "7d": 4})
"""Window -> how many times what one run may do."""


class LimitKey(NamedTuple):
    """One limit; `detail` is the field of `field_change`, else empty."""

    name: str
    detail: str = ""


class Use(NamedTuple):
    """One thing that counts under a limit: what was done, and to which record."""

    key: LimitKey
    what: str


class OpenUse(NamedTuple):
    """A use of which it is not known whether it came about, and when that was."""

    use: Use
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsettledRun:
    """A run of which it is not known what became of every change: at work, cut off, or without an answer."""

    run_id: int
    at: datetime
    planned: Mapping[LimitKey, int]
    """What it would use up if all of its plan came about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastUses:
    """What runs of a sync did unasked before now."""

    counts: Mapping[str, Mapping[LimitKey, int]] = field(default_factory=dict)
    """Window -> limit -> how much of it is used up."""
    open: tuple[OpenUse, ...] = ()
    """What may have come about: where a plan would do it again, it has not."""
    now: datetime | None = None

    def within(self, window: str, key: LimitKey, again: frozenset[Use]) -> int:
        """How much of a limit was used up within a window, but for what would be done `again`."""
        used = self.counts.get(window, {}).get(key, 0)
        return used + sum(
            each.use.key == key and each.use not in again and self._is_within(window, each.at)
            for each in self.open
        )

    def _is_within(self, window: str, at: datetime) -> bool:
        return self.now is not None and at > self.now - WINDOWS[window]
