"""What WeCom tells by itself: one event, as far as anything here goes by it (WeCom pages 90967 to 90973)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One value that an event told of a member, or, where `field` is empty, that the account is a new one."""

    userid: str
    """Folded."""
    field: str
    """As in a `ShownMember`; an attribute as `extattr.NAME`."""
    value: str | None = dataclasses.field(repr=False)
    """In its normal form. None where two events of one moment say different things."""
    told_at: datetime
    """When WeCom says that it happened. UTC, whole seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What every event says."""

    created_at: datetime
    """By WeCom's clock, in UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberEvent(Event):
    """A member came, was changed, or is no more."""

    change: str
    """`create_user`, `update_user` or `delete_user`."""
    userid: str
    """The former one where it was changed."""
    new_userid: str | None = None
    values: Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)
    """Field -> what the event says that it holds, in its normal form. A new receiver is told none of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentEvent(Event):
    """A department came, was changed, or is no more."""

    change: str
    """`create_party`, `update_party` or `delete_party`."""
    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TagEvent(Event):
    """Somebody or some department came into a tag or left it; not everybody is named (WeCom page 90972)."""

    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEvent(Event):
    """An import or export is over; how it ended is to be asked for."""

    job_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardEvent(Event):
    """Somebody pressed something on a card of the app: anybody who got it may have."""

    userid: str
    event_key: str
    task_id: str
    card_type: str
    response_code: str = dataclasses.field(repr=False)
    """For one update of the card within 72 hours."""
    is_menu: bool = False
    """The menu in the corner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownEvent(Event):
    """Another one, or one that lacks what it should have."""

    name: str
    """Short, and of plain characters only."""


ContactEvent = MemberEvent | DepartmentEvent | TagEvent
AnyEvent = ContactEvent | JobEvent | CardEvent | UnknownEvent
