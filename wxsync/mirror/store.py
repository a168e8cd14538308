"""The one door to the mirror: whatever is read or written there is inside a transaction of a `Store`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Table, bindparam, delete, insert

from wxsync.errors import MirrorError
from wxsync.mirror.failures import explained
from wxsync.mirror.sqlite import BUSY_SECONDS, READS_ONLY
from wxsync.mirror.writers import WaitedTooLongError, WriterQueue


class Store:
    """A mirror whose schema is known to fit (`wxsync.mirror.schema.prepare` gives the engine).

    Threads may share it: every transaction has a connection of its own.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._queue = WriterQueue() if engine.dialect.name == "sqlite" else None

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A writing transaction: all of it is kept at the end of the block, or, on any error, none.

        On SQLite one writer goes at a time, and the others wait for it; a `MirrorError` says what
        the database would not do.
        """
        with ExitStack() as stack:
            self._line_up(stack)
            stack.enter_context(explained(self.engine.url))
            yield stack.enter_context(self.engine.begin())

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one moment, waits for no writer and keeps none waiting."""
        options: dict[str, Any] = {READS_ONLY: True}
        if self.engine.dialect.name != "sqlite":
            options["isolation_level"] = "REPEATABLE READ"
        with explained(self.engine.url), self.engine.execution_options(**options).begin() as connection:
            yield connection

    def _line_up(self, stack: ExitStack) -> None:
        if self._queue is None:
            return
        try:
            stack.enter_context(self._queue.turn(BUSY_SECONDS))
        except WaitedTooLongError:
            raise MirrorError(
                f"the mirror {self.engine.url.database} is locked by another task or process",
                hint="wait until the other command (or the backup, or the open database shell) has ended, and"
                " see that the disk is neither full nor slow",
            ) from None

    def close(self) -> None:
        """Gives back every connection."""
        self.engine.dispose()


def replace_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Puts each row in the place of the one with the same primary key, if there is one.

    Deleting all before inserting any is understood by every database, and lets rows of one call
    trade a unique value with each other.
    """
    if not rows:
        return
    names = [column.name for column in table.primary_key]
    same = [table.c[name] == bindparam(f"old_{name}") for name in names]
    places = [{f"old_{name}": row[name] for name in names} for row in rows]
    connection.execute(delete(table).where(*same), places)
    connection.execute(insert(table), list(rows))
