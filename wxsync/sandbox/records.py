"""What the sandbox's corp is made of. Unlike the records of `wxsync.model` these live and change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

ROOT: Final = 1
"""The id of every corp's root department."""


def fold(userid: str) -> str:
    """The form in which WeCom compares userids: without case (WeCom page 90195)."""
    return userid.lower()


@dataclass(frozen=True, slots=True)
class Attribute:
    """One value of an extattr: `type` 0 is a text; 1 a web page, whose address is `value`."""

    type: int
    value: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a member is: three aligned arrays and the main department (WeCom page 90195)."""

    department: tuple[int, ...] = ()
    order: tuple[int, ...] = ()
    is_leader_in_dept: tuple[int, ...] = ()
    main_department: int = 0
    """0 for a member without any department, which only `Placement()` itself is."""


@dataclass(slots=True, kw_only=True, eq=False)
class Member:
    """One member, with WeCom's own field names; empty is `""`."""

    userid: str
    name: str
    alias: str = ""
    mobile: str = ""
    """As reads return it: a mainland number without +86."""
    email: str = ""
    biz_mail: str = ""
    position: str = ""
    gender: str = "0"
    telephone: str = ""
    address: str = ""
    english_name: str = ""
    external_position: str = ""
    external_profile: Mapping[str, Any] = field(default_factory=dict)
    avatar: str = ""
    """The picture's address without the size that ends it."""
    enable: int = 1
    placement: Placement = field(default_factory=Placement)
    direct_leader: tuple[str, ...] = ()
    """Userids as they are spelled in the corp."""
    extattr: dict[str, Attribute] = field(default_factory=dict)
    biz_mail_alias: tuple[str, ...] = ()
    is_activated: bool = False
    openid: str = ""
    """By which WeChat knows the member; empty for who never bound WeChat."""
    has_left: bool = False
    has_generated_userid: bool = False
    """Joined by invitation: the userid may be changed, once."""
    has_generated_biz_mail: bool = False
    tags: set[int] = field(default_factory=set)
    reports: set[str] = field(default_factory=set)
    """Folded userids of those who name this member as direct leader."""

    @property
    def status(self) -> int:
        """1 activated, 2 disabled, 4 not activated, 5 left the corp (WeCom page 90196)."""
        if self.has_left:
            return 5
        if not self.enable:
            return 2
        return 1 if self.is_activated else 4

    @property
    def department(self) -> tuple[int, ...]:
        return self.placement.department

    @property
    def order(self) -> tuple[int, ...]:
        return self.placement.order

    @property
    def is_leader_in_dept(self) -> tuple[int, ...]:
        return self.placement.is_leader_in_dept

    @property
    def main_department(self) -> int:
        return self.placement.main_department


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """An uploaded file, for every app of the corp until it ends (WeCom page 90253)."""

    media_id: str
    type: str
    """image, voice, video or file."""
    filename: str
    content: bytes = field(repr=False)
    ends_at: float
    webhook: str | None = field(default=None, repr=False)
    """The key of the one webhook that may use it; None: every app may."""


@dataclass(slots=True, kw_only=True, eq=False)
class Department:
    """One department; `children` and `members` keep the order in which they came."""

    id: int
    name: str
    parentid: int
    order: int
    name_en: str = ""
    children: dict[int, None] = field(default_factory=dict)
    members: dict[str, None] = field(default_factory=dict)
    """Folded userids of the direct members."""
    tags: set[int] = field(default_factory=set)
    children_ever: int = 0
    """How many children came, the ones that left included: gives the next one its default order."""


@dataclass(slots=True, kw_only=True, eq=False)
class Tag:
    """One tag; `owner` names the identity that made it, "admin" for one made in the console."""

    id: int
    name: str
    owner: str
    users: dict[str, None] = field(default_factory=dict)
    """Folded userids."""
    parties: dict[int, None] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True, eq=False)
class Chat:
    """One group chat of an app (WeCom page 90245)."""

    chatid: str
    name: str
    agent_id: int
    """The app that made it; no other one may touch it."""
    members: list[Member]
    owner: Member | None
    """None where the owner was deleted and nobody took over."""


@dataclass(slots=True, kw_only=True, eq=False)
class Webhook:
    """One webhook of a chat ("group robot", WeCom page 99110)."""

    name: str
    key: str = field(repr=False)
    """The whole credential."""
    is_enabled: bool = True
