"""What is a database server's own: how it is connected to, and how long it waits for one that hangs."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL

CONNECT_SECONDS: Final = 10
SILENCE_SECONDS: Final = 120
"""A process that is stopped in the middle of a transaction keeps what that has locked, and whoever wants to
take over waits. So the server ends a session that says nothing for so long: less than a lease lasts."""
SILENCE: Final = {
    "postgresql": f"SET idle_in_transaction_session_timeout = '{SILENCE_SECONDS}s'",
    "mysql": f"SET SESSION wait_timeout = {SILENCE_SECONDS}",
}
LASTING: Final = {
    # What a call is about to do is on record before it is made: also where the server is killed meanwhile.
    "postgresql": "SELECT set_config('synchronous_commit', 'on', false)"
    " WHERE current_setting('synchronous_commit') = 'off'",
    "mysql": None,  # innodb_flush_log_at_trx_commit is the whole server's
}
OWN_SETTINGS: Final = {"postgresql": "options", "mysql": "init_command"}
"""The parameter of a URL by which somebody sets that otherwise: then it is not set here."""


def open_server(url: URL) -> Engine:
    """An engine for a mirror on a server; nothing is connected to yet."""
    engine = create_engine(
        url,
        connect_args=_arguments(url),
        pool_pre_ping=True,
        hide_parameters=True,
        # So every server shows what others committed while we waited for a lock; and MariaDB locks no gaps.
        isolation_level="READ COMMITTED",
    )
    kind = _kind(url)
    silence = None if OWN_SETTINGS[kind] in url.query else SILENCE[kind]
    event.listen(engine, "connect", _setter([each for each in (silence, LASTING[kind]) if each is not None]))
    # It tells of every line that breaks, beside the error that says so.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    return engine


def _arguments(url: URL) -> dict[str, Any]:
    # A server that swallows packets would otherwise hold a command for minutes.
    arguments: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS}
    if _kind(url) == "postgresql":
        arguments["tcp_user_timeout"] = SILENCE_SECONDS * 1000
    return {name: value for name, value in arguments.items() if name not in url.query}


def _kind(url: URL) -> str:
    return "postgresql" if url.get_backend_name() == "postgresql" else "mysql"


def _setter(statements: Sequence[str]) -> Any:
    def set_up(connection: Any, _record: object) -> None:
        """Committed at once: a roll-back would take it away again."""
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        connection.commit()

    return set_up
