"""Values that nobody knows are written in as many runs as the limits ask for; none is refused for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from wxsync.config.settings import LimitsSettings
from wxsync.engine.actual import Actual
from wxsync.engine.counting import FIELD_CHANGE, UPDATE
from wxsync.engine.exchange import OTHER_CONTACT, Settlement
from wxsync.engine.going_on import covered_fields
from wxsync.engine.guard import as_kept
from wxsync.model.change import Change, Kind, Reason, Verb
from wxsync.model.member import PLACE_FIELDS, Member, fold
from wxsync.model.message import say
from wxsync.model.remembered import Remembered
from wxsync.model.unknown import UNKNOWN
from wxsync.model.uses import FACTORS, LimitKey, PastUses

Fills = Mapping[str, frozenset[str]]
"""Member key -> fields that may wait: unknown until now, and no part of where somebody is put."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What a run leaves to later ones."""

    waiting: Fills
    runs: int | None
    """Until all is written, where nothing else is to be done meanwhile; None: a limit of 0 is in the way."""


def pace_of(settlement: Settlement, actual: Actual, limits: LimitsSettings, remembered: Remembered) -> Pace:
    """Of the values that only fill in what is unknown, those that do not fit into this run.

    After an adoption everything that WeCom hides is unknown, for everybody: `wxsync baseline` is the quick
    way, and this the one that needs nobody's word. What is known to differ counts first; what was settled to
    be given up does not count, or it would use the run up for ever. Nothing waits for which somebody else
    does, and nothing that an approval covers; a run that goes on with what is `left_of_approved` writes
    nothing beside it. Next comes what a call of ours left in doubt; where there is no room for any of it, it
    does not wait but is asked for with the rest of the plan. Whom WeCom refused in the last run comes last.
    Of the windows of 24 hours and 7 days half of what one run may do is left to what will be known to differ
    by then.
    """
    updates = [change for change in settlement.writes.values() if _is_update(change)]
    covered = covered_fields(remembered.left_of_approved, updates)
    fills = _fills_of(updates, covered.union(_awaited(settlement)))
    runs = _runs_of(updates, fills, limits, len(actual.members))
    if covered:
        return Pace(waiting=fills, runs=runs)
    room = _Room(limits, len(actual.members), updates, fills, remembered.uses)
    begun = {key: names for key in fills.keys() & actual.doubts if (names := _begun(key, fills[key], actual))}
    urgent = room.without_room(begun)
    fits = {key: room.take(key, names - urgent.get(key, frozenset())) for key, names in sorted(begun.items())}
    waiting: dict[str, frozenset[str]] = {}
    for key in sorted(fills, key=lambda each: _has_failed(actual.members[each], remembered)):
        names = fills[key]
        rest = names - begun.get(key, frozenset())
        left = names - urgent.get(key, frozenset()) - fits.get(key, frozenset()) - room.take(key, rest)
        if left:
            waiting[key] = left
    return Pace(waiting=waiting, runs=runs)


def paced(changes: Iterable[Change], pace: Pace) -> Iterator[Change]:
    """The same changes, and a KEEP in the place of what a later run is to write."""
    why = (
        say("nobody knows what it holds, and a limit lets none of it be written")
        if pace.runs is None
        else say("nobody knows what it holds: to be written in a later run, {runs} in all", runs=pace.runs)
    )
    for change in changes:
        waiting = pace.waiting.get(str(change.key), frozenset()) if _is_update(change) else frozenset()
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


def _awaited(settlement: Settlement) -> Iterator[tuple[str, str]]:
    """What others wait for; of one whose number or address is cleared for that the other contact too."""
    for taken in settlement.holders.values():
        for name, holder in taken.items():
            yield holder, name
            released = settlement.writes[holder].fields.get(name)
            if name in OTHER_CONTACT and released is not None and released.after is None:
                yield holder, OTHER_CONTACT[name]


def _fills_of(updates: Iterable[Change], asked_for: Set[tuple[str, str]]) -> Fills:
    """The fields of each that may wait; of those who have any."""
    found = ((str(change.key), _fills(change)) for change in updates)
    left = ((key, frozenset(name for name in names if (key, name) not in asked_for)) for key, names in found)
    return {key: names for key, names in left if names}


def _fills(change: Change) -> frozenset[str]:
    is_placing = "departments" in change.fields
    return frozenset(
        name
        for name, values in change.fields.items()
        if values.before is UNKNOWN and name != "enable" and not (is_placing and name in PLACE_FIELDS)
    )


def _has_failed(member: Member, remembered: Remembered) -> bool:
    return fold(member.userid) in remembered.failed_lately


def _begun(key: str, names: frozenset[str], actual: Actual) -> frozenset[str]:
    """Those that a call of ours may have changed: only of them more than one value is on record."""
    doubts = actual.doubts.get(key, {})
    return frozenset(name for name in names if len(doubts.get(name, ())) > 1)


class _Room:
    """How many more updates, in all and of each field, a run may make."""

    def __init__(
        self, limits: LimitsSettings, people: int, updates: Sequence[Change], fills: Fills, past: PastUses
    ) -> None:
        self._counted = {
            str(change.key) for change in updates if len(fills.get(str(change.key), ())) < len(change.fields)
        }
        self._left = _free(UPDATE, limits.member_update.allowed(people), past) - len(self._counted)
        of_each, names = (
            limits.field_change.allowed(people),
            {name for each in updates for name in each.fields},
        )
        self._left_of = Counter({name: _free(LimitKey(FIELD_CHANGE, name), of_each, past) for name in names})
        for change in updates:
            waits = fills.get(str(change.key), frozenset())
            self._left_of.subtract(name for name in change.fields if name not in waits)

    def without_room(self, fills: Fills) -> Fills:
        """Of these fields those for which there is no room, even if they were the only ones."""
        return {key: names - self._fitting(key, names) for key, names in fills.items()}

    def take(self, key: str, names: frozenset[str]) -> frozenset[str]:
        """Those of the fields that fit; they are counted."""
        fitting = self._fitting(key, names)
        if fitting and key not in self._counted:
            self._counted.add(key)
            self._left -= 1
        self._left_of.subtract(fitting)
        return fitting

    def _fitting(self, key: str, names: frozenset[str]) -> frozenset[str]:
        if key not in self._counted and self._left < 1:
            return frozenset()
        return frozenset(name for name in names if self._left_of[name] > 0)


def _free(key: LimitKey, allowed: int, past: PastUses) -> int:
    """How much of a limit this run may use for what can wait."""
    windows = (
        factor * allowed - allowed // 2 - past.within(window, key, frozenset())
        for window, factor in FACTORS.items()
    )
    return min(allowed, *windows)


def _runs_of(updates: Iterable[Change], fills: Fills, limits: LimitsSettings, people: int) -> int | None:
    pure = sum(len(fills.get(str(change.key), ())) == len(change.fields) for change in updates)
    asked = Counter(name for names in fills.values() for name in names)
    of_each, in_all = limits.field_change.allowed(people), limits.member_update.allowed(people)
    if fills and not (of_each and in_all):
        return None
    return max(_runs(pure, in_all), *(_runs(count, of_each) for count in asked.values()), 1)


def _runs(count: int, allowed: int) -> int:
    return -(-count // max(1, allowed))
