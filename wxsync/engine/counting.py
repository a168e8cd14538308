"""What of a plan counts under which limit: one use for each thing that is done to a record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from wxsync.model.change import Change, FieldChange, Kind, Verb
from wxsync.model.uses import LimitKey, Use

REMOVE: Final = LimitKey("member_remove")
CREATE: Final = LimitKey("member_create")
UPDATE: Final = LimitKey("member_update")
DEPARTMENT_CREATE: Final = LimitKey("department_create")
DEPARTMENT_UPDATE: Final = LimitKey("department_update")
DEPARTMENT_MOVE: Final = LimitKey("department_move")
DEPARTMENT_DELETE: Final = LimitKey("department_delete")
TAG_ADD: Final = LimitKey("tag_member_add")
TAG_REMOVE: Final = LimitKey("tag_member_remove")
FIELD_CHANGE: Final = "field_change"
"""The limit that counts each field apart."""

OF_MEMBERS: Final = {
    Verb.CREATE: CREATE,
    Verb.UPDATE: UPDATE,
    Verb.ENABLE: UPDATE,
    Verb.DISABLE: REMOVE,
    Verb.DELETE: REMOVE,
}
OF_DEPARTMENTS: Final = {
    Verb.CREATE: DEPARTMENT_CREATE,
    Verb.DELETE: DEPARTMENT_DELETE,
}


def counts_of(changes: Sequence[Change]) -> Counter[LimitKey]:
    """How much of every limit the changes use up."""
    return Counter(use.key for use in uses_of(changes))


def uses_of(changes: Sequence[Change]) -> Iterator[Use]:
    """Everything of the changes that counts; what is kept or temporary does not.

    What completes a creation is part of it: whoever is created by these changes comes into tags uncounted.
    """
    counted = [change for change in changes if not change.is_temporary and change.verb is not Verb.KEEP]
    created = frozenset(
        change.key for change in counted if change.kind is Kind.MEMBER and change.verb is Verb.CREATE
    )
    for change in counted:
        what = str(change.id if change.key is None else change.key)
        match change.kind:
            case Kind.MEMBER:
                yield from _of_member(change, what)
            case Kind.DEPARTMENT:
                yield from _of_department(change, what)
            case Kind.TAG:
                yield from _of_tag(change, what, created)


def _of_member(change: Change, what: str) -> Iterator[Use]:
    if change.verb in OF_MEMBERS:
        yield Use(OF_MEMBERS[change.verb], what)
    if change.verb in (Verb.UPDATE, Verb.ENABLE):
        for name in change.fields:
            if name != "enable":
                yield Use(LimitKey(FIELD_CHANGE, name), what)


def _of_department(change: Change, what: str) -> Iterator[Use]:
    if change.verb in OF_DEPARTMENTS:
        yield Use(OF_DEPARTMENTS[change.verb], what)
    elif change.verb is Verb.UPDATE:
        if "parent" in change.fields:
            yield Use(DEPARTMENT_MOVE, what)
        if change.fields.keys() - {"parent"}:
            yield Use(DEPARTMENT_UPDATE, what)


def _of_tag(change: Change, what: str, created: frozenset[str | None]) -> Iterator[Use]:
    """A place for each person; deleting a tag takes away all of them."""
    values = change.fields.get("members")
    before, after = _held(values, "before"), _held(values, "after")
    for key in before - after:
        yield Use(TAG_REMOVE, f"{what}\n{key}")
    for key in after - before - created:
        yield Use(TAG_ADD, f"{what}\n{key}")
    for userid in _held(change.fields.get("foreign_members"), "before"):
        yield Use(TAG_REMOVE, f"{what}\n@{userid}")


def _held(values: FieldChange | None, side: str) -> frozenset[str]:
    held = None if values is None else getattr(values, side)
    return frozenset(map(str, held)) if isinstance(held, tuple) else frozenset()


def busiest(counts: Iterable[tuple[LimitKey, int]]) -> tuple[str | None, int]:
    """The field that changes for most members, and for how many; places before what goes with them."""
    fields = ((key.detail, count) for key, count in counts if key.name == FIELD_CHANGE)
    return max(fields, key=lambda item: (item[1], item[0] == "departments", item[0]), default=(None, 0))
