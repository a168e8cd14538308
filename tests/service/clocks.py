"""A host's two clocks, as a test sets them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass
class Host:
    """`now` is the wall's, which anybody may set; `since_boot` only goes on, asleep or awake."""

    now: datetime = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    since_boot: float = 5000.0

    def passes(self, **time: float) -> None:
        """Time passes, awake or asleep."""
        self.now += timedelta(**time)
        self.since_boot += timedelta(**time).total_seconds()

    def is_set(self, **by: float) -> None:
        """Somebody sets the clock on the wall."""
        self.now += timedelta(**by)
