"""A process that dies at a call: what WeCom has by then, and what is on the mirror's disk."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.journeys.stage import Stage
from wxsync.sandbox.app import OPERATIONS
from wxsync.sandbox.state import SandboxState
from wxsync.sandbox.transport import SandboxTransport


class Died(BaseException):
    """The process is no more: nothing of it may handle that."""


@dataclass
class FatalLine(httpx.AsyncBaseTransport):
    """The way to WeCom, on which the process dies at write call `at`, before or after its effect."""

    state: SandboxState
    at: int
    is_after: bool
    mirror: Path
    grave: Path
    """Where the mirror is kept as it was at that moment."""
    writes: int = 0
    is_dead: bool = False
    inner: SandboxTransport = field(init=False)

    def __post_init__(self) -> None:
        self.inner = SandboxTransport(self.state)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.is_dead:
            await asyncio.Event().wait()  # whoever asks a dead process waits until they are cancelled
        operation = OPERATIONS.get(request.url.path.removeprefix("/cgi-bin/"))
        if operation is not None and operation.is_write:
            self.writes += 1
            if self.writes > self.at:
                self.is_dead = True
                self._bury()
                if self.is_after:
                    await self.inner.handle_async_request(request)
                raise Died
        return await self.inner.handle_async_request(request)

    def _bury(self) -> None:
        with closing(sqlite3.connect(self.mirror)) as living, closing(sqlite3.connect(self.grave)) as dead:
            living.backup(dead)


def die_at(stage: Stage, at: int, *, is_after: bool, act: Callable[[Stage], object] = Stage.apply) -> bool:
    """Do `act` and die at that write call; the mirror is as the disk had it. False: no such call came."""
    mirror = Path(str(stage.settings.mirror.full_url.database))
    grave = mirror.with_suffix(".grave")
    line = FatalLine(stage.state, at, is_after, mirror, grave)
    if not _dies(stage, line, act):
        return False
    for file in mirror.parent.glob(f"{mirror.name}*"):
        file.unlink()
    grave.rename(mirror)
    stage.later(minutes=5)  # the dead run's lease runs out
    return True


def _dies(stage: Stage, line: FatalLine, act: Callable[[Stage], object]) -> bool:
    stage.line = line
    try:
        act(stage)
    except Died:
        return True
    finally:
        stage.line = None
    if line.is_dead:
        pytest.fail("the process died and lived on")
    return False


def die_again_and_again(stage: Stage, chance: random.Random) -> list[tuple[int, bool]]:
    """Runs that die one after another, each at some call; gives where each of them did."""
    died: list[tuple[int, bool]] = []
    while die_at(stage, at := chance.randrange(12), is_after=(is_after := chance.random() < 0.5)):
        died.append((at, is_after))
    return died
