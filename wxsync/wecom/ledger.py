"""Where calls are counted: what a ledger promises, and one for this process alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Protocol

from wxsync.model.quota import Account, Grant, Hold, Unused


class Ledger(Protocol):
    """The counts of all processes that share it. Blocking; may raise `MirrorError`."""

    def reserve(self, account: Account, want: int, now: float, unused: Sequence[Unused] = ()) -> Grant:
        """Take back `unused`, then count `want` calls of the account, or as many as every window takes.

        They are spent from then on, also where the process dies; they lapse `LAPSE` seconds later.
        """

    def give_back(self, account: Account, unused: Sequence[Unused]) -> None:
        """Take back permits that were not used."""

    def held(self, account: Account, now: float) -> Hold | None:
        """The last hold of the account's calls, which may be over."""

    def hold(self, account: Account, hold: Hold, now: float) -> None:
        """Grant nothing to the account's calls before the hold's end; a longer one that can be stays."""


class MemoryLedger:
    """The counts of this process."""

    def __init__(self) -> None:
        self._used: dict[tuple[str, int], dict[int, int]] = defaultdict(dict)
        self._holds: dict[str, Hold] = {}

    def reserve(self, account: Account, want: int, now: float, unused: Sequence[Unused] = ()) -> Grant:
        self.give_back(account, unused)
        hold = self.held(account, now)
        if hold is not None and hold.until > now:
            return Grant(count=0, wait=hold.until - now)
        tables = [(window, self._used[window.name, window.span]) for window in account.windows]
        count = min([want, *(window.room(used, now) for window, used in tables)])
        if count <= 0:
            return Grant(count=0, wait=max(window.wait(used, now) for window, used in tables))
        for window, used in tables:
            for grain in [grain for grain in used if window.leaves_at(grain) <= now]:
                del used[grain]
            used[window.grain_at(now)] = used.get(window.grain_at(now), 0) + count * window.weight
        return Grant(count=count)

    def give_back(self, account: Account, unused: Sequence[Unused]) -> None:
        for window in account.windows:
            used = self._used[window.name, window.span]
            for each in unused:
                grain = window.grain_at(each.reserved_at)
                if grain in used:
                    used[grain] = max(0, used[grain] - each.count * window.weight)

    def held(self, account: Account, now: float) -> Hold | None:
        hold = self._holds.get(account.key)
        return hold if hold is not None and account.is_possible(hold, now) else None

    def hold(self, account: Account, hold: Hold, now: float) -> None:
        former = self.held(account, now)
        if former is None or former.until < hold.until:
            self._holds[account.key] = hold
