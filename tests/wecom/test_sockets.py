"""Nothing is sent by a process that was stopped and wakes too late; and what else a connection does."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import resource
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpcore
import httpx
import pytest

from tests.house.tree import ROOT
from tests.servers.ports import free_port
from tests.wecom.dozer import Facts
from tests.wecom.web import Leaving, Tunnelling, certificate, serving
from wxsync.mirror.clocks import since_boot
from wxsync.wecom.client import TIMEOUTS, api_url, http_client
from wxsync.wecom.gate import Leave
from wxsync.wecom.reach import Obstacle, reach
from wxsync.wecom.receiving import receive
from wxsync.wecom.sockets import Sockets

pytestmark = pytest.mark.filterwarnings("error")
LEAVE = 0.8
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
HEAD_FIRST, HEAD_ARMED, BODY_FIRST, BODY_ARMED = 2, 3, 4, 5
"""Which question for leave is which; the first is asked before a connection is made."""
LARGE = 30_000_000


@dataclass
class Far:
    """The other side of each connection: what it got, and when it may read on."""

    base: str = ""
    got: list[bytearray] = field(default_factory=list)
    reads: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def serve(self, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        with suppress(OSError):
            while True:
                line, _ = listener.accept()
                with line:
                    self.hear(context.wrap_socket(line, server_side=True) if context else line)

    def hear(self, line: socket.socket) -> None:
        got = bytearray()
        self.got.append(got)
        with suppress(OSError), line:
            self.reads.wait()
            while part := line.recv(65536):
                got += part
                if is_whole(got):
                    line.sendall(ANSWER)
                    got = bytearray()
                    self.got.append(got)
        self.ended.set()


def is_whole(got: bytes | bytearray) -> bool:
    head, found, _ = bytes(got[:2000]).partition(b"\r\n\r\n")
    if not found:
        return False
    size = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    return len(got) - len(head) - 4 >= int(size[0].partition(b":")[2])


@contextmanager
def far_end(context: ssl.SSLContext | None = None, *, reads: bool = True) -> Iterator[Far]:
    far = Far()
    if reads:
        far.reads.set()
    listener = socket.create_server(("127.0.0.1", 0))
    far.base = f"http{'s' if context else ''}://127.0.0.1:{listener.getsockname()[1]}"
    thread = threading.Thread(target=far.serve, args=(listener, context), daemon=True)
    thread.start()
    try:
        yield far
    finally:
        far.reads.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


@contextmanager
def dozing(facts: Facts) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.wecom.dozer", facts.to_json()]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8") as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(process: subprocess.Popen[str], states: str) -> None:
    """Until it is stopped (T), or dead (Z); see proc(5)."""
    stat, end = Path(f"/proc/{process.pid}/stat"), time.monotonic() + 30
    while stat.read_text("ascii").rpartition(") ")[2][0] not in states:
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("is_tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("stops_at", [HEAD_FIRST, HEAD_ARMED, BODY_FIRST, BODY_ARMED])
def test_whoever_is_stopped_between_question_and_socket_and_woken_too_late_is_ended(
    tmp_path: Path, stops_at: int, *, is_tls: bool
) -> None:
    """Leave was given, and is over: the process runs no instruction more, and no call is whole."""
    context, ca_file = certificate(tmp_path) if is_tls else (None, "")
    with far_end(context) as far:
        facts = Facts(base_url=far.base, leave=LEAVE, stops_at=stops_at, ca_file=str(ca_file))
        with dozing(facts) as process:
            wait_for(process, "TZ")
            time.sleep(LEAVE + 0.2)
            process.send_signal(signal.SIGCONT)
            out, _ = process.communicate(timeout=30)
        assert far.ended.wait(10)
    assert (process.returncode, out) == (-signal.SIGKILL, "")
    assert [bool(got) for got in far.got] == [stops_at >= BODY_FIRST]
    assert not is_whole(far.got[0])


@pytest.mark.parametrize("stops_at", [HEAD_ARMED, BODY_ARMED, None])
def test_whoever_is_woken_in_time_goes_on(stops_at: int | None) -> None:
    """The call is made once, and when its leave is over nothing is left that would end the process."""
    with far_end() as far, dozing(Facts(base_url=far.base, leave=3.0, stops_at=stops_at)) as process:
        if stops_at is not None:
            wait_for(process, "T")
            process.send_signal(signal.SIGCONT)
        out, _ = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "200\nlives\n")
    assert [is_whole(got) for got in far.got] == [True, False]


def test_what_a_socket_has_no_room_for_is_not_sent_after_the_waking() -> None:
    """Stopped while the other side reads nothing: the rest of a large body wants leave as well."""
    with far_end(reads=False) as far:
        with dozing(Facts(base_url=far.base, leave=2.0, size=LARGE)) as process:
            time.sleep(1.5)
            process.send_signal(signal.SIGSTOP)
            wait_for(process, "T")
            time.sleep(1.0)
            far.reads.set()
            time.sleep(0.5)  # there is room again
            process.send_signal(signal.SIGCONT)
            out, _ = process.communicate(timeout=30)
        assert far.ended.wait(10)
    assert (process.returncode, out) == (0, "ConnectTimeout\nlives\n")
    assert 0 < len(far.got[0]) < LARGE


def ask(
    url: str,
    *sizes: int,
    ca_file: Path | None = None,
    proxy: str | None = None,
    pause: float = 0.0,
    within: float = 30.0,
) -> list[int]:
    """Calls with bodies of such sizes, on one client, with leave for a minute."""

    async def story() -> list[int]:
        client = http_client(api_url(url), proxy=proxy, ca_file=ca_file, transport=None, timeouts=TIMEOUTS)
        async with client:
            return [(await one(client, size)).status_code for size in sizes]

    async def one(client: httpx.AsyncClient, size: int) -> httpx.Response:
        request = client.build_request("POST", "user/create", content=b"x" * size)
        response = await receive(client, request, within=within, leave=Leave(lambda: True, since_boot() + 60))
        await asyncio.sleep(pause)
        return response

    return asyncio.run(story())


@pytest.mark.parametrize("is_tls", [False, True], ids=["http", "https"])
def test_a_connection_is_used_again_and_carries_bodies_of_any_size(tmp_path: Path, *, is_tls: bool) -> None:
    """Of no byte, and of more than any socket takes at once."""
    context, ca_file = certificate(tmp_path) if is_tls else (None, None)
    with far_end(context) as far:
        assert ask(far.base, 0, 100, LARGE, 100, ca_file=ca_file) == [200] * 4
    bodies = [got.partition(b"\r\n\r\n")[2] for got in far.got]
    assert [len(body) for body in bodies] == [0, 100, LARGE, 100, 0]
    assert all(body == b"x" * len(body) for body in bodies)


@pytest.mark.parametrize("is_tls", [False, True], ids=["http", "https"])
def test_a_connection_that_the_other_side_closed_is_not_used_again(tmp_path: Path, *, is_tls: bool) -> None:
    """The next call has a new one, although the answer did not say that this one would be closed."""
    context, ca_file = certificate(tmp_path) if is_tls else (None, None)

    with serving(Leaving, context) as url:
        assert ask(url, 10, 10, 10, ca_file=ca_file, pause=0.1) == [200] * 3


def test_tls_through_a_proxy(tmp_path: Path) -> None:
    """By a tunnel, with a body that is larger than any socket takes at once."""
    context, ca_file = certificate(tmp_path)
    with far_end(context) as far, serving(Tunnelling) as proxy:
        assert ask(far.base, 100, LARGE, ca_file=ca_file, proxy=proxy) == [200, 200]
    assert len(far.got[1].partition(b"\r\n\r\n")[2]) == LARGE


def test_tls_through_a_proxy_that_is_reached_by_tls_itself(tmp_path: Path) -> None:
    """One in the other."""
    context, ca_file = certificate(tmp_path)
    trusted = ssl.create_default_context(cafile=str(ca_file))

    async def story(port: int, far: str) -> bytes:
        outer = await Sockets().connect_tcp("127.0.0.1", port, timeout=10)
        tunnel = await outer.start_tls(trusted, "127.0.0.1", timeout=10)
        await tunnel.write(f"CONNECT {far} HTTP/1.1\r\n\r\n".encode(), timeout=10)
        assert b" 200 " in await tunnel.read(65536, timeout=10)
        inner = await tunnel.start_tls(trusted, "127.0.0.1", timeout=10)
        head = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % LARGE
        await inner.write(head + b"x" * LARGE, timeout=60)
        answer = await inner.read(65536, timeout=10)
        await inner.aclose()
        return answer

    with far_end(context) as far, serving(Tunnelling, context) as proxy:
        port = int(proxy.rpartition(":")[2])
        assert asyncio.run(story(port, far.base.removeprefix("https://"))) == ANSWER


def test_hosts_that_the_environment_excepts_are_called_without_its_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The others by the proxy for their scheme, which may be written without one of its own."""
    monkeypatch.setenv("http_proxy", f"127.0.0.1:{free_port()}")
    with far_end() as far:
        monkeypatch.setenv("no_proxy", "example.com,127.0.0.1")
        assert ask(far.base, 10, proxy="env") == [200]
        monkeypatch.setenv("no_proxy", "example.com")
        with pytest.raises(httpx.ConnectError):
            ask(far.base, 10, proxy="env")


