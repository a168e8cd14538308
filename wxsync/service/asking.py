"""A blocking question that must not hold up whoever asks, however long the answer takes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from wxsync.engine.aside import begin_aside

T = TypeVar("T")


class Question(Generic[T]):
    """One question at a time, asked in a thread; whoever comes meanwhile gets the same answer.

    So a mirror that hangs costs one thread, however often it is asked. The thread is nobody's to wait for:
    one of asyncio's own would be waited for at the end of the process. Belongs to one loop.
    """

    def __init__(self, ask: Callable[[], T], *, patience: float) -> None:
        self._ask = ask
        self._patience = patience
        self._asked: asyncio.Future[T] | None = None

    async def answer(self) -> T:
        """The answer, or what the question raised; TimeoutError where none comes in time."""
        if self._asked is None or self._asked.done():
            self._asked = self._begin()
        async with asyncio.timeout(self._patience):
            return await asyncio.shield(self._asked)

    def _begin(self) -> asyncio.Future[T]:
        asked = begin_aside(self._ask, "wxsync-question")
        # Whoever asked may have gone by then: an error that nobody fetches is none.
        asked.add_done_callback(lambda done: done.cancelled() or done.exception())
        return asked
