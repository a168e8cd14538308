"""A blocking question that must not hold up whoever asks, however long the answer takes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Thread
from typing import Generic, TypeVar

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
        loop = asyncio.get_running_loop()
        asked: asyncio.Future[T] = loop.create_future()
        # Whoever asked may have gone by then: an error that nobody fetches is none.
        asked.add_done_callback(lambda done: done.cancelled() or done.exception())

        def put(answer: T | None, error: Exception | None) -> None:
            if asked.done():
                return
            if error is not None:
                asked.set_exception(error)
            else:
                asked.set_result(answer)  # type: ignore[arg-type]

        def ask() -> None:
            answer, error = None, None
            try:
                answer = self._ask()
            except Exception as caught:  # noqa: BLE001  it is handed to whoever waits
                error = caught
            if not loop.is_closed():
                loop.call_soon_threadsafe(put, answer, error)

        Thread(target=ask, name="wxsync-question", daemon=True).start()
        return asked
