"""Schedules: five fields as in cron(5), or a word."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from itertools import islice, takewhile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wxsync.config.cron import MONTHS, WEEKDAYS, check_schedule, parse_cron


@pytest.mark.parametrize(
    "text",
    [
        "* * * * *",
        "*/15 * * * *",
        "0 0 1 1 0",
        "59 23 31 12 7",
        "0,30 8-18 * * 1-5",
        "0-30/10 * * * *",
        "5/10 * * * *",
        "0 3 * * mon-FRI",
        "0 3 1 Jan *",
        "0  3\t* * *",
        "0 0 29 2 *",
        "0 0 30 2 1",
        "0 0 31 1,2 *",
        "0 0 30 2 0-7",
        "@hourly",
        " @daily ",
    ],
)
def test_valid_schedules(text: str) -> None:
    """What cron(5) takes is taken as it is."""
    assert check_schedule(text) == text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "has 0 fields"),
        ("* * * *", "has 4 fields"),
        ("* * * * * *", "has 6 fields"),
        ("daily", "has 1 fields"),
        ("@dayly", '"@dayly" is not one of @annually, @daily, .*Did you mean "@daily"'),
        ("@reboot", "@reboot names no time; a schedule has five fields"),
        ("@daily *", '"@daily *" is not one of'),
        ("@Daily", '"@Daily" is not one of'),
        ("0 0 30 2 */2", "never comes: no such month has a day 30"),
        ("0 0 30 2 *,1", "never comes: no such month has a day 30"),
        ("60 * * * *", "minute: 60 is not between 0 and 59"),
        ("* 24 * * *", "hour: 24 is not between 0 and 23"),
        ("* * 0 * *", "day of month: 0 is not between 1 and 31"),
        ("* * 32 * *", "day of month: 32 is not between 1 and 31"),
        ("* * * 13 *", "month: 13 is not between 1 and 12"),
        ("* * * * 8", "day of week: 8 is not between 0 and 7"),
        ("a * * * *", 'minute: "a" is not a number'),
        ("mon * * * *", 'minute: "mon" is not a number'),
        ("* * * * mo", 'day of week: "mo" is not a number'),
        ("1, * * * *", 'minute: "" is not a number'),
        ("-1 * * * *", 'minute: "" is not a number'),
        ("30-10 * * * *", 'minute: the range "30-10" runs backwards'),
        ("*/0 * * * *", 'minute: the step "/0" is not between 1 and 59'),
        ("*/ * * * *", 'minute: the step "/" is not between 1 and 59'),
        ("*/90 * * * *", 'minute: the step "/90" is not between 1 and 59'),
        ("１ * * * *", 'minute: "１" is not a number'),
        ("0 0 30 2 *", "never comes: no such month has a day 30"),
        ("0 0 31 4,6 *", "never comes: no such month has a day 31"),
    ],
)
def test_faulty_schedules_say_which_field(text: str, problem: str) -> None:
    """A fault names the field and what is wrong with it."""
    start, *more = problem.split(".*")

    with pytest.raises(ValueError, match="^" + re.escape(start)) as caught:
        check_schedule(text)

    assert all(each in str(caught.value) for each in more)


# text, from when, the next four; each worked out by hand with a calendar of those years.
# 2026-01-01 is a Thursday, 2026-03-01 a Sunday, 2027-01-01 a Friday.
NAMED = [
    ("*/15 * * * *", "2026-01-01 00:07", "01-01 00:15, 01-01 00:30, 01-01 00:45, 01-01 01:00"),
    ("7-59/20 3 * * *", "2026-01-01 03:20", "01-01 03:27, 01-01 03:47, 01-02 03:07, 01-02 03:27"),
    ("5/25 3 * * *", "2026-01-01 00:00", "01-01 03:05, 01-01 03:30, 01-01 03:55, 01-02 03:05"),
    ("59,1-3 0 * * *", "2026-01-01 00:02", "01-01 00:03, 01-01 00:59, 01-02 00:01, 01-02 00:02"),
    ("0 9-17/4 * * *", "2026-01-01 09:00", "01-01 13:00, 01-01 17:00, 01-02 09:00, 01-02 13:00"),
    # Sunday is 0, 7 and sun.
    ("0 0 * * 0", "2026-03-01 00:00", "03-08 00:00, 03-15 00:00, 03-22 00:00, 03-29 00:00"),
    ("0 0 * * 7", "2026-03-01 00:00", "03-08 00:00, 03-15 00:00, 03-22 00:00, 03-29 00:00"),
    ("0 0 * * SUN", "2026-03-01 00:00", "03-08 00:00, 03-15 00:00, 03-22 00:00, 03-29 00:00"),
    ("0 0 * * 5-7", "2026-03-01 00:00", "03-06 00:00, 03-07 00:00, 03-08 00:00, 03-13 00:00"),
    ("0 0 * * 1/2", "2026-03-01 00:00", "03-02 00:00, 03-04 00:00, 03-06 00:00, 03-08 00:00"),
    ("0 0 * * mon-fri", "2026-03-06 00:00", "03-09 00:00, 03-10 00:00, 03-11 00:00, 03-12 00:00"),
    ("0 0 * * sat,mon", "2026-03-01 00:00", "03-02 00:00, 03-07 00:00, 03-09 00:00, 03-14 00:00"),
    # The example of cron(5): either day field is enough.
    ("30 4 1,15 * 5", "2026-01-01 00:00", "01-01 04:30, 01-02 04:30, 01-09 04:30, 01-15 04:30"),
    ("0 0 13 * 5", "2026-01-01 00:00", "01-02 00:00, 01-09 00:00, 01-13 00:00, 01-16 00:00"),
    ("0 0 30 2 1", "2026-01-01 00:00", "02-02 00:00, 02-09 00:00, 02-16 00:00, 02-23 00:00"),
    # 0-6 is no star: every day, whatever the month's day.
    ("0 0 13 * 0-6", "2026-01-01 00:00", "01-02 00:00, 01-03 00:00, 01-04 00:00, 01-05 00:00"),
    # A star with a step is a star: the 1st, 11th, 21st or 31st, if it is a Monday.
    ("0 0 */10 * 1", "2026-01-01 00:00", "05-11 00:00, 06-01 00:00, 08-31 00:00, 09-21 00:00"),
    # The 13th, if it is a Sunday, Tuesday, Thursday or Saturday.
    ("0 0 13 * */2", "2026-01-01 00:00", "01-13 00:00, 06-13 00:00, 08-13 00:00, 09-13 00:00"),
    # A star that does not stand first is none.
    ("0 0 13 * 1,*", "2026-01-01 00:00", "01-02 00:00, 01-03 00:00, 01-04 00:00, 01-05 00:00"),
    # Ends of months and leap years.
    ("0 0 31 * *", "2026-01-31 00:00", "03-31 00:00, 05-31 00:00, 07-31 00:00, 08-31 00:00"),
    ("0 0 29 2 *", "2026-01-01 00:00", "2028-02-29, 2032-02-29, 2036-02-29, 2040-02-29"),
    ("0 0 29 2 *", "2092-02-29 00:00", "2096-02-29, 2104-02-29, 2108-02-29, 2112-02-29"),
    ("59 23 31 12 *", "2026-12-31 23:58", "2026-12-31, 2027-12-31, 2028-12-31, 2029-12-31"),
    ("0 0 28-31 feb *", "2028-02-01 00:00", "02-28 00:00, 02-29 00:00, 02-28 00:00, 02-28 00:00"),
    # The words.
    ("@hourly", "2026-01-01 22:30", "01-01 23:00, 01-02 00:00, 01-02 01:00, 01-02 02:00"),
    ("@daily", "2026-02-27 00:00", "02-28 00:00, 03-01 00:00, 03-02 00:00, 03-03 00:00"),
    (" @midnight ", "2026-02-27 00:00", "02-28 00:00, 03-01 00:00, 03-02 00:00, 03-03 00:00"),
    ("@weekly", "2026-03-01 00:00", "03-08 00:00, 03-15 00:00, 03-22 00:00, 03-29 00:00"),
    ("@monthly", "2026-01-01 00:00", "02-01 00:00, 03-01 00:00, 04-01 00:00, 05-01 00:00"),
    ("@yearly", "2026-01-01 00:00", "2027-01-01, 2028-01-01, 2029-01-01, 2030-01-01"),
    ("@annually", "2026-01-01 00:00", "2027-01-01, 2028-01-01, 2029-01-01, 2030-01-01"),
]


@pytest.mark.parametrize(("text", "since", "expected"), NAMED)
def test_the_times_are_those_of_cron(text: str, since: str, expected: str) -> None:
    """The next four times, in order, as a calendar has them."""
    found = islice(parse_cron(text).after(datetime.fromisoformat(since)), 4)
    form = "%Y-%m-%d" if expected.startswith("2") else "%m-%d %H:%M"

    assert ", ".join(time.strftime(form) for time in found) == expected


def fields(low: int, high: int, words: list[str]) -> st.SearchStrategy[str]:
    """A field as somebody may write it."""
    numbers = st.integers(low, high)
    ranges = st.tuples(numbers, numbers).map(sorted).map(lambda pair: f"{pair[0]}-{pair[1]}")
    steps = st.integers(1, high)
    spans = st.one_of(st.just("*"), ranges, numbers.map(str))
    items = st.one_of(
        spans,
        st.tuples(spans, steps).map(lambda pair: f"{pair[0]}/{pair[1]}"),
        st.sampled_from(words or ["*"]),
    )
    return st.lists(items, min_size=1, max_size=3).map(",".join)


def comes(text: str) -> bool:
    try:
        parse_cron(text)
    except ValueError:
        return False
    return True


SCHEDULES = (
    st.tuples(
        fields(0, 59, []), fields(0, 23, []), fields(1, 31, []), fields(1, 12, MONTHS), fields(0, 7, WEEKDAYS)
    )
    .map(" ".join)
    .filter(comes)
)
TIMES = st.datetimes(datetime.fromisoformat("2024-01-01"), datetime.fromisoformat("2029-01-01"))


def is_named(text: str, wall: datetime) -> bool:
    """A second reading of cron(5), field by field and number by number."""
    minute, hour, day, month, weekday = text.split()
    on_day = holds(day, wall.day, 31, [])
    on_weekday = any(holds(weekday, number, 7, WEEKDAYS) for number in weekday_numbers(wall))
    starred = day[0] == "*" or weekday[0] == "*"
    return (
        holds(minute, wall.minute, 59, [])
        and holds(hour, wall.hour, 23, [])
        and holds(month, wall.month, 12, ["", *MONTHS])
        and ((on_day and on_weekday) if starred else (on_day or on_weekday))
    )


def weekday_numbers(wall: datetime) -> list[int]:
    return [0, 7] if wall.strftime("%a") == "Sun" else [WEEKDAYS.index(wall.strftime("%a").lower())]


def holds(field: str, number: int, high: int, words: list[str]) -> bool:
    for item in field.split(","):
        if item in words and item:
            if words.index(item) == number:
                return True
            continue
        span, _, step = item.partition("/")
        first, dash, last = span.partition("-")
        # What a month's or week's day counts from matters for a step alone.
        low = (0 if high in {59, 23, 7} else 1) if span == "*" else int(first)
        top = high if span == "*" or (step and not dash) else int(last or first)
        if low <= number <= top and (number - low) % int(step or 1) == 0:
            return True
    return False


@given(SCHEDULES, TIMES)
@settings(max_examples=150)
def test_no_time_is_left_out_and_none_is_put_in(text: str, since: datetime) -> None:
    """Within a day and a half the times are those that a look at every minute finds."""
    cron = parse_cron(text)
    until = since + timedelta(hours=36)
    minutes = (since.replace(second=0, microsecond=0) + timedelta(minutes=n) for n in range(36 * 60 + 1))
    scanned = [minute for minute in minutes if since < minute <= until and is_named(text, minute)]

    assert list(takewhile(lambda time: time <= until, cron.after(since))) == scanned
    assert all(cron.matches(time) for time in scanned)


@given(SCHEDULES, TIMES)
@settings(max_examples=150)
def test_a_day_is_not_left_out_before_the_next_time(text: str, since: datetime) -> None:
    """However far off the next time is, no day before it has one; and a schedule that is taken has one."""
    found = next(parse_cron(text).after(since))

    assert is_named(text, found)
    assert since < found
    assert not any(
        is_named(text, datetime.combine(since.date() + timedelta(days=n), found.time()))
        for n in range(1, (found.date() - since.date()).days)
    )
