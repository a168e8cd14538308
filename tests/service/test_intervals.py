"""How far apart the starts of a schedule are at most."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from wxsync.config.cron import parse_cron
from wxsync.service.intervals import longest_interval


def wall(year: int, month: int, day: int, hour: int = 0) -> datetime:
    """A time on the wall has no zone."""
    return datetime(year, month, day, hour, 30, tzinfo=UTC).replace(tzinfo=None)


@pytest.mark.parametrize("day", range(2, 9))
@pytest.mark.parametrize(
    ("schedule", "longest"),
    [
        ("* * * * *", timedelta(minutes=1)),
        ("*/15 * * * *", timedelta(minutes=15)),
        ("7 * * * *", timedelta(hours=1)),
        ("0 3 * * *", timedelta(days=1)),
        ("0 9,12 * * *", timedelta(hours=21)),
        ("*/5 9-17 * * 1-5", timedelta(days=2, hours=15, minutes=5)),
        ("0 6 * * 1", timedelta(days=7)),
        ("0 9 1-3,20 * *", timedelta(days=17)),
    ],
)
def test_the_longest_pause_is_found_on_any_day(schedule: str, day: int, longest: timedelta) -> None:
    """Nights and weekends are in it, whatever day of the week it is asked on."""
    assert longest_interval(parse_cron(schedule), wall(2026, 3, day, 10)) == longest


def test_what_comes_once_in_four_years() -> None:
    """The reach is stretched until there are two starts."""
    found = longest_interval(parse_cron("0 0 29 2 *"), wall(2026, 3, 2))
    assert found == timedelta(days=1461)


def test_at_the_end_of_the_calendar_there_is_none() -> None:
    """One start alone is no pace."""
    assert longest_interval(parse_cron("0 0 31 12 *"), wall(9999, 12, 31)) is None
