"""Values that nobody knows are written in as many runs as the limits ask for; none is refused for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from wxsync.config.settings import LimitsSettings
from wxsync.engine.guard import as_kept
from wxsync.model.change import Change, Kind, Reason, Verb
from wxsync.model.member import PLACE_FIELDS
from wxsync.model.message import say
from wxsync.model.unknown import UNKNOWN


def paced(changes: Iterable[Change], limits: LimitsSettings, people: int) -> Iterator[Change]:
    """The same changes; of the values that only fill in what is unknown, as many as a run may write.

    After an adoption everything that WeCom hides is unknown, for everybody: `wxsync baseline` is the
    quick way, and this the one that needs nobody's word. What is known to differ counts first.
    """
    listed = list(changes)
    budget = _Budget(limits, people, listed)
    why = say("nobody knows what it holds: to be written in a later run, {runs} in all", runs=budget.runs)
    for change in listed:
        waiting = budget.waiting(change)
        if not waiting:
            yield change
            continue
        rest = {name: values for name, values in change.fields.items() if name not in waiting}
        if rest:
            yield replace(change, fields=rest)
        held = {name: values for name, values in change.fields.items() if name in waiting}
        yield replace(as_kept(change, why, Reason.UNKNOWN), fields=held)


def _is_update(change: Change) -> bool:
    return change.kind is Kind.MEMBER and change.verb in (Verb.UPDATE, Verb.ENABLE)


def _fills(change: Change) -> frozenset[str]:
    """The fields that may wait: unknown until now, and no part of where somebody is put."""
    if not _is_update(change):
        return frozenset()
    is_placing = "departments" in change.fields
    return frozenset(
        name
        for name, values in change.fields.items()
        if values.before is UNKNOWN and name != "enable" and not (is_placing and name in PLACE_FIELDS)
    )


class _Budget:
    """How many more updates, in all and of each field, a run may make."""

    def __init__(self, limits: LimitsSettings, people: int, changes: Iterable[Change]) -> None:
        updates = [(change, _fills(change)) for change in changes if _is_update(change)]
        pure = sum(len(fills) == len(change.fields) for change, fills in updates)
        in_all, of_each = limits.member_update.allowed(people), limits.field_change.allowed(people)
        self._left = in_all - (len(updates) - pure)
        self._left_of = Counter({name: of_each for change, _ in updates for name in change.fields})
        for change, fills in updates:
            self._left_of.subtract(name for name in change.fields if name not in fills)
        asked = Counter(name for _, fills in updates for name in fills)
        self.runs = max(_runs(pure, in_all), *(_runs(count, of_each) for count in asked.values()), 1)
        """Runs until all is written, where nothing else is to be done meanwhile."""

    def waiting(self, change: Change) -> frozenset[str]:
        """The fields of `change` that do not fit into this run; those that do are counted."""
        fills = _fills(change)
        is_pure = bool(fills) and len(fills) == len(change.fields)
        if is_pure and self._left < 1:
            return fills
        writes = frozenset(name for name in fills if self._left_of[name] > 0)
        if is_pure and writes:
            self._left -= 1
        self._left_of.subtract(writes)
        return fills - writes


def _runs(count: int, allowed: int) -> int:
    return -(-count // max(1, allowed))
