"""How far apart the starts of a schedule are at most: what is too long ago is measured by it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from wxsync.config.cron import Cron

REACH: Final = timedelta(days=32)
"""Every day of the week and of the month comes within it."""
HOUR: Final = timedelta(hours=1)
MINUTE: Final = timedelta(minutes=1)


def longest_interval(cron: Cron, wall: datetime) -> timedelta | None:
    """The longest time between two starts in a row, by the clock on the wall; None where there are not two.

    Office hours have a night, and a working week has its end: by the shortest time every Monday would begin
    with an alarm. All days have the same times, so one is gone through, and of the others the first start.
    """
    times = [HOUR * hour + MINUTE * minute for hour in cron.hours for minute in cron.minutes]
    firsts = [*_firsts(cron, wall - REACH / 4)]
    length = times[-1] - times[0]
    within = (later - earlier for earlier, later in pairwise(times))
    between = (later - earlier - length for earlier, later in pairwise(firsts))
    return max([*within, *between], default=None)


def _firsts(cron: Cron, wall: datetime) -> Iterator[datetime]:
    """The first start of each day that has one; more than the reach where there would not be two."""
    midnight = datetime.combine(wall, datetime.min.time()) - MINUTE
    found, after = 0, midnight
    while found < 2 or after - midnight < REACH:
        start = next(cron.after(after), None)
        if start is None:
            return
        yield start
        found, after = found + 1, datetime.combine(start, datetime.max.time())
