"""Whatever becomes of the line, no secret is in what is left to be read of it: sockets, proxies, webhooks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.servers.ports import free_port
from tests.wecom.leaks import leaked, listening, told_by
from tests.wecom.line import BASE, CORP
from tests.wecom.secrecy import (
    BROKEN,
    PATIENT,
    PERSONAL,
    SECRETS,
    WRITE,
    Far,
    MemoryTokensWithOne,
    check,
    refused_with,
)
from tests.wecom.web import certificate, serving
from wxsync.errors import (
    ConfigError,
    WeComError,
    WeComTransportError,
)
from wxsync.wecom.client import open_client
from wxsync.wecom.errcodes import ERRCODES
from wxsync.wecom.reach import Reach, reach
from wxsync.wecom.retries import Patience
from wxsync.wecom.webhook import open_webhook
from wxsync.wecom.webhook_content import WebhookText
from wxsync.wecom.wire.media import MediaType

# Real lines

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")


async def say_half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{")
    await writer.drain()


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def say_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The request comes back as the status line."""
    head = await reader.readuntil(b"\r\n\r\n")
    writer.write(head)
    await writer.drain()


async def ask_for_password(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The request, with what it said of the password, comes back in the status line and a header."""
    told = (await reader.readuntil(b"\r\n\r\n")).replace(b"\r\n", b" ")
    writer.write(b"HTTP/1.1 407 %s\r\nX-Told: %s\r\nContent-Length: 0\r\n\r\n" % (told, told))
    await writer.drain()


LINES = {
    "hangs up": (hang_up, "{url}", None),
    "half an answer": (say_half, "{url}", None),
    "no answer in time": (say_nothing, "{url}", None),
    "no HTTP": (say_nonsense, "{url}", None),
    "no TLS": (hang_up, "{tls}", None),
    "TLS without an answer": (say_nothing, "{tls}", None),
    "nobody listens": (None, "{url}", None),
    "a name that is nobody's": (None, "https://wecom.invalid", None),
    "a proxy that hangs up": (hang_up, "http://wecom.test", "{proxy}"),
    "a proxy that wants another password": (ask_for_password, "http://wecom.test", "{proxy}"),
    "a proxy that wants another password for TLS": (ask_for_password, "https://wecom.test", "{proxy}"),
    "a proxy that talks nonsense": (say_nonsense, "https://wecom.test", "{proxy}"),
    "a proxy that is not there": (None, "https://wecom.test", "{proxy}"),
}


@asynccontextmanager
async def talking(talk: Talk | None) -> AsyncIterator[int]:
    """The port at which somebody talks like this, and has hung up at the end; None: nobody does."""
    conversations: set[asyncio.Task[Any]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (task := asyncio.current_task()) is not None:
            conversations.add(task)
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                await (talk or hang_up)(reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async with await asyncio.start_server(converse, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1] if talk else free_port()
    for each in conversations:
        each.cancel()
    await asyncio.gather(*conversations, return_exceptions=True)


def over(name: str, act: Callable[[dict[str, Any]], Awaitable[object]]) -> tuple[object, list[str]]:
    """What `act` gives or raises where the line is like this, and what was logged."""
    talk, url, proxy = LINES[name]

    async def story() -> object:
        async with talking(talk) as port:
            places = {
                "url": f"http://127.0.0.1:{port}",
                "tls": f"https://127.0.0.1:{port}",
                "proxy": f"http://wxsync:{quote(SECRETS['proxy password'], safe='')}@127.0.0.1:{port}",
            }
            options = {"base_url": url.format(**places), "proxy": proxy and proxy.format(**places)}
            try:
                return await act({**options, "timeouts": httpx.Timeout(0.3)})
            except WeComError as error:
                return error

    with listening() as heard:
        return asyncio.run(story(), debug=True), heard


async def create(options: dict[str, Any]) -> None:
    """An error leaves the block in which the client is open."""
    async with open_client(
        corp_id=CORP,
        secret=SECRETS["contact secret"],
        tokens=MemoryTokensWithOne(),
        patience=Patience(first_pause=0.001, longest_pause=0.001, reconnects=1),
        **options,
    ) as contacts:
        await contacts.create_member(WRITE)


@pytest.mark.parametrize("name", LINES)
def test_every_line(name):
    """Sockets that break in every way, under a call with a token and under a look without one."""
    error, heard = over(name, create)
    assert isinstance(error, WeComTransportError)
    check(name, error, heard, {})
    found, heard = over(name, lambda options: reach(**options))
    assert isinstance(found, Reach)
    assert leaked(f"{found!r} {found.problem} {heard}", SECRETS) == {}


def test_a_certificate_that_nobody_knows(tmp_path):
    """As where TLS is opened on its way."""
    context, _ = certificate(tmp_path)
    with (
        serving(context=context) as url,
        listening() as heard,
        pytest.raises(WeComTransportError, match="certificate") as caught,
    ):
        asyncio.run(create({"base_url": url}), debug=True)
    check("certificate", caught.value, heard, {})


@pytest.mark.parametrize(
    "options",
    [
        {"proxy": f"socks9://wxsync:{quote(SECRETS['proxy password'])}@proxy.test"},
        {"proxy": f"http://wxsync:{quote(SECRETS['proxy password'], safe='')}@proxy.test:port"},
        {"ca_file": Path("/nowhere/ca.pem")},
        {"base_url": f"ftp://wxsync:{quote(SECRETS['proxy password'])}@wecom.test"},
    ],
    ids=["proxy", "port", "ca_file", "base_url"],
)
def test_what_cannot_be_opened(options):
    """The text repeats nothing of it; the frames of the opening hold what they were given, by nature."""
    with listening() as heard, pytest.raises(ConfigError) as caught:
        asyncio.run(create({"base_url": BASE, **options}), debug=True)
    assert leaked("\n".join([told_by(caught.value), *heard]), {**SECRETS, **PERSONAL}) == {}


# The webhook


@pytest.mark.parametrize("is_upload", [False, True])
def test_every_failure_of_a_webhook(is_upload):
    """Its key is in the URL of every call, and is all that it takes."""
    answers = {**BROKEN, **{str(code): refused_with(code) for code in ERRCODES}}
    content = WebhookText(content=PERSONAL["mobile"], mentioned_mobiles=(PERSONAL["mobile"],))
    count = 0

    async def story():
        nonlocal count
        far = Far()
        async with open_webhook(
            SECRETS["webhook key"],
            base_url=BASE,
            transport=httpx.MockTransport(far.reply),
            patience=PATIENT,
            sleep=far.clock.sleep,
            clock=far.clock,
        ) as webhook:
            upload = partial(webhook.upload_media, MediaType.FILE, "a.txt", PERSONAL["mobile"].encode())
            act = upload if is_upload else partial(webhook.send, content)
            for name, answer in answers.items():
                far.answer = answer
                with listening() as heard:
                    error = await far.fail(act)
                count += error is not None
                check(name, error, heard, {})

    asyncio.run(story(), debug=True)
    assert count >= len(answers) - 3


def test_what_is_no_key_is_not_repeated():
    """A whole address is what people paste."""
    address = f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={SECRETS['webhook key']}"

    async def story():
        async with open_webhook(address, base_url=BASE):
            pass

    with listening() as heard, pytest.raises(ConfigError) as caught:
        asyncio.run(story())
    assert leaked("\n".join([told_by(caught.value), *heard]), SECRETS) == {}
