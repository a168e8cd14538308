"""What is done again and again beside the runs: none of it ends the daemon, whatever goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from wxsync.errors import WxsyncError


@dataclass(frozen=True, slots=True, kw_only=True)
class Chore:
    """Something to be done every so many seconds, and when it is woken, but for a `rest` after each time."""

    name: str
    every: float
    act: Callable[[], Awaitable[None]]
    rest: float = 0.0
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    async def keep(self) -> None:
        """Until cancelled."""
        while True:
            self.woken.clear()
            await at_peace(self.name, self.act)
            await asyncio.sleep(self.rest)
            try:
                async with asyncio.timeout(self.every):
                    await self.woken.wait()
            except TimeoutError:
                continue


async def at_peace(name: str, act: Callable[[], Awaitable[None]]) -> None:
    """Do it; what it raises is put into the log, and goes no further."""
    log = structlog.get_logger().bind(chore=name)
    try:
        await act()
    except WxsyncError as error:
        log.warning("a chore failed", error=error.message, hint=error.hint)
    except Exception:
        log.exception("a chore broke off: this is a fault of wxsync")
