"""Whether what is planned now is what was left of an approved plan when its run was cut off. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from wxsync.model.change import Change, FieldChange, Kind, Verb
from wxsync.model.unknown import UNKNOWN, Value

COMPLETED: Final[Mapping[Verb, tuple[Verb, ...]]] = {
    Verb.CREATE: (Verb.CREATE, Verb.UPDATE),
    Verb.ENABLE: (Verb.ENABLE, Verb.UPDATE),
}
"""A verb that was approved -> what may be left of it; of any other verb itself alone."""


def uncovered(left: Iterable[Change], planned: Iterable[Change]) -> list[Change]:
    """The planned changes that do not stand among those of the approved plan that are `left`, or in part.

    A field must be asked for the same value. It may hold what it held, what a step on the way gave it, or
    nobody knows what: a run that dies leaves what it was at. Of a list of people or places some may be done.
    A temporary change stands where its record has a change of that field.
    """
    approved = _by_record(left)
    return [
        change
        for change in planned
        if change.verb is not Verb.KEEP and not _stands(change, approved.get(_record(change), ()))
    ]


def covered_fields(left: Iterable[Change], planned: Iterable[Change]) -> frozenset[tuple[str, str]]:
    """(key, field) of every planned change of a member that stands among those of the approved plan."""
    approved = _by_record(each for each in left if each.kind is Kind.MEMBER)
    return frozenset(
        (str(change.key), name)
        for change in planned
        if (own := approved.get(_record(change)))
        for name, values in change.fields.items()
        if _stands(replace(change, fields={name: values}), own)
    )


def same_records(changes: Iterable[Change], others: Iterable[Change]) -> list[Change]:
    """Those of the changes whose record is one of the others'."""
    records = {_record(change) for change in others}
    return [change for change in changes if _record(change) in records]


def _by_record(changes: Iterable[Change]) -> dict[tuple[Kind, str], list[Change]]:
    found: dict[tuple[Kind, str], list[Change]] = {}
    for change in changes:
        found.setdefault(_record(change), []).append(change)
    return found


def _record(change: Change) -> tuple[Kind, str]:
    return change.kind, str(change.id if change.key is None else change.key)


def _stands(change: Change, approved: Iterable[Change]) -> bool:
    own = list(approved)
    if change.is_temporary:
        return all(any(name in each.fields for each in own) for name in change.fields)
    return any(
        not each.is_temporary
        and change.verb in COMPLETED.get(each.verb, (each.verb,))
        and _is_same_record(each, change)
        and all(_is_left(name, values, each, own) for name, values in change.fields.items())
        for each in own
    )


def _is_same_record(approved: Change, change: Change) -> bool:
    """An id that was yet to be given may be there by now."""
    return approved.id is None or change.id is None or approved.id == change.id


def _is_left(name: str, values: FieldChange, approved: Change, own: Iterable[Change]) -> bool:
    wanted = approved.fields.get(name)
    if wanted is None or _plain(wanted.after) != _plain(values.after):
        return False
    on_the_way = [each.fields[name].after for each in own if each.is_temporary and name in each.fields]
    may_hold = [wanted.before, *on_the_way]
    if values.before is UNKNOWN or any(_plain(values.before) == _plain(held) for held in may_hold):
        return True
    if approved.verb is Verb.CREATE:
        return values.before is None or _is_between(values.before, (), wanted.after)
    return _is_between(values.before, wanted.before, wanted.after)


def _is_between(held: Value, before: Value, after: Value) -> bool:
    """Of a list: what is there was there before or is to be, and what stays was never away."""
    if not (isinstance(held, tuple) and isinstance(before, tuple) and isinstance(after, tuple)):
        return False
    holds, was, shall = set(_plain(held)), set(_plain(before)), set(_plain(after))
    return was & shall <= holds <= was | shall


def _plain(value: Any) -> Any:
    """An order as a plan's document has it: departments by their text."""
    if isinstance(value, tuple):
        return tuple((str(item[0]), item[1]) if isinstance(item, tuple) else item for item in value)
    return value
