"""The names of everything that a plan's fields point to, so that a reader need not know the keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from wxsync.engine.actual import Actual
from wxsync.model.change import Change, Kind
from wxsync.model.department import Department
from wxsync.model.desired import Desired
from wxsync.model.member import Member
from wxsync.model.plan import Names
from wxsync.model.unknown import Value

POINTERS: Final = {
    "parent": Kind.DEPARTMENT,
    "departments": Kind.DEPARTMENT,
    "main_department": Kind.DEPARTMENT,
    "is_leader": Kind.DEPARTMENT,
    "order": Kind.DEPARTMENT,
    "direct_leader": Kind.MEMBER,
    "members": Kind.MEMBER,
}
"""Field -> what its value names by key."""


def names_in(changes: Iterable[Change], desired: Desired, actual: Actual) -> Names:
    """(kind, key) -> name, for every key in the changes' fields whose name is known."""
    names: dict[tuple[Kind, str], str] = {}
    for change in changes:
        for field in change.fields:
            kind = POINTERS.get(field) if change.kind is not Kind.DEPARTMENT or field == "parent" else None
            if kind is None:
                continue
            values = change.fields[field]
            for key in (*_keys(values.before), *_keys(values.after)):
                name = _name(kind, key, desired, actual)
                if name is not None:
                    names[kind, key] = name
    return names


def _keys(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            ref = item[0] if isinstance(item, tuple) else item
            if isinstance(ref, str):
                yield ref


def _name(kind: Kind, key: str, desired: Desired, actual: Actual) -> str | None:
    """What it will be called, else what it was last known to be called."""
    sides: Iterable[Department | Member | None] = (
        (desired.departments.get(key), actual.departments.get(key))
        if kind is Kind.DEPARTMENT
        else (desired.members.get(key), actual.members.get(key))
    )
    return next((each.name for each in sides if each is not None and isinstance(each.name, str)), None)
