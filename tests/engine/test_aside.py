"""Questions to sources that hang: they keep nobody else from anything."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from wxsync.engine.aside import aside
from wxsync.engine.corp import Corp
from wxsync.errors import SourceUnavailableError


def corp(sync: str) -> Corp:
    """Of a corp no more is asked than its names."""
    store = SimpleNamespace(engine=corp)
    settings = SimpleNamespace(sources=("hr",))
    return cast("Corp", SimpleNamespace(name="acme", sync=sync, store=store, settings=settings))


def test_what_it_finds_and_what_it_raises_come_back() -> None:
    """One question may follow right after another."""

    async def story() -> None:
        for number in range(50):
            assert await aside(corp("a"), lambda number=number: number) == number  # type: ignore[misc]
        with pytest.raises(FileNotFoundError):
            await aside(corp("a"), lambda: Path("/nowhere/at/all").read_text())

    asyncio.run(story())


def test_many_that_hang_hold_up_no_others_and_not_the_end() -> None:
    """Forty of them: asyncio's own threads are free, and the loop ends at once."""
    never = threading.Event()

    async def story() -> list[Any]:
        hanging = [asyncio.create_task(aside(corp(f"s{n}"), never.wait)) for n in range(40)]
        await asyncio.sleep(0.1)
        answers = [await asyncio.wait_for(asyncio.to_thread(lambda: "free"), 5)]
        for task in hanging:
            task.cancel()
        return answers

    assert asyncio.run(story()) == ["free"]
    never.set()


def test_while_one_that_was_given_up_hangs_the_same_is_not_asked_again() -> None:
    """There are never more of them than syncs."""
    never = threading.Event()

    async def story() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(aside(corp("a"), never.wait), 0.1)
        with pytest.raises(SourceUnavailableError, match="a reading that was cut off still waits"):
            await aside(corp("a"), lambda: 1)
        assert await aside(corp("b"), lambda: 2) == 2
        never.set()
        for _ in range(100):
            await asyncio.sleep(0.02)
            try:
                assert await aside(corp("a"), lambda: 3) == 3
            except SourceUnavailableError:
                continue
            return
        raise AssertionError("it is never asked again")

    asyncio.run(story())
