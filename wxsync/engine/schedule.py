"""A plan's changes in order, cut into the calls that carry them out and what each waits for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from wxsync.model.change import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One call's share of change `n`."""

    n: int
    fields: frozenset[str] | None = None
    """The fields that it writes; None for all of the change."""
    needs: tuple[int, ...] = ()
    """Places in the same unit's `parts` that must have succeeded."""
    cycle: int | None = None
    """Parts of one cycle of values succeed together or are taken back together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Parts that run one after another; units side by side run at the same time."""

    parts: tuple[Part, ...]
    needs: frozenset[int] = frozenset()
    """Units that must have succeeded, else this one is skipped."""
    after: frozenset[int] = frozenset()
    """Units that must have ended, whatever became of them."""


class Units(Sequence[Unit]):
    """Units by number, of which a plan may have a hundred thousand.

    One that does a whole change and waits for nothing is given, and kept, as that change's n alone; whoever
    asks for it gets a `Unit` all the same.
    """

    __slots__ = ("_kept",)

    def __init__(self, units: Iterable[Unit | int]) -> None:
        self._kept = tuple(units)

    def __len__(self) -> int:
        return len(self._kept)

    @overload
    def __getitem__(self, number: int) -> Unit: ...
    @overload
    def __getitem__(self, number: slice) -> Units: ...
    def __getitem__(self, number: int | slice) -> Unit | Units:
        return Units(self._kept[number]) if isinstance(number, slice) else _told(self._kept[number])

    def __iter__(self) -> Iterator[Unit]:
        return map(_told, self._kept)


def _told(kept: Unit | int) -> Unit:
    return Unit(parts=(Part(n=kept),)) if isinstance(kept, int) else kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The changes in order (the n of a change is its place, from 1) and the units that do them."""

    changes: tuple[Change, ...]
    units: Sequence[Unit]
    imported: frozenset[int] = frozenset()
    """Units that go to WeCom together, as rows of files, once what they wait for has ended. Each has one
    part, and none waits for another of them."""
    columns: tuple[str, ...] = ()
    """Not empty: these go as one file that replaces everybody, with these fields of each."""
    imported_departments: frozenset[int] = frozenset()
    """Units that go as one file of the whole tree, before any other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A unit that a file can say: the fields that go into it, and those that need a call after it."""

    unit: int
    said: frozenset[str]
    rest: frozenset[str]
    columns: frozenset[str]
    """Rows of one file have the same; of creations only whether they are disabled counts."""
