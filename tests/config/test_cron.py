"""Schedules: five fields as in cron(5)."""

from __future__ import annotations

import pytest

from wxsync.config.cron import check_schedule


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
        ("@daily", "has 1 fields"),
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
    with pytest.raises(ValueError, match="^" + problem.replace("*", r"\*").replace("(", r"\(")):
        check_schedule(text)
