"""Waiting in a loop for what another task of it brings about."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

TRIES = 1500
PAUSE = 0.02


async def until(holds: Callable[[], bool]) -> None:
    """Comes back when it holds; half a minute without is a failure."""
    for _ in range(TRIES):
        if holds():
            return
        await asyncio.sleep(PAUSE)
    raise AssertionError("it never came to be")