@pytest.mark.parametrize("is_tls", [False, True], ids=["http", "https"])
def test_who_gives_up_leaves_nothing_open(tmp_path: Path, *, is_tls: bool) -> None:
    """Cancelled while it waits for an answer, or for room: the other side sees the end."""
    context, ca_file = certificate(tmp_path) if is_tls else (None, None)
    for size in (10, LARGE):
        with far_end(context, reads=False) as far:
            with pytest.raises(httpx.ReadTimeout):
                ask(far.base, size, ca_file=ca_file, within=0.5)
            far.reads.set()
            assert far.ended.wait(10)
            assert is_whole(far.got[0]) == (size == 10)


def test_a_name_with_two_addresses_and_nobody_there() -> None:
    """asyncio tells of both in words alone: the reason is known all the same."""
    found = asyncio.run(reach(base_url=f"http://localhost:{free_port()}"))
    assert (found.obstacle, found.problem) == (Obstacle.REFUSED, "Connection refused")


def test_a_name_that_is_none() -> None:
    """A label of 70 letters never resolves."""
    assert asyncio.run(reach(base_url=f"http://{'a' * 70}.test")).obstacle is not None


def open_sockets() -> int:
    links = list(Path("/proc/self/fd").iterdir())
    return sum(link.is_symlink() and str(link.readlink()).startswith("socket:") for link in links)


