"""What WeCom shows when a person looks something up: one call at a time, and more than a run compares."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from wxsync.model.member import Text
from wxsync.model.seen import ShownMember
from wxsync.model.unknown import UNKNOWN, Unknown


class MemberStatus(IntEnum):
    """How a member stands with WeCom (WeCom page 90196)."""

    ACTIVATED = 1
    DISABLED = 2
    NOT_ACTIVATED = 4
    LEFT = 5


class MailKind(IntEnum):
    """Which address a look-up by e-mail means."""

    CORP = 1
    PERSONAL = 2


class QrSize(IntEnum):
    """Pixels along one side of the QR code by which people join."""

    PX_171 = 1
    PX_399 = 2
    PX_741 = 3
    PX_2052 = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberCard:
    """One member, in as much as this secret may see; what is hidden is UNKNOWN."""

    userid: str
    shown: ShownMember
    status: MemberStatus | Unknown = UNKNOWN
    avatar: Text = UNKNOWN
    """A URL, as `qr_code` is."""
    qr_code: Text = UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberName:
    """One member of a department, by name."""

    userid: str
    name: Text = UNKNOWN
    department_ids: frozenset[int] = frozenset()
    """Those that this secret may see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberPage:
    """One page of the listing of everybody, a row for each member and department."""

    rows: tuple[tuple[str, int], ...]
    """(userid, department id); the rows of one member may be on several pages."""
    next_cursor: str
    """Empty on the last page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentCard:
    """One department, named where this secret may see names."""

    id: int
    parent_id: int
    """0 for the corp's own root; else it may be one that this secret does not see."""
    order: int
    name: Text = UNKNOWN
    name_en: Text = UNKNOWN
    leaders: tuple[str, ...] = ()
    """Userids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TagCard:
    """One tag with those of its members whom this secret may see."""

    id: int
    name: Text = UNKNOWN
    members: tuple[MemberName, ...] = ()
    department_ids: frozenset[int] = frozenset()
