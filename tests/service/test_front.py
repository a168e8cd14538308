"""What the daemon serves, as a whole: who may see the metrics, and who is kept waiting by nobody."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.service.sender import settings
from wxsync.mirror import schema
from wxsync.mirror.store import Store
from wxsync.service import web
from wxsync.service.front import Front
from wxsync.service.web import listening, serving


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(schema.prepare(f"sqlite:///{tmp_path}/mirror.db"))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("trusted", "headers", "status"),
    [
        ([], {}, 200),
        ([], {"X-Forwarded-For": "203.0.113.9"}, 403),
        ([], {"X-Real-IP": "203.0.113.9"}, 403),
        (["127.0.0.1"], {"X-Forwarded-For": "203.0.113.9"}, 403),
        (["127.0.0.1"], {"X-Forwarded-For": "127.0.0.7"}, 200),
    ],
)
def test_metrics_are_for_those_who_ask_themselves(
    store: Store, trusted: list[str], headers: dict[str, str], status: int
) -> None:
    """A proxy on this machine that nobody named opens them to nobody."""
    config = settings(service={"trusted_proxies": trusted})
    front = Front(store, lambda: config, lambda _corp: None)

    async def ask() -> int:
        transport = httpx.ASGITransport(front.app, client=("127.0.0.1", 1234))
        async with httpx.AsyncClient(transport=transport, base_url="http://wxsync.test") as client:
            return (await client.get("/metrics", headers=headers)).status_code

    assert asyncio.run(ask()) == status


def test_who_connects_and_says_nothing_keeps_nobody_waiting(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as may be connected at once, silent: their places are free again when their time is up."""
    monkeypatch.setattr(web, "FIRST_WORD", 1.0)
    front = Front(store, settings, lambda _corp: None)
    with listening("127.0.0.1:0") as listener, serving(front.app, listener) as served:
        silent = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(web.MOST_AT_ONCE)]
        deadline = time.monotonic() + 20
        while httpx.get(f"http://127.0.0.1:{served.port}/healthz").status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        for each in silent:
            each.close()
