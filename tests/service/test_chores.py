"""What is done again and again goes on, whatever goes wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from wxsync.errors import MirrorError
from wxsync.service.chores import Chore


def times(act: Callable[[int], None], every: float, seconds: float, wake: bool = False) -> int:
    """How often it was done within so many seconds."""

    async def story() -> int:
        done = 0

        async def once() -> None:
            nonlocal done
            done += 1
            act(done)

        chore = Chore(name="chore", every=every, act=once)
        task = asyncio.create_task(chore.keep())
        await asyncio.sleep(seconds / 2)
        if wake:
            chore.woken.set()
        await asyncio.sleep(seconds / 2)
        task.cancel()
        return done

    return asyncio.run(story())


def failing(error: Exception) -> Callable[[int], None]:
    def act(_number: int) -> None:
        raise error

    return act


@pytest.mark.parametrize("error", [MirrorError("the mirror is away"), KeyError("a fault")], ids=repr)
def test_it_goes_on_after_an_error(error: Exception) -> None:
    """An error of the world and a fault of ours alike."""
    assert times(failing(error), 0.05, 3) > 3


def test_it_can_be_woken() -> None:
    """It need not wait for its time."""
    assert times(lambda _number: None, 60, 0.2) == 1
    assert times(lambda _number: None, 60, 0.2, wake=True) == 2


def test_it_rests_between_two_times() -> None:
    """Woken again and again, it is done once in a rest, and none is forgotten that came meanwhile."""

    async def story() -> tuple[int, float]:
        done, began = 0, time.monotonic()

        async def once() -> None:
            nonlocal done
            done += 1
            chore.woken.set()
            if done == 4:
                over.set()

        over = asyncio.Event()
        chore = Chore(name="chore", every=60, rest=0.1, act=once)
        task = asyncio.create_task(chore.keep())
        await asyncio.wait_for(over.wait(), 30)
        task.cancel()
        return done, time.monotonic() - began

    done, took = asyncio.run(story())
    assert done == 4
    assert took >= 0.3
