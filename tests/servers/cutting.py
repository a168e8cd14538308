"""A TCP proxy that knows nothing of what it passes on, and ends or stops in the middle of it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Cutter:
    """Passes everything on until told otherwise; counts what the server says, over all lines."""

    target: int
    listener: socket.socket
    said: int = 0
    """Bytes that the server has said."""
    ends_at: int | None = None
    """After so many bytes of the server's the line is closed on both sides."""
    stops_at: int | None = None
    """After so many of them nothing more is passed on, and the line stays open."""
    acts_at: int | None = None
    """After so many of them `act` is called, once, before anything more is passed on."""
    act: Callable[[], None] = lambda: None
    _lines: list[socket.socket] = field(default_factory=list)

    @property
    def port(self) -> int:
        number: int = self.listener.getsockname()[1]
        return number

    def serve(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target), 10)
            except OSError:  # nobody behind us: nobody here either
                _shut(client)
                continue
            server.settimeout(None)
            self._lines += [client, server]
            for run, ends in ((self._up, (client, server)), (self._down, (server, client))):
                threading.Thread(target=run, args=ends, daemon=True).start()

    def close(self) -> None:
        for line in (self.listener, *self._lines):
            _shut(line)

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                server.sendall(data)
        _shut(server)

    def _down(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                if self.acts_at is not None and self.said >= self.acts_at:
                    self.acts_at = None
                    self.act()
                allowed = self._allowed(len(data))
                client.sendall(data[:allowed])
                if allowed < len(data) and self.stops_at is not None:
                    return
                if allowed < len(data):
                    break
        _shut(client)
        _shut(server)

    def _allowed(self, size: int) -> int:
        limits = [limit for limit in (self.ends_at, self.stops_at) if limit is not None]
        allowed = max(0, min([size, *(limit - self.said for limit in limits)]))
        self.said += allowed
        return allowed


@contextmanager
def cutting(target: int) -> Iterator[Cutter]:
    """A proxy in front of a port of this machine, for the length of the block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        cutter = Cutter(target=target, listener=listener)
        threading.Thread(target=cutter.serve, daemon=True).start()
        try:
            yield cutter
        finally:
            cutter.close()


def _shut(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
    line.close()
