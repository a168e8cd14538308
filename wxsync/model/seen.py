"""What WeCom lets us see at one moment, before anything that we remember is laid over it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from wxsync.model.member import Text, Veiled
from wxsync.model.unknown import UNKNOWN, Unknown


class ReadingWay(StrEnum):
    """How more than ids is read. It is found by trying; a refusal (48009) is no error but another way."""

    IDS = "ids"
    """The contact-sync secret from an address that is new to WeCom: ids alone (WeCom page 96079)."""
    CONTACT = "contact"
    """The contact-sync secret from an address that may still read everything."""
    APP = "app"
    """A self-built app's secret: what is in its scope, without what WeCom hides from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenDepartment:
    """A department as `department/simplelist` shows it (WeCom page 95350), named where that was read."""

    id: int
    parent_id: int
    """0 for the corp's own root."""
    order: int
    name: str | Unknown = UNKNOWN
    """As `department/list` shows it (WeCom page 90208)."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ShownMember(Veiled):
    """What `user/list` shows of a member (WeCom page 90201), in the same normal form as a source's values.

    UNKNOWN is what was not shown, never what was shown as empty: that is None.
    """

    name: Text = UNKNOWN
    alias: Text = UNKNOWN
    mobile: Text = UNKNOWN
    """Where WeCom holds something that is no phone number: that text."""
    email: Text = UNKNOWN
    position: Text = UNKNOWN
    gender: Text = UNKNOWN
    telephone: Text = UNKNOWN
    address: Text = UNKNOWN
    biz_mail: Text = UNKNOWN
    external_position: Text = UNKNOWN
    departments: frozenset[int] = frozenset()
    """Those of which `is_leader` and `order` speak: the member's that the reader may see."""
    main_department: int | Unknown = UNKNOWN
    is_leader: tuple[int, ...] | Unknown = UNKNOWN
    """The departments among `departments` that this member leads, sorted."""
    order: tuple[tuple[int, int], ...] | Unknown = UNKNOWN
    """(department, order) for all of `departments`, sorted; 0 where nobody gave one."""
    direct_leader: Text = UNKNOWN
    """A userid. More than one, as WeCom once allowed, is UNKNOWN."""
    enable: bool | Unknown = UNKNOWN
    is_activated: bool | Unknown = UNKNOWN
    """Whether the member has ever signed in; WeCom does not say it of the disabled and those who left."""
    extattr: tuple[tuple[str, str | None], ...] = ()
    """(name, text) of the attributes that were shown, sorted by name; any other is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenMember:
    """A member as `user/list_id` shows it (WeCom page 96067): where, and nothing else."""

    userid: str
    department_ids: frozenset[int]
    shown: ShownMember | None = None
    """None where no details were read: not at all, not of this member, or the member came meanwhile.
    `is_leader` and `order` in it speak of all of `department_ids` and no others, or are UNKNOWN."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenTag:
    """A tag as `tag/list` shows it; `userids` is None where its members were not asked for."""

    id: int
    name: str
    userids: frozenset[str] | None = None
    department_ids: frozenset[int] = frozenset()
    """Whole departments in it; known only where its members were asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The whole corp as it was read: no partial reading ever becomes a `Seen`."""

    departments: tuple[SeenDepartment, ...]
    members: tuple[SeenMember, ...]
    tags: tuple[SeenTag, ...]
    way: ReadingWay = ReadingWay.IDS
    """The way by which details were read, to be tried first the next time."""
