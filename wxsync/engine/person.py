"""One person's own changes out of a whole plan: to mend one record and to leave all others for later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from wxsync.config.settings import SyncSettings
from wxsync.engine.decide import Decision
from wxsync.engine.forecast import forecast
from wxsync.engine.limits import limits_of, month_creations
from wxsync.engine.naming import names_in
from wxsync.engine.schedule import Part, Schedule, Unit
from wxsync.errors import GuardError, WxsyncError
from wxsync.model.change import Change, Kind, Verb
from wxsync.model.member import fold
from wxsync.model.remembered import LinkState

MOST_NAMED = 5
"""So many changes of others are named in a refusal; the plan shows all of them."""


def only_person(
    decision: Decision, person: str, settings: SyncSettings, account_cap: int | None = None
) -> Decision:
    """The decision with the changes of `person` alone, a source key or a userid, counted anew.

    Their tags are not among them: those are lists of many people. What of others' changes has to
    come first is in `needed`; such a decision cannot be carried out, see `check_alone`.

    Raises WxsyncError where nobody, or more than one, goes by `person`.
    """
    key = key_of(decision, person)
    changes = decision.schedule.changes
    own = [n for n, change in enumerate(changes, 1) if _is_of(change, key)]
    schedule = _reduced(decision.schedule, own)
    plan = decision.plan
    reduced = replace(
        plan,
        changes=schedule.changes,
        rejected=tuple(row for row in plan.rejected if row.kind is Kind.MEMBER and row.key == key),
        limits=(
            *limits_of(
                schedule.changes,
                decision.desired,
                decision.actual,
                decision.remembered,
                settings.limits,
                settings.policy,
            ),
            *month_creations(schedule.changes, decision.remembered, account_cap),
        ),
        forecast=forecast(schedule.changes, schedule.units),
        foreign={},
        names=names_in(schedule.changes, decision.desired, decision.actual),
    )
    needed = tuple(changes[n - 1] for n in _needed(decision.schedule, own))
    return replace(decision, plan=reduced, schedule=schedule, person=key, needed=needed)


def check_alone(decision: Decision) -> None:
    """Refuse one person's changes that cannot be made without another's: no half of them is made.

    Raises GuardError, which names what has to come first.
    """
    if decision.needed:
        named = "; ".join(_named(change) for change in decision.needed[:MOST_NAMED])
        more = f"; and {len(decision.needed) - MOST_NAMED} more" if len(decision.needed) > MOST_NAMED else ""
        raise GuardError(
            f"nothing was written: this person's changes need others first: {named}{more}",
            hint=f"carry out the whole plan: wxsync apply {decision.plan.sync}",
        )


def key_of(decision: Decision, person: str) -> str:
    """The source key of who goes by `person`, which is that key or, where it is one's only, a userid.

    Raises WxsyncError, without repeating what may be a phone number.
    """
    known = dict(_known(decision))
    text = person.strip()
    if text in known:
        return text
    found = sorted({key for key, userids in known.items() if fold(text) in userids})
    if len(found) == 1:
        return found[0]
    if found:
        raise WxsyncError(
            f"several people go by this userid: {', '.join(found)}",
            hint="name one of them by the source's key",
        )
    raise WxsyncError(
        f"neither the sources of sync {decision.plan.sync} nor its mirror know anybody by this key or userid",
        hint="name a person by the key in the source, or by the userid that they have in WeCom",
    )


def _known(decision: Decision) -> Iterator[tuple[str, frozenset[str]]]:
    """Everybody of whom something can be said: key -> folded userids."""
    userids: dict[str, set[str]] = {
        row.key: set() for row in decision.plan.rejected if row.kind is Kind.MEMBER and row.key is not None
    }
    for key, wanted in decision.desired.members.items():
        userids.setdefault(key, set()).add(fold(wanted.userid))
    for key, link in decision.remembered.members.items():
        if link.state is not LinkState.GONE:
            userids.setdefault(key, set()).add(fold(link.member.userid))
    for change in decision.schedule.changes:
        if change.kind is Kind.MEMBER and change.key is not None:
            ids = {fold(change.id)} if isinstance(change.id, str) else set()
            userids.setdefault(change.key, set()).update(ids)
    return ((key, frozenset(ids)) for key, ids in userids.items())


def _is_of(change: Change, key: str) -> bool:
    return change.kind is Kind.MEMBER and change.key == key


def _reduced(schedule: Schedule, own: Sequence[int]) -> Schedule:
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


def _needed(schedule: Schedule, own: Sequence[int]) -> list[int]:
    """The numbers of others' changes without which those of `own` cannot be made, in order."""
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
    found |= _leaders(schedule.changes, own)
    return sorted(found - numbers)


def _leaders(changes: Sequence[Change], own: Iterable[int]) -> set[int]:
    """The changes by which a direct leader comes to be there, who would else be left out."""
    wanted = {
        changes[n - 1].fields["direct_leader"].after
        for n in own
        if "direct_leader" in changes[n - 1].fields and changes[n - 1].verb is not Verb.KEEP
    }
    return {
        n
        for n, change in enumerate(changes, 1)
        if change.kind is Kind.MEMBER and change.verb in (Verb.CREATE, Verb.ADOPT) and change.key in wanted
    }


def _named(change: Change) -> str:
    return f"{change.verb.value} {change.kind.value} {change.key}"
