"""A TCP proxy that knows where an LDAP message begins, and does harm exactly there."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

PAGING = b"1.2.840.113556.1.4.319"
BIND, SEARCH, ENTRY, DONE, EXTENDED, ANSWERED = 0x60, 0x63, 0x64, 0x65, 0x77, 0x78
PROTOCOL_ERROR = bytes.fromhex("0a010204000400")
NOBODY = bytes.fromhex("02010304008000")
"""The content of an anonymous simple bind, version 3 (RFC 4511, 4.2)."""
NUMBER = 0x7FFFFFF0
"""The message id of what the proxy says by itself."""


@dataclass(kw_only=True)
class Proxy:
    """Passes everything on, until a test tells it otherwise. Pages are counted over all connections."""

    target: int
    """The port of the server behind it."""
    listener: socket.socket
    before_page: dict[int, Callable[[], None]] = field(default_factory=dict)
    """Number of a page, from 1 -> what happens before it is asked for."""
    before_search: dict[bytes, Callable[[], None]] = field(default_factory=dict)
    """What a search that is no page has in it -> what happens before the first such one is asked for."""
    binds_nobody: bool = False
    """Every bind becomes an anonymous one, and the server's "success" is passed on."""
    hides_paging: bool = False
    """What the server says of further pages is left out."""
    ends: dict[int, tuple[int, bytes | None]] = field(default_factory=dict)
    """Number of a page -> the result code and the paging cookie with which it ends instead."""
    empties_from: int | None = None
    """From this page on no entry is passed on."""
    refuses_extensions: bool = False
    """Extended operations are answered with an error, as by a server that has none."""
    rewrites: dict[bytes, bytes] = field(default_factory=dict)
    """What is in entries -> what stands there instead, of the same length."""
    pages: int = 0
    binds: int = 0
    reconnects: bool = False
    """A line that the server ends is kept for the client until there is another server."""
    _pause: tuple[int, float] | None = None
    _asked: int = 0
    _limit: int | None = None
    _stalls: bool = False
    _lines: list[_Line] = field(default_factory=list)
    _is_over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"ldap://localhost:{self.listener.getsockname()[1]}"

    @property
    def connections(self) -> int:
        """How many there were."""
        return len(self._lines)

    def cut_after(self, count: int) -> None:
        """Close both sides after so many bytes more of what the server says."""
        self._limit, self._stalls = count, False

    def stall_after(self, count: int) -> None:
        """Pass on so many bytes more of what the server says, and then nothing, with the line open."""
        self._limit, self._stalls = count, True

    def pause_after(self, count: int, seconds: float) -> None:
        """Take nothing from the server for a while, once, after so many bytes more: its line fills up."""
        self._pause = (count, seconds)

    def rebind_as_nobody(self) -> None:
        """Have the server take the one who reads for nobody, from now on."""
        self._lines[-1].say(_message(NUMBER, BIND, NOBODY))

    def swap(self, port: int) -> None:
        """Go on at another server, which is told of the bind, as a load balancer does that knows LDAP."""
        self.target = port
        self._lines[-1].swap()

    def serve(self) -> None:
        """Take connections until the end."""
        while not self._is_over.is_set():
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                line = _Line(self, client)
            except OSError:  # nobody behind us: nobody here either
                client.close()
            else:
                self._lines.append(line)
                line.start()

    def stop_listening(self) -> None:
        self._is_over.set()
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def end_lines(self) -> None:
        for line in self._lines:
            line.end()

    def counted(self, request: bytes) -> None:
        """A request goes by; before a page, what was planned for it happens."""
        if _tag(request) == BIND:
            self.binds += 1
        if _tag(request) == SEARCH and PAGING in request:
            self.pages += 1
            self._asked = _number(request)
            action = self.before_page.pop(self.pages, None)
            if action is not None:
                action()
        elif _tag(request) == SEARCH:
            for part in [part for part in self.before_search if part in request]:
                self.before_search.pop(part)()

    def retold(self, message: bytes) -> bytes:
        """What becomes of one message of the server's."""
        if _tag(message) == ENTRY and self.empties_from is not None and self.pages >= self.empties_from:
            return b""
        if _tag(message) == ENTRY:
            for said, passed_on in self.rewrites.items():
                message = message.replace(said, passed_on)
        if _number(message) == self._asked and _tag(message) == DONE and self.pages in self.ends:
            return _done(_number(message), *self.ends[self.pages])
        return _without_controls(message) if self.hides_paging else message

    def passed(self, data: bytes) -> tuple[bytes, bool]:
        """What may still be passed on of the server's words, and whether that is the end of it."""
        self._wait(len(data))
        if self._limit is None:
            return data, False
        allowed = data[: self._limit]
        self._limit -= len(allowed)
        return allowed, len(allowed) < len(data)

    def _wait(self, size: int) -> None:
        if self._pause is not None:
            left, seconds = self._pause
            self._pause = (left - size, seconds) if left > size else None
            if self._pause is None:
                time.sleep(seconds)

    @property
    def stalls(self) -> bool:
        return self._stalls


