"""A member as a source asks for it, as WeCom has it, and as one write to WeCom says it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from wxsync.model.unknown import UNKNOWN, DepartmentRef, Unknown

Text = str | None | Unknown

VEILED: Final = frozenset({"mobile", "email", "biz_mail", "telephone", "address"})
"""Fields whose text is in no repr, and so in no log line and no error."""


@dataclass(frozen=True, slots=True, repr=False)
class Veiled:
    """A record whose repr tells what is known, and of `VEILED` only that something is."""

    def __repr__(self) -> str:
        told = ((each.name, getattr(self, each.name)) for each in fields(self))
        known = [
            f"{name}={'***' if name in VEILED and isinstance(value, str) else repr(value)}"
            for name, value in told
            if value is not UNKNOWN
        ]
        return f"{type(self).__name__}({', '.join(known)})"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Member(Veiled):
    """One person. In a desired member UNKNOWN means "the mapping does not say": never sent."""

    key: str
    userid: str
    name: Text = UNKNOWN
    alias: Text = UNKNOWN
    mobile: Text = UNKNOWN
    """Mainland numbers without country code, as WeCom returns them; others as E.164."""
    email: Text = UNKNOWN
    departments: tuple[DepartmentRef, ...] | Unknown = UNKNOWN
    """Without doubles; in a desired member the first is the main department."""
    main_department: DepartmentRef | None | Unknown = UNKNOWN
    is_leader: tuple[DepartmentRef, ...] | Unknown = UNKNOWN
    """The departments among `departments` that this member leads, sorted by `ref_order`."""
    order: tuple[tuple[DepartmentRef, int], ...] | Unknown = UNKNOWN
    """(department, order) for those with an order, sorted by `ref_order`; larger sorts first."""
    direct_leader: Text = UNKNOWN
    """A member's key."""
    position: Text = UNKNOWN
    gender: Text = UNKNOWN
    """"1" male, "2" female (WeCom page 90195)."""
    telephone: Text = UNKNOWN
    address: Text = UNKNOWN
    biz_mail: Text = UNKNOWN
    external_position: Text = UNKNOWN
    enable: bool | Unknown = UNKNOWN
    extattr: tuple[tuple[str, str | None], ...] = ()
    """(attribute name, value), sorted by name; an attribute that is not listed is unknown."""


TEXT_FIELDS: Final[tuple[str, ...]] = (
    "name",
    "alias",
    "mobile",
    "email",
    "position",
    "gender",
    "telephone",
    "address",
    "biz_mail",
    "external_position",
)
"""Fields whose value is one text and that are compared as such."""

PLACE_FIELDS: Final[tuple[str, ...]] = ("departments", "main_department", "is_leader", "order")
"""Fields that WeCom takes together, as aligned arrays (WeCom page 90195)."""

UNIQUE_FIELDS: Final[tuple[str, ...]] = ("mobile", "email", "biz_mail")
"""Fields of which no two members of a corp may have the same value."""

MEMBER_FIELDS: Final[tuple[str, ...]] = (
    "name",
    "alias",
    "mobile",
    "email",
    *PLACE_FIELDS,
    "direct_leader",
    "position",
    "gender",
    "telephone",
    "address",
    "biz_mail",
    "external_position",
    "enable",
)
"""Every field that is compared, in the order of reports; `extattr.<name>` follow."""


def ref_order(ref: DepartmentRef) -> tuple[bool, int, str]:
    """A sort key for department references: keys by text, then WeCom ids by number."""
    return (True, ref, "") if isinstance(ref, int) else (False, 0, ref)


def fold(userid: str) -> str:
    """The form in which userids are compared: WeCom ignores their case (WeCom page 90195)."""
    return userid.lower()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class MemberWrite(Veiled):
    """What one creation or update says to WeCom: UNKNOWN is not sent, None is sent as empty.

    Departments are WeCom ids here and leaders are userids; `order` and `is_leader` are aligned
    with `departments`.
    """

    userid: str
    name: Text = UNKNOWN
    alias: Text = UNKNOWN
    mobile: Text = UNKNOWN
    email: Text = UNKNOWN
    departments: tuple[int, ...] | Unknown = UNKNOWN
    main_department: int | Unknown = UNKNOWN
    is_leader: tuple[bool, ...] | Unknown = UNKNOWN
    order: tuple[int, ...] | Unknown = UNKNOWN
    direct_leader: Text = UNKNOWN
    position: Text = UNKNOWN
    gender: Text = UNKNOWN
    telephone: Text = UNKNOWN
    address: Text = UNKNOWN
    biz_mail: Text = UNKNOWN
    external_position: Text = UNKNOWN
    enable: bool | Unknown = UNKNOWN
    extattr: tuple[tuple[str, str | None], ...] = ()
