"""Plain values in one normal form: texts, keys, flags, numbers and days.

A source gives what its driver makes of a column: 1001, "1001 " and Decimal("1001") are one key,
a tinyint is a boolean, a date may be a text. What has no normal form is a `Breach`.
"""

from __future__ import annotations

import math
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Final
from uuid import UUID

from wxsync.model.message import Message, say
from wxsync.model.normal import clean
from wxsync.sources.dn import Dn

UINT32: Final = 2**32
LONGEST_KEY: Final = 255
"""What every database can hold and index as the mirror's key."""


class Breach(Exception):
    """A value that cannot be used: which rule it breaks, and the problem without the value."""

    def __init__(self, rule: str, problem: Message) -> None:
        super().__init__(str(problem))
        self.rule = rule
        self.problem = problem


def text_of(value: object, field: str) -> str | None:
    """Any scalar as clean text, whole numbers without a fraction; breaks rule "type" otherwise."""
    if isinstance(value, str):
        return clean(value)
    if value is None:
        return None
    if isinstance(value, bool):
        raise Breach("type", say("{field} is a boolean, not a text", field=field))
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal | float) and math.isfinite(value):
        return str(int(value)) if value == int(value) else str(value)
    if isinstance(value, date | UUID):
        return str(value)
    raise Breach("type", say("{field} is not a text", field=field))


def key_of(value: object, field: str) -> str | None:
    """The one form in which keys compare: 1001, "1001", " 1001 " and Decimal("1001") are equal.

    So are all spellings of one DN, which may be longer than other keys where it merely points to a record.
    """
    if isinstance(value, Dn):
        return value.key or None
    if isinstance(value, str) and value.isascii() and value.isprintable():
        text = value.strip() or None
    else:
        text = text_of(value, field)
    if text is not None and len(text) > LONGEST_KEY:
        problem = say("{field} is longer than {limit} characters", field=field, limit=LONGEST_KEY)
        raise Breach("length", problem)
    return text


def keys_of(value: object, field: str) -> tuple[str | None, ...]:
    """One key or a list of them as a tuple; an empty one keeps its place as None."""
    if isinstance(value, list | tuple):
        return tuple(key_of(each, field) for each in value)
    return (key_of(value, field),)


def flag(value: object, field: str) -> bool | None:
    """A boolean, or the number 0 or 1; breaks rule "type" for anything else, texts too."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float | Decimal) and value in (0, 1):
        return bool(value)
    raise Breach("type", say("{field} is neither true nor false, 1 nor 0", field=field))


def uint32(value: object, field: str) -> int | None:
    """A whole number from 0 to 4294967295, digits as text too; breaks rule "number" otherwise."""
    if value is None:
        return None
    number: int | None = None
    if isinstance(value, str):
        text = clean(value)
        if text is None:
            return None
        number = int(text) if text.isdecimal() and text.isascii() and len(text) < LONGEST_KEY else None
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        number = int(value) if math.isfinite(value) and value == int(value) else None
    if number is None or not 0 <= number < UINT32:
        problem = say("{field} is not a whole number from 0 to {limit}", field=field, limit=UINT32 - 1)
        raise Breach("number", problem)
    return number


def day_of(value: object, zone: tzinfo, field: str) -> date | None:
    """The calendar day in `zone` of a date, a datetime or their ISO text; breaks rule "date" otherwise."""
    if isinstance(value, str):
        text = clean(value)
        if text is None:
            return None
        try:
            value = datetime.fromisoformat(text)
        except ValueError:
            value = text
    if isinstance(value, datetime):
        return _local_day(value, zone)
    if value is None or isinstance(value, date):
        return value
    raise Breach("date", say("{field} is not a date", field=field))


def _local_day(moment: datetime, zone: tzinfo) -> date:
    """A moment without zone is taken as local already."""
    if moment.tzinfo is None:
        return moment.date()
    try:
        return moment.astimezone(zone).date()
    except OverflowError:  # 9999-12-31 and its like, which stand for "never"
        return moment.date()
