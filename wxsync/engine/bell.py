"""Waiting for a job of WeCom's: until some seconds have passed, or somebody says that it is over."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """Seconds between two questions about a job: the first ones, and the longest."""

    first: float = 1.0
    longest: float = 60.0


class JobBell:
    """Rung by whoever is told of a job's end (the event `batch_job_result`, WeCom page 90973)."""

    def __init__(self) -> None:
        self._rung: dict[str, asyncio.Event] = {}

    def ring(self, job_id: str) -> None:
        """Whoever waits for this job of WeCom's, or will, looks at it now."""
        self._rung.setdefault(job_id, asyncio.Event()).set()

    async def wait(self, job_id: str, seconds: float) -> None:
        """Come back after so many seconds, or as soon as it rings; one ringing wakes once."""
        event = self._rung.setdefault(job_id, asyncio.Event())
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return
        event.clear()

    def forget(self, job_id: str) -> None:
        """Nobody waits for this job any more."""
        self._rung.pop(job_id, None)
