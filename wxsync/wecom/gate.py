"""Whether a call may go out: that is for whoever it is made on behalf of to say, right before it does.

WeCom checks no token of ours. So a run that may have lost its right to write must not begin a call, and
must not have begun one that outlasts it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Leave:
    """Leave to make one call. Called: whether it still holds, right before each part is written."""

    may_go: Callable[[], bool]
    """Waits for nothing."""
    until: float
    """By the clock since boot; nothing of the call is to be written after that."""

    def __call__(self) -> bool:
        return self.may_go()


class Hold(Protocol):
    """A right to make calls that has an end."""

    async def leave(self, within: float) -> Leave:
        """Leave to make a call that is over within so many seconds from now.

        It waits where the right has first to be renewed, and raises what tells why there is none.
        """
        ...


class Gate:
    """In the way of every call of some lines; open where nobody holds it."""

    def __init__(self) -> None:
        self._hold: Hold | None = None

    @contextmanager
    def held_by(self, hold: Hold) -> Iterator[None]:
        """No call without `hold`'s leave, for the length of the block."""
        before, self._hold = self._hold, hold
        try:
            yield
        finally:
            self._hold = before

    async def leave(self, within: float) -> Leave | None:
        """Leave for a call of so many seconds, None where it needs none; raises what the holder does."""
        return None if self._hold is None else await self._hold.leave(within)
