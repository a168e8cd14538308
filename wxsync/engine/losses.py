"""What an undo of a plan would not bring back, told before the plan is carried out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from wxsync.engine.actual import Actual
from wxsync.engine.held import CHANGING, MARKS, places_left
from wxsync.model.change import Change, Kind, Verb
from wxsync.model.loss import Loss, LossReason
from wxsync.model.member import UNIQUE_FIELDS, fold
from wxsync.model.message import Message, say
from wxsync.model.seen import Seen
from wxsync.model.unknown import UNKNOWN, Value

MADE_ANEW: Final = say("it is deleted: an undo makes it anew, without its chats and its mailbox")
NO_CONTACT: Final = say(
    "it is deleted, and neither its number nor its address is known: it cannot be made anew"
)
OTHER_ID: Final = say("it is deleted: an undo makes it anew, under another id")
NO_NAME: Final = say("it is deleted, and its name is not known: it cannot be made anew")
NOT_KNOWN: Final = say("what it holds now is not known, so it cannot be given back")
MAY_IGNORE: Final = say("WeCom ignores a new phone number of a member who has activated")
STRANGERS: Final = say("people who are not ours are taken out of it, and are not put back")
RENAMED: Final = say("the name that a hand gave it is not given back")
UNKNOWN_MARK: Final = say("what it was marked with in the departments that it leaves is not known")
FOREIGN_MARK: Final = say("its marks in a department that is not ours are not known")


def losses_of(changes: Sequence[Change], actual: Actual, seen: Seen) -> tuple[Loss, ...]:
    """What an undo of these changes would not bring back; what they create stays and is not listed here."""
    unsigned = _unsigned(changes, seen)
    values, places = _given_to_new(changes)
    lost = frozenset(
        str(change.key)
        for change in changes
        if _is_deletion(change, Kind.DEPARTMENT)
        and (_has_no_name(change) or any(_of_place(change, places, actual)))
    )
    found: list[Loss] = []
    for change in changes:
        if change.is_temporary or change.verb in (Verb.CREATE, Verb.ADOPT, Verb.KEEP):
            continue
        if change.kind is Kind.DEPARTMENT:
            found += _of_place(change, places, actual)
        if change.verb is Verb.DELETE:
            found += _of_deletion(change)
            continue
        found += [*_of_unknown(change), *_of_lost(change, lost)]
        if change.kind is Kind.MEMBER:
            found += _of_member(change, values, actual, is_unsigned=change.key in unsigned)
        elif change.kind is Kind.TAG:
            found += _of_tag(change)
    return tuple(found)


def loss_of(change: Change, reason: LossReason, why: Message, *fields: str) -> Loss:
    """The loss of what this change is about."""
    return Loss(
        kind=change.kind,
        key=change.key,
        id=change.id,
        name=change.name,
        reason=reason,
        why=why,
        fields=fields,
    )


# What a deletion takes away


def _is_deletion(change: Change, kind: Kind) -> bool:
    return change.verb is Verb.DELETE and change.kind is kind


def _of_deletion(change: Change) -> Iterator[Loss]:
    held = change.held or {}
    if change.kind is Kind.MEMBER:
        can_be_made = any(isinstance(held.get(name), str) for name in ("mobile", "email"))
        why = MADE_ANEW if can_be_made and isinstance(held.get("name"), str) else NO_CONTACT
    elif change.kind is Kind.DEPARTMENT:
        why = NO_NAME if _has_no_name(change) else OTHER_ID
    else:
        why = OTHER_ID
    yield loss_of(change, LossReason.DELETED, why)


def _has_no_name(change: Change) -> bool:
    return not isinstance((change.held or {}).get("name"), str)


# What an update takes away


def _of_lost(change: Change, lost: frozenset[str]) -> Iterator[Loss]:
    """Whoever leaves a department that cannot be made anew cannot come back to it."""
    for name in ("departments", "parent") if lost else ():
        before = change.fields[name].before if name in change.fields else None
        refs = before if isinstance(before, tuple) else (before,)
        if not lost.isdisjoint(ref for ref in refs if isinstance(ref, str)):
            yield loss_of(change, LossReason.GONE, say("what it leaves cannot be made anew"), name)


def _of_unknown(change: Change) -> Iterator[Loss]:
    """Whom we disable is enabled again, whoever knows whether they were enabled."""
    unknown = [
        name for name, values in change.fields.items() if values.before is UNKNOWN and name != "enable"
    ]
    if unknown:
        yield loss_of(change, LossReason.UNKNOWN, NOT_KNOWN, *unknown)


def _of_member(
    change: Change, values: Mapping[tuple[str, Value], str], actual: Actual, *, is_unsigned: bool
) -> Iterator[Loss]:
    if "mobile" in change.fields and change.fields["mobile"].before is not UNKNOWN and not is_unsigned:
        yield loss_of(change, LossReason.IGNORED, MAY_IGNORE, "mobile")
    for name in UNIQUE_FIELDS:
        if name in change.fields and (key := values.get((name, change.fields[name].before))) is not None:
            why = say("its {field} goes to {key}, who is created and stays", field=name, key=key)
            yield loss_of(change, LossReason.TAKEN, why, name)
    left = places_left(change)
    if any(isinstance(ref, int) and ref != actual.root for ref in left):
        yield loss_of(change, LossReason.FOREIGN, FOREIGN_MARK, *MARKS)
    elif left:
        known = actual.members[str(change.key)]
        unknown = [name for name in MARKS if getattr(known, name) is UNKNOWN and name not in change.fields]
        if unknown:
            yield loss_of(change, LossReason.UNKNOWN, UNKNOWN_MARK, *unknown)


def _of_place(change: Change, places: Mapping[tuple[Value, Value], str], actual: Actual) -> Iterator[Loss]:
    """A department whose place and name go to one that is created cannot come back to them."""
    known = actual.departments.get(str(change.key))
    key = None if known is None or not places else places.get((known.parent, known.name))
    if key is not None:
        why = say("its name in its place goes to {key}, which is created and stays", key=key)
        yield loss_of(change, LossReason.TAKEN, why, *(name for name in change.fields if name != "order"))


def _of_tag(change: Change) -> Iterator[Loss]:
    if "foreign_members" in change.fields:
        yield loss_of(change, LossReason.FOREIGN, STRANGERS, "foreign_members")
    if "name" in change.fields:
        yield loss_of(change, LossReason.FOREIGN, RENAMED, "name")


def _unsigned(changes: Iterable[Change], seen: Seen) -> frozenset[str]:
    """Keys of those whose number changes and of whom WeCom shows that they have not activated."""
    asked = {
        fold(str(change.id)): str(change.key)
        for change in changes
        if change.kind is Kind.MEMBER and change.verb in CHANGING and "mobile" in change.fields
    }
    if not asked:
        return frozenset()
    return frozenset(
        asked[folded]
        for member in seen.members
        if member.shown is not None
        and member.shown.is_activated is False
        and (folded := fold(member.userid)) in asked
    )


def _given_to_new(
    changes: Sequence[Change],
) -> tuple[dict[tuple[str, Value], str], dict[tuple[Value, Value], str]]:
    """Who is created with which number or address, and what department in which place.

    Looked for only where somebody, or some department, gives such a thing up.
    """
    given = {
        (name, change.fields[name].before)
        for change in changes
        if change.kind is Kind.MEMBER and change.verb in CHANGING and not change.is_temporary
        for name in UNIQUE_FIELDS
        if name in change.fields
    }
    values: dict[tuple[str, Value], str] = {}
    places: dict[tuple[Value, Value], str] = {}
    is_leaving = any(
        change.kind is Kind.DEPARTMENT and change.verb in (Verb.UPDATE, Verb.DELETE) for change in changes
    )
    for change in changes if given or is_leaving else ():
        if change.verb is not Verb.CREATE:
            continue
        if change.kind is Kind.DEPARTMENT:
            places[change.fields["parent"].after, change.fields["name"].after] = str(change.key)
        elif change.kind is Kind.MEMBER and given:
            for name in UNIQUE_FIELDS:
                if name in change.fields and (name, change.fields[name].after) in given:
                    values[name, change.fields[name].after] = str(change.key)
    return values, places
