"""Timetables: schedules in a time zone where clocks are changed, and starts out of the busy minutes' way."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wxsync.config.cron import parse_cron
from wxsync.service.timetable import Timetable, shift_of
from wxsync.service.wall_clock import to_moment, to_moments

MINUTE = timedelta(minutes=1)


def timetable(text: str, zone: str = "Asia/Shanghai", shift: int = 0) -> Timetable:
    return Timetable(cron=parse_cron(text), zone=ZoneInfo(zone), shift=shift * MINUTE)


def starts(table: Timetable, since: str) -> Iterator[datetime]:
    """The starts later than a wall time of the table's zone, in that zone."""
    moment: datetime | None = datetime.fromisoformat(since).replace(tzinfo=table.zone).astimezone(UTC)
    while moment is not None and (moment := table.after(moment)) is not None:
        yield moment.astimezone(table.zone)


# New York: 2026-03-08 02:00 -05:00 is 03:00 -04:00; 2026-11-01 02:00 -04:00 is 01:00 -05:00.
# Lord Howe: half an hour; 2026-10-04 02:00 +10:30 is 02:30 +11:00; 2026-04-05 02:00 +11:00 is 01:30 +10:30.
# Santiago changes at midnight: 2026-09-06 00:00 -04:00 is 01:00 -03:00; 2026-04-05 00:00 is 04-04 23:00.
# Samoa had no 2011-12-30 at all.
CHANGES = [
    ("America/New_York", "30 2 * * *", "2026-03-07 03:00", "03-08 03:00-0400, 03-09 02:30-0400"),
    ("America/New_York", "0,15,45 2 * * *", "2026-03-07 03:00", "03-08 03:00-0400, 03-09 02:00-0400"),
    ("America/New_York", "*/20 2 * * *", "2026-03-07 03:00", "03-08 03:00-0400, 03-09 02:00-0400"),
    ("America/New_York", "0 2,3 * * *", "2026-03-07 04:00", "03-08 03:00-0400, 03-09 02:00-0400"),
    ("America/New_York", "0 2 8 3 *", "2026-03-07 04:00", "2026-03-08 03:00, 2027-03-08 02:00"),
    ("America/New_York", "30 1 * * *", "2026-10-31 03:00", "11-01 01:30-0400, 11-02 01:30-0500"),
    ("America/New_York", "*/30 1 * * *", "2026-11-01 01:10", "11-01 01:30-0400, 11-02 01:00-0500"),
    ("America/New_York", "0 2 * * *", "2026-10-31 03:00", "11-01 02:00-0500, 11-02 02:00-0500"),
    ("America/New_York", "*/30 * * * *", "2026-11-01 01:00", "11-01 01:30-0400, 11-01 01:00-0500"),
    ("America/New_York", "15 * 1 11 *", "2026-11-01 00:59", "11-01 01:15-0400, 11-01 01:15-0500"),
    ("America/New_York", "@hourly", "2026-11-01 00:30", "11-01 01:00-0400, 11-01 01:00-0500"),
    ("America/New_York", "30 * * * *", "2026-03-08 01:00", "03-08 01:30-0500, 03-08 03:30-0400"),
    ("America/New_York", "*/15 * * * *", "2026-03-08 01:40", "03-08 01:45-0500, 03-08 03:00-0400"),
    ("America/New_York", "0 */2 * * *", "2026-03-08 00:00", "03-08 04:00-0400, 03-08 06:00-0400"),
    ("Australia/Lord_Howe", "10 2 * * *", "2026-10-03 03:00", "10-04 02:30+1100, 10-05 02:10+1100"),
    ("Australia/Lord_Howe", "45 1 * * *", "2026-04-04 03:00", "04-05 01:45+1100, 04-06 01:45+1030"),
    ("Australia/Lord_Howe", "45 * * * *", "2026-04-05 01:00", "04-05 01:45+1100, 04-05 01:45+1030"),
    ("America/Santiago", "0 0 * * *", "2026-09-05 01:00", "09-06 01:00-0300, 09-07 00:00-0300"),
    ("America/Santiago", "30 23 * * *", "2026-04-04 00:00", "04-04 23:30-0300, 04-05 23:30-0400"),
    ("America/Santiago", "30 * 4 4 *", "2026-04-04 23:00", "04-04 23:30-0300, 04-04 23:30-0400"),
    ("Pacific/Apia", "0 3 30 12 *", "2011-12-29 12:00", "2011-12-31 00:00, 2012-12-30 03:00"),
    ("Pacific/Apia", "0 3 * * *", "2011-12-29 12:00", "12-31 00:00+1400, 12-31 03:00+1400"),
    ("Asia/Shanghai", "30 2 * * *", "2026-03-08 00:00", "03-08 02:30+0800, 03-09 02:30+0800"),
]


