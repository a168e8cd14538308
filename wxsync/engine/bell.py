"""Waiting for a job of WeCom's: until some seconds have passed, or somebody says that it is over."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

GROWTH: Final = 1.5
MOST_KEPT: Final = 100
"""Rings for which nobody waits yet, or any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """Seconds between two questions about a job: the first ones, and the longest."""

    first: float = 1.0
    longest: float = 60.0

    def longer(self, pause: float) -> float:
        """The pause after this one."""
        return min(self.longest, pause * GROWTH)

    def towards_the_end(self, pause: float, percentage: int, elapsed: float) -> float:
        """The same, but not beyond the moment at which a job should be over by its pace so far.

        `elapsed` are the seconds that it took for so many percent.
        """
        if percentage <= 0:
            return self.longer(pause)
        left = elapsed * (100 - percentage) / percentage
        return max(self.first, min(self.longer(pause), left))


class JobBell:
    """Rung by whoever is told of a job's end (the event `batch_job_result`, WeCom page 90973)."""

    def __init__(self) -> None:
        self._rung: dict[str, asyncio.Event] = {}

    def ring(self, job_id: str) -> None:
        """Whoever waits for this job of WeCom's, or will, looks at it now."""
        if job_id not in self._rung and len(self._rung) >= MOST_KEPT:
            self._rung.pop(next(iter(self._rung)))
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