async def give_up(port: int, times: int) -> int:
    """So many connections of which each is given up at some moment; how many sockets more are open then."""
    sockets, chance, before = Sockets(), random.Random(1), open_sockets()

    async def one() -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(chance.random() * 0.02):
                stream = await sockets.connect_tcp("127.0.0.1", port)
                await stream.aclose()

    for _ in range(times // 30):
        await asyncio.gather(*(one() for _ in range(30)))
    for _ in range(100):
        if open_sockets() <= before:
            break
        await asyncio.sleep(0.1)
    return open_sockets() - before


def test_a_connection_that_is_given_up_leaves_no_socket_behind() -> None:
    """Also one that is made at the very moment; nobody collects rubbish meanwhile."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        listener.settimeout(0.2)
        taken = threading.Thread(target=_take_all, args=(listener,), daemon=True)
        taken.start()
        gc.disable()
        try:
            left = asyncio.run(give_up(listener.getsockname()[1], 600))
        finally:
            gc.enable()
        taken.join()
    assert left == 0


def test_where_no_number_is_left_for_another_file_nothing_stays_open() -> None:
    """The connection is made and cannot be kept: that is an error of connecting, and its socket is closed."""

    async def story(port: int) -> None:
        sockets = Sockets()
        before = open_sockets()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        # One number is left, for the connection itself, and none for what reads and writes beside it.
        free = os.dup(0)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free + 1, hard))
        try:
            with pytest.raises(httpcore.ConnectError, match="Too many open files"):
                await sockets.connect_tcp("127.0.0.1", port)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert open_sockets() == before

    with socket.create_server(("127.0.0.1", 0)) as listener:
        asyncio.run(story(listener.getsockname()[1]))


def _take_all(listener: socket.socket) -> None:
    """Whoever comes is heard out."""
    with suppress(TimeoutError):
        while True:
            line, _ = listener.accept()
            line.close()
