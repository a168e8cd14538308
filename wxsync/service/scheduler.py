"""The starts of every sync on an APScheduler: none is lost, and those that were missed are one.

What APScheduler does unless it is told otherwise (3.11, `schedulers/base.py` and `executors/base.py`): of
starts that were missed it keeps the last (`coalesce`), drops that too if it is more than a second late
(`misfire_grace_time`), and drops a start that comes while its job is at work (`max_instances`). It plans a
job's next start when it begins the one before, and sleeps until then by a clock that nobody sets and that
stands still while the host sleeps. So a job here only says that a start has come, at once; what a run waits
for is not APScheduler's to know (`turns`). And `look_again` is called at short intervals.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from wxsync.service.timetable import Timetable
from wxsync.service.trigger import TimetableTrigger


def announce(
    scheduler: AsyncIOScheduler,
    sync: str,
    timetable: Timetable,
    started: Callable[[str], Awaitable[None]],
    *,
    now: datetime,
    since: datetime | None = None,
) -> None:
    """Have `started(sync)` called at every start, in place of what was announced for that sync before.

    `started` is a coroutine function and returns at once: a plain one would be called in another thread.
    With `since`, the last run's beginning, what was missed from then on is made up for, once.
    """
    # A time to come is not believed: the clock was ahead when it was noted.
    first = timetable.after(since) if since is not None and since <= now else None
    scheduler.add_job(
        started,
        TimetableTrigger(timetable),
        args=(sync,),
        id=sync,
        name=sync,
        replace_existing=True,
        next_run_time=first or TimetableTrigger(timetable).get_next_fire_time(None, now),
        coalesce=True,
        misfire_grace_time=None,
        max_instances=1,
    )


def look_again(scheduler: AsyncIOScheduler, now: datetime) -> None:
    """Begin what is due, whatever became of the clock; to be called every half minute or so.

    After the clock was set back, a next start that is far off is planned anew. After it was set forward,
    or the host slept, what was missed is begun, once a sync.
    """
    for job in scheduler.get_jobs():
        first = job.trigger.get_next_fire_time(None, now)
        if first is not None and (job.next_run_time is None or first < job.next_run_time):
            job.modify(next_run_time=first)
    scheduler.wakeup()
