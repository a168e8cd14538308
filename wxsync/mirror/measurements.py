"""What runs came to in numbers, for metrics: plans need not be opened to count what is in them.

Two kinds of numbers: how things stand since the last run, and what all runs came to together. The latter
only grow, also where runs are struck because of their age.

All functions take a connection and never commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from wxsync.mirror.tables import KEY_LENGTH, WORD_LENGTH, measurements


class Measure(StrEnum):
    """What is counted; in brackets what tells one number of it from the others."""

    PLANNED = "planned"
    """Changes of the last plan [kind, verb]."""
    REJECTED = "rejected"
    """Rows that the last plan could not use [kind, -, rule]."""
    LIMIT = "limit"
    """What the last plan uses of a limit [limit, window, detail]."""
    ALLOWED = "allowed"
    """How much of it it may use; where there is no limit, nothing [limit, window, detail]."""
    WAITS = "waits"
    """1 where the last plan is carried out only if somebody says yes."""
    ENDED = "ended"
    """Changes of the last run that went by the sources [kind, verb, state]."""
    FAILED = "failed"
    """Those of them that failed [-, -, errcode]."""
    ALL_ENDED = "all_ended"
    """Changes of all runs [kind, verb, state]."""
    ALL_FAILED = "all_failed"
    """Those of them that failed [-, -, errcode]."""
    RUNS = "runs"
    """Runs that are over [verb, state]."""


OF_A_PLAN: Final = (Measure.PLANNED, Measure.REJECTED, Measure.LIMIT, Measure.ALLOWED, Measure.WAITS)
OF_A_RUN: Final = (Measure.ENDED, Measure.FAILED)


class Place(NamedTuple):
    """What one number is of."""

    measure: Measure
    what: str = ""
    how: str = ""
    detail: str = ""


Numbers = Mapping[Place, int]


def put(
    connection: Connection, corp: str, sync: str, measures: tuple[Measure, ...], numbers: Numbers
) -> None:
    """These `measures` stand so from now on; of two who say it at once either holds."""
    names = [measure.value for measure in measures]
    connection.execute(
        delete(measurements).filter_by(corp=corp, sync=sync).where(measurements.c.measure.in_(names))
    )
    rows = [_row(corp, sync, place, number) for place, number in sorted(numbers.items())]
    if rows and not _insert(connection, *rows):  # somebody was quicker with some of them
        for row in rows:
            _insert(connection, row)


def add(connection: Connection, corp: str, sync: str, numbers: Numbers) -> None:
    """So much more of each."""
    for place, number in sorted(numbers.items()):
        is_told = not number or _grow(connection, corp, sync, place, number)
        if not is_told and not _insert(connection, _row(corp, sync, place, number)):
            _grow(connection, corp, sync, place, number)  # somebody was quicker


def load(connection: Connection) -> dict[tuple[str, str], dict[Place, int]]:
    """(corp, sync) -> every number of it. What a later version counts is left out."""
    known = {measure.value for measure in Measure}
    found: dict[tuple[str, str], dict[Place, int]] = {}
    for row in connection.execute(select(measurements)):
        if row.measure in known:
            place = Place(Measure(row.measure), row.what, row.how, row.detail)
            found.setdefault((row.corp, row.sync), {})[place] = row.number
    return found


def _row(corp: str, sync: str, place: Place, number: int) -> dict[str, Any]:
    return {**_key(corp, sync, place), "number": number}


def _key(corp: str, sync: str, place: Place) -> dict[str, str]:
    return {
        "corp": corp,
        "sync": sync,
        "measure": place.measure.value,
        "what": place.what[:WORD_LENGTH],
        "how": place.how[:WORD_LENGTH],
        "detail": place.detail[:KEY_LENGTH],
    }


def _insert(connection: Connection, *rows: Mapping[str, Any]) -> bool:
    """Whether none of them was there yet; else nothing is done."""
    try:
        with connection.begin_nested():
            connection.execute(insert(measurements), [*rows])
    except IntegrityError:
        return False
    return True


def _grow(connection: Connection, corp: str, sync: str, place: Place, number: int) -> bool:
    """Whether it was there."""
    grown = update(measurements).filter_by(**_key(corp, sync, place))
    return connection.execute(grown.values(number=measurements.c.number + number)).rowcount == 1
