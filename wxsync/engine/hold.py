"""A run's lease while it lasts: renewed, and asked before every call whether there is time for it."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import Final

from wxsync.errors import MirrorError, RunInProgressError
from wxsync.mirror import lease
from wxsync.mirror.clocks import since_boot
from wxsync.mirror.lease import Lease
from wxsync.mirror.store import Store
from wxsync.wecom.gate import Leave

ATTEMPTS: Final = 3


class Hold:
    """The lease that a run has, by the clock that goes on while the machine sleeps.

    A call is let go only where it is over, by its own deadline, before the lease is: so whoever takes over
    then meets no call of ours but one whose bytes were with the socket before this process was stopped. One
    that is stopped between the last question and the socket, and woken too late, is ended (`wecom.watchdog`).
    """

    def __init__(self, store: Store, held: Lease) -> None:
        self._store = store
        self._lease = held
        self._renewing = asyncio.Lock()
        self._under_way: asyncio.Future[Lease] | None = None
        self._lost: RunInProgressError | None = None

    @property
    def is_ours(self) -> bool:
        """Nobody else can have it at this moment."""
        return self._is_good(since_boot())

    @property
    def lease(self) -> Lease:
        """As it was renewed last."""
        return self._lease

    async def leave(self, within: float) -> Leave:
        """See `wecom.gate.Hold`: after a stop or a sleep the lease is renewed first, if it is still ours.

        Raises RunInProgressError where another run took over, and MirrorError where nobody can tell.
        """
        for _ in range(ATTEMPTS):
            until = since_boot() + within
            if self._is_good(until):
                return Leave(partial(self._may_go, until), until)
            await self._renew(within)
        raise MirrorError(
            f"the lease of corp {self._lease.corp} cannot be renewed in time: the mirror takes too long",
            hint="see what keeps the mirror busy, and run again",
        )

    async def keep(self, every: float) -> None:
        """Renew it every so many seconds: until cancelled, or it is lost, which the next call meets."""
        while self._lost is None:
            await asyncio.sleep(every)
            # A mirror that is busy now takes the next renewal: the lease outlives several.
            with contextlib.suppress(MirrorError, RunInProgressError):
                await self._renew()

    def _is_good(self, until: float) -> bool:
        is_ours = self._lost is None and not self._lease.life.seems_gone()
        return is_ours and until < self._lease.ends

    def _may_go(self, until: float) -> bool:
        return since_boot() < until and self._is_good(until)

    async def end(self) -> None:
        """Gives it back. A mirror that does not take that sees by the lock that nobody has it."""
        if self._under_way is not None:
            await asyncio.wait((self._under_way,))
        with contextlib.suppress(MirrorError):
            await asyncio.to_thread(lease.release, self._store, self._lease)

    async def _renew(self, within: float | None = None) -> None:
        """One at a time; whoever waited for one that gave `within` seconds needs none of its own."""
        async with self._renewing:
            if self._lost is None and (within is None or not self._is_good(since_boot() + within)):
                self._under_way = asyncio.ensure_future(
                    asyncio.to_thread(lease.renew, self._store, self._lease)
                )
                self._under_way.add_done_callback(self._renewed)
                # Whoever gives up waiting takes it from nobody.
                await asyncio.wait((self._under_way,))
                error = self._under_way.exception()
                if error is not None:
                    raise error
            if self._lost is not None:
                raise RunInProgressError(self._lost.message, hint=self._lost.hint)

    def _renewed(self, done: asyncio.Future[Lease]) -> None:
        if done.cancelled():
            return
        error = done.exception()
        if error is None:
            self._lease = done.result()
        elif isinstance(error, RunInProgressError):
            self._lost = error
