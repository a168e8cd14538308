"""How many calls a run has under way at once: as many as the config says."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from tests.journeys.story import Story
from wxsync.sandbox.state import SandboxState
from wxsync.sandbox.transport import SandboxTransport


class Watched(SandboxTransport):
    """Keeps each call for a moment, and remembers how many there were at once."""

    def __init__(self, state: SandboxState) -> None:
        super().__init__(state)
        self.now = self.most = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/gettoken"):
            return await super().handle_async_request(request)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(0.005)
            return await super().handle_async_request(request)
        finally:
            self.now -= 1


@pytest.mark.parametrize("concurrency", [1, 3, 10, 20])
def test_so_many_calls_are_under_way_as_the_config_says(tmp_path: Path, concurrency: int) -> None:
    """Sixty people are created: never more at once than `concurrency`, and as many as that."""
    story = Story(tmp_path, policy={"method": "single"})
    for number in range(60):
        story.person(f"E{number}")
    story.save()
    settings = story.stage.settings
    corp = settings.corp["acme"].model_copy(update={"concurrency": concurrency})
    story.stage.settings = settings.model_copy(update={"corp": {"acme": corp}})
    watched = Watched(story.wecom)
    story.stage.line = watched

    story.stage.apply()

    assert watched.most == concurrency
