"""systemd's journal by its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): a line with its fields.

Whoever reads it asks `journalctl SYNC=acme`, or `RUN=12`, and needs no parser.
"""

from __future__ import annotations

import os
import re
import socket
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

JOURNAL: Final = Path("/run/systemd/journal/socket")
STREAM: Final = "JOURNAL_STREAM"
PRIORITIES: Final = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
"""syslog(3)."""
OWN: Final = frozenset({"run", "sync", "corp"})
"""By these a line is looked for; all else stands below WXSYNC_, apart from the journal's own fields."""
PATIENCE: Final = 1.0
"""Seconds for a journal that takes nothing: the work does not wait longer for what is told of it."""
LONGEST_NAME: Final = 64


def leads_to_journal(descriptor: int, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether what is written to the descriptor goes to the journal: systemd named it so (systemd.exec(5)).

    The variable is inherited by what sends its output elsewhere, so the file is compared too.
    """
    try:
        found = os.fstat(descriptor)
    except OSError:
        return False
    return environment.get(STREAM) == f"{found.st_dev}:{found.st_ino}"


def send(line: Mapping[str, Any], message: str, *, journal: Path = JOURNAL) -> None:
    """Hand the line to the journal, with `message` for people. Raises OSError where it is not taken."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as speaker:
        speaker.settimeout(PATIENCE)
        speaker.sendto(to_datagram(line, message), str(journal))


def to_datagram(line: Mapping[str, Any], message: str) -> bytes:
    """The line as the protocol has it. The event and its level have fields of the journal's own."""
    fields = {
        "MESSAGE": message,
        "PRIORITY": str(PRIORITIES.get(str(line.get("level")), 6)),
        "SYSLOG_IDENTIFIER": "wxsync",
    }
    fields |= {_name(key): _text(value) for key, value in line.items() if key not in ("at", "level")}
    return b"".join(_field(name, text.encode("utf-8", "replace")) for name, text in fields.items())


def _field(name: str, value: bytes) -> bytes:
    """One with a newline is told by its length, or the rest of it would be read as fields."""
    if b"\n" in value:
        return name.encode() + b"\n" + struct.pack("<Q", len(value)) + value + b"\n"
    return name.encode() + b"=" + value + b"\n"


def _name(key: str) -> str:
    word = re.sub(r"[^A-Z0-9_]", "_", key.upper())
    return (word if key in OWN else f"WXSYNC_{word}")[:LONGEST_NAME]


def _text(value: object) -> str:
    return value if isinstance(value, str) else str(value)
