"""Looks at the outcomes of a run as they come, and says when it has to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TypeAlias

from wxsync.engine.breaker import Breaker, Failure, Noted, noted
from wxsync.engine.corp import Corp
from wxsync.errors import BreakerError
from wxsync.mirror import aftermath
from wxsync.model.change import Change
from wxsync.model.run import Outcome

Ask: TypeAlias = Callable[[], BreakerError | None]


class Judge:
    """The breaker of one run, with what the mirror knows of the run before it.

    That is read only where the run would have to stop without it, and once.
    """

    def __init__(self, corp: Corp, run_id: int, changes: tuple[Change, ...]) -> None:
        self._corp = corp
        self._run_id = run_id
        self._changes = changes
        self._breaker = Breaker(corp.settings.breaker)
        self._has_looked_back = False
        self._looking_back = asyncio.Lock()

    async def on_calls(self, outcomes: Iterable[Outcome]) -> BreakerError | None:
        """These came next: why the run must stop, if it must. Raises MirrorError."""
        some = self._noted(outcomes)
        self._breaker.note(some)
        if all(each.failure is None for each in some):
            return None
        return await self._verdict(self._breaker.verdict)

    async def on_trial(self, outcomes: Iterable[Outcome]) -> BreakerError | None:
        """The same of all changes of the trial, which have been noted one by one before."""
        some = self._noted(outcomes)
        return await self._verdict(lambda: self._breaker.verdict_on_trial(some))

    async def on_file(self, outcomes: Iterable[Outcome]) -> BreakerError | None:
        """The same of all rows of one file, which is judged by itself."""
        some = self._noted(outcomes)
        return await self._verdict(lambda: self._breaker.verdict_on_file(some))

    def _noted(self, outcomes: Iterable[Outcome]) -> list[Noted]:
        found = (noted(self._changes[outcome.n - 1], outcome) for outcome in outcomes)
        return [each for each in found if each is not None]

    async def _verdict(self, ask: Ask) -> BreakerError | None:
        if ask() is None:
            return None
        async with self._looking_back:
            if not self._has_looked_back:
                self._breaker.forgive(await asyncio.to_thread(self._failed_before))
                self._has_looked_back = True
        return ask()

    def _failed_before(self) -> frozenset[Failure]:
        corp = self._corp
        with corp.store.reading() as connection:
            return aftermath.failed_records(connection, corp.name, corp.sync, before=self._run_id)
