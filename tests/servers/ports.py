"""Ports for the servers of the tests."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path

RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
USUAL = 32768
LOWEST = 10240


def free_port() -> int:
    """A loopback port that was free a moment ago.

    It is none of those that the system gives to outgoing connections: one of these would hold the port of
    a server that is stopped and started again.
    """
    above = int(RANGE.read_text(encoding="ascii").split()[0]) if RANGE.exists() else USUAL
    while True:
        port = LOWEST + secrets.randbelow(max(above, LOWEST + 1000) - LOWEST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
