"""What the config says of when a sync runs, as turns and timetables take it. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from wxsync.config.cron import parse_cron
from wxsync.config.settings import Settings, SyncSettings
from wxsync.service.timetable import Timetable, shift_of
from wxsync.service.turns import Terms

UNSHIFTED: Final = timedelta()


def terms_of(settings: Settings) -> dict[str, Terms]:
    """What holds for the runs of each sync."""
    return {
        name: Terms(
            corp=sync.corp,
            min_interval=timedelta(seconds=sync.min_interval),
            run_timeout=timedelta(seconds=sync.run_timeout),
        )
        for name, sync in settings.sync.items()
    }


def timetable_of(sync: str, settings: SyncSettings) -> Timetable | None:
    """The starts of a sync; None where its config has no schedule."""
    if settings.schedule is None:
        return None
    shift = UNSHIFTED if settings.exact else shift_of(sync)
    return Timetable(cron=parse_cron(settings.schedule), zone=ZoneInfo(settings.time_zone), shift=shift)
