from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager

import httpx
import pytest

from wxsync.errors import ConfigError, WeComTransportError
from wxsync.model.member import MemberWrite
from wxsync.wecom.client import api_url, check_proxy, open_client
from wxsync.wecom.retries import Patience

QUICK = Patience(first_pause=0.001, longest_pause=0.001)
JSON = "Content-Type: application/json; charset=UTF-8\r\n"


def reply(body: str) -> bytes:
    data = body.encode()
    return f"HTTP/1.1 200 OK\r\n{JSON}Content-Length: {len(data)}\r\n\r\n".encode() + data


class Socket:
    """A bare TCP server that answers gettoken and does with every other call as it is told."""

    def __init__(self, behaviour: str) -> None:
        self.behaviour = behaviour
        self.calls: list[str] = []

    @asynccontextmanager
    async def listening(self):
        server = await asyncio.start_server(self.talk, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                target = head.decode().split(" ")[1]
                if target.startswith("/cgi-bin/gettoken"):
                    writer.write(reply('{"errcode":0,"errmsg":"ok","access_token":"t","expires_in":7200}'))
                    await writer.drain()
                    continue
                self.calls.append(target)
                if self.behaviour == "silence":
                    await asyncio.sleep(2)
                if self.behaviour == "half":
                    writer.write(reply('{"errcode":0,"errmsg":"created"}')[:-5])
                    await writer.drain()
                break
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


def create_over(behaviour: str):
    """(the error, the calls that arrived) of one creation over a real socket."""

    async def story():
        far = Socket(behaviour)
        async with far.listening() as url:
            timeouts = httpx.Timeout(1.0, read=0.2)
            async with open_client(
                corp_id="ww1", secret="s", base_url=url, timeouts=timeouts, patience=QUICK
            ) as contacts:
                with pytest.raises(WeComTransportError) as caught:
                    await contacts.create_member(MemberWrite(userid="a", name="甲"))
        return caught.value, far.calls

    return asyncio.run(story())


@pytest.mark.parametrize("behaviour", ["close", "half", "silence"])
def test_a_creation_over_a_line_that_breaks_is_ambiguous(behaviour):
    """A closed connection, half an answer or none in time: one attempt, and its fate is unknown."""
    error, calls = create_over(behaviour)
    assert error.is_ambiguous is True
    assert calls == ["/cgi-bin/user/create?access_token=t"]


def test_nobody_listens():
    """A refused connection is certain: nothing was sent, and the hint says where to look."""

    async def story():
        async with Socket("close").listening() as url:
            pass
        async with open_client(corp_id="ww1", secret="s", base_url=url, patience=QUICK) as contacts:
            await contacts.create_member(MemberWrite(userid="a", name="甲"))

    with pytest.raises(WeComTransportError, match="cannot be reached") as caught:
        asyncio.run(story())
    assert caught.value.is_ambiguous is False
    assert "base_url" in str(caught.value.hint)


@pytest.mark.parametrize(("proxy", "asked"), [(None, "far"), ("env", "via")])
def test_the_environments_proxies_are_ignored_unless_asked_for(monkeypatch, proxy, asked):
    """HTTP_PROXY of the shell is nobody's wish; proxy = "env" makes it one."""

    async def story() -> dict[str, int]:
        far, via = Socket("close"), Socket("close")
        async with far.listening() as far_url, via.listening() as via_url:
            for name in ("HTTP_PROXY", "http_proxy"):
                monkeypatch.setenv(name, via_url)
            for name in ("NO_PROXY", "no_proxy"):
                monkeypatch.setenv(name, "")
            async with open_client(
                corp_id="ww1", secret="s", base_url=far_url, proxy=proxy, patience=Patience(reconnects=0)
            ) as contacts:
                with pytest.raises(WeComTransportError):
                    await contacts.delete_tag(1)
        return {"far": len(far.calls), "via": len(via.calls)}

    assert asyncio.run(story()) == {"far": 0, "via": 0} | {asked: 1}


def test_the_loggers_that_print_urls_are_kept_quiet():
    """httpx and httpcore are at WARNING once a client is open, and stay quieter where they were."""
    logging.getLogger("httpx").setLevel(logging.DEBUG)
    logging.getLogger("httpcore").setLevel(logging.ERROR)

    async def story():
        async with open_client(corp_id="ww1", secret="s", base_url="https://wecom.test"):
            pass

    asyncio.run(story())
    assert logging.getLogger("httpx").level == logging.WARNING
    assert logging.getLogger("httpcore").level == logging.ERROR
    logging.getLogger("httpcore").setLevel(logging.WARNING)


def test_base_url_gets_cgi_bin():
    """With or without a slash at its end, and under a path."""
    assert str(api_url("https://qyapi.weixin.qq.com")) == "https://qyapi.weixin.qq.com/cgi-bin"
    assert str(api_url("http://127.0.0.1:81/wx/")) == "http://127.0.0.1:81/wx/cgi-bin"


@pytest.mark.parametrize("base_url", ["", "qyapi.weixin.qq.com", "ftp://x", "https://", "https://x:port"])
def test_a_base_url_that_is_none(base_url):
    """Refused before anything is sent, in words that say what to write."""
    with pytest.raises(ConfigError, match="Write https://qyapi"):
        api_url(base_url)


def test_a_bad_ca_file_and_a_bad_proxy_are_config_errors(tmp_path):
    """Both are named; the proxy, which may hold a password, is not repeated."""

    async def opened(**kwargs):
        async with open_client(corp_id="ww1", secret="s", base_url="https://wecom.test", **kwargs):
            pass

    junk = tmp_path / "ca.pem"
    junk.write_text("junk")
    for ca_file in (junk, tmp_path / "missing.pem"):
        with pytest.raises(ConfigError, match="ca_file"):
            asyncio.run(opened(ca_file=ca_file))
    with pytest.raises(ConfigError, match="proxy") as caught:
        asyncio.run(opened(proxy="socks://user:pass@host"))
    assert "pass" not in str(caught.value)


@pytest.mark.parametrize(
    "proxy",
    [
        "http://wxsync:hu@sh/sh@proxy.test:3128",
        "http://wxsync:hu@sh@proxy.test:3128",
        "http://proxy.test:3128/hush",
        "http://proxy.test:3128?hush",
        "http://proxy.test:3128#hush",
    ],
)
def test_a_proxys_password_does_not_become_its_host(proxy):
    """Unescaped, @ and / would have calls go to another host: refused with what to write, not repeated."""
    with pytest.raises(ConfigError, match=r"%40.*%2F") as caught:
        check_proxy(proxy)
    assert "hu" not in str(caught.value)
    check_proxy("http://wxsync:p%40ss%2Fword@proxy.test:3128")
