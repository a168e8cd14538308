"""How many calls are under way at once: fewer after WeCom has complained, and slowly more again."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from types import TracebackType
from typing import Final

AT_ONCE: Final = 10
"""Calls in flight; WeCom's own number is undocumented, 20 where a page names one (WeCom page 99500)."""
MOST: Final = 20
"""No line carries more calls at once, whatever is asked for."""
CALM: Final = 100
"""Calls without a complaint after which one more may be under way."""


class Slots:
    """At most `most` calls under way; `async with` takes a slot, in the order of asking."""

    def __init__(self, most: int = AT_ONCE) -> None:
        self.limit = most
        self._most = most
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._begun = 0
        self._halved_at = 0
        self._calm = 0

    async def __aenter__(self) -> int:
        """The number of this call, for `halve`."""
        if self._taken < self.limit and not self._waiting:
            self._taken += 1
        else:
            await self._wait()
        self._begun += 1
        return self._begun

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._give_back()

    def halve(self, number: int) -> None:
        """WeCom complained of call `number`: those that began before the last complaint say nothing new."""
        self._calm = 0
        if number > self._halved_at:
            self._halved_at = self._begun
            self.limit = max(1, self.limit // 2)

    def calm(self) -> None:
        """A call went without complaint."""
        if self.limit == self._most:
            return
        self._calm += 1
        if self._calm >= CALM:
            self._calm = 0
            self.limit += 1
            self._wake()

    async def _wait(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                with suppress(ValueError):  # another that was cancelled with it has passed it over
                    self._waiting.remove(turn)
            else:
                self._give_back()  # it was given the slot and cancelled at the same moment
            raise

    def _give_back(self) -> None:
        self._taken -= 1
        self._wake()

    def _wake(self) -> None:
        while self._waiting and self._taken < self.limit:
            turn = self._waiting.popleft()
            if not turn.done():
                self._taken += 1
                turn.set_result(None)
