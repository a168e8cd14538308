"""No call goes out that WeCom would count over its limits (WeCom page 90312).

Permits are reserved in blocks, so that the ledger is not asked for each call: some twenty at first, more
where they are used up at once. What is not used is given back; what a dead process held stays spent.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Final, Self

from wxsync.errors import RateLimitError
from wxsync.model.quota import LAPSE, Account, Grant, Hold, Unused, Window
from wxsync.wecom.answers import Setback
from wxsync.wecom.crossing import Clock, Crossing
from wxsync.wecom.errcodes import FREQUENCY
from wxsync.wecom.ledger import Ledger, MemoryLedger
from wxsync.wecom.limits import account_of, blocked_for
from wxsync.wecom.retries import too_late

FIRST_BLOCK: Final = 20
"""Permits; the second has twice as many."""
LARGEST_BLOCK: Final = 200
TOLD_FROM: Final = 5.0
"""Seconds: a longer wait is told in the log."""
IN_A_ROW: Final = 60.0
"""Seconds after a hold's end: a 45009 within them, with no call carried out meanwhile, is a longer one."""

Sleep = Callable[[float], Awaitable[None]]

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Block:
    """Permits that were reserved together."""

    left: int
    reserved_at: float


@dataclass(slots=True)
class Purse:
    """The permits of one kind of call."""

    path: str
    account: Account
    size: int = FIRST_BLOCK // 2
    blocks: deque[Block] = field(default_factory=deque)
    unused: list[Unused] = field(default_factory=list)
    reserving: asyncio.Task[None] | None = None
    full_until: float = 0.0
    """No permit is to be had before."""
    held_until: float = 0.0
    is_suspect: bool = False
    """It was held, and no call of it was carried out since."""

    def take(self, now: float) -> bool:
        """Use one permit, if there is one that has not lapsed."""
        while self.blocks:
            block = self.blocks[0]
            if block.left and now < block.reserved_at + LAPSE:
                block.left -= 1
                return True
            self._drop()
        return False

    def empty(self) -> None:
        while self.blocks:
            self._drop()

    @property
    def left(self) -> int:
        return sum(block.left for block in self.blocks)

    def _drop(self) -> None:
        block = self.blocks.popleft()
        if block.left:
            self.unused.append(Unused(count=block.left, reserved_at=block.reserved_at))


