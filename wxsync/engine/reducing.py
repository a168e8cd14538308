"""Some changes out of a whole plan: the schedule without the others, and everything counted anew. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from wxsync.config.settings import SyncSettings
from wxsync.engine.causes import causes_of
from wxsync.engine.decide import Decision
from wxsync.engine.forecast import forecast
from wxsync.engine.limits import limits_of, month_creations
from wxsync.engine.losses import losses_of
from wxsync.engine.naming import names_in
from wxsync.engine.schedule import Part, Schedule, Unit
from wxsync.model.change import Change, Kind, Verb


def reduced(
    decision: Decision, own: Sequence[int], settings: SyncSettings, account_cap: int | None
) -> Decision:
    """The decision with the changes of these numbers alone, by calls: what is counted is counted of them."""
    schedule = _only(decision.schedule, own)
    desired, actual, remembered = decision.desired, decision.actual, decision.remembered
    limits = (
        *limits_of(schedule.changes, decision.asked, actual, remembered, settings.limits, settings.policy),
        *month_creations(schedule.changes, remembered, account_cap),
    )
    exceeded = [limit for limit in limits if limit.is_exceeded]
    plan = replace(
        decision.plan,
        changes=schedule.changes,
        limits=limits,
        causes=causes_of(exceeded, schedule.changes, desired, actual, remembered, decision.configured),
        forecast=forecast(schedule.changes, schedule.units),
        foreign={},
        names=names_in(schedule.changes, desired, actual),
        not_undoable=losses_of(schedule.changes, actual, decision.seen)
        if decision.plan.undoes is None
        else decision.plan.not_undoable,
    )
    return replace(decision, plan=plan, schedule=schedule)


def needed_by(schedule: Schedule, own: Sequence[int]) -> list[int]:
    """The numbers of other changes without which those of `own` cannot be made, in order."""
    numbers = set(own)
    waiting = [
        number for number, unit in enumerate(schedule.units) if any(part.n in numbers for part in unit.parts)
    ]
    units: set[int] = set()
    while waiting:
        number = waiting.pop()
        if number not in units:
            units.add(number)
            waiting += schedule.units[number].needs
    found = {part.n for number in units for part in schedule.units[number].parts}
    found |= _named_people(schedule.changes, own)
    return sorted(found - numbers)


def _only(schedule: Schedule, own: Sequence[int]) -> Schedule:
    """The changes of these numbers, numbered anew, and the parts of units that carry them out."""
    numbers = {n: place for place, n in enumerate(own, 1)}
    kept = {number: _own_parts(unit, numbers) for number, unit in enumerate(schedule.units)}
    places = {number: place for place, number in enumerate(number for number, parts in kept.items() if parts)}
    return Schedule(
        changes=tuple(schedule.changes[n - 1] for n in own),
        units=tuple(
            Unit(
                parts=kept[number],
                needs=frozenset(places[need] for need in schedule.units[number].needs if need in places),
                after=frozenset(places[one] for one in schedule.units[number].after if one in places),
            )
            for number in places
        ),
    )


def _own_parts(unit: Unit, numbers: dict[int, int]) -> tuple[Part, ...]:
    """The unit's parts of these changes; a part needs those before it that are left."""
    left = [place for place, part in enumerate(unit.parts) if part.n in numbers]
    places = {place: index for index, place in enumerate(left)}
    return tuple(
        replace(
            unit.parts[place],
            n=numbers[unit.parts[place].n],
            needs=tuple(places[need] for need in unit.parts[place].needs if need in places),
        )
        for place in left
    )


def _named_people(changes: Sequence[Change], own: Iterable[int]) -> set[int]:
    """The changes by which direct leaders and people of tags come to be there, who would else be left out."""
    wanted: set[object] = set()
    for change in (changes[n - 1] for n in own):
        if change.verb is not Verb.KEEP:
            wanted |= {values.after for name, values in change.fields.items() if name == "direct_leader"}
            wanted |= _joining(change)
    return {
        n
        for n, change in enumerate(changes, 1)
        if change.kind is Kind.MEMBER and change.verb in (Verb.CREATE, Verb.ADOPT) and change.key in wanted
    }


def _joining(change: Change) -> set[object]:
    members = change.fields.get("members") if change.kind is Kind.TAG else None
    return set(members.after) if members is not None and isinstance(members.after, tuple) else set()
