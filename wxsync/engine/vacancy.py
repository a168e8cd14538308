"""Which dropped departments will hold nobody when their turn to be deleted comes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from wxsync.engine.actual import Actual
from wxsync.engine.guard import as_kept
from wxsync.model.change import Change, Kind, Reason, Verb
from wxsync.model.member import fold
from wxsync.model.message import Message, say


def keep_occupied(changes: Iterable[Change], actual: Actual) -> list[Change]:
    """The same changes, with a KEEP for each dropped department that somebody or something stays in.

    A department is vacant when everybody in it leaves by this very plan (foreign members never do),
    and every department below it is moved away or deleted by it.
    """
    listed = list(changes)
    leaving = _leaving(listed, actual)
    moved = _moved(listed)
    dropped = {
        cast("int", change.id): change
        for change in listed
        if change.kind is Kind.DEPARTMENT and change.verb is Verb.DELETE
    }
    vacant = _vacant(dropped, actual, leaving, moved)
    return [
        as_kept(change, _why(cast("int", change.id), actual, leaving), Reason.OCCUPIED)
        if change.kind is Kind.DEPARTMENT and change.verb is Verb.DELETE and change.id not in vacant
        else change
        for change in listed
    ]


def _leaving(changes: Iterable[Change], actual: Actual) -> dict[int, set[str]]:
    """Department id -> folded userids whom the plan takes out of it."""
    ids = {department.key: department.id for department in actual.departments.values()}
    leaving: dict[int, set[str]] = {}
    for change in changes:
        if change.kind is not Kind.MEMBER or change.is_temporary or change.key not in actual.members:
            continue
        before = set(cast("tuple[str | int, ...]", actual.members[str(change.key)].departments))
        if change.verb is Verb.DELETE:
            left = before
        elif change.verb is not Verb.KEEP and "departments" in change.fields:
            left = before - set(cast("tuple[str | int, ...]", change.fields["departments"].after))
        else:
            continue
        for ref in left:
            id = ref if isinstance(ref, int) else ids[ref]
            leaving.setdefault(cast("int", id), set()).add(fold(str(change.id)))
    return leaving


def _moved(changes: Iterable[Change]) -> frozenset[int]:
    """Ids of departments that the plan puts below another parent."""
    return frozenset(
        cast("int", change.id)
        for change in changes
        if change.kind is Kind.DEPARTMENT
        and change.verb is Verb.UPDATE
        and "parent" in change.fields
        and not change.is_temporary
    )


def _vacant(
    dropped: Mapping[int, Change], actual: Actual, leaving: Mapping[int, set[str]], moved: frozenset[int]
) -> frozenset[int]:
    """Leaf first: a department counts as gone for its parent only once it is known to be vacant."""
    vacant: set[int] = set()
    candidates = {
        id for id in dropped if not (actual.occupants.get(id, frozenset()) - leaving.get(id, set()))
    }
    while True:
        new = {
            id for id in candidates - vacant if not (actual.children.get(id, frozenset()) - moved - vacant)
        }
        if not new:
            return frozenset(vacant)
        vacant |= new


def _why(id: int, actual: Actual, leaving: Mapping[int, set[str]]) -> Message:
    people = len(actual.occupants.get(id, frozenset()) - leaving.get(id, set()))
    if people:
        return say("the source dropped it; members still in it: {count}", count=people)
    return say("the source dropped it, and departments below it stay")
