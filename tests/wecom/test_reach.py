"""What lies between this machine and WeCom, told apart on real sockets, without a secret."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers.ports import free_port
from tests.wecom.web import (
    INSPECTOR,
    OTHER_ADDRESS,
    Forwarding,
    certificate,
    off_by,
    saying,
    serving,
    silence,
)
from wxsync.sandbox.serve import running_sandbox
from wxsync.sandbox.state import SandboxState
from wxsync.wecom.reach import Obstacle, Reach, environment_proxies, reach


def looked(base_url: str, **how: Any) -> Reach:
    return asyncio.run(reach(base_url=base_url, **how))


def test_wecom_is_known_by_its_refusal() -> None:
    """No token is sent and none asked for; the refusal tells the address, and the clocks agree."""
    state = SandboxState()
    with running_sandbox(state) as url:
        found = looked(url)
    assert (found.obstacle, found.address, found.host) == (None, "127.0.0.1", url)
    assert found.clock_ahead is not None
    assert abs(found.clock_ahead) < 5
    assert [(call.path, call.errcode) for call in state.log] == [("getcallbackip", 41001)]


def test_a_name_that_does_not_resolve() -> None:
    """The top-level domain .invalid never does (RFC 6761)."""
    found = looked("https://wecom.invalid")
    assert found.obstacle is Obstacle.NAME
    assert found.host == "https://wecom.invalid"


def test_a_closed_port() -> None:
    """Somebody is there and refuses."""
    found = looked(f"http://127.0.0.1:{free_port()}")
    assert (found.obstacle, found.problem) == (Obstacle.REFUSED, "Connection refused")


def test_no_network() -> None:
    """An address to which no route leads."""
    assert looked("https://255.255.255.255").obstacle is Obstacle.NETWORK


def test_silence() -> None:
    """A connection, and nothing on it."""
    with silence() as url:
        assert looked(url, timeouts=httpx.Timeout(0.3)).obstacle is Obstacle.SILENCE


def test_a_certificate_that_is_not_trusted(tmp_path: Path) -> None:
    """Its issuer is named; with that certificate in ca_file it is trusted."""
    context, file = certificate(tmp_path)
    with serving(context=context) as url:
        found = looked(url)
        trusted = looked(url, ca_file=file)
    assert found.obstacle is Obstacle.CERTIFICATE
    assert found.issuer is not None
    assert INSPECTOR in found.issuer
    assert "Example Network" in found.issuer
    assert "self-signed" in found.problem
    assert (trusted.obstacle, trusted.address) == (None, "203.0.113.9")


@pytest.mark.parametrize(
    ("how", "problem"), [({"days": -1}, "expired"), ({"host": "other.example"}, "mismatch")]
)
def test_other_faults_of_a_certificate(how: dict[str, Any], problem: str, tmp_path: Path) -> None:
    """Past its time, or another host's: in the words of TLS."""
    context, file = certificate(tmp_path, **how)
    with serving(context=context) as url:
        found = looked(url, ca_file=file)
    assert found.obstacle is Obstacle.CERTIFICATE
    assert problem in found.problem


@pytest.mark.parametrize("seconds", [-500, 90])
def test_a_clock_that_is_off(seconds: int, tmp_path: Path) -> None:
    """By how much, either way; also where the certificate is not trusted, which it may be the cause of."""
    context, _ = certificate(tmp_path)
    with serving(off_by(seconds)) as url, serving(off_by(seconds), context) as over_tls:
        for found in (looked(url), looked(over_tls)):
            assert found.clock_ahead is not None
            assert abs(found.clock_ahead + seconds) < 5


@pytest.mark.parametrize(
    ("status", "body"), [(404, b"{}"), (200, b"<html>Log in</html>"), (302, b""), (200, b"[]"), (200, b"{}")]
)
def test_somebody_else_answers(status: int, body: bytes) -> None:
    """A portal, a web server, JSON that is not WeCom's."""
    with serving(saying(status, body)) as url:
        found = looked(url)
    assert found.obstacle is Obstacle.STRANGER
    assert str(status) in found.problem


def test_plain_http_where_tls_is_wanted() -> None:
    """Whoever answers does not speak TLS."""
    with serving() as url:
        assert looked(url.replace("http:", "https:")).obstacle is Obstacle.STRANGER


def test_a_proxy_is_seen_by_its_address() -> None:
    """WeCom sees where the proxy's calls come from; without the proxy it sees this machine."""
    with running_sandbox(SandboxState()) as url, serving(Forwarding) as proxy:
        assert looked(url, proxy=proxy).address == OTHER_ADDRESS
        assert looked(url).address == "127.0.0.1"


def test_proxies_that_do_not_help() -> None:
    """One that is not there, one that refuses to tunnel, one that wants a password."""
    assert looked("http://wecom.test", proxy=f"http://127.0.0.1:{free_port()}").obstacle is Obstacle.REFUSED
    with serving(saying(407, b"")) as proxy:
        assert looked("http://wecom.test", proxy=proxy).obstacle is Obstacle.PROXY
        assert looked("https://wecom.test", proxy=proxy).obstacle is Obstacle.PROXY


def test_the_environments_proxies_are_used_only_where_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are named without their values, which may hold a password."""
    with running_sandbox(SandboxState()) as url, serving(Forwarding) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("no_proxy", "")
        assert environment_proxies() == ("HTTP_PROXY",)
        assert looked(url).address == "127.0.0.1"
        assert looked(url, proxy="env").address == OTHER_ADDRESS
