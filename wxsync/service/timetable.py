"""When the runs of one sync begin: by its schedule, in its time zone, out of the busy minutes' way. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import chain, pairwise, takewhile
from typing import Final
from zoneinfo import ZoneInfo

from wxsync.config.cron import Cron
from wxsync.service.wall_clock import set_back, to_moment, to_moments, to_wall

MINUTE: Final = timedelta(minutes=1)
DAY: Final = timedelta(days=1)
LONGEST_SHIFT: Final = 7
"""Minutes by which a start is moved at most; WeCom is slowest on the minutes 0 and 30."""
BUSY: Final = frozenset({0, 30})


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """The starts that a schedule asks for.

    Where clocks are changed, as in cron(8): a time of day that is left out has one start right after the
    gap, however many such times there are, and one that comes twice has its start the first time. A
    schedule whose hour begins with `*` says how often and not when: it goes on by the clock as it stands,
    through the repeated hour too, and makes up for nothing. (cron(8) says the same of a minute with `*`;
    here `*/20 2 * * *` is not left out for a day.)

    A start on minute 0 or 30 of the wall comes `shift` later, but a minute before the next one at the
    latest; where the next one is a minute later, the two are one.
    """

    cron: Cron
    zone: ZoneInfo
    shift: timedelta
    """`shift_of` the sync, or nothing."""

    def after(self, moment: datetime) -> datetime | None:
        """The first start later than `moment`, in UTC; None at the end of the calendar."""
        starts = chain(self._asked(moment - self.shift - MINUTE), [None])
        for start, following in pairwise(starts):
            if start is not None and (begin := self._moved(start, following)) > moment:
                return begin
        return None

    def _moved(self, start: datetime, following: datetime | None) -> datetime:
        if not self.shift or to_wall(start, self.zone).minute not in BUSY:
            return start
        if following is None:
            return start + self.shift
        return min(start + self.shift, max(following - MINUTE, start + MINUTE))

    def _asked(self, moment: datetime) -> Iterator[datetime]:
        """The starts later than `moment` as they stand in the schedule, in order, each once."""
        find = self._as_often if self.cron.every_hour else self._at_its_hour
        found: datetime | None = moment.astimezone(UTC)
        while found is not None and (found := find(found)) is not None:
            yield found

    def _at_its_hour(self, moment: datetime) -> datetime | None:
        """Later times of the wall are never earlier moments here: each has one, and gaps end in one."""
        starts = (to_moment(wall, self.zone) for wall in self.cron.after(to_wall(moment, self.zone)))
        return next((start for start in starts if start > moment), None)

    def _as_often(self, moment: datetime) -> datetime | None:
        now = to_wall(moment, self.zone)
        later = (start for wall in self.cron.after(now) for start in self._moments(wall, moment))
        first = next(later, None)
        if first is None or not (back := set_back(moment, self.zone, min(first - moment, DAY))):
            return first
        # Before the first later time of the wall comes what is shown twice and was over already.
        again = takewhile(lambda wall: wall < to_wall(first, self.zone), self.cron.after(now - back))
        return min([first, *(start for wall in again for start in self._moments(wall, moment))])

    def _moments(self, wall: datetime, moment: datetime) -> list[datetime]:
        return [start for start in to_moments(wall, self.zone) if start > moment]


def shift_of(sync: str) -> timedelta:
    """1 to 7 minutes, for one name always the same, so that not everybody's runs come at once."""
    return MINUTE * (1 + int.from_bytes(sha256(sync.encode()).digest()[:8]) % LONGEST_SHIFT)
