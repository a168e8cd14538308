"""The far end of the line for tests of the client: scripted HTTP answers, and a clock that sleeping moves."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from wxsync.wecom.client import open_client, open_transport
from wxsync.wecom.contacts import Contacts
from wxsync.wecom.retries import Patience

BASE = "https://wecom.test"
SECRET = "very-secret-corpsecret"
CORP = "ww0000000000000001"

Reply = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


def ok(errmsg="ok", **facts) -> httpx.Response:
    return httpx.Response(200, json={"errcode": 0, "errmsg": errmsg, **facts})


def errcode(number, errmsg="refused") -> httpx.Response:
    return httpx.Response(200, json={"errcode": number, "errmsg": errmsg})


def snapshot(request: httpx.Request) -> httpx.Request:
    """The request as it is now: the client sends the same object again, with another token."""
    return httpx.Request(
        request.method,
        request.url,
        headers=request.headers,
        content=request.content,
        extensions=dict(request.extensions),
    )


@dataclass
class Clock:
    """Time that passes only while somebody sleeps."""

    now: float = 1000.0
    sleeps: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


class Line:
    """Answers each path with its script, one reply a call; the last one is given again and again."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.scripts: dict[str, list[Reply]] = {}
        self.requests: dict[str, list[httpx.Request]] = defaultdict(list)
        self.token_number = 0

    def script(self, path: str, *replies: Reply) -> Line:
        self.scripts[path] = list(replies)
        return self

    def bodies(self, path: str) -> list:
        return [json.loads(request.content) for request in self.requests[path]]

    def count(self, path: str) -> int:
        return len(self.requests[path])

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/cgi-bin/")
        self.requests[path].append(snapshot(request))
        await asyncio.sleep(0)
        script = self.scripts.get(path)
        if script is None:
            return self._token() if path == "gettoken" else httpx.Response(404)
        reply = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, httpx.Response):
            # A stream, as from the network: content would count as read already.
            stream = httpx.ByteStream(reply.content)
            return httpx.Response(reply.status_code, stream=stream, headers=reply.headers)
        return reply(request)

    def _token(self) -> httpx.Response:
        self.token_number += 1
        return ok(access_token=f"tok-secret-{self.token_number}", expires_in=7200)

    @asynccontextmanager
    async def open(self, patience: Patience | None = None) -> AsyncIterator[Contacts]:
        async with open_client(
            corp_id=CORP,
            secret=SECRET,
            base_url=BASE,
            transport=httpx.MockTransport(self._answer),
            patience=patience,
            sleep=self.clock.sleep,
            clock=self.clock,
        ) as contacts:
            yield contacts

    def ask(self, act, patience: Patience | None = None):
        """What `act(transport)` gives: for families of calls other than the directory's."""

        async def story():
            async with open_transport(
                corp_id=CORP,
                secret=SECRET,
                base_url=BASE,
                transport=httpx.MockTransport(self._answer),
                patience=patience,
                sleep=self.clock.sleep,
                clock=self.clock,
            ) as transport:
                return await act(transport)

        return asyncio.run(story())

    def run(self, act, patience: Patience | None = None):
        """What `act(contacts)` gives, in a loop of its own."""

        async def story():
            async with self.open(patience) as contacts:
                return await act(contacts)

        return asyncio.run(story())
