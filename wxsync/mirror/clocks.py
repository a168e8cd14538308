"""The clocks by which a lease lasts: this machine's since its boot, and the one that its mirror goes by.

Nobody sets the first, and it goes on while the machine sleeps; but it means nothing elsewhere. The second
is the database server's, which is one for all hosts, however their own clocks differ. A SQLite mirror has
no server: there it is the machine's wall clock, looked at only where the first is of no use.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, text

BOOT: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", None)
"""Linux has it. Elsewhere the next best goes on alone while the machine is awake."""
SERVER_TIME: Final = {
    # Not now(): that is when the transaction began, before it waited for whoever else had the row.
    "postgresql": "SELECT clock_timestamp()",
    "mysql": "SELECT UTC_TIMESTAMP(6)",
    "mariadb": "SELECT UTC_TIMESTAMP(6)",
}


def since_boot() -> float:
    """Seconds since this machine was started, those with them in which it slept."""
    return time.monotonic() if BOOT is None else time.clock_gettime(BOOT)


def clock_name() -> str:
    """Names what `since_boot` counts from, equal in all processes that may compare; empty where nobody tells.

    A container may have a time namespace of its own (time_namespaces(7)), in which the clock has another
    beginning.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
    try:
        return f"{boot}/{Path('/proc/self/ns/time').stat().st_ino}"
    except OSError:  # a kernel before 5.6 has one for all
        return boot


def mirror_time(connection: Connection) -> datetime:
    """What the clock of the mirror says, in UTC."""
    question = SERVER_TIME.get(connection.dialect.name)
    if question is None:
        return datetime.now(UTC)
    told: datetime = connection.execute(text(question)).scalar_one()
    return told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)
