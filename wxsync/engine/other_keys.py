"""Who of ours has another key in the source by now: only the key has gone, and nobody has left."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from wxsync.engine.actual import Actual
from wxsync.model.desired import Desired
from wxsync.model.member import Member, fold
from wxsync.model.message import Message, say
from wxsync.model.remembered import Remembered

CONTACTS: Final = ("mobile", "email")
FACTS: Final = ("name", *CONTACTS)
ENOUGH: Final = 2
"""So many facts that agree are the same person: a phone number alone is given to the next one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherKey:
    """The key under which the source seems to have somebody now, and by what that is known."""

    key: str
    why: Message


def other_keys(desired: Desired, actual: Actual, remembered: Remembered) -> Mapping[str, OtherKey]:
    """Key of a member of ours who is not wanted -> the key of a newcomer who seems to be that person.

    By the userid; or, where the old key has no row any more and nobody has taken this for a leaver
    before, by a phone number or e-mail together with the name or with one another. A name that nobody
    knows speaks against nothing. Somebody wanted whom WeCom has under their key is no newcomer.
    """
    unnamed = {key: known for key, known in actual.members.items() if key not in desired.members}
    if not unnamed:
        return {}
    newcomers = [wanted for key, wanted in sorted(desired.members.items()) if key not in actual.members]
    by_userid = {fold(wanted.userid): wanted for wanted in newcomers}
    by_contact: defaultdict[tuple[str, str], list[Member]] = defaultdict(list)
    for wanted in newcomers:
        for fact in _contacts(wanted):
            by_contact[fact].append(wanted)
    found: dict[str, OtherKey] = {}
    for key, known in unnamed.items():
        if (same := by_userid.get(fold(known.userid))) is not None:
            why = say("its userid is wanted by {key}: has the person another key now?", key=same.key)
            found[key] = OtherKey(key=same.key, why=why)
        elif key not in desired.leavers and remembered.members[key].left_at is None:
            candidates = (each for fact in _contacts(known) for each in by_contact.get(fact, ()))
            found.update((key, other) for other in (_alike(known, each) for each in candidates) if other)
    return found


def _contacts(member: Member) -> Iterator[tuple[str, str]]:
    for field in CONTACTS:
        value = getattr(member, field)
        if isinstance(value, str):
            yield field, value


def _alike(known: Member, wanted: Member) -> OtherKey | None:
    """Whether the newcomer is that person, of whom a contact is known to agree."""
    agreeing = [field for field in FACTS if _agree(known, wanted, field)]
    if len(agreeing) < ENOUGH and isinstance(known.name, str):
        return None
    why = say(
        "no longer in the source, but {key} is there with the same {fields}: has the person another key now?",
        key=wanted.key,
        fields=", ".join(agreeing),
    )
    return OtherKey(key=wanted.key, why=why)


def _agree(known: Member, wanted: Member, field: str) -> bool:
    value = getattr(known, field)
    return isinstance(value, str) and value == getattr(wanted, field)
