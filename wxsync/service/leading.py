"""Of several daemons on one mirror one leads for each corp; when it dies, another one does.

Only the leader begins runs by the clock. That no two runs write to a corp at once does not rest on it: each
run has a lease of its own.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import structlog

from wxsync.engine.hold import Hold
from wxsync.errors import MirrorError, RunInProgressError
from wxsync.mirror import lease
from wxsync.mirror.lease import Lease
from wxsync.mirror.store import Store

TTL: Final = timedelta(seconds=20)
"""Of one that lives and hangs another takes over after so long; of one that died at once."""
RENEWAL: Final = 5.0
SEARCH: Final = 5.0
"""Seconds between two tries of those that do not lead."""


def lead_of(corp: str) -> str:
    """The lease of whoever leads for the corp: no corp's own name has a colon."""
    return f"lead:{corp}"


class Leading:
    """This daemon's part in who leads for `corp`; `began` and `ended` are called when it does and did."""

    def __init__(
        self,
        store: Store,
        corp: str,
        *,
        began: Callable[[str], Awaitable[None]],
        ended: Callable[[str], None],
    ) -> None:
        self._store = store
        self._corp = corp
        self._began = began
        self._ended = ended
        self._hold: Hold | None = None

    @property
    def is_leader(self) -> bool:
        return self._hold is not None and self._hold.is_ours

    async def keep(self) -> None:
        """Lead as soon and as long as can be: until cancelled, and then no more."""
        log = structlog.get_logger().bind(corp=self._corp)
        while True:
            try:
                held = await self._sought()
                if held is not None:
                    log.info("this daemon leads for the corp")
                    await self._lead(Hold(self._store, held))
                    log.warning("this daemon no longer leads for the corp")
            except Exception:  # such as that no number is left for another file: it is tried again
                log.exception("leading broke off")
            await asyncio.sleep(SEARCH)

    async def _sought(self) -> Lease | None:
        owner = f"the daemon on {socket.gethostname()}, process {os.getpid()}"
        name = lead_of(self._corp)
        try:
            return await asyncio.to_thread(lease.acquire, self._store, name, owner=owner, ttl=TTL)
        except RunInProgressError:
            return None
        except MirrorError as error:
            structlog.get_logger().error("nobody can lead for now", corp=self._corp, error=error.message)
            return None

    async def _lead(self, hold: Hold) -> None:
        self._hold = hold
        renewing = asyncio.create_task(hold.keep(RENEWAL))
        beginning = asyncio.ensure_future(self._began(self._corp))
        try:
            await renewing
        finally:
            self._hold = None
            self._ended(self._corp)
            for task in (beginning, renewing):
                task.cancel()
            await asyncio.wait((beginning, renewing))
            await hold.end()
