"""Of several daemons on one mirror one leads for a corp, and another one when it no longer does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from tests.service.waiting import until
from wxsync.mirror import lease, schema
from wxsync.mirror.store import Store
from wxsync.mirror.tables import leases
from wxsync.service import leading
from wxsync.service.leading import Leading


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A mirror; who does not lead looks again sooner than else."""
    monkeypatch.setattr(leading, "SEARCH", 0.1)
    monkeypatch.setattr(leading, "RENEWAL", 0.1)
    return Store(schema.prepare(f"sqlite:///{tmp_path}/mirror.db"))


class Daemon:
    """One that keeps count of what it is told."""

    def __init__(self, store: Store) -> None:
        self.told: list[str] = []
        self.leading = Leading(store, "acme", began=self._began, ended=lambda _: self.told.append("ended"))
        self.task = asyncio.create_task(self.leading.keep())

    async def _began(self, _corp: str) -> None:
        self.told.append("began")

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.wait((self.task,))


def play(store: Store, story: Callable[[Daemon, Daemon], Awaitable[None]]) -> None:
    """With a first daemon that leads, and a second one."""

    async def act() -> None:
        first = Daemon(store)
        await until(lambda: first.leading.is_leader)
        second = Daemon(store)
        await asyncio.sleep(0.3)
        try:
            await story(first, second)
        finally:
            await first.end()
            await second.end()

    asyncio.run(act())
    store.close()


def test_one_leads_and_the_other_when_it_ends(store: Store) -> None:
    """Never both."""

    async def story(first: Daemon, second: Daemon) -> None:
        assert (first.leading.is_leader, second.leading.is_leader) == (True, False)
        await first.end()
        assert (first.told, first.leading.is_leader) == (["began", "ended"], False)
        await until(lambda: second.told == ["began"])
        assert second.leading.is_leader

    play(store, story)


def test_whose_lead_was_taken_over_knows_it(store: Store) -> None:
    """As after a long sleep: it begins nothing more, and leads again when it can."""

    async def story(first: Daemon, second: Daemon) -> None:
        await second.end()
        with store.transaction() as connection:
            connection.execute(update(leases).values(owner=None, token=leases.c.token + 1))
        await until(lambda: first.told == ["began", "ended", "began"])

    play(store, story)


def test_what_nobody_foresaw_ends_no_leading(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as that no number is left for another file: it is tried again."""
    acquire, tries = lease.acquire, [OSError(24, "Too many open files")]

    def act(*args: Any, **options: Any) -> Any:
        if tries:
            raise tries.pop()
        return acquire(*args, **options)

    monkeypatch.setattr(lease, "acquire", act)
    play(store, _nothing)
    assert tries == []


async def _nothing(_first: Daemon, _second: Daemon) -> None:
    """They lead and do not, and that is all."""
