"""From where WeCom says that it sends events (getcallbackip, WeCom page 98988), asked for once a day."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import structlog

from wxsync.errors import WxsyncError
from wxsync.service.clients import Address, Network, is_within

DAY: Final = 86_400.0
AFTER_FAILURE: Final = 3_600.0
MOST_NAMED: Final = 100
"""Addresses of one corp that are told of, until the list is read anew."""

Ask = Callable[[str], Awaitable[Iterable[Network]]]
"""Asks WeCom for the list of a corp; raises WxsyncError."""


class CallbackIps:
    """The lists of all corps, as they were last read. One thread puts them in, another one looks."""

    def __init__(self) -> None:
        self._lists: dict[str, tuple[Network, ...]] = {}
        self._named: dict[str, set[Address]] = {}

    def put(self, corp: str, networks: Iterable[Network]) -> None:
        """The list of a corp; an empty one is none, and the former one stays."""
        if listed := tuple(networks):
            self._lists[corp] = listed
            self._named[corp] = set()

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


async def keep_read(
    ips: CallbackIps,
    corps: Callable[[], Iterable[str]],
    ask: Ask,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Until it is cancelled: the lists of `corps` are read, each day, and after a failure an hour later."""
    while True:
        read = [await _read(ips, corp, ask) for corp in corps()]
        await sleep(DAY if all(read) else AFTER_FAILURE)


async def _read(ips: CallbackIps, corp: str, ask: Ask) -> bool:
    try:
        ips.put(corp, await ask(corp))
    except WxsyncError as error:
        log = structlog.get_logger()
        log.warning("WeCom's own addresses could not be read", corp=corp, problem=error.message)
        return False
    return True
