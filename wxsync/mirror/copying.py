"""All that a mirror holds, from one database into another: every table, every value.

Rows go through the tables' own types, so that a moment or a boolean means the same in each database. A few
megabytes are in memory at a time, however long a plan or a file is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Table, delete, func, insert, select

from wxsync.errors import MirrorError
from wxsync.mirror.counters import go_on_after, last_numbers
from wxsync.mirror.failures import place_of
from wxsync.mirror.store import Store
from wxsync.mirror.tables import metadata, mirror_marks

Progress = Callable[[int, int], None]
"""Told how much is done, of how much."""
Counting = Callable[[int], None]
"""Told how many rows are done."""

AT_ONCE: Final = 1000
"""Rows that are fetched, and inserted, together."""
MOST_TEXT: Final = 4_000_000
"""Characters and bytes that are inserted together."""
LARGE: Final = frozenset({"plans", "batch_job_files"})
"""Tables with rows of many megabytes: these are fetched one by one."""
MODULUS: Final = 1 << 64

COPIED: Final = tuple(table for table in metadata.sorted_tables if table is not mirror_marks)
"""Every table but the marks, which speak of one database alone; a table that others point to comes first."""


@dataclass(frozen=True, slots=True)
class TableSum:
    """What a table holds, in short: equal where all its rows are, and hardly ever elsewhere."""

    rows: int = 0
    checksum: int = 0
    """The sum of a hash of each row, so that their order does not count."""


def copy_everything(source: Store, target: Store, progress: Progress) -> dict[str, TableSum]:
    """Every row of one moment of `source`, put into the empty `target`, read back there, and compared.

    The numbers of runs and jobs go on where they stand. Gives the sum of each table. Raises MirrorError
    where a row does not go in, or does not come out as it was.
    """
    with source.reading() as reading:
        numbers = last_numbers(reading)
        total = _row_count(reading)
        sums = _copied(reading, target, lambda done: progress(done, 2 * total))
    # No transaction waits idly for this: a server ends one that says nothing for long.
    with target.reading() as connection:
        compare(connection, sums, lambda done: progress(total + done, 2 * total))
    go_on_after(target, numbers)
    return sums


def compare(target: Connection, expected: Mapping[str, TableSum], done: Counting) -> None:
    """Raises MirrorError that names every table in which not every row of `expected` is as it was."""
    found = sums_of(target, done)
    wrong = [
        f"{name} ({found[name].rows} rows, {sum_.rows} were read)"
        for name, sum_ in expected.items()
        if found[name] != sum_
    ]
    if wrong:
        raise MirrorError(
            f"the copy in {place_of(target.engine.url)} is not what was read: {', '.join(wrong)}",
            hint="nobody else may write to it meanwhile; say it again, with another database if this one"
            " changes what is put into it",
        )


def sums_of(connection: Connection, done: Counting = lambda done: None) -> dict[str, TableSum]:
    """The sum of every table, read to its last row."""
    sums: dict[str, TableSum] = {}
    count = 0
    for table in COPIED:
        sums[table.name] = TableSum()
        for rows in _portions(connection, table):
            sums[table.name] = _added(sums[table.name], rows)
            count += len(rows)
            done(count)
    return sums


def filled_tables(connection: Connection) -> list[str]:
    """The tables that hold anything."""
    return [table.name for table in COPIED if connection.execute(select(table).limit(1)).first() is not None]


def empty_tables(connection: Connection) -> None:
    """Strikes every row of every table but the marks."""
    for table in reversed(COPIED):
        connection.execute(delete(table))


def _row_count(connection: Connection) -> int:
    return sum(connection.scalar(select(func.count()).select_from(table)) or 0 for table in COPIED)


def _copied(source: Connection, target: Store, done: Counting) -> dict[str, TableSum]:
    """A transaction for each table: what is under way of a large one is not kept twice."""
    sums: dict[str, TableSum] = {}
    count = 0
    for table in COPIED:
        sums[table.name] = TableSum()
        with target.transaction() as connection:
            for rows in _portions(source, table):
                connection.execute(insert(table), [dict(row) for row in rows])
                sums[table.name] = _added(sums[table.name], rows)
                count += len(rows)
                done(count)
    return sums


def _portions(connection: Connection, table: Table) -> Iterator[Sequence[RowMapping]]:
    fetched = 1 if table.name in LARGE else AT_ONCE
    portion: list[RowMapping] = []
    size = 0
    # Some rows at a time come from the server, and not all of them at once.
    for row in connection.execute(select(table), execution_options={"yield_per": fetched}).mappings():
        portion.append(row)
        size += sum(len(value) for value in row.values() if isinstance(value, (str, bytes)))
        if len(portion) >= AT_ONCE or size >= MOST_TEXT:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


def _added(before: TableSum, rows: Sequence[RowMapping]) -> TableSum:
    hashed = sum(_hash(tuple(row.values())) for row in rows)
    return TableSum(before.rows + len(rows), (before.checksum + hashed) % MODULUS)


def _hash(values: tuple[Any, ...]) -> int:
    written = repr(values).encode("utf-8", errors="backslashreplace")
    return int.from_bytes(hashlib.blake2b(written, digest_size=8).digest(), "big")
