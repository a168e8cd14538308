"""Whether a call may go out: that is for whoever it is made on behalf of to say, right before it does.

WeCom checks no token of ours. So a run that may have lost its right to write must not begin a call, and
must not have begun one that outlasts it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeAlias

Leave: TypeAlias = Callable[[], bool]
"""Asked once more when a call is about to be written to the line; it waits for nothing. False: no longer."""


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

    async def leave(self, within: float) -> Leave:
        """Leave for a call of so many seconds; raises what the holder does."""
        return _always if self._hold is None else await self._hold.leave(within)


def _always() -> bool:
    return True
