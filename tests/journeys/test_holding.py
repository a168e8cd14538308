"""The lease of a run is renewed as long as the run lives, also where the mirror is busy for a moment."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from tests.journeys.story import Story
from wxsync.engine.baseline import baseline_of, remember_baseline
from wxsync.engine.reconcile import holding, preview
from wxsync.errors import RunInProgressError
from wxsync.runtime import open_corp
from wxsync.sandbox.transport import SandboxTransport

TICK = 0.01


def on_mirror(story: Story, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(story.mirror)) as mirror, mirror:
        return mirror.execute(statement).fetchall()


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(1000):
        if holds():
            return
        await asyncio.sleep(TICK)
    raise AssertionError("it never came to be")


def test_a_renewal_that_the_mirror_did_not_take_is_made_up_for(tmp_path: Path) -> None:
    """Renewals fail for a while, nothing ends, and the next one is as ever."""
    story = Story(tmp_path)
    story.settle()
    stage = story.stage

    def expires() -> object:
        return on_mirror(story, "SELECT expires_at FROM leases")[0][0]

    async def act() -> None:
        transport = SandboxTransport(stage.state)
        opening = open_corp(stage.settings, "acme", clock=lambda: stage.now, transport=transport)
        async with opening as corp, holding(corp, "manual", renewal=TICK):
            on_mirror(story, "ALTER TABLE leases RENAME TO hidden")
            await asyncio.sleep(20 * TICK)
            on_mirror(story, "ALTER TABLE hidden RENAME TO leases")
            before = expires()
            stage.now += timedelta(seconds=30)
            await until(lambda: expires() != before)

    asyncio.run(act())


def test_a_lost_lease_is_not_fought_for(tmp_path: Path) -> None:
    """Renewing ends there: the other run keeps what it took, and is not released either."""
    story = Story(tmp_path)
    story.settle()
    stage = story.stage

    async def act() -> None:
        transport = SandboxTransport(stage.state)
        opening = open_corp(stage.settings, "acme", clock=lambda: stage.now, transport=transport)
        async with opening as corp, holding(corp, "manual", renewal=TICK):
            on_mirror(story, "UPDATE leases SET token = token + 1, owner = 'another'")
            await asyncio.sleep(20 * TICK)

    asyncio.run(act())
    assert on_mirror(story, "SELECT owner FROM leases") == [("another",)]


def test_a_baseline_whose_lease_was_lost_remembers_nothing(tmp_path: Path) -> None:
    """Another run may be writing what this one read: the operator is told, and says it again."""
    story = Story(tmp_path)
    story.people(2)
    story.settle()
    stage = story.stage
    on_mirror(story, "UPDATE member_links SET known_values = '{}'")

    async def act() -> None:
        transport = SandboxTransport(stage.state)
        opening = open_corp(stage.settings, "acme", clock=lambda: stage.now, transport=transport)
        async with opening as corp, holding(corp, "baseline") as held:
            taken = baseline_of((await preview(corp))[1], None, None)
            on_mirror(story, "UPDATE leases SET token = token + 1, owner = 'another'")
            with pytest.raises(RunInProgressError):
                await remember_baseline(corp, held, taken)

    asyncio.run(act())
    assert on_mirror(story, "SELECT DISTINCT known_values FROM member_links") == [("{}",)]
