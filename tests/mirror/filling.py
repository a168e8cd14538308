"""A mirror with rows in every table, of every type of value that may be hard to carry elsewhere."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    insert,
)

from wxsync.mirror.copying import COPIED
from wxsync.mirror.store import Store
from wxsync.mirror.tables import Moment

ROWS = 4
BEGINNING = datetime(2026, 1, 31, 8, 0, 0, 123456, tzinfo=UTC)
HARD = ("林梅", "李😀\U00020000", "é", "É", 'o\'brien \\n "x" %s :x', "tab\tand\nline", " ", "ﬁ", "ß")
LONG = 3_000_000
"""Characters of the longest text: more than a portion has room for, less than a packet of MariaDB."""


NOTHING: Mapping[str, Any] = {}
READABLE: Mapping[str, Any] = {
    "state": "gone",
    "kind": "member",
    "known_values": "{}",
    "base": '{"base":1}',
    "put_back_at": "[]",
    **dict.fromkeys(("unproven", "doubts", "announced_department_ids", "doubted_names")),
}
"""Column -> what it says in a mirror that is not only to be carried, but to be read."""


def fill(store: Store, said: Mapping[str, Any] = NOTHING) -> None:
    """Rows in every table but the marks; `said` is by column. Rows to which others point come first."""
    dice = random.Random(0)
    with store.transaction() as connection:
        rows: dict[str, list[dict[str, Any]]] = {}
        for table in COPIED:
            rows[table.name] = [_row(table, number, rows, dice, said) for number in range(ROWS)]
            _insert(connection, table, rows[table.name])


def _insert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    for row in rows:  # one by one: not every row says the same columns
        connection.execute(insert(table), row)


def _row(
    table: Table,
    number: int,
    rows: dict[str, list[dict[str, Any]]],
    dice: random.Random,
    said: Mapping[str, Any],
) -> dict[str, Any]:
    row = {column.name: _value(column, number, dice) for column in table.columns}
    row |= {name: value for name, value in said.items() if name in row}
    for key in table.foreign_key_constraints:
        parent = rows[key.referred_table.name][number]
        row |= {each.parent.name: parent[each.column.name] for each in key.elements}
    return row


def _value(column: Column[Any], number: int, dice: random.Random) -> Any:
    if column.nullable and number % 2:
        return None
    match column.type:
        case Moment():
            return BEGINNING + timedelta(microseconds=dice.randrange(10**12))
        case Boolean():
            return bool(number % 2)
        case BigInteger():
            return 2**62 - 10 * number
        case Integer():
            return 1 + 7 * number
        case Text():
            return dice.choice(HARD) * (LONG // 20 if number == 0 and column.name == "document" else 3)
        case String():
            return f"{dice.choice(HARD)}{number}"
        case LargeBinary():
            return bytes(range(256)) * (1 + 1000 * number)
    raise AssertionError(column.type)