class _Line:
    """One client, and the server that it is connected to at the moment."""

    def __init__(self, proxy: Proxy, client: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = socket.create_connection(("127.0.0.1", proxy.target), 10)
        self._server.settimeout(None)
        self._bind = b""
        self._swallowed: set[int] = set()
        self._threads = [
            threading.Thread(target=self._upwards, daemon=True),
            threading.Thread(target=self._downwards, daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        for end in (self._client, self._server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def end(self) -> None:
        self.close()
        for thread in self._threads:
            thread.join(5)

    def say(self, message: bytes) -> None:
        """Send the server a message of the proxy's own; its answer is passed on to nobody."""
        self._swallowed.add(_number(message))
        self._server.sendall(message)

    def swap(self) -> None:
        old = self._server
        self._server = socket.create_connection(("127.0.0.1", self._proxy.target), 10)
        self._server.settimeout(None)
        with suppress(OSError):
            old.shutdown(socket.SHUT_RDWR)
        self.say(self._bind)

    def _upwards(self) -> None:
        with suppress(OSError, IndexError):  # what is no LDAP ends the line
            for message in _messages(self._client):
                self._proxy.counted(message)
                sent = message
                if _tag(message) == EXTENDED and self._proxy.refuses_extensions:
                    self._client.sendall(_message(_number(message), ANSWERED, PROTOCOL_ERROR))
                    continue
                if _tag(message) == BIND:
                    if self._proxy.binds_nobody:
                        sent = _message(_number(message), BIND, NOBODY)
                    self._bind = sent
                self._server.sendall(sent)
        self.close()

    def _downwards(self) -> None:
        with suppress(OSError):
            while True:
                server = self._server
                if self._passed_on(server) or not self._has_another_than(server):
                    break
                server.close()  # another one has taken its place
        if not self._proxy.stalls:
            self.close()

    def _has_another_than(self, server: socket.socket) -> bool:
        deadline = time.monotonic() + (20 if self._proxy.reconnects else 0)
        while server is self._server and time.monotonic() < deadline:
            time.sleep(0.01)
        return server is not self._server

    def _passed_on(self, server: socket.socket) -> bool:
        """Pass on what one server says, to its end; true where nothing more may pass."""
        for message in _messages(server):
            if _number(message) in self._swallowed:
                self._swallowed.discard(_number(message))
                continue
            data, is_over = self._proxy.passed(self._proxy.retold(message))
            self._client.sendall(data)
            if is_over:
                return True
        return False


@contextmanager
def run_proxy(target: int) -> Iterator[Proxy]:
    """A proxy on a loopback port of its own, before the server on port `target`."""
    listener = socket.create_server(("127.0.0.1", 0))
    proxy = Proxy(target=target, listener=listener)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.stop_listening()
        thread.join(30)  # a client taken at the last moment has its line begun before lines are ended
        proxy.end_lines()


def _messages(end: socket.socket) -> Iterator[bytes]:
    """The messages that come from one end, each a whole one; what is cut off at the end is left out."""
    data = b""
    while chunk := end.recv(65536):
        data += chunk
        while (size := _size(data)) is not None and len(data) >= size:
            yield data[:size]
            data = data[size:]


def _size(data: bytes) -> int | None:
    """How long the message at the beginning is; None where that cannot be told yet."""
    if len(data) < 2:
        return None
    if data[1] < 0x80:
        return 2 + data[1]
    count = data[1] & 0x7F
    if len(data) < 2 + count:
        return None
    return 2 + count + int.from_bytes(data[2 : 2 + count], "big")


def _body(message: bytes) -> int:
    """Where the content of a message begins."""
    return 2 if message[1] < 0x80 else 2 + (message[1] & 0x7F)


def _number(message: bytes) -> int:
    at = _body(message)
    return int.from_bytes(message[at + 2 : at + 2 + message[at + 1]], "big")


def _tag(message: bytes) -> int:
    at = _body(message)
    return message[at + 2 + message[at + 1]]


def _message(number: int, tag: int, content: bytes) -> bytes:
    name = number.to_bytes(4, "big")
    return _tlv(0x30, _tlv(0x02, name) + _tlv(tag, content))


def _without_controls(message: bytes) -> bytes:
    """The end of a search without what it says beside its result."""
    if _tag(message) != DONE:
        return message
    start = _body(message)
    start += 2 + message[start + 1]
    size = _size(message[start:])
    assert size is not None
    return _message(_number(message), DONE, message[start + _body(message[start:]) : start + size])


def _done(number: int, code: int, cookie: bytes | None) -> bytes:
    """The end of a search, with the paging control where there is a cookie."""
    ended = _tlv(DONE, bytes((0x0A, 1, code)) + _tlv(0x04, b"") + _tlv(0x04, b""))
    controls = b""
    if cookie is not None:
        value = _tlv(0x30, _tlv(0x02, b"\0") + _tlv(0x04, cookie))
        controls = _tlv(0xA0, _tlv(0x30, _tlv(0x04, PAGING) + _tlv(0x04, value)))
    return _tlv(0x30, _tlv(0x02, number.to_bytes(4, "big")) + ended + controls)


def _tlv(tag: int, content: bytes) -> bytes:
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    size = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size + content
