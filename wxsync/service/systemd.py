"""What systemd is told of the daemon, by its own protocol: sd_notify(3) and sd_watchdog_enabled(3).

It is a few lines over a datagram socket, which any supervisor may listen on. Where nobody asked to be told,
nothing is sent. No word of it ever holds up or breaks what is told of.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Final, Self

SOCKET: Final = "NOTIFY_SOCKET"
WATCHDOG: Final = "WATCHDOG_USEC"
WATCHDOG_OF: Final = "WATCHDOG_PID"
LONGEST: Final = 1024
"""Bytes of a status. systemd passes over datagrams of more than a page (NOTIFY_BUFFER_MAX)."""
PATIENCE: Final = 1.0
"""Seconds for a datagram that finds the other side's queue full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Systemd:
    """Whoever started this process and wants to know how it fares; nobody, where `address` is None."""

    address: str | None = None
    watchdog: float | None = None
    """Seconds after which silence means that we hang."""

    @classmethod
    def take(cls, environment: MutableMapping[str, str] = os.environ, *, process: int | None = None) -> Self:
        """Who asked to be told, by the environment; what that said is taken out of it.

        Children would inherit it, and speak in our name.
        """
        watchdog = watchdog_interval(environment, process=process)
        address = environment.pop(SOCKET, None)
        for name in (WATCHDOG, WATCHDOG_OF):
            environment.pop(name, None)
        return cls(address=address, watchdog=watchdog if address else None)

    @property
    def feeding(self) -> float | None:
        """Seconds from one `alive` to the next: three within `watchdog`; None where nobody waits for them."""
        return None if self.watchdog is None else self.watchdog / 3

    def ready(self, status: str) -> bool:
        """The service is up, or up again after `reloading`. Tells whether it was said."""
        return self._say("READY=1", _status(status))

    def status(self, text: str) -> bool:
        """One line for people, in `systemctl status`."""
        return self._say(_status(text))

    def alive(self) -> bool:
        """Feed the watchdog. Only the loop that does the work may say so: a thread would outlive it."""
        return self._say("WATCHDOG=1")

    def reloading(self) -> bool:
        """The config is being read anew; `ready` ends that."""
        return self._say("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self, status: str) -> bool:
        """The end has begun."""
        return self._say("STOPPING=1", _status(status))

    def _say(self, *lines: str) -> bool:
        if not self.address:
            return False
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as speaker:
                speaker.settimeout(PATIENCE)
                speaker.sendto("\n".join(lines).encode(), _as_socket(self.address))
        except (OSError, ValueError):
            # Nobody listens any more, or it is no address of ours: the work goes on all the same.
            return False
        return True


def watchdog_interval(
    environment: MutableMapping[str, str] = os.environ, *, process: int | None = None
) -> float | None:
    """Seconds within which this process must be heard of; None where nobody waits for that.

    WATCHDOG_PID says whom it is meant for: an interval that was meant for a parent is none of ours.
    """
    meant_for = environment.get(WATCHDOG_OF)
    if meant_for is not None and meant_for != str(os.getpid() if process is None else process):
        return None
    given = environment.get(WATCHDOG, "")
    if not (given.isascii() and given.isdigit()) or not int(given):
        return None
    return int(given) / 1_000_000


def _as_socket(address: str) -> str:
    """`@name` is a name in the abstract namespace, of which the first byte is nought (unix(7))."""
    return f"\0{address[1:]}" if address.startswith("@") else address


def _status(text: str) -> str:
    """A newline would begin another word of the protocol."""
    line = " ".join(text.split()).encode("utf-8", "replace")[:LONGEST]
    return f"STATUS={line.decode('utf-8', 'ignore')}"
