"""What differs for one record, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from wxsync.model.message import Message
from wxsync.model.unknown import Value


class Kind(StrEnum):
    """What a record is."""

    DEPARTMENT = "department"
    MEMBER = "member"
    TAG = "tag"


class Verb(StrEnum):
    """What is to happen to a record."""

    CREATE = "create"
    ADOPT = "adopt"
    UPDATE = "update"
    ENABLE = "enable"
    DISABLE = "disable"
    DELETE = "delete"
    KEEP = "keep"


class Reason(StrEnum):
    """Why a record is left alone although it differs."""

    FOREIGN = "foreign"
    PROTECTED = "protected"
    REJECTED = "rejected"
    INCOMPLETE = "incomplete"
    WAITING = "waiting"
    GRACE = "grace"
    UNADOPTED = "unadopted"
    UNKNOWN = "unknown"
    OCCUPIED = "occupied"


VERBS: Mapping[Kind, tuple[Verb, ...]] = {
    Kind.DEPARTMENT: (Verb.CREATE, Verb.ADOPT, Verb.UPDATE, Verb.DELETE, Verb.KEEP),
    Kind.MEMBER: tuple(Verb),
    Kind.TAG: (Verb.CREATE, Verb.ADOPT, Verb.UPDATE, Verb.DELETE, Verb.KEEP),
}
"""The verbs that each kind knows, in the order of summaries."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field: what it holds and what it shall hold."""

    before: Value
    after: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What differs for one record, and why. Says nothing of how to mend it."""

    kind: Kind
    verb: Verb
    key: str | None
    """The source's key (a tag's name); None for a record that no source knows."""
    id: str | int | None
    """The userid, department id or tag id; None where WeCom has yet to give one."""
    name: str | None
    fields: Mapping[str, FieldChange] = field(default_factory=dict)
    why: Message
    reason: Reason | None = None
    """Set where, and only where, the verb is KEEP."""
    is_temporary: bool = False
    """A temporary name or a release on the way to the end state; not counted."""
    drift: tuple[str, ...] = ()
    """Those of the fields that somebody changed in WeCom by hand; no part of the digest."""
    held: Mapping[str, Value] | None = None
    """What goes with the change and is in none of its fields, for an undo: of a deletion what is known of the
    record, of somebody who leaves a department their marks. No part of the digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A row, or a wish, that cannot be used. Holds no value: it may end up in a log."""

    kind: Kind
    key: str | None
    field: str | None
    rule: str
    problem: Message
