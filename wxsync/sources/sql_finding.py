"""Looks for single people in a database: the members query, bounded by the values of its key."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Final

from sqlalchemy import ColumnClause, Dialect, Select, Unicode, cast, func, literal_column, select, text

from wxsync.sources.normal import LONGEST_KEY, Breach, key_of

MOST_FOUND: Final = 500
"""So many values one statement may hold on every database."""


def finding(statement: str, column: str, keys: Collection[str], dialect: Dialect) -> Select[object]:
    """The values that a query's column has among `keys`, which are bound and never in the text.

    A column of numbers compares as text, without what is around it, as keys do. SQL Server has
    a text without Unicode too, in which 张三 is two question marks.
    """
    quoted = dialect.identifier_preparer.quote_identifier(column)
    wanted: ColumnClause[object] = literal_column(f"found.{quoted}")
    # A colon of the query's own would else be the name of a value.
    query = text("(\n" + statement.replace(":", r"\:") + "\n) found")
    key = func.trim(cast(wanted, Unicode(LONGEST_KEY)))
    return select(wanted).select_from(query).where(key.in_(sorted(keys)))


def keys_of_values(values: Iterable[object]) -> frozenset[str]:
    """The keys that the database found, in the form in which keys compare."""
    found: set[str] = set()
    for value in values:
        with suppress(Breach):
            if (key := key_of(value, "key")) is not None:
                found.add(key)
    return frozenset(found)
