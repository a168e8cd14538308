"""Where the client leaves the loop for what processes share: `asyncio.to_thread`, here and nowhere else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from wxsync.errors import MirrorError

ASIDE: Final = 60.0
"""Seconds for which a mirror that failed is not asked again."""

Shared = TypeVar("Shared")
Given = TypeVar("Given")
Clock = Callable[[], float]
"""Seconds since the epoch: processes compare them."""

log = logging.getLogger(__name__)


class Crossing(Generic[Shared]):
    """Asks what all processes share, and a stand-in of this process while that cannot be had.

    A mirror that cannot be written must not stop reading. Nothing is sent for want of it that would not be
    sent otherwise: whoever writes puts the intent into the same mirror first, and fails there.
    """

    def __init__(self, shared: Shared | None, stand_in: Shared, *, clock: Clock) -> None:
        self._shared = shared
        self.stand_in = stand_in
        self._clock = clock
        self._aside_until = 0.0

    async def ask(self, question: Callable[[Shared], Given]) -> Given:
        """What the shared one answers; the stand-in where there is none, or it fails with a MirrorError."""
        if self._shared is None or self._clock() < self._aside_until:
            return question(self.stand_in)
        try:
            return await asyncio.to_thread(question, self._shared)
        except MirrorError as error:
            self._aside_until = self._clock() + ASIDE
            log.warning("tokens and quotas are this process's own for %.0f s: %s", ASIDE, error.message)
        return question(self.stand_in)
