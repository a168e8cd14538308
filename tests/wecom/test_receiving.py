"""Whatever answers in WeCom's place: a call ends in time, and takes no more memory than an answer may."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.wecom.line import CORP, SECRET, Line, ok
from wxsync.errors import WeComTransportError
from wxsync.wecom import receiving
from wxsync.wecom.client import open_transport
from wxsync.wecom.reach import Obstacle, reach
from wxsync.wecom.retries import Patience
from wxsync.wecom.webhook import open_webhook
from wxsync.wecom.webhook_content import WebhookText

TOKEN = b'{"errcode":0,"access_token":"tok","expires_in":7200}'
IMPATIENT = Patience(reconnects=0, answer_within=0.3)


@asynccontextmanager
async def dripping(*, token_drips: bool):
    """A server whose answers come byte by byte, for ever."""

    async def serve(reader, writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                if b"gettoken" in head and not token_drips:
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(TOKEN) + TOKEN)
                    continue
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                while True:
                    writer.write(b" ")
                    await writer.drain()
                    await asyncio.sleep(0.02)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def ask_dripping(*, token_drips: bool) -> WeComTransportError:
    async def story():
        async with (
            dripping(token_drips=token_drips) as base,
            open_transport(corp_id=CORP, secret=SECRET, base_url=base, patience=IMPATIENT) as transport,
        ):
            await transport.send("GET", "user/create", is_repeatable=False)

    started = time.monotonic()
    with pytest.raises(WeComTransportError) as caught:
        asyncio.run(asyncio.wait_for(story(), 5))
    assert time.monotonic() - started < 3
    return caught.value


def test_a_call_whose_answer_has_no_end_may_have_had_its_effect():
    """No read is ever long, so no time-out of a read is met."""
    error = ask_dripping(token_drips=False)
    assert error.is_ambiguous
    assert "ReadTimeout" in error.message


def test_a_token_that_has_no_end_is_a_call_that_was_not_sent():
    """Whatever becomes of gettoken, the call itself has no effect."""
    error = ask_dripping(token_drips=True)
    assert not error.is_ambiguous
    assert "gettoken" in error.message


def test_a_webhook_whose_answer_has_no_end_may_have_spoken():
    """The same for the one that needs no token."""

    async def story():
        async with (
            dripping(token_drips=False) as base,
            open_webhook("k", base_url=base, patience=IMPATIENT) as webhook,
        ):
            await webhook.send(WebhookText(content="hello"))

    with pytest.raises(WeComTransportError) as caught:
        asyncio.run(asyncio.wait_for(story(), 5))
    assert caught.value.is_ambiguous


def test_the_look_at_the_line_has_an_end(monkeypatch):
    """`check` says that nobody answers in time."""

    async def story():
        async with dripping(token_drips=False) as base:
            return await reach(base_url=base)

    monkeypatch.setattr("wxsync.wecom.reach.WITHIN", 0.3)
    assert asyncio.run(asyncio.wait_for(story(), 5)).obstacle is Obstacle.SILENCE


def test_answers_are_asked_for_as_they_are():
    """Also those of gettoken."""
    line = Line().script("tag/list", ok(taglist=[]))
    line.run(lambda contacts: contacts.list_tags())
    for path in ("gettoken", "tag/list"):
        assert line.requests[path][0].headers["accept-encoding"] == "identity"


def zipped(request: httpx.Request) -> httpx.Response:
    content = gzip.compress(json.dumps({"errcode": 0, "taglist": []}).encode())
    return httpx.Response(200, stream=httpx.ByteStream(content), headers={"Content-Encoding": "gzip"})


class Endless:
    """An answer of a hundred megabytes more than is read, and how many of them were."""

    def __init__(self) -> None:
        self.given = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=self._megabytes())

    async def _megabytes(self):
        for self.given in range(1, receiving.LARGEST // 2**20 + 100):
            yield b" " * 2**20


def lost_answer(reply) -> WeComTransportError:
    line = Line().script("tag/list", reply)
    with pytest.raises(WeComTransportError) as caught:
        line.run(lambda contacts: contacts.list_tags())
    assert line.count("tag/list") == 1
    return caught.value


def test_a_compressed_answer_is_not_read():
    """It is lost, and asked for no second time: it would be the same."""
    error = lost_answer(zipped)
    assert error.is_ambiguous
    assert "compressed" in error.message


def test_an_answer_beyond_all_bounds_is_not_read():
    """Nor more of it than a megabyte beyond 64."""
    reply = Endless()
    error = lost_answer(reply)
    assert error.is_ambiguous
    assert "over 67108864 bytes" in error.message
    assert reply.given == 65


def test_a_token_in_a_compressed_answer_is_none():
    """The call was not sent."""
    line = Line().script("gettoken", zipped)
    with pytest.raises(WeComTransportError, match="compressed") as caught:
        line.run(lambda contacts: contacts.list_tags())
    assert not caught.value.is_ambiguous
    assert line.count("gettoken") == 1