@pytest.mark.parametrize(("zone", "text", "since", "expected"), CHANGES)
def test_where_clocks_are_changed(zone: str, text: str, since: str, expected: str) -> None:
    """A time left out has one start right after the gap, one that comes twice the first; `*` goes on."""
    form = "%Y-%m-%d %H:%M" if expected.startswith("2") else "%m-%d %H:%M%z"
    found = islice(starts(timetable(text, zone), since), 2)

    assert ", ".join(start.strftime(form) for start in found) == expected


def test_a_daily_start_comes_once_a_day_all_year() -> None:
    """In a year with both changes of the clock a time of day has 365 starts, each on a day of its own."""
    for zone in ("America/New_York", "Australia/Lord_Howe", "America/Santiago", "Europe/London"):
        for text in ("30 2 * * *", "15 1 * * *", "0 0 * * *", "45 23 * * *"):
            found = list(islice(starts(timetable(text, zone), "2026-01-01 00:00"), 365))
            days = {start.date() for start in found}

            assert len(days) == 365, (zone, text)
            assert all(start.strftime("%H:%M") == found[0].strftime("%H:%M") for start in found[:20])


SHIFTS = [
    ("0 3 * * *", 7, "01-01 03:07, 01-02 03:07, 01-03 03:07"),
    ("30 3 * * *", 1, "01-01 03:31, 01-02 03:31, 01-03 03:31"),
    ("15,29,31 3 * * *", 7, "01-01 03:15, 01-01 03:29, 01-01 03:31"),
    ("*/15 * * * *", 7, "01-01 00:07, 01-01 00:15, 01-01 00:37"),
    # A minute before the next start at the latest.
    ("*/5 * * * *", 7, "01-01 00:04, 01-01 00:05, 01-01 00:10"),
    ("*/5 * * * *", 3, "01-01 00:03, 01-01 00:05, 01-01 00:10"),
    ("0,2 3 * * *", 7, "01-01 03:01, 01-01 03:02, 01-02 03:01"),
    # The next one is a minute later: the two are one.
    ("* * * * *", 7, "01-01 00:01, 01-01 00:02, 01-01 00:03"),
    ("30,31 3 * * *", 4, "01-01 03:31, 01-02 03:31, 01-03 03:31"),
    ("*/15 * * * *", 0, "01-01 00:00, 01-01 00:15, 01-01 00:30"),
]


@pytest.mark.parametrize(("text", "shift", "expected"), SHIFTS)
def test_starts_on_busy_minutes_are_shifted(text: str, shift: int, expected: str) -> None:
    """Those on minute 0 and 30 come later, never beyond the next one, and all others as they stand."""
    found = islice(starts(timetable(text, shift=shift), "2025-12-31 23:59"), 3)

    assert ", ".join(start.strftime("%m-%d %H:%M") for start in found) == expected


def test_a_start_that_made_up_for_a_gap_is_shifted_too() -> None:
    """It is on minute 0 like others."""
    table = timetable("30 2 * * *", "America/New_York", shift=5)
    found = islice(starts(table, "2026-03-07 03:00"), 2)

    assert [start.strftime("%m-%d %H:%M") for start in found] == ["03-08 03:05", "03-09 02:35"]


