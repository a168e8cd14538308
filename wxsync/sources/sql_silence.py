"""A bound on how long a database may say nothing, for a driver that has none of its own."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError


@contextmanager
def bounded(connection: Connection, seconds: float) -> Iterator[None]:
    """What happens in the block ends within so many seconds, or the line is closed under it.

    Raises TimeoutError then. libpq waits for ever on a server that is stopped or stuck: its machine goes
    on to answer for the line. Drivers of other databases are told the time when they connect.
    """
    if connection.dialect.name != "postgresql" or connection.invalidated or connection.closed:
        yield
        return
    is_over = threading.Event()
    timer = threading.Timer(seconds, _cut, (_line_of(connection), is_over))
    timer.daemon = True
    timer.start()
    try:
        yield
    except DBAPIError:
        if is_over.is_set():
            raise TimeoutError(f"the server said nothing for {seconds:g} seconds") from None
        raise
    finally:
        timer.cancel()
        timer.join()  # the number of the line may be another one's soon


def _line_of(connection: Connection) -> int:
    driver = connection.connection.driver_connection
    return -1 if driver is None or driver.closed else int(driver.fileno())


def _cut(number: int, is_over: threading.Event) -> None:
    with suppress(OSError), socket.socket(fileno=os.dup(number)) as line:
        is_over.set()
        line.shutdown(socket.SHUT_RDWR)
