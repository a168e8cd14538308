"""Days and times of PostgreSQL for which Python has no value: "infinity", years beyond 9999, 24:00.

By itself the driver ends the whole query over one of them, and shows it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import ClassVar, Final

from psycopg import Connection as Driver
from psycopg import DataError
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Loader
from psycopg.types.datetime import (
    DateLoader,
    IntervalLoader,
    TimeLoader,
    TimestampLoader,
    TimestamptzLoader,
    TimetzLoader,
)
from sqlalchemy import Connection

from wxsync.config.expressions import UnreadableValue

ENDLESS: Final = b"infinity"


class Unreadable:
    """Stands for a value that cannot be had: whatever reads it fails, so its row is rejected."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<unreadable>"

    def __str__(self) -> str:
        raise UnreadableValue("it is a day or time that is in no calendar here")


UNREADABLE: Final = Unreadable()


def read_moments(connection: Connection) -> None:
    """From now on infinity is the last day that there is, and what is in no calendar is `UNREADABLE`."""
    driver = connection.connection.driver_connection
    if isinstance(driver, Driver):
        for name, loader in LOADERS.items():
            driver.adapters.register_loader(name, loader)


class _Moment(Loader):
    """The driver's own reading, without its errors."""

    plain: ClassVar[type[Loader]]
    endless: ClassVar[object] = UNREADABLE

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        super().__init__(oid, context)
        self._plain = self.plain(oid, context)

    def load(self, data: Buffer) -> object:
        if bytes(data) == ENDLESS:
            return self.endless
        try:
            return self._plain.load(data)
        except DataError:
            return UNREADABLE


class _Day(_Moment):
    plain = DateLoader
    endless = date.max


class _LocalTime(_Moment):
    plain = TimestampLoader
    endless = datetime.combine(date.max, time.max)


class _Instant(_Moment):
    plain = TimestamptzLoader
    endless = datetime.combine(date.max, time.max, UTC)


class _Clock(_Moment):
    plain = TimeLoader


class _ZonedClock(_Moment):
    plain = TimetzLoader


class _Span(_Moment):
    plain = IntervalLoader


LOADERS: Final = {
    "date": _Day,
    "timestamp": _LocalTime,
    "timestamptz": _Instant,
    "time": _Clock,
    "timetz": _ZonedClock,
    "interval": _Span,
}
"""PostgreSQL's name of a type -> what reads it."""
