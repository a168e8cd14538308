"""WeCom's limits on how often a call is made (WeCom page 90312), as data."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from wxsync.model.quota import Account, Window

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86400
MONTH: Final = 30 * DAY
UNDER_WAY: Final = 100
"""So many calls fewer than WeCom's number: what is delayed on its way is counted later there than here."""
LARGE: Final = ((MINUTE, 10_000 - UNDER_WAY), (HOUR, 150_000 - UNDER_WAY))
"""Per corp and call."""
ADDRESS: Final = ((MINUTE, 20_000 - UNDER_WAY), (HOUR, 600_000 - UNDER_WAY))
"""Per address and call. All who share a ledger count as one address: whether they are, nobody can tell."""
OF_CALLS: Final[Mapping[str, tuple[tuple[int, int], ...]]] = MappingProxyType(
    {"appchat/create": ((DAY, 1000),), "appchat/update": ((HOUR, 1000),)}
)
"""Per corp, all its apps together (WeCom pages 90245, 98913)."""
OF_RECEIVERS: Final = ((MINUTE, 30), (HOUR, 1000))
"""Messages per app and member: WeCom drops what is more, without an error."""
OF_CHATS: Final = ((MINUTE, 200), (DAY, 10_000))
"""Messages per app that a member gets from its chats, counted for each chat: nobody asks who is in it."""
PERSON_TIMES: Final = 20_000
"""Per corp and minute, in chats: a message to a chat of 100 counts for 100 (WeCom page 90248)."""
MISSES_PERCENT: Final = 5
"""Look-ups by mobile that miss, of the members a day: at 20 WeCom blocks the call for a day."""
BEIJING: Final = 8 * HOUR
"""Seconds by which WeCom's calendar day is ahead of UTC's."""
MARGIN: Final = 1.0
"""Seconds that a block is waited for beyond its end."""
BLOCKS: Final[Mapping[str, tuple[int, ...]]] = MappingProxyType(
    {
        "user/create": (MINUTE, HOUR, MONTH),
        "user/getuserid": (MINUTE, HOUR, DAY),
        "appchat/create": (MINUTE, HOUR, DAY),
        "message/send": (MINUTE, HOUR, DAY),
    }
)
"""What a first, second and further 45009 in a row may mean: the block is as long as the window."""
LONGER: Final = (MINUTE, HOUR)
"""The same for all other calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Misses:
    """Answers of a look-up that WeCom counts against a corp of so many members."""

    errcodes: frozenset[int]
    members: int = 0
    """0: nobody says how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A message to a chat of so many members."""

    chatid: str
    members: int = 1
    """1: nobody says how many."""


def account_of(corp_id: str, path: str) -> Account:
    """What every call of `path` counts under."""
    key, address = f"{corp_id} {path}", f"address {path}"
    of_corp = tuple(_windows(key, (*LARGE, *OF_CALLS.get(path, ()))))
    return Account(
        key=key,
        windows=_strictest((*of_corp, *_windows(address, ADDRESS))),
        locks=tuple(sorted((key, address))),
        longest_hold=MARGIN + max(BLOCKS.get(path, LONGER)),
    )


def receiver_windows(corp_id: str, app: str, receivers: Collection[str]) -> tuple[Window, ...]:
    """What a message to these counts under as well. Only letters' case may differ in a userid.

    A department, a tag and everybody are one receiver each: who is in them is not counted.
    """
    names = sorted({f"{corp_id} {app} to {receiver.casefold()}" for receiver in receivers})
    return tuple(window for name in names for window in _windows(name, OF_RECEIVERS))


def post_windows(corp_id: str, app: str, post: Post) -> tuple[Window, ...]:
    """What a message to a chat counts under as well."""
    whole = Window(name=f"{corp_id} chats", span=MINUTE, limit=PERSON_TIMES, weight=post.members)
    return (*_windows(f"{corp_id} {app} chat {post.chatid}", OF_CHATS), whole)


def miss_window(corp_id: str, path: str, members: int) -> Window:
    """What a look-up that misses counts under; one a day may where nobody knows of twenty members."""
    limit = max(1, members * MISSES_PERCENT // 100)
    return Window(name=f"{corp_id} {path} missed", span=DAY, limit=limit)


def blocked_for(path: str, step: int, now: float) -> float:
    """Seconds after the `step`th 45009 in a row (from 0) for which WeCom takes no such call."""
    spans = BLOCKS.get(path, LONGER)
    span = spans[min(step, len(spans) - 1)]
    return MARGIN + (DAY - (now + BEIJING) % DAY if span == DAY else span)


def _windows(name: str, limits: tuple[tuple[int, int], ...]) -> tuple[Window, ...]:
    return tuple(Window(name=name, span=span, limit=limit) for span, limit in limits)


def _strictest(windows: tuple[Window, ...]) -> tuple[Window, ...]:
    """Of two limits on one window the lower one holds."""
    found: dict[tuple[str, int], Window] = {}
    for window in windows:
        former = found.get((window.name, window.span))
        if former is None or window.limit < former.limit:
            found[window.name, window.span] = window
    return tuple(found.values())
