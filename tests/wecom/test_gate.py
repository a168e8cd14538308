"""Nothing goes out without leave, which is asked for until the very moment in which a call is written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from tests.wecom.line import BASE, CORP, SECRET, Line, ok
from wxsync.errors import MirrorError, WeComTransportError
from wxsync.mirror.clocks import since_boot
from wxsync.wecom.client import open_transport
from wxsync.wecom.gate import Gate, Leave
from wxsync.wecom.retries import Patience

TOKEN = b'{"errcode":0,"access_token":"tok","expires_in":7200}'
DONE = b'{"errcode":0}'
BODY = {"userid": "e1", "name": "x" * 100}
ONCE = Patience(reconnects=0, answer_within=7.0)
AGAIN = Patience(reconnects=1, answer_within=7.0, first_pause=0.0)


@dataclass
class Rights:
    """A hold whose leave is as it was told, question by question; the last word stands."""

    says: list[bool]
    asked: list[float] = field(default_factory=list)
    at: Callable[[], None] = lambda: None

    async def leave(self, within: float) -> Leave:
        self.asked.append(within)
        return Leave(self._may_go, since_boot() + within)

    def _may_go(self) -> bool:
        self.at()
        return self.says.pop(0) if len(self.says) > 1 else self.says[0]


@dataclass
class Far:
    """What the other side got: connections, heads, and calls that were whole."""

    base: str = ""
    heads: list[str] = field(default_factory=list)
    whole: list[str] = field(default_factory=list)


@asynccontextmanager
async def far_end() -> AsyncIterator[Far]:
    far = Far()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                path = head.split()[1].partition("?")[0].removeprefix("/cgi-bin/")
                far.heads.append(path)
                size = [line for line in head.lower().splitlines() if line.startswith("content-length")]
                await reader.readexactly(int(size[0].partition(":")[2]) if size else 0)
                far.whole.append(path)
                answer = TOKEN if path == "gettoken" else DONE
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        far.base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield far
    finally:
        server.close()


def send(
    rights: Rights, patience: Patience = ONCE, *, has_body: bool = True
) -> tuple[Far, WeComTransportError | None]:
    """A creation, or a deletion, which has no body; and what the other side got of it."""

    async def story() -> tuple[Far, WeComTransportError | None]:
        gate, error = Gate(), None
        async with (
            far_end() as far,
            open_transport(
                corp_id=CORP, secret=SECRET, base_url=far.base, patience=patience, gate=gate
            ) as line,
        ):
            with gate.held_by(rights):
                try:
                    if has_body:
                        await line.send("POST", "user/create", json=BODY, is_repeatable=False)
                    else:
                        await line.send("GET", "user/delete", is_repeatable=True)
                except WeComTransportError as caught:
                    error = caught
            await asyncio.sleep(0.05)
        return far, error

    return asyncio.run(story())


def test_with_leave_a_call_goes_out_once():
    """It is asked for as long as an answer may take, and twice more for each part that is written."""
    count: list[None] = []
    rights = Rights([True], at=lambda: count.append(None))
    far, error = send(rights)
    assert (far.whole, error) == (["gettoken", "user/create"], None)
    assert (rights.asked, len(count)) == ([7.0], 5)


@pytest.mark.parametrize(
    ("says", "heads"),
    [
        ([False], ["gettoken"]),
        ([True, False], ["gettoken"]),
        ([True, True, False], ["gettoken"]),
        ([True, True, True, False], ["gettoken", "user/create"]),
    ],
    ids=[
        "before_it_is_begun",
        "when_the_connection_is_made",
        "when_the_timer_is_set",
        "between_head_and_body",
    ],
)
def test_without_leave_no_call_is_whole(says: list[bool], heads: list[str]):
    """However late it is lost: what has no body yet has no effect, and the error says that it has none."""
    far, error = send(Rights(says))
    assert (far.heads, far.whole) == (heads, ["gettoken"])
    assert error is not None
    assert not error.is_ambiguous
    assert "ConnectTimeout" in error.message


def test_a_call_without_a_body_is_whole_with_its_head():
    """Nobody is asked once more when it is out: it would be called unsent and yet have had its effect."""
    far, error = send(Rights([True, True, True, False]), has_body=False)
    assert (far.whole, error) == (["gettoken", "user/delete"], None)
    far, error = send(Rights([True, False]), has_body=False)
    assert far.heads == ["gettoken"]
    assert error is not None


def test_a_call_that_lost_its_leave_asks_for_another():
    """A creation too: nothing of it was done."""
    rights = Rights([True, False, True])
    far, error = send(rights, AGAIN)
    assert (far.whole, error) == (["gettoken", "user/create"], None)
    assert rights.asked == [7.0, 7.0]


def test_what_the_hold_raises_is_raised_and_nothing_goes_out():
    """Also for a call that is repeated as a rule."""

    class Lost:
        async def leave(self, within: float) -> Leave:
            raise MirrorError("the lease is lost")

    line, gate = Line().script("user/delete", ok()), Gate()
    far = httpx.MockTransport(line._answer)

    async def story() -> None:
        async with open_transport(
            corp_id=CORP, secret=SECRET, base_url=BASE, transport=far, gate=gate
        ) as transport:
            with gate.held_by(Lost()), pytest.raises(MirrorError, match="the lease is lost"):
                await transport.send("GET", "user/delete", is_repeatable=True)
            assert line.count("user/delete") == 0
            await transport.send("GET", "user/delete", is_repeatable=True)

    asyncio.run(story())
    assert line.count("user/delete") == 1
