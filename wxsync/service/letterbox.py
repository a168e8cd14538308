"""Where events are put as they come in: those that come together are kept by one transaction.

A commit of SQLite waits for the disk, a few milliseconds, and one writer goes at a time. A transaction for
each of hundreds a second would not do; one for all that came during the last one does.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy.exc import IntegrityError

from wxsync.errors import MirrorError, WxsyncError
from wxsync.mirror.inbox import MOST_WAITING, Letter, put_letters, waiting_count
from wxsync.mirror.store import Store

MOST_AT_ONCE: Final = 500
"""Letters of one transaction."""
MOST_HELD: Final = 2_000
"""Letters in memory; there is no use in more, as WeCom comes again after five seconds."""
PATIENCE: Final = 4.0
"""Seconds; WeCom gives up after five (page 96238)."""
COUNT_EVERY: Final = 50
"""Transactions between two looks at how many wait to be worked off."""
TRIES: Final = 3


class LetterboxFullError(WxsyncError):
    """No more is taken for now."""

    code = "letterbox_full"


class Letterbox:
    """Keeps letters; belongs to one event loop, in which alone letters are put in.

    `arrived` is called in that loop, with the name of a corp that something new came in for. Whoever puts a
    letter in waits for its transaction: nothing is lost where the loop ends.
    """

    def __init__(
        self,
        store: Store,
        arrived: Callable[[str], None] = lambda corp: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._arrived = arrived
        self._clock = clock
        self._held: list[tuple[Letter, asyncio.Future[None]]] = []
        self._keeping: asyncio.Task[None] | None = None
        self._commits: Counter[str] = Counter()
        self._full: set[str] = set()

    async def put(self, letter: Letter) -> None:
        """Comes back when the letter is kept, now or before. Raises WxsyncError where it is not."""
        if len(self._held) >= MOST_HELD:
            raise LetterboxFullError("too many events come in at once")
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._held.append((letter, kept))
        if self._keeping is None or self._keeping.done():
            self._keeping = asyncio.create_task(self._keep())
        try:
            async with asyncio.timeout(PATIENCE):
                await kept
        except TimeoutError:
            raise MirrorError("the mirror takes too long to keep an event") from None

    async def _keep(self) -> None:
        while self._held:
            await self._keep_some()

    async def _keep_some(self) -> None:
        some, self._held = self._held[:MOST_AT_ONCE], self._held[MOST_AT_ONCE:]
        letters = [letter for letter, kept in some if not kept.cancelled()]
        error: WxsyncError | None = None
        try:
            new = await asyncio.to_thread(self._commit, letters)
        except WxsyncError as exc:
            error, new = exc, frozenset()
        for letter, kept in some:
            refusal = error or self._refusal(letter.corp)
            if not kept.done():
                kept.set_exception(refusal) if refusal is not None else kept.set_result(None)
        for corp in sorted(new):
            self._arrived(corp)

    def _refusal(self, corp: str) -> WxsyncError | None:
        full = "so many events wait to be worked off that no more are taken"
        return LetterboxFullError(full) if corp in self._full else None

    def _commit(self, letters: Sequence[Letter]) -> frozenset[str]:
        """Gives the corps of which any are new. Another process may put the same in at the same time."""
        for tried in range(1, TRIES + 1):
            try:
                return self._commit_once(letters)
            except MirrorError as error:
                if tried == TRIES or not isinstance(error.__cause__, IntegrityError):
                    raise
        return frozenset()

    def _commit_once(self, letters: Sequence[Letter]) -> frozenset[str]:
        new: set[str] = set()
        with self._store.transaction() as connection:
            for corp in sorted({letter.corp for letter in letters}):
                if self._commits[corp] % COUNT_EVERY == 0 or corp in self._full:
                    is_full = waiting_count(connection, corp) > MOST_WAITING
                    (self._full.add if is_full else self._full.discard)(corp)
                self._commits[corp] += 1
                theirs = [letter for letter in letters if letter.corp == corp]
                if corp not in self._full and put_letters(connection, theirs, self._clock()):
                    new.add(corp)
        return frozenset(new)
