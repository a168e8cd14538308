"""Connections that ask for leave in the same breath in which they write: nothing comes in between.

httpx writes by way of others that yield to the event loop between any question and the socket. A process
that is stopped there, or a machine that falls asleep, would send its call when it wakes, however late. And
what a socket does not take at once the loop would send by itself after the waking; so a socket is never given
more than it takes.
"""

from __future__ import annotations

import asyncio
import os
import re
import select
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from typing import Any, Final, cast

import httpcore

from wxsync.wecom.gate import Leave
from wxsync.wecom.watchdog import ended_at

EYEBALLS: Final = 0.25
"""Seconds after which the next address of a name is tried beside the first (RFC 8305)."""
SHARE: Final = 8
"""A socket that calls itself writable has a third of its buffer free (tcp(7) counts the wrapping too)."""
LARGEST: Final = 65536
CLOSING: Final = 1.0
"""Seconds; it takes no time."""
CLOSED: Final = "the other side has closed the connection"
_LEAVE: Final[ContextVar[Leave | None]] = ContextVar("_LEAVE", default=None)
_ERRNO: Final = re.compile(r"\[Errno (\d+)\]")


@contextmanager
def only_with(leave: Leave | None) -> Iterator[None]:
    """What this task writes to such connections in the block goes out with `leave` only; None: all of it."""
    before = _LEAVE.set(leave)
    try:
        yield
    finally:
        _LEAVE.reset(before)


class Sockets(httpcore.AsyncNetworkBackend):
    """Makes connections; raises httpcore's errors, as all here do."""

    def __init__(self) -> None:
        self._late: set[asyncio.Task[tuple[asyncio.Transport, _Ear]]] = set()
        """Connections in the making for which nobody waits any more."""

    async def connect_tcp(self, host: str, port: int, *args: Any, **options: Any) -> Stream:
        local = options.get("local_address")
        async with _told_as(httpcore.ConnectTimeout, httpcore.ConnectError, options.get("timeout")):
            transport, ear = await self._connected(host, port, None if local is None else (local, 0))
            try:
                for option in options.get("socket_options") or ():
                    transport.get_extra_info("socket").setsockopt(*option)
                wire = transport.get_extra_info("socket").dup()
            except BaseException:  # such as that no number is left for another file
                transport.abort()
                raise
        return Stream(transport, transport, ear, wire)

    async def _connected(
        self, host: str, port: int, local: tuple[str, int] | None
    ) -> tuple[asyncio.Transport, _Ear]:
        """Not cancelled half-way: asyncio loses the socket of a connection that is made just then."""
        making = asyncio.get_running_loop().create_connection(
            _Ear, host, port, local_addr=local, happy_eyeballs_delay=EYEBALLS
        )
        task = asyncio.create_task(making)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self._late.add(task)
            task.add_done_callback(self._drop)
            raise

    def _drop(self, task: asyncio.Task[tuple[asyncio.Transport, _Ear]]) -> None:
        self._late.discard(task)
        if not task.cancelled() and task.exception() is None:
            task.result()[0].abort()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _Ear(asyncio.Protocol):
    """What came of a connection, and its end."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.is_over = False
        """Nothing comes any more."""
        self.is_lost = False
        self.error: Exception | None = None
        self.news = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Nothing is read, nor an end noticed, before somebody waits for it."""
        cast("asyncio.Transport", transport).pause_reading()

    def data_received(self, data: bytes) -> None:
        self.heard += data
        self.news.set()

    def eof_received(self) -> None:
        self.is_over = True
        self.news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_over, self.is_lost, self.error = True, True, exc
        self.news.set()


