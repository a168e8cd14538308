"""Starts on a real APScheduler, and a day of one sync while the clock is moved and the host sleeps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from tests.service.clocks import Host
from wxsync.config.cron import parse_cron
from wxsync.service.scheduler import announce, look_again
from wxsync.service.timetable import Timetable
from wxsync.service.trigger import TimetableTrigger
from wxsync.service.turns import Cause, Ending, Terms, Turns

HOUR = timedelta(hours=1)


def timetable(text: str = "*/15 * * * *", shift: int = 0) -> Timetable:
    return Timetable(cron=parse_cron(text), zone=ZoneInfo("Asia/Shanghai"), shift=timedelta(minutes=shift))


Arrange = Callable[[AsyncIOScheduler, Callable[[str], Awaitable[None]]], None]


def started(arrange: Arrange, then: Callable[[AsyncIOScheduler], None] = lambda scheduler: None) -> list[str]:
    """Whose starts a real scheduler tells of soon after `arrange`, and after `then`."""
    told: list[str] = []

    async def note(sync: str) -> None:
        told.append(sync)

    async def run() -> None:
        scheduler = AsyncIOScheduler(timezone=UTC)
        scheduler.start()
        arrange(scheduler, note)
        await asyncio.sleep(0.3)
        then(scheduler)
        await asyncio.sleep(0.3)
        scheduler.shutdown()

    asyncio.run(run())
    return told


def far_from_the_next() -> str:
    """A schedule whose next start is half an hour away."""
    return f"{(datetime.now(UTC) + HOUR / 2).minute} * * * *"


@pytest.mark.parametrize("days", [1, 365, 365 * 50])
def test_what_was_missed_is_made_up_for_once(days: int) -> None:
    """Of all starts since the last run, a day, a year or fifty years ago, there is one."""
    now = datetime.now(UTC)
    table = timetable(far_from_the_next())
    since = now - timedelta(days=days)

    assert started(lambda to, note: announce(to, "hr", table, note, now=now, since=since)) == ["hr"]


def test_without_a_past_nothing_was_missed() -> None:
    """A sync that is new waits for its first start; so does one whose last run began in the future."""
    now = datetime.now(UTC)
    table = timetable(far_from_the_next())

    assert started(lambda to, note: announce(to, "hr", table, note, now=now)) == []

    def ahead(to: AsyncIOScheduler, note: Callable[[str], Awaitable[None]]) -> None:
        announce(to, "hr", table, note, now=now, since=now + 48 * HOUR)
        [job] = to.get_jobs()
        assert now < job.next_run_time <= now + HOUR

    assert started(ahead) == []


def test_a_sync_has_one_timetable() -> None:
    """What is announced again, as after a reload, stands in place of what was."""
    now = datetime.now(UTC)

    def twice(to: AsyncIOScheduler, note: Callable[[str], Awaitable[None]]) -> None:
        announce(to, "hr", timetable("0 0 1 1 *"), note, now=now)
        announce(to, "hr", timetable("0 0 2 1 *"), note, now=now)
        [job] = to.get_jobs()
        local = job.next_run_time.astimezone(ZoneInfo("Asia/Shanghai"))
        assert (local.month, local.day, local.hour) == (1, 2, 0)

    assert started(twice) == []


def test_a_clock_that_was_set_back_makes_nobody_wait() -> None:
    """A next start that was planned while the clock was ahead is planned anew; the due ones begin."""
    now = datetime.now(UTC)
    table = timetable(far_from_the_next())

    def ahead(to: AsyncIOScheduler, note: Callable[[str], Awaitable[None]]) -> None:
        announce(to, "hr", table, note, now=now + 48 * HOUR)
        [job] = to.get_jobs()
        assert job.next_run_time > now + 47 * HOUR
        look_again(to, now)
        [job] = to.get_jobs()
        assert now < job.next_run_time <= now + HOUR
        look_again(to, now)
        assert to.get_jobs()[0].next_run_time == job.next_run_time

    assert started(ahead) == []


@pytest.mark.parametrize("is_looked_at", [True, False])
def test_a_host_that_slept_needs_the_look(is_looked_at: bool) -> None:
    """A timer that stood still while the host slept would ring late; a look begins what is due."""
    now = datetime.now(UTC)

    def sleeps(scheduler: AsyncIOScheduler) -> None:
        [job] = scheduler.get_jobs()
        job._modify(next_run_time=now - 3 * HOUR)
        scheduler._lookup_jobstore("default").update_job(job)
        if is_looked_at:
            look_again(scheduler, now)

    told = started(lambda to, note: announce(to, "hr", timetable(far_from_the_next()), note, now=now), sleeps)

    assert told == ["hr"] * is_looked_at


def test_a_trigger_goes_by_what_it_fired_unless_that_is_yet_to_come() -> None:
    """After the previous start comes the next, missed or not; a previous one in the future is none."""
    trigger = TimetableTrigger(timetable())
    now = datetime(2026, 3, 2, 8, 0, 30, tzinfo=UTC)

    assert trigger.get_next_fire_time(None, now) == now.replace(minute=15, second=0)
    assert trigger.get_next_fire_time(None, now.replace(second=0)) == now.replace(second=0)
    assert trigger.get_next_fire_time(now - HOUR, now) == now.replace(hour=7, minute=15, second=0)
    assert trigger.get_next_fire_time(now + HOUR, now) == now.replace(minute=15, second=0)
    assert trigger.get_next_fire_time(now - 400 * HOUR, now) == now.replace(day=1, minute=15, second=0)


class Day:
    """One sync on one host, looked at every half minute, each run taking two minutes."""

    def __init__(self, text: str = "*/15 * * * *") -> None:
        self.host = Host()
        self.trigger = TimetableTrigger(timetable(text))
        terms = Terms(corp="acme", min_interval=timedelta(minutes=5), run_timeout=HOUR)
        self.turns = Turns({"hr": terms}, lambda: self.host.since_boot)
        self.next = self.trigger.get_next_fire_time(None, self.host.now)
        self.ends: float | None = None
        self.runs: list[str] = []
        """When they began by the wall, in UTC."""
        self.began: list[float] = []

    def lives(self, **time: float) -> None:
        until = self.host.since_boot + timedelta(**time).total_seconds()
        while self.host.since_boot < until:
            self._looks()
            self.host.passes(seconds=30)

    def _looks(self) -> None:
        now = self.host.now
        again = self.trigger.get_next_fire_time(None, now)
        assert again is not None
        assert self.next is not None
        self.next = min(self.next, again)
        while self.next <= now:
            self.turns.want("hr", Cause.SCHEDULE)
            self.next = self.trigger.get_next_fire_time(self.next, now)
            assert self.next is not None
        if self.ends is not None and self.ends <= self.host.since_boot:
            self.turns.end("hr", Ending.DONE)
            self.ends = None
        for _ in self.turns.begin():
            self.ends = self.host.since_boot + 120
            self.runs.append(now.strftime("%H:%M"))
            self.began.append(self.host.since_boot)


def test_a_plain_hour() -> None:
    """Four starts, four runs."""
    day = Day()
    day.lives(minutes=59)

    assert day.runs == ["08:00", "08:15", "08:30", "08:45"]


def test_a_host_that_slept_for_an_hour_runs_once() -> None:
    """The four starts that it slept through are one, and it goes on from there."""
    day = Day()
    day.lives(minutes=20)
    day.host.passes(hours=1)
    day.lives(minutes=30)

    assert day.runs == ["08:00", "08:15", "09:20", "09:30", "09:45"]


def test_a_clock_that_is_set_back_loses_no_time() -> None:
    """The next start is by the clock as it stands now, and not in an hour and a quarter."""
    day = Day()
    day.lives(minutes=20)
    day.host.is_set(hours=-1)
    day.lives(minutes=30)

    assert day.runs == ["08:00", "08:15", "07:30", "07:45"]


def test_a_clock_that_is_set_forward_runs_once() -> None:
    """What it skipped is one run, whether it skips an hour or ten years."""
    for hours in (1, 24 * 3650):
        day = Day()
        day.lives(minutes=20)
        day.host.is_set(hours=hours)
        day.lives(minutes=20)

        assert day.runs[:2] == ["08:00", "08:15"]
        assert len(day.runs) == 4, "08:20 for what was skipped, and 08:30"


def test_a_clock_that_jumps_back_and_forth_makes_no_storm() -> None:
    """Every minute an hour forward, every minute an hour back: no run comes sooner than `min_interval`."""
    day = Day()
    for _ in range(60):
        day.lives(minutes=1)
        day.host.is_set(hours=1)
        day.lives(minutes=1)
        day.host.is_set(hours=-1)

    assert min(later - former for former, later in zip(day.began, day.began[1:], strict=False)) >= 300
    assert 8 <= len(day.began) <= 24
