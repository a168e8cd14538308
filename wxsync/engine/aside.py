"""Slow questions, each in a thread of its own: to sources, and of probes to the mirror.

asyncio has a few threads for all that blocks. A source that hangs would keep one of them for ever, and as
many sources as there are threads would stop leases from being renewed. A thread of this kind is nobody's to
wait for, neither for others nor at the end of the process.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from wxsync.engine.corp import Corp
from wxsync.errors import SourceUnavailableError

T = TypeVar("T")


async def aside(corp: Corp, work: Callable[[], T]) -> T:
    """What the work gives, or raises.

    Raises SourceUnavailableError where a reading of the same sync, whose run was given up, still hangs.
    """
    name = f"reading {corp.name}/{corp.sync} {id(corp.store.engine):x}"
    if any(thread.name == name for thread in threading.enumerate()):
        raise SourceUnavailableError(
            corp.settings.sources[0],
            "a reading that was cut off still waits for an answer",
            hint="see what keeps the source from answering; restart wxsync if it never will",
        )
    return await begin_aside(work, name)


def begin_aside(work: Callable[[], T], name: str) -> asyncio.Future[T]:
    """The work begun in a thread of that name, and what it will give, or raise; belongs to this loop."""
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[T] = loop.create_future()

    def put(answer: T | None, error: BaseException | None) -> None:
        if answered.done():
            return
        if error is not None:
            answered.set_exception(error)
        else:
            answered.set_result(answer)  # type: ignore[arg-type]

    def run() -> None:
        answer, error = None, None
        try:
            answer = work()
        except BaseException as caught:  # noqa: BLE001  it is handed to whoever waits
            error = caught
        threading.current_thread().name = f"{name}, over"
        with suppress(RuntimeError):  # the loop is over
            loop.call_soon_threadsafe(put, answer, error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return answered