class Stream(httpcore.AsyncNetworkStream):
    """One connection. It is read only while somebody waits for it, so that what comes unasked shows."""

    def __init__(
        self, base: asyncio.Transport, top: asyncio.Transport, ear: _Ear, wire: socket.socket
    ) -> None:
        self._base = base
        """On the socket."""
        self._top = top
        """The same, or TLS on it."""
        self._ear = ear
        self._wire = wire
        """The socket under a number of our own: asyncio lets nobody watch those that are its transports'."""

    async def read(self, max_bytes: int, *args: Any, **options: Any) -> bytes:
        async with _told_as(httpcore.ReadTimeout, httpcore.ReadError, options.get("timeout")):
            while not self._ear.heard and not self._ear.is_over:
                await self._listen()
            if not self._ear.heard and self._ear.error is not None:
                raise self._ear.error
        part = bytes(self._ear.heard[:max_bytes])
        del self._ear.heard[:max_bytes]
        return part

    async def _listen(self) -> None:
        self._ear.news.clear()
        self._base.resume_reading()
        try:
            await self._ear.news.wait()
        finally:
            self._base.pause_reading()

    async def write(self, buffer: bytes, *args: Any, **options: Any) -> None:
        """Raises `httpcore.ConnectTimeout` where leave is not given, and writes no more of `buffer` then."""
        rest = memoryview(buffer)
        async with _told_as(httpcore.WriteTimeout, httpcore.WriteError, options.get("timeout")):
            while rest:
                size = await self._room()
                self._put(rest[:size], _LEAVE.get())
                rest = rest[size:]

    async def _room(self) -> int:
        """How much the socket takes at once, as soon as it has room for as much."""
        while True:
            if self._ear.is_over or self._base.is_closing():
                raise self._ear.error or ConnectionResetError(CLOSED)
            if self._is_ready(select.POLLOUT) and not self._is_behind():
                break
            await self._made_room()
        return min(self._wire.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) // SHARE, LARGEST)

    def _is_behind(self) -> bool:
        """Something waits for the loop to send it."""
        return self._base.get_write_buffer_size() + self._top.get_write_buffer_size() > 0

    async def _made_room(self) -> None:
        loop, event = asyncio.get_running_loop(), asyncio.Event()
        loop.add_writer(self._wire, event.set)
        try:
            await event.wait()
        finally:
            loop.remove_writer(self._wire)

    def _put(self, part: memoryview, leave: Leave | None) -> None:
        """Asked before the timer is set as well: a call that is late by then costs nobody the process."""
        if leave is None:
            self._top.write(part)
            return
        _ask(leave)
        with ended_at(leave.until):
            _ask(leave)
            self._top.write(part)

    async def aclose(self) -> None:
        # Not politely: that is to wait for the other side's word, and to send what was not sent yet.
        self._top.abort()
        self._wire.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING):
                while not self._ear.is_lost:
                    self._ear.news.clear()
                    await self._ear.news.wait()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, *args: Any, **options: Any
    ) -> Stream:
        try:
            async with _told_as(httpcore.ConnectTimeout, httpcore.ConnectError, options.get("timeout")):
                secured = await self._shake_hands(ssl_context, server_hostname)
        except BaseException:
            self._base.abort()
            self._wire.close()
            raise
        return Stream(self._base, secured, self._ear, self._wire)

    async def _shake_hands(self, context: ssl.SSLContext, name: str | None) -> asyncio.Transport:
        self._base.resume_reading()
        try:
            secured = await asyncio.get_running_loop().start_tls(
                self._top, self._ear, context, server_hostname=name
            )
        finally:
            self._base.pause_reading()
        if secured is None:
            raise ConnectionResetError(CLOSED)
        return secured

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return self._is_of_no_use()
        words = {"client_addr": "sockname", "server_addr": "peername"}
        return self._top.get_extra_info(words.get(info, info))

    def _is_of_no_use(self) -> bool:
        """An idle connection on which something came, or the end of it."""
        return bool(self._ear.heard) or self._ear.is_over or self._is_ready(select.POLLIN)

    def _is_ready(self, for_what: int) -> bool:
        if self._wire.fileno() < 0:
            return True
        looked = select.poll()
        looked.register(self._wire, for_what)
        return bool(looked.poll(0))


def _ask(leave: Leave) -> None:
    if not leave():
        raise httpcore.ConnectTimeout("there was no time left to send it")


@asynccontextmanager
async def _told_as(
    late: type[Exception], broken: type[Exception], within: float | None
) -> AsyncIterator[None]:
    """The block's failures by httpcore's names: too late after `within` seconds, or broken."""
    try:
        async with asyncio.timeout(within):
            yield
    except TimeoutError as error:
        raise late(str(error)) from error
    except OSError as error:  # those of TLS too
        raise broken(str(error)) from _with_number(error)
    except UnicodeError as error:  # a name that is none in DNS
        raise broken("not a host's name") from error


def _with_number(error: OSError) -> OSError:
    """Of several addresses that failed asyncio tells in words alone."""
    found = _ERRNO.search(str(error)) if error.errno is None else None
    if found is None or isinstance(error, ssl.SSLError):
        return error
    return OSError(int(found[1]), os.strerror(int(found[1])))
