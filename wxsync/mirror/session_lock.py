"""A lock of a session on the mirror's database server: gone when the server loses the session.

PostgreSQL: an advisory lock. MariaDB and MySQL: GET_LOCK. It has a connection of its own, which nobody else
uses and no pool takes back.
"""

from __future__ import annotations

import hashlib
import os
import select
from contextlib import suppress
from typing import Any, Final

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from wxsync.errors import MirrorError
from wxsync.mirror.failures import explained

IS_HELD: Final = {
    # By somebody else: a shared lock is refused only by the one of a holder, and ends with the transaction.
    "postgresql": "SELECT NOT pg_try_advisory_xact_lock_shared(:key)",
    "mysql": "SELECT IS_USED_LOCK(:name) IS NOT NULL",
}
TAKE: Final = {
    "postgresql": "SELECT pg_try_advisory_lock(:key)",
    "mysql": "SELECT GET_LOCK(:name, 0) = 1",
}
# A pooler that hands connections around (PgBouncer by transactions) would show another session, or none.
IS_OURS: Final = {
    "postgresql": "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND granted"
    " AND pid = pg_backend_pid() AND classid = :high AND objid = :low AND objsubid = 1",
    "mysql": "SELECT IS_USED_LOCK(:name) = CONNECTION_ID()",
}
HOLDERS: Final = {
    "postgresql": "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = :high"
    " AND objid = :low AND objsubid = 1 AND mode = 'ExclusiveLock'"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    "mysql": "SELECT IS_USED_LOCK(:name)",
}
END: Final = {"postgresql": "SELECT pg_terminate_backend({id})", "mysql": "KILL {id}"}
LASTING: Final = {
    # A line that says nothing is given up by the server only when the lease has run out as well; else
    # somebody might take over from a run that is merely cut off, and does not know it yet.
    "postgresql": (
        "SELECT set_config(name, CASE name WHEN 'tcp_keepalives_idle' THEN :seconds"
        " WHEN 'tcp_keepalives_interval' THEN '10' ELSE '0' END, false) FROM pg_settings WHERE name IN"
        " ('tcp_keepalives_idle', 'tcp_keepalives_interval', 'tcp_user_timeout', 'idle_session_timeout',"
        " 'client_connection_check_interval', 'statement_timeout')"
    ),
    "mysql": "SET SESSION wait_timeout = {seconds}",
}
CLUSTER: Final = "SHOW GLOBAL VARIABLES LIKE 'wsrep_on'"


class SessionLock:
    """A lock that this process holds, for as long as the server knows its session."""

    def __init__(self, connection: Connection, names: dict[str, Any]) -> None:
        self._connection = connection
        self._names = names
        self._is_over = False
        self._driver = connection.connection.dbapi_connection
        self._line = _line_of(self._driver)

    def seems_gone(self) -> bool:
        """The server said something unasked, or has ended the line: asked without waiting for anything.

        A server that is cut off shows nothing of it here.
        """
        if self._is_over:
            return True
        if self._line is None:
            return False
        looked = select.poll()
        looked.register(self._line, select.POLLIN | select.POLLHUP | select.POLLERR)
        return bool(looked.poll(0))

    def is_held(self) -> bool:
        """The server is asked. Whatever it had said unasked has been heard then."""
        try:
            ours = self._connection.execute(text(IS_OURS[kind_of(self._connection.engine)]), self._names)
            is_ours = bool(ours.scalar())
        except SQLAlchemyError:
            is_ours = False
        self._is_over = not is_ours
        return is_ours

    def give_back(self) -> None:
        """The session ends. May be said twice."""
        self._is_over = True
        _close(self._connection, self._driver)
        if self._line is not None:
            line, self._line = self._line, None
            os.close(line)


def take(engine: Engine, name: str, lasting: float) -> SessionLock | None:
    """The lock `name` by a session of its own; None where another session holds it.

    The server keeps it for `lasting` seconds at least after the session has fallen silent. Raises
    MirrorError.
    """
    with explained(engine.url):
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            connection.detach()  # closed by whoever closes it, and by no pool used again
            kind = kind_of(engine)
            seconds = max(2, round(2 * lasting))
            connection.execute(text(LASTING[kind].format(seconds=seconds)), {"seconds": str(seconds)})
            if not connection.scalar(text(TAKE[kind]), _names(connection, name)):
                connection.close()
                return None
            lock = SessionLock(connection, _names(connection, name))
        except BaseException:
            connection.close()
            raise
    if lock.is_held():
        return lock
    lock.give_back()
    raise MirrorError(
        "the mirror's server forgets a session's lock at once",
        hint="a pooler before it must keep sessions apart (PgBouncer: pool_mode = session)",
    )


def is_held(connection: Connection, name: str) -> bool:
    """A session of the server holds the lock `name`.

    So it is said of every one in a Galera cluster: there each node knows its own sessions alone.
    """
    kind = kind_of(connection.engine)
    if connection.scalar(text(IS_HELD[kind]), _names(connection, name)):
        return True
    if kind == "postgresql":
        return False
    cluster = connection.execute(text(CLUSTER)).first()
    return cluster is not None and str(cluster[1]).upper() == "ON"


def end(connection: Connection, name: str) -> None:
    """Ends the session that holds the lock `name`, where we may: whoever it is of learns of it at once."""
    kind = kind_of(connection.engine)
    holders = connection.execute(text(HOLDERS[kind]), _names(connection, name)).scalars().all()
    for id in holders:
        if id is not None:
            with suppress(SQLAlchemyError), connection.begin_nested():
                connection.execute(text(END[kind].format(id=int(id))))


def kind_of(engine: Engine) -> str:
    """Under which name the statements of its server stand here."""
    return "postgresql" if engine.dialect.name == "postgresql" else "mysql"


def _names(connection: Connection, name: str) -> dict[str, Any]:
    """How the server calls the lock `name`: bounded, and its own for each database of it.

    PostgreSQL takes 64 bits and keeps databases apart by itself. MariaDB takes 64 characters, for the server.
    """
    if kind_of(connection.engine) == "postgresql":
        digest = hashlib.sha256(f"wxsync\0{name}".encode()).digest()[:8]
        key = int.from_bytes(digest, "big", signed=True)
        return {
            "key": key,
            "high": int.from_bytes(digest[:4], "big"),
            "low": int.from_bytes(digest[4:], "big"),
        }
    database = connection.scalar(text("SELECT DATABASE()"))
    digest_of = hashlib.sha256(f"{database}\0{name}".encode()).hexdigest()
    return {"name": f"wxsync.{digest_of[:48]}"}


def _close(connection: Connection, driver: Any) -> None:
    """SQLAlchemy forgets a connection that broke, and does not close what belongs to no pool."""
    with suppress(SQLAlchemyError):
        connection.close()
    with suppress(connection.engine.dialect.loaded_dbapi.Error):
        driver.close()


def _line_of(driver: Any) -> int | None:
    """The socket of a connection, under a number of our own; None where its driver does not tell.

    A number that the driver gives up would be another file's by the next moment.
    """
    if hasattr(driver, "fileno"):
        return os.dup(int(driver.fileno()))
    socket = vars(driver).get("_sock")  # PyMySQL has no other word for it
    return None if socket is None else os.dup(int(socket.fileno()))
