"""What goes with a change and is in none of its fields: kept with the plan, so that an undo has it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, cast

from wxsync.engine.actual import Actual
from wxsync.engine.remembering import EXTATTR
from wxsync.engine.schedule import Schedule
from wxsync.model.change import Change, Kind, Verb
from wxsync.model.department import DEPARTMENT_FIELDS
from wxsync.model.member import MEMBER_FIELDS, Member
from wxsync.model.unknown import UNKNOWN, DepartmentRef, Value

HELD_TAGS: Final = "tags"
"""In what a deleted member held: the names of our tags that it was in."""
HELD_LED: Final = "led"
"""Likewise: the keys of those whose direct leader it was."""
MARKS: Final = ("main_department", "is_leader", "order")
"""What goes with a place in a department, be it told or not."""
NOWHERE: Final = frozenset[DepartmentRef]()
CHANGING: Final = (Verb.UPDATE, Verb.ENABLE, Verb.DISABLE)
"""What becomes of a member who is there and stays."""


def with_held(schedule: Schedule, actual: Actual) -> Schedule:
    """The same, where each deletion says what is known of the record, and each move what marks go with it.

    The mirror forgets them, and no field of the change tells them.
    """
    gone = {
        str(change.key)
        for change in schedule.changes
        if change.kind is Kind.MEMBER and change.verb is Verb.DELETE
    }
    led, tags = _led_by(gone, actual), _tags_of(gone, actual)
    held = {
        n: _held(change, actual, led, tags) if change.verb is Verb.DELETE else _marks(change, actual)
        for n, change in enumerate(schedule.changes)
        if change.verb is Verb.DELETE or places_left(change)
    }
    held = {n: values for n, values in held.items() if values}
    if not held:
        return schedule
    return replace(
        schedule,
        changes=tuple(
            replace(change, held=held[n]) if n in held else change
            for n, change in enumerate(schedule.changes)
        ),
    )


def _held(
    change: Change, actual: Actual, led: Mapping[str, list[str]], tags: Mapping[str, list[str]]
) -> dict[str, Value]:
    key = str(change.key)
    if change.kind is Kind.DEPARTMENT:
        department = actual.departments[key]
        fields = {name: getattr(department, name) for name in DEPARTMENT_FIELDS}
        return {name: value for name, value in fields.items() if value is not UNKNOWN}
    if change.kind is Kind.TAG:
        return {"members": tuple(sorted(actual.tags[key].members))}
    held = _of(actual.members[key])
    lists = {HELD_TAGS: tags.get(key, ()), HELD_LED: led.get(key, ())}
    return held | {name: tuple(sorted(listed)) for name, listed in lists.items() if listed}


def places_left(change: Change) -> frozenset[DepartmentRef]:
    """The departments that an update takes somebody out of."""
    values = change.fields.get("departments")
    if change.kind is not Kind.MEMBER or change.verb not in CHANGING or values is None:
        return NOWHERE
    before, after = values.before, values.after
    if not isinstance(before, tuple) or not isinstance(after, tuple):
        return NOWHERE
    return cast("frozenset[DepartmentRef]", frozenset(before) - frozenset(after))


def _marks(change: Change, actual: Actual) -> dict[str, Value]:
    held = _of(actual.members[str(change.key)])
    return {name: held[name] for name in MARKS if name in held and name not in change.fields}


def _of(member: Member) -> dict[str, Value]:
    """Every field that is known and not empty."""
    values: dict[str, Value] = {name: getattr(member, name) for name in MEMBER_FIELDS}
    values |= {EXTATTR + name: value for name, value in member.extattr}
    return {name: value for name, value in values.items() if value is not UNKNOWN and value not in (None, ())}


def _led_by(gone: set[str], actual: Actual) -> dict[str, list[str]]:
    led: dict[str, list[str]] = {}
    for key, member in actual.members.items() if gone else ():
        if isinstance(member.direct_leader, str) and member.direct_leader in gone and key not in gone:
            led.setdefault(member.direct_leader, []).append(key)
    return led


def _tags_of(gone: set[str], actual: Actual) -> dict[str, list[str]]:
    tags: dict[str, list[str]] = {}
    for name, tag in actual.tags.items() if gone else ():
        for key in tag.members & gone:
            tags.setdefault(key, []).append(name)
    return tags
