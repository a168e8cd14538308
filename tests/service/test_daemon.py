"""The loop that does the work, by itself: what becomes of an approval whose corp is taken."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.journeys.stage import IMPATIENT
from tests.service.telling import Told, company
from tests.service.waiting import until
from wxsync.mirror import lease
from wxsync.mirror.lease import Lease
from wxsync.model.run import RunState
from wxsync.runtime import open_corp
from wxsync.service import daemon as loop
from wxsync.service.daemon import Daemon
from wxsync.service.running import Approved, Finished
from wxsync.service.turns import Cause, Ending


def play(told: Told, story: Callable[[Daemon, list[Finished]], Awaitable[None]]) -> list[Finished]:
    """A daemon at work, and what somebody does meanwhile; gives the runs that it had."""
    ended: list[Finished] = []

    async def heard(finished: Finished) -> None:
        ended.append(finished)

    async def nothing(_corp: str) -> None:
        return

    async def act() -> None:
        def clock() -> datetime:
            return told.story.stage.now

        daemon = Daemon(
            lambda: told.settings,
            told.store,
            clock=clock,
            opened=lambda settings, sync, bell: open_corp(
                settings,
                sync,
                store=told.store,
                bell=bell,
                clock=lambda: told.story.stage.now,
                pauses=IMPATIENT,
            ),
            told=heard,
            led=nothing,
        )
        work = asyncio.create_task(daemon.run())
        await until(lambda: daemon.leads("acme"))
        await story(daemon, ended)
        daemon.stop()
        await work

    asyncio.run(act())
    return ended


def test_what_was_approved_is_tried_again_where_somebody_else_has_the_corp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until it can be carried out: once, by the name of who said yes, and then the sync looks again."""
    monkeypatch.setattr(loop, "FIRST_PAUSE", 0.2)
    with company(tmp_path, {}, min_interval=0) as told:
        told.gone(11, 25)
        waiting = told.run()
        assert waiting.is_refused
        assert waiting.plan is not None
        approved = Approved(digest=waiting.plan.digest, by="wecom:e1")
        before = len(told.story.wecom.members)
        held = lease.acquire(told.store, "acme", owner="somebody by hand", ttl=timedelta(seconds=60))

        async def say_yes(daemon: Daemon, ended: list[Finished]) -> None:
            daemon.approve("acme", approved)
            await until(lambda: len(ended) >= 2)
            release(told, held)
            await until(lambda: len(ended) >= 2 and ended[-1].cause is Cause.CHANGE)

        ended = play(told, say_yes)
        assert {each.ending for each in ended[:2]} == {Ending.BUSY}
        assert {each.cause for each in ended[:-1]} == {Cause.APPROVAL}
        done = ended[-2]
        assert done.run is not None
        assert (done.ending, done.run.state) == (Ending.DONE, RunState.APPLIED)
        assert sum(not member.enable for member in told.story.wecom.members.values()) == 15
        assert len(told.story.wecom.members) == before


def release(told: Told, held: Lease) -> None:
    lease.release(told.store, held)
