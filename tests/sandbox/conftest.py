"""A sandbox with a caller of its own, which speaks raw JSON and knows nothing of wxsync.wecom."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Iterator, Mapping
from typing import Any

import httpx
import pytest

from wxsync.sandbox.state import SandboxState
from wxsync.sandbox.transport import SandboxTransport


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Caller:
    """One client of one sandbox; synchronous, for tests that are a story of calls."""

    def __init__(
        self, state: SandboxState, transport: httpx.AsyncBaseTransport, runner: asyncio.Runner
    ) -> None:
        self.state = state
        self.client = httpx.AsyncClient(transport=transport, base_url="https://sandbox.invalid")
        self._runner = runner
        self.token = self.fetch_token(state.contact_secret)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(work)

    def fetch_token(self, secret: str) -> str:
        answer = self.get("gettoken", None, corpid=self.state.corp_id, corpsecret=secret)
        return str(answer.get("access_token"))

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        answer = self.run(self.client.request(method, f"/cgi-bin/{path}", **options))
        assert isinstance(answer, httpx.Response)
        return answer

    def get(self, path: str, token: str | None = "own", **query: object) -> dict[str, Any]:
        params = {name: str(value) for name, value in query.items()}
        if token is not None:
            params["access_token"] = self.token if token == "own" else token
        return dict(self.send("GET", path, params=params).json())

    def post(self, path: str, body: Mapping[str, Any], token: str | None = None) -> dict[str, Any]:
        content = json.dumps(body, ensure_ascii=False).encode()
        params = {"access_token": token or self.token}
        return dict(self.send("POST", path, params=params, content=content).json())

    def make(self, userid: str, **fields: Any) -> dict[str, Any]:
        """user/create with what it wants at least, and no invitation."""
        body = {"userid": userid, "name": "林梅", "department": [1], "to_invite": False, **fields}
        if "mobile" not in fields and "email" not in fields:
            body["email"] = f"{userid.lower()}@example.com"
        return self.post("user/create", body)

    def department(self, name: str, parentid: int = 1, **fields: Any) -> int:
        """department/create; the new id."""
        answer = self.post("department/create", {"name": name, "parentid": parentid, **fields})
        assert answer["errcode"] == 0, answer
        return int(answer["id"])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state(clock: Clock) -> SandboxState:
    return SandboxState(clock=clock)


@pytest.fixture
def wecom(state: SandboxState) -> Iterator[Caller]:
    with asyncio.Runner() as runner:
        caller = Caller(state, SandboxTransport(state), runner)
        yield caller
        runner.run(caller.client.aclose())
