"""The numbers that the database itself gives to rows: a run's, a job's. None is ever given twice.

A report once named them, so also the number of a row that is gone belongs to that row for ever.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Column, Connection, func, select, text

from wxsync.mirror.store import Store
from wxsync.mirror.tables import metadata

NUMBERED: Final[Mapping[str, Column[Any]]] = {
    table.name: table.autoincrement_column
    for table in metadata.sorted_tables
    if table.autoincrement_column is not None
}
"""Table -> its column that the database counts up."""
NEXT_NUMBER: Final = re.compile(r"AUTO_INCREMENT=(\d+)")


def last_numbers(connection: Connection) -> dict[str, int]:
    """Table -> the highest number that a row of it ever had, also where that row is gone; 0 before any."""
    return {
        name: max(connection.scalar(select(func.max(column))) or 0, _counted(connection, name, column.name))
        for name, column in NUMBERED.items()
    }


def go_on_after(store: Store, last: Mapping[str, int]) -> None:
    """The next row of each table gets a number above `last`, and above every one that was given here."""
    with store.reading() as connection:
        here = last_numbers(connection)
    for name in NUMBERED:
        number = max(last.get(name, 0), here[name])
        if number > 0:
            with store.transaction() as connection:  # MariaDB ends a transaction by it
                _set(connection, name, NUMBERED[name].name, number)


def _counted(connection: Connection, table: str, column: str) -> int:
    """What the database has counted up to; 0 where it does not say, as there is nothing yet."""
    place = {"table": table, "column": column}
    match connection.dialect.name:
        case "sqlite":
            query = text("SELECT seq FROM sqlite_sequence WHERE name = :table")
            return int(connection.scalar(query, {"table": table}) or 0)
        case "postgresql":
            query = text(
                "SELECT pg_sequence_last_value(CAST(pg_get_serial_sequence(:table, :column) AS regclass))"
            )
            return int(connection.scalar(query, place) or 0)
        case _:
            # information_schema has it too, but MySQL only from a cache.
            made = connection.execute(text(f"SHOW CREATE TABLE {table}")).one()[1]
            found = NEXT_NUMBER.search(made)
            return int(found[1]) - 1 if found else 0


def _set(connection: Connection, table: str, column: str, number: int) -> None:
    place = {"table": table, "column": column, "number": number}
    match connection.dialect.name:
        case "sqlite":
            connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :table"), {"table": table})
            counted = text("INSERT INTO sqlite_sequence (name, seq) VALUES (:table, :number)")
            connection.execute(counted, {"table": table, "number": number})
        case "postgresql":
            connection.execute(text("SELECT setval(pg_get_serial_sequence(:table, :column), :number)"), place)
        case _:
            connection.execute(text(f"ALTER TABLE {table} AUTO_INCREMENT = {number + 1:d}"))
