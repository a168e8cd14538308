"""From where WeCom says that it sends events (getcallbackip, WeCom page 98988), asked for once a day."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import structlog

from wxsync.errors import WxsyncError
from wxsync.mirror.clocks import since_boot
from wxsync.service.clients import Address, Network, is_within

DAY: Final = 86_400.0
EVERY: Final = 3_600.0
"""Seconds between two looks for lists that are due: so long after a failure it is tried again."""
MOST_NAMED: Final = 100
"""Addresses of one corp that are told of, until the list is read anew."""

Ask = Callable[[str], Awaitable[Iterable[Network]]]
"""Asks WeCom for the list of a corp; raises WxsyncError."""


class CallbackIps:
    """The lists of all corps, as they were last read. One thread puts them in, another one looks."""

    def __init__(self) -> None:
        self._lists: dict[str, tuple[Network, ...]] = {}
        self._named: dict[str, set[Address]] = {}
        self._read_at: dict[str, float] = {}

    def put(self, corp: str, networks: Iterable[Network], now: float) -> None:
        """The list of a corp, read at `now` seconds; an empty one is none, and the former one stays."""
        if listed := tuple(networks):
            self._read_at[corp] = now
            self._lists[corp] = listed
            self._named[corp] = set()

    def is_fresh(self, corp: str, now: float) -> bool:
        """WeCom gave a list less than a day ago."""
        return corp in self._read_at and now - self._read_at[corp] < DAY

    def knows(self, corp: str) -> bool:
        """The list of this corp was read."""
        return corp in self._lists

    def has(self, corp: str, address: Address | None) -> bool:
        """WeCom lists the address, or has not been asked yet: nobody is refused for want of a list."""
        listed = self._lists.get(corp)
        return listed is None or (address is not None and is_within(address, listed))

    def is_news(self, corp: str, address: Address | None) -> bool:
        """This address was not named since the list was read; said once, and of so many at most."""
        named = self._named.setdefault(corp, set())
        if address is None or address in named or len(named) >= MOST_NAMED:
            return False
        named.add(address)
        return True


async def read_due(
    ips: CallbackIps, corps: Iterable[str], ask: Ask, clock: Callable[[], float] = since_boot
) -> None:
    """Read the lists of those corps of which none was read within a day."""
    for corp in corps:
        if not ips.is_fresh(corp, clock()):
            try:
                ips.put(corp, await ask(corp), clock())
            except WxsyncError as error:
                log = structlog.get_logger()
                log.warning("WeCom's own addresses could not be read", corp=corp, problem=error.message)