def test_the_shift_of_a_name_is_always_the_same() -> None:
    """Between 1 and 7 minutes, all of which occur, and equal in another process."""
    shifts = {f"sync{n}": shift_of(f"sync{n}") for n in range(60)}
    script = (
        "from wxsync.service.timetable import shift_of\n"
        "print([shift_of(f'sync{n}').seconds for n in range(60)])"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert set(shifts.values()) == {n * MINUTE for n in range(1, 8)}
    assert told.stdout.strip() == str([shift.seconds for shift in shifts.values()])
    assert shift_of("北京").seconds % 60 == 0


TEXTS = st.sampled_from(
    [
        "* * * * *",
        "*/15 * * * *",
        "30 * * * *",
        "0 */2 * * *",
        "30 2 * * *",
        "*/20 1,2 * * *",
        "0,30 0-3 * * *",
        "5 0,23 * * sun",
    ]
)
ZONES = st.sampled_from(
    ["America/New_York", "Australia/Lord_Howe", "America/Santiago", "Europe/London", "Asia/Kathmandu"]
)
# Around the changes of 2026 in those zones.
DAYS = st.sampled_from(["03-08", "03-29", "04-04", "04-05", "09-06", "10-04", "10-25", "11-01"])


@given(TEXTS, ZONES, DAYS, st.integers(0, 23))
@settings(max_examples=120)
def test_starts_are_what_a_look_at_every_minute_finds(text: str, zone: str, day: str, hour: int) -> None:
    """Over 30 hours: every minute that matches, but for what comes twice, and one start after a gap."""
    table = timetable(text, zone)
    since = datetime.fromisoformat(f"2026-{day} {hour:02}:00").replace(tzinfo=UTC)
    expected = list(scan(table, since, 30))
    found: list[datetime] = []
    moment = since
    while (later := table.after(moment)) is not None and later <= since + timedelta(hours=30):
        found.append(later)
        moment = later

    assert found == expected


def scan(table: Timetable, since: datetime, hours: int) -> Iterator[datetime]:
    """The starts after `since` by the rule, minute by minute, from three hours before."""
    seen: set[datetime] = set()
    before: datetime | None = None
    for n in range(-180, hours * 60 + 1):
        moment = since + n * MINUTE
        wall = moment.astimezone(table.zone).replace(tzinfo=None, fold=0)
        left_out = 0 if before is None else (wall - before) // MINUTE - 1
        walls = [wall] if table.cron.every_hour or wall not in seen else []
        if not table.cron.every_hour and before is not None:
            walls += [before + (n + 1) * MINUTE for n in range(left_out)]
        if n > 0 and any(map(table.cron.matches, walls)):
            yield moment
        seen.add(wall)
        before = wall


@given(TEXTS, ZONES, DAYS, st.integers(0, 1440), st.integers(0, 7))
@settings(max_examples=120)
def test_the_next_start_is_later_and_the_same_from_any_moment_before_it(
    text: str, zone: str, day: str, minute: int, shift: int
) -> None:
    """No start is passed over or told twice, from wherever one asks, shifted or not."""
    table = timetable(text, zone, shift)
    since = datetime.fromisoformat(f"2026-{day}").replace(tzinfo=UTC) + minute * MINUTE
    found = table.after(since)

    assert found is not None
    assert found > since
    assert table.after(found - timedelta(microseconds=1)) == found
    assert table.after(since + (found - since) / 2) == found


def test_wall_times_come_once_twice_or_never() -> None:
    """Of a wall time all moments are told, the earlier one first, and one in a gap means the gap's end."""
    zone = ZoneInfo("America/New_York")
    once, twice, never = (
        datetime.fromisoformat(f"2026-{text}") for text in ("05-05 01:30", "11-01 01:30", "03-08 02:30")
    )

    assert [moment.hour for moment in to_moments(once, zone)] == [5]
    assert [moment.hour for moment in to_moments(twice, zone)] == [5, 6]
    assert to_moments(never, zone) == ()
    assert to_moment(never, zone) == datetime(2026, 3, 8, 7, 0, tzinfo=UTC)
