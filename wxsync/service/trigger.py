"""A timetable as a trigger of APScheduler."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from apscheduler.triggers.base import BaseTrigger

from wxsync.service.timetable import Timetable

JUST_BEFORE: Final = timedelta(microseconds=1)
LONGEST_LOOK: Final = timedelta(days=1)


class TimetableTrigger(BaseTrigger):
    """Fires at the starts of a timetable.

    All moments are in UTC: two that carry the same zone are compared by their wall times (PEP 495), by
    which the second 01:30 is no later than the first.
    """

    __slots__ = ("_timetable",)

    def __init__(self, timetable: Timetable) -> None:
        self._timetable = timetable

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """The start after the previous one, missed or not; without one, the first that is not over.

        A previous one that is later than now was fired before the clock was set back, and binds nobody.
        Of what was missed only the last day is gone through: APScheduler asks for each such start, makes
        one of them all, and a host that boots in 1970 would have it ask a million times.
        """
        if previous_fire_time is None or previous_fire_time > now:
            return self._timetable.after(now - JUST_BEFORE)
        return self._timetable.after(max(previous_fire_time, now - LONGEST_LOOK))
