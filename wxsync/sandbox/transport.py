"""The sandbox as an httpx transport, with the time limits that `httpx.ASGITransport` does not keep."""

from __future__ import annotations

import asyncio

import httpx

from wxsync.sandbox.app import create_sandbox
from wxsync.sandbox.state import SandboxState


class SandboxTransport(httpx.AsyncBaseTransport):
    """A client that mounts this meets what it would meet over a socket.

    Broken connections are `httpx.TransportError`s. An answer that is later than the client's read
    timeout is an `httpx.ReadTimeout`, while the call goes on and may still have its effect.
    """

    def __init__(self, state: SandboxState, *, client_ip: str = "127.0.0.1") -> None:
        self._inner = httpx.ASGITransport(create_sandbox(state), client=(client_ip, 50000))
        self._under_way: set[asyncio.Task[httpx.Response]] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        task = asyncio.ensure_future(self._inner.handle_async_request(request))
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        limit = request.extensions.get("timeout", {}).get("read")
        done, _ = await asyncio.wait((task,), timeout=limit)
        if not done:
            raise httpx.ReadTimeout("the sandbox did not answer in time", request=request)
        return task.result()

    def _ended(self, task: asyncio.Task[httpx.Response]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            # Asked for, so that asyncio does not complain about an error that nobody waits for.
            task.exception()

    async def finish(self) -> None:
        """Wait for calls whose clients have given up."""
        if self._under_way:
            await asyncio.wait(self._under_way)

    async def aclose(self) -> None:
        """Calls that still wait are given up."""
        for task in tuple(self._under_way):
            task.cancel()
        await self._inner.aclose()
