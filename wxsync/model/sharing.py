"""Equal values as one object: a hundred thousand people have a thousand departments and titles among them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Sharing(Generic[T]):
    """Gives for each value the first one that was equal to it, as long as this object lives."""

    def __init__(self) -> None:
        self._first: dict[T, T] = {}

    def one(self, value: T) -> T:
        """The same, or an equal one that somebody has already."""
        return self._first.setdefault(value, value)


def shared(make: Callable[[object], T]) -> Callable[[object], T]:
    """The same function, giving equal results as one object."""
    sharing = Sharing[T]()
    return lambda value: sharing.one(make(value))
