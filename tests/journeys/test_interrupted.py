"""A run that is interrupted, and interrupted again: what is on record of it is the truth."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.story import Story
from wxsync.engine.chronicle import failing, put_on_record, start
from wxsync.engine.corp import Corp
from wxsync.engine.decide import Decision, decide
from wxsync.errors import WxsyncError
from wxsync.mirror import journal
from wxsync.model.run import RunState


async def busy(waiting: threading.Event) -> None:
    """From now on all that is asked of the mirror waits for that."""
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(1))
    loop.run_in_executor(None, waiting.wait, 30)


async def interrupted_twice(corp: Corp, work: Callable[[], Awaitable[Any]]) -> tuple[RunState, str, str]:
    """State and error on record of a run that does this, and what whoever waits for it hears."""
    run_id = start(corp, "plan", "manual", None)
    free = threading.Event()

    async def run() -> None:
        async with failing(corp, run_id):
            await busy(free)
            await work()

    task = asyncio.create_task(run())
    await asyncio.sleep(0.05)
    task.cancel("it went on for too long")
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.sleep(0.05)
    assert not task.done()
    free.set()
    await asyncio.wait((task,))
    heard = ""
    try:
        await task
    except asyncio.CancelledError as error:
        heard = str(*error.args)
    except WxsyncError as error:
        heard = error.message
    with corp.store.reading() as connection:
        record = journal.record(connection, run_id)
    assert record is not None
    return record.state, str(record.error), heard


def test_a_second_interruption_loses_neither_the_record_nor_the_reason(tmp_path: Path) -> None:
    """The daemon cuts a run off, and is told to stop while that is put on record."""
    story = Story(tmp_path)

    async def wait() -> None:
        await asyncio.sleep(60)

    state, error, heard = story.stage.act(lambda corp: interrupted_twice(corp, wait))
    assert (state, error, heard) == (RunState.FAILED, "it went on for too long", "it went on for too long")


def test_what_is_on_its_way_to_the_mirror_is_there_before_the_end_is(tmp_path: Path) -> None:
    """A plan that is being kept does not turn up after its run was called failed."""
    story = Story(tmp_path)
    order: list[str] = []

    async def keep() -> None:
        await put_on_record(lambda: order.append("kept"))

    state, error, _ = story.stage.act(lambda corp: interrupted_twice(corp, keep))
    assert (state, error, order) == (RunState.FAILED, "it went on for too long", ["kept"])


def test_what_fails_while_it_is_waited_for_is_raised(tmp_path: Path) -> None:
    """Without an interruption all is as ever."""

    def fail() -> None:
        raise WxsyncError("no")

    async def act(_corp: Corp) -> str:
        try:
            await put_on_record(fail)
        except WxsyncError as error:
            return error.message
        return await put_on_record(lambda: "")

    assert Story(tmp_path).stage.act(act) == "no"


def test_plans_are_decided_beside_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a hundred thousand people it takes a while, in which the daemon answers WeCom."""
    threads: list[int] = []

    def watched(**asked: Any) -> Decision:
        threads.append(threading.get_ident())
        return decide(**asked)

    monkeypatch.setattr("wxsync.engine.reconcile.decide", watched)
    story = Story(tmp_path)
    story.person("E1")
    story.plan()
    assert threads
    assert threading.get_ident() not in threads