class Quota:
    """The permits of one corp's calls; within the block of `async with`, and given back at its end."""

    def __init__(
        self,
        *,
        corp_id: str,
        ledger: Ledger | None = None,
        longest_wait: float,
        clock: Clock,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.corp_id = corp_id
        self._ledger: Crossing[Ledger] = Crossing(ledger, MemoryLedger(), clock=clock)
        self._longest_wait = longest_wait
        self._clock = clock
        self._sleep = sleep
        self._purses: dict[str, Purse] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for purse in self._purses.values():
            if purse.reserving is not None:
                await asyncio.gather(purse.reserving, return_exceptions=True)
            purse.empty()
            if purse.unused:
                await self._ledger.ask(partial(_give_back, purse.account, purse.unused))

    def claim(self, path: str) -> bool:
        """A call of `path` may go out at once, and is counted; else `reserve` and ask again."""
        purse, now = self._purse(path), self._clock()
        if not purse.take(now):
            return False
        if purse.reserving is None and purse.full_until <= now and purse.left * 2 < purse.size:
            purse.reserving = asyncio.create_task(self._reserve(purse))
        return True

    async def reserve(self, path: str, until: float | None = None) -> Setback | None:
        """Have permits of `path`, and wait for them, not beyond `until`; a setback where that is too long."""
        purse = self._purse(path)
        if purse.reserving is None and purse.full_until <= self._clock():
            purse.reserving = asyncio.create_task(self._reserve(purse))
        if purse.reserving is not None:
            await asyncio.shield(purse.reserving)
        wait = purse.full_until - self._clock()
        return await self._sit_out(path, wait, until) if wait > 0 else None

    async def spend(
        self, path: str, windows: tuple[Window, ...], until: float | None = None
    ) -> float | Setback:
        """Count one call of `path`, in `windows` too, and give the moment; waits as `reserve` does."""
        usual = self._purse(path).account
        account = replace(usual, windows=(*usual.windows, *windows))
        while True:
            now = self._clock()
            grant = await self._ledger.ask(partial(_reserve_one, account, now))
            if grant.count:
                return now
            if (setback := await self._sit_out(path, grant.wait, until)) is not None:
                return setback

    async def not_counted(self, path: str, window: Window, spent_at: float) -> None:
        """The call that was spent then does not count under `window`."""
        account = replace(self._purse(path).account, windows=(window,))
        await self._ledger.ask(
            lambda ledger: ledger.give_back(account, (Unused(count=1, reserved_at=spent_at),))
        )

    async def hold(self, path: str, sent_at: float) -> None:
        """WeCom said 45009 to a call sent at `sent_at`: none of them goes out before the window is over.

        A second one right after a hold was sat out means the next longer window. Whoever was under way
        when the hold began says nothing new.
        """
        purse = self._purse(path)
        purse.empty()
        account, now = purse.account, self._clock()
        former = await self._ledger.ask(lambda ledger: ledger.held(account, now))
        if former is not None and sent_at < former.until:
            purse.held_until = former.until
            return
        is_in_a_row = former is not None and purse.is_suspect and sent_at < former.until + IN_A_ROW
        step = former.step + 1 if former is not None and is_in_a_row else 0
        purse.is_suspect = True
        hold = Hold(until=now + blocked_for(path, step, now), step=step)
        purse.held_until = hold.until
        await self._ledger.ask(lambda ledger: ledger.hold(account, hold, now))

    def succeeded(self, path: str) -> None:
        """A call of `path` was carried out."""
        self._purse(path).is_suspect = False

    def held_until(self, path: str) -> float:
        """The end of the last hold that this process has seen; 0 where it has seen none."""
        return self._purse(path).held_until

    def _purse(self, path: str) -> Purse:
        purse = self._purses.get(path)
        if purse is None:
            purse = self._purses[path] = Purse(path, account_of(self.corp_id, path))
        return purse

    async def _reserve(self, purse: Purse) -> None:
        """Put a block into the purse, or the moment before which there is none."""
        try:
            now, unused = self._clock(), purse.unused
            purse.unused = []
            # What lapsed was too much; where all was used, it may have been too little.
            purse.size = max(FIRST_BLOCK, purse.size // 2) if unused else min(LARGEST_BLOCK, purse.size * 2)
            grant = await self._ledger.ask(
                lambda ledger: ledger.reserve(purse.account, purse.size, now, unused)
            )
            if grant.count:
                purse.blocks.append(Block(grant.count, now))
            elif grant.wait > TOLD_FROM:
                log.warning("%s: as many calls as WeCom takes, the next in %.0f s", purse.path, grant.wait)
            purse.full_until = now + grant.wait
        finally:
            purse.reserving = None

    async def _sit_out(self, path: str, wait: float, until: float | None) -> Setback | None:
        if until is not None and self._clock() + wait > until:
            return too_late(path)
        if wait > self._longest_wait:
            return too_many(path, self._clock() + wait)
        await self._sleep(wait)
        return None


def _reserve_one(account: Account, now: float, ledger: Ledger) -> Grant:
    return ledger.reserve(account, 1, now)


def _give_back(account: Account, unused: list[Unused], ledger: Ledger) -> None:
    ledger.give_back(account, unused)


def too_many(path: str, until: float) -> Setback:
    """The refusal that WeCom would give, for a call that was not sent."""
    return Setback(
        RateLimitError(
            path, FREQUENCY, "not sent: WeCom takes no more of these calls now", hint=until_when(until)
        )
    )


def until_when(until: float) -> str:
    """The hint for a call that is not waited for."""
    moment = datetime.fromtimestamp(until, UTC)
    return f"WeCom takes this call again from {moment:%Y-%m-%d %H:%M:%S} UTC on: run again after that"
