"""Somebody else who acts in WeCom just when wxsync makes some call."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from tests.journeys.story import Story
from wxsync.model.run import Run
from wxsync.sandbox.transport import SandboxTransport


class Meanwhile(httpx.AsyncBaseTransport):
    """The way to WeCom, in which somebody else acts just before the nth call of a path."""

    def __init__(
        self, inner: httpx.AsyncBaseTransport, path: str, nth: int, act: Callable[[], object]
    ) -> None:
        self._inner, self._path, self._left, self._act = inner, path, nth, act

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(self._path):
            self._left -= 1
            if self._left == 0:
                self._act()
        return await self._inner.handle_async_request(request)


def apply_meanwhile(story: Story, path: str, nth: int, act: Callable[[], object]) -> Run:
    """Apply, and have something happen in WeCom just before the nth call of a path."""
    story.stage.line = Meanwhile(SandboxTransport(story.wecom), path, nth, act)
    try:
        return story.apply()
    finally:
        story.stage.line = None
