"""Schedules as in cron(5), checked, and the times that they name: five fields, or a word such as @daily."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, date, datetime, time
from typing import Final, NamedTuple

from wxsync.config.suggestions import did_you_mean

MONTHS: Final = "jan feb mar apr may jun jul aug sep oct nov dec".split()
WEEKDAYS: Final = "sun mon tue wed thu fri sat".split()
LONGEST: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""How many days each month can have."""
WORDS: Final[Mapping[str, str]] = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
EXAMPLE: Final = 'such as "*/15 * * * *" (minute, hour, day of month, month, day of week)'


class Field(NamedTuple):
    """One of the five places, with the numbers that it takes."""

    name: str
    low: int
    high: int
    words: Mapping[str, int] = {}


FIELDS: Final = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of month", 1, 31),
    Field("month", 1, 12, {word: n for n, word in enumerate(MONTHS, 1)}),
    # 0 and 7 are both Sunday.
    Field("day of week", 0, 7, {word: n for n, word in enumerate(WEEKDAYS)}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """The wall times that a schedule names, to the minute; in which time zone is for others to know."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: tuple[int, ...]
    weekdays: frozenset[int]
    """Sunday is 0, and never 7."""
    either_day: bool
    """No day field begins with `*`, so one of the two is enough."""
    every_hour: bool
    """The hour begins with `*`: it is said how often, and not when (cron(8) on changes of the clock)."""

    def matches(self, wall: datetime) -> bool:
        """Whether the minute of `wall` is one that it names."""
        return wall.hour in self.hours and wall.minute in self.minutes and self._is_on(wall.date())

    def after(self, wall: datetime) -> Iterator[datetime]:
        """Every time that it names later than `wall`, in order, without an end before the calendar's."""
        for day in self._days_from(wall.date()):
            is_first = day == wall.date()
            for hour in self.hours:
                if is_first and hour < wall.hour:
                    continue
                for minute in self.minutes:
                    found = datetime.combine(day, time(hour, minute))
                    if found > wall:
                        yield found

    def _days_from(self, first: date) -> Iterator[date]:
        for year in range(first.year, MAXYEAR + 1):
            for month in self.months:
                if (year, month) < (first.year, first.month):
                    continue
                days = (date(year, month, n) for n in range(1, monthrange(year, month)[1] + 1))
                yield from (day for day in days if day >= first and self._is_on(day))

    def _is_on(self, day: date) -> bool:
        by_day, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        on_day = by_day or by_weekday if self.either_day else by_day and by_weekday
        return day.month in self.months and on_day


def check_schedule(text: str) -> str:
    """The schedule as it was given; raises what `parse_cron` raises."""
    parse_cron(text)
    return text


def parse_cron(text: str) -> Cron:
    """What a schedule names; raises ValueError saying which field is wrong, why, and how to mend it.

    A day field that begins with `*`, `*/2` too, is no restriction that ORs: then both must hold, as in
    every cron that descends from Vixie's. `5/10` is `5-59/10`. Names may stand in ranges and lists.
    """
    parts = _spelled_out(text).split()
    if len(parts) != len(FIELDS):
        raise ValueError(f"has {len(parts)} fields; a schedule has five, {EXAMPLE}")
    minutes, hours, days, months, weekdays = (
        _values(field, part) for field, part in zip(FIELDS, parts, strict=True)
    )
    either_day = not (parts[2].startswith("*") or parts[4].startswith("*"))
    if not either_day and all(min(days) > LONGEST[month - 1] for month in months):
        raise ValueError(f"never comes: no such month has a day {min(days)}")
    return Cron(
        minutes=tuple(sorted(minutes)),
        hours=tuple(sorted(hours)),
        days=days,
        months=tuple(sorted(months)),
        weekdays=frozenset(day % 7 for day in weekdays),
        either_day=either_day,
        every_hour=parts[1].startswith("*"),
    )


def _spelled_out(text: str) -> str:
    word = text.strip()
    if not word.startswith("@"):
        return text
    if word == "@reboot":
        raise ValueError(f"@reboot names no time; a schedule has five fields, {EXAMPLE}")
    if word not in WORDS:
        meant = did_you_mean(word, WORDS)
        raise ValueError(f'"{word}" is not one of {", ".join(sorted(WORDS))}.{meant}')
    return WORDS[word]


def _values(field: Field, text: str) -> frozenset[int]:
    return frozenset(value for item in text.split(",") for value in _item(field, item))


def _item(field: Field, item: str) -> range:
    """`*`, a number, a name or a range, with an optional step."""
    span, slash, step = item.partition("/")
    if span == "*":
        low, high = field.low, field.high
    else:
        first, dash, last = span.partition("-")
        low = _number(field, first)
        high = _number(field, last) if dash else field.high if slash else low
        if low > high:
            raise ValueError(f'{field.name}: the range "{span}" runs backwards')
    if not slash:
        return range(low, high + 1)
    if not (step.isascii() and step.isdigit() and 0 < int(step) <= field.high):
        raise ValueError(f'{field.name}: the step "/{step}" is not between 1 and {field.high}')
    return range(low, high + 1, int(step))


def _number(field: Field, text: str) -> int:
    if (value := field.words.get(text.lower())) is not None:
        return value
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f'{field.name}: "{text}" is not a number')
    if not field.low <= int(text) <= field.high:
        raise ValueError(f"{field.name}: {text} is not between {field.low} and {field.high}")
    return int(text)
