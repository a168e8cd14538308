"""Five-field schedules as in cron(5), checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

MONTHS: Final = "jan feb mar apr may jun jul aug sep oct nov dec".split()
WEEKDAYS: Final = "sun mon tue wed thu fri sat".split()
LONGEST: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""How many days each month can have."""


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


def check_schedule(text: str) -> str:
    """The schedule as it was given; raises ValueError saying which field is wrong and why."""
    parts = text.split()
    if len(parts) != len(FIELDS):
        example = 'such as "*/15 * * * *" (minute, hour, day of month, month, day of week)'
        raise ValueError(f"has {len(parts)} fields; a schedule has five, {example}")
    _, _, days, months, weekdays = (_values(field, part) for field, part in zip(FIELDS, parts, strict=True))
    # With a weekday beside it, either of the two is enough (cron(5)).
    if len(weekdays) == 8 and all(min(days) > LONGEST[month - 1] for month in months):
        raise ValueError(f"never comes: no such month has a day {min(days)}")
    return text


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
