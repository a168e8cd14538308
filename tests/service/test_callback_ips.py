"""The addresses from which WeCom sends are read each day, and a failure leaves what is known."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from tests.journeys.stage import settings_of
from wxsync.errors import WeComError
from wxsync.mirror.store import Store
from wxsync.runtime import job_callback, read_callback_ips
from wxsync.sandbox.state import SandboxState
from wxsync.sandbox.transport import SandboxTransport
from wxsync.service import callback_ips
from wxsync.service.callback_ips import CallbackIps, read_due
from wxsync.service.clients import Network

HERE, ELSEWHERE = ip_address("198.51.100.7"), ip_address("203.0.113.9")
LISTED = [ip_network("198.51.100.0/24")]


def test_before_a_list_is_read_all_are_listed() -> None:
    """For want of a list nobody is refused; an empty one is no list."""
    ips = CallbackIps()
    assert ips.has("acme", ELSEWHERE)
    ips.put("acme", [], 0)
    assert ips.has("acme", ELSEWHERE)
    ips.put("acme", LISTED, 0)
    assert ips.has("acme", HERE)
    assert not ips.has("acme", ELSEWHERE)
    assert not ips.has("acme", None)
    assert ips.has("beta", ELSEWHERE)


def test_an_address_is_news_once_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """And of so many at most, so that nobody fills memory or log by coming from everywhere."""
    monkeypatch.setattr(callback_ips, "MOST_NAMED", 2)
    ips = CallbackIps()
    assert [ips.is_news("acme", ELSEWHERE), ips.is_news("acme", ELSEWHERE)] == [True, False]
    assert [ips.is_news("acme", HERE), ips.is_news("acme", ip_address("::1"))] == [True, False]
    ips.put("acme", LISTED, 0)
    assert ips.is_news("acme", ELSEWHERE)


def test_it_is_read_each_day_and_sooner_after_a_failure() -> None:
    """What was read before holds as long as it cannot be; a corp that the config gains is read at once."""
    ips, asked = CallbackIps(), []
    down: set[str] = set()

    async def ask(corp: str) -> Iterable[Network]:
        asked.append(corp)
        if corp in down:
            raise WeComError("down")
        return LISTED

    def read(hour: int, *corps: str) -> list[str]:
        asked.clear()
        asyncio.run(read_due(ips, corps, ask, lambda: 1000 + hour * 3600.0))
        return [*asked]

    assert read(0, "acme") == ["acme"]
    assert read(1, "acme", "beta") == ["beta"]
    down.add("acme")
    assert read(23, "acme", "beta") == []
    assert read(24, "acme", "beta") == ["acme"]
    assert not ips.has("acme", ELSEWHERE)
    assert read(25, "acme", "beta") == ["acme", "beta"]
    down.clear()
    assert read(26, "acme", "beta") == ["acme"]
    assert read(27, "acme", "beta") == []


def test_wecom_is_asked_by_the_contact_secret(store: Store, tmp_path: Path) -> None:
    """The sandbox's own list comes back as networks."""
    state = SandboxState()
    settings = settings_of("sqlite:///nowhere.db", tmp_path / "mirror.db")
    read = read_callback_ips(settings, "acme", store, transport=SandboxTransport(state))
    networks = asyncio.run(read)
    assert networks
    assert [call.path for call in state.log if call.path != "gettoken"] == ["getcallbackip"]


def test_a_job_is_told_of_where_the_config_has_an_address(tmp_path: Path) -> None:
    """`public_url` and the corp's callback make it; without one of them nobody is told."""
    settings = settings_of("sqlite:///nowhere.db", tmp_path / "mirror.db")
    keys = {"token": "tok", "encoding_aes_key": "a" * 43}
    plain = settings.model_dump() | {"service": {"public_url": "https://hr.example.com/wx/"}}
    assert job_callback(type(settings).model_validate(plain), "acme") is None
    plain["corp"]["acme"]["callback"] = keys
    told = job_callback(type(settings).model_validate(plain), "acme")
    assert told is not None
    assert (told.url, told.token) == ("https://hr.example.com/wx/callback/acme", "tok")
    assert job_callback(type(settings).model_validate(plain | {"service": {}}), "acme") is None
