"""Whether the process that took a lease lives: it holds a lock that goes with it, whatever becomes of it.

Never a pid: one is given anew, and means nothing in another container. Each holder has a lock of its own, by
the lease's token: so one that was stopped and is no longer the holder keeps nobody from anything.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Final, Protocol

from sqlalchemy import Connection, Engine

from wxsync.mirror import file_lock, session_lock
from wxsync.mirror.sqlite import file_of

NAMED: Final = 16
"""Hexadecimal digits of a corp's name in that of a lock: any name in the config makes a short one."""


class Life(Protocol):
    """A lock that this process holds."""

    def seems_gone(self) -> bool:
        """It may be lost. Waits for nothing, so it may be asked before each call; no answer is a promise."""

    def is_held(self) -> bool:
        """It is there; asks whoever knows, and may take its time."""

    def give_back(self) -> None:
        """It is no longer wanted. May be said twice, and raises nothing."""


def take(engine: Engine, corp: str, token: int, ttl: timedelta) -> Life | None:
    """The lock of whoever has the lease of `corp` with that token; None where another process holds it.

    Raises MirrorError where the mirror's place knows no locks.
    """
    if engine.dialect.name == "sqlite":
        mirror = file_of(engine.url)
        return file_lock.take(_place(engine, corp, token), mirror)
    return session_lock.take(engine, _name(corp, token), ttl.total_seconds())


def is_held(connection: Connection, corp: str, token: int) -> bool:
    """Whether the process lives that took the lease of `corp` with that token."""
    if connection.dialect.name == "sqlite":
        return file_lock.is_held(_place(connection.engine, corp, token))
    return session_lock.is_held(connection, _name(corp, token))


def disown(connection: Connection, corp: str, token: int) -> None:
    """Takes the lock from whoever has that token, where that can be: it shows at once that it is lost.

    For one that is taken over although it lives.
    """
    if connection.dialect.name == "sqlite":
        _place(connection.engine, corp, token).unlink(missing_ok=True)
    else:
        session_lock.end(connection, _name(corp, token))


def _name(corp: str, token: int) -> str:
    return f"{hashlib.sha256(corp.encode()).hexdigest()[:NAMED]}.{token}"


def _place(engine: Engine, corp: str, token: int) -> Path:
    return file_lock.place(file_of(engine.url), _name(corp, token))
