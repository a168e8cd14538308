"""The HTTP server, in a thread and a loop of its own: a plan that is made holds up no answer."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from wxsync.errors import WxsyncError

GRACE: Final = 2
"""Seconds that requests under way have when the server stops."""
STARTING: Final = 20.0
LONGEST_HEAD: Final = 16 * 1024
MOST_AT_ONCE: Final = 512
FIRST_WORD: Final = 10.0
"""Seconds in which the head of a first request must be there."""


@contextmanager
def listening(listen: str) -> Iterator[socket.socket]:
    """A socket that listens on HOST:PORT; port 0 takes a free one. Raises WxsyncError."""
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, int(port)), family=family, backlog=512)
    except (OSError, OverflowError) as error:
        raise WxsyncError(
            f"the daemon cannot listen on {listen}: {error}",
            hint="choose another address in service.listen, or stop what listens there",
        ) from error
    with listener:
        # Inherited by every connection: asyncio does not set it where a socket's protocol is not named.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield listener


@contextmanager
def serving(app: ASGIApp, listener: socket.socket) -> Iterator[Web]:
    """Serve the application until the block is left. Raises WxsyncError where it does not start."""
    web = Web(app, listener)
    web.start()
    try:
        yield web
    finally:
        web.stop()


class Impatient(H11Protocol):
    """A connection that does not ask anything in time is closed: it would keep the place of others."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._silent = self.loop.call_later(FIRST_WORD, self._close_where_silent)

    def connection_lost(self, exc: Exception | None) -> None:
        self._silent.cancel()
        super().connection_lost(exc)

    def _close_where_silent(self) -> None:
        has_asked = getattr(self, "cycle", None) is not None
        if not has_asked and not self.transport.is_closing():
            self.transport.close()


class Web(uvicorn.Server):
    """uvicorn in a thread, quiet, which leaves the process's signals alone."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                http=Impatient,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE,
                timeout_keep_alive=30,
                h11_max_incomplete_event_size=LONGEST_HEAD,
                limit_concurrency=MOST_AT_ONCE,
            )
        )
        self._listener = listener
        self._thread = threading.Thread(target=self._serve_all, name="wxsync-web", daemon=True)

    @property
    def port(self) -> int:
        """The one that it listens on."""
        return int(self._listener.getsockname()[1])

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        """Come back when requests are answered."""
        self._thread.start()
        waited = threading.Event()
        for _ in range(int(STARTING / 0.02)):
            if self.started or not self.is_alive:
                break
            waited.wait(0.02)
        if not (self.started and self.is_alive):
            raise WxsyncError("the HTTP server of the daemon did not start")

    def stop(self) -> None:
        """Answer what is under way, and end."""
        self.should_exit = True
        self._thread.join(GRACE + 2)

    def _serve_all(self) -> None:
        asyncio.run(self.serve(sockets=[self._listener]))

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
