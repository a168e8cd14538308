"""A plan's changes in order, cut into the calls that carry them out and what each waits for."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The changes in order (the n of a change is its place, from 1) and the units that do them."""

    changes: tuple[Change, ...]
    units: tuple[Unit, ...]
