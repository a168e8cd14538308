"""What came in from WeCom, worked off in the loop that does the work, for the corps that it leads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial

import structlog

from wxsync.mirror.inbox import corps_of_letters
from wxsync.mirror.store import Store
from wxsync.service.chores import at_peace
from wxsync.service.counts import CallbackCounts
from wxsync.service.inbox_desk import Reactions, tidy_inbox, work_off


class Mailroom:
    """Goes through the inbox of one corp after the other; one of them keeps up none of the others."""

    def __init__(
        self, store: Store, corps: Callable[[], Iterable[str]], reactions: Reactions, counts: CallbackCounts
    ) -> None:
        self._store = store
        self._corps = corps
        self._reactions = reactions
        self._counts = counts

    async def work_off(self) -> None:
        """All that waits."""
        for corp in self._corps():
            await at_peace("working events off", partial(self._work_off, corp))

    async def tidy(self) -> None:
        """What is too old goes, also of corps that no sync feeds any more."""
        for corp in await asyncio.to_thread(self._of_all):
            await at_peace("striking old events", partial(tidy_inbox, self._store, corp))

    def _of_all(self) -> tuple[str, ...]:
        with self._store.reading() as connection:
            return corps_of_letters(connection)

    async def _work_off(self, corp: str) -> None:
        worked = await work_off(self._store, corp, self._reactions)
        if worked.count:
            structlog.get_logger().info(
                "events were worked off",
                corp=corp,
                changes=worked.changes,
                jobs=worked.jobs,
                clicks=worked.cards,
                unknown=sorted(worked.unknown),
            )
        self._counts.unknown(corp, sum(worked.unknown.values()))
