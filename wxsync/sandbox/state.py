"""The sandbox's corp with its identities, its switches, its log, and what an administrator does by hand."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from wxsync.sandbox.directory import Directory
from wxsync.sandbox.faults import Faults
from wxsync.sandbox.records import ROOT, Department, Member, Placement, Tag, fold

CONSOLE = "admin"
"""The owner of tags that the administrators made in the console."""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A self-built app whose scope is the root department."""

    agent_id: int = 1000002
    secret: str = "sandbox-app-secret"
    sees_sensitive: bool = False
    """It was made before 2022-06-20 20:00: mobile, e-mail and the like are shown to it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls: "contact" (the contact-sync secret) or "app:1000002"."""

    name: str
    is_contact: bool
    sees_sensitive: bool


@dataclass(slots=True)
class Token:
    """An access token and when it ends, by the state's clock."""

    text: str
    identity: Identity
    expires_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call as it was answered. Holds no token and no secret."""

    method: str
    path: str
    """Without `/cgi-bin/`: `user/create`."""
    is_write: bool
    """The call is of the kind that changes the corp, whether or not this one did."""
    errcode: int | None
    """What the caller was told; None where there was no JSON answer."""
    is_carried_out: bool
    """It passed every check and had its effect, whatever the caller was told."""
    http_status: int | None
    """None where the connection broke."""
    query: Mapping[str, str]
    body: Mapping[str, Any] | None
    who: str | None
    """The identity's name, where the token was good."""


@dataclass(kw_only=True, repr=False)
class SandboxState:
    """One corp. All switches may be turned at any time."""

    corp_id: str = "ww5a6d626f78000001"
    corp_name: str = "样例公司"
    contact_secret: str = "sandbox-contact-secret"
    apps: tuple[App, ...] = (App(),)
    creator: str | None = None
    """The userid of the corp's creator, who cannot be deleted (301005)."""

    clock: Callable[[], float] = time.time
    token_life: float = 7200
    latency: float = 0.0
    """Seconds that every call takes."""
    trusted_ips: Collection[str] | None = None
    """Addresses that may call; None: all. `gettoken` works from everywhere."""
    legacy_ip: bool = False
    """The contact-sync secret may read details, as from addresses that did so before 2022-08-15."""
    strict_departments: bool = False
    """The edition before 2024: no or an unknown department in user/create is an error."""
    refuse_escapes: bool = True
    """A body with JSON's unicode escapes gets 40033."""
    warn_on_wrong_types: bool = False
    """A field of the wrong JSON type is left out with errcode 0 and a warning, instead of 40058."""
    attributes: dict[str, int] = field(default_factory=dict)
    """extattr name -> type (0 text, 1 web) as defined in the console; others are silently ignored."""
    mail_domain: str | None = None
    """The domain of the corp's own mail; without one biz_mail is refused (60143)."""
    account_cap: int | None = None
    calls_per_minute: int | None = None
    """Per path; the real one has 10,000 (WeCom page 90312)."""
    calls_at_once: int | None = None
    """Per path; the real figure is not published."""
    max_nodes: int = 30_000
    """Members and sub-departments of one department, and nodes of one tag."""
    max_levels: int = 15
    max_tags: int = 3000

    faults: Faults = field(default_factory=Faults)
    log: list[Call] = field(default_factory=list)
    invitations: list[str] = field(default_factory=list)
    """Userids that were invited because `to_invite` was true or not given."""
    most_at_once: int = 0
    """The highest number of calls that were under way together."""

    directory: Directory = field(init=False)
    tokens: dict[str, Token] = field(init=False, default_factory=dict)
    current_tokens: dict[str, Token] = field(init=False, default_factory=dict)
    """Secret -> the token that gettoken hands out for it while it lives."""
    listings: dict[int, tuple[tuple[str, int], ...]] = field(init=False, default_factory=dict)
    """The rows of each user/list_id that is being paged."""
    minutes: dict[str, tuple[int, int]] = field(init=False, default_factory=dict)
    """Path -> (minute, calls in it)."""
    under_way: Counter[str] = field(init=False, default_factory=Counter)
    serial: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.directory = Directory(self.corp_name)

    # Looking

    @property
    def members(self) -> Mapping[str, Member]:
        """Members by userid in lower case."""
        return self.directory.members

    @property
    def departments(self) -> Mapping[int, Department]:
        return self.directory.departments

    @property
    def tags(self) -> Mapping[int, Tag]:
        return self.directory.tags

    @property
    def writes(self) -> list[Call]:
        """The calls in the log that are of the writing kind."""
        return [call for call in self.log if call.is_write]

    def member(self, userid: str) -> Member:
        return self.directory.members[fold(userid)]

    def next_serial(self) -> int:
        """A number that was not given before."""
        self.serial += 1
        return self.serial

    # What happens in the console or on phones, without any call

    def add_member(
        self,
        userid: str,
        name: str,
        *,
        department: Iterable[int] = (ROOT,),
        mobile: str = "",
        email: str = "",
        is_activated: bool = False,
        has_generated_userid: bool = False,
    ) -> Member:
        """Somebody is added by hand, or joins by invitation."""
        if fold(userid) in self.members:
            raise ValueError(f"userid {userid} exists")
        places = tuple(department)
        member = Member(
            userid=userid,
            name=name,
            is_activated=is_activated,
            has_generated_userid=has_generated_userid,
        )
        self.directory.add_member(member)
        self.directory.place(
            member, Placement(places, (0,) * len(places), (0,) * len(places), places[0] if places else 0)
        )
        self.directory.set_mobile(member, mobile)
        self.directory.set_email(member, email)
        return member

    def remove_member(self, userid: str) -> None:
        """Somebody is deleted by hand."""
        self.directory.remove_member(self.member(userid))

    def set_status(self, userid: str, status: int) -> None:
        """1 activated, 2 disabled, 4 not activated, 5 left the corp (WeCom page 90196)."""
        if status not in (1, 2, 4, 5):
            raise ValueError(f"{status} is no status of a member")
        member = self.member(userid)
        member.has_left = status == 5
        member.enable = 0 if status == 2 else 1
        if status in (1, 4):
            member.is_activated = status == 1

    def move_member(self, userid: str, department: Iterable[int]) -> None:
        """Somebody is put into exactly these departments by hand."""
        places = tuple(department)
        zeros = (0,) * len(places)
        self.directory.place(self.member(userid), Placement(places, zeros, zeros, places[0]))

    def set_mobile(self, userid: str, mobile: str) -> None:
        """Somebody changes the own phone number, as only an activated member can."""
        self.directory.set_mobile(self.member(userid), mobile)

    def add_department(self, name: str, parentid: int = ROOT, *, id: int | None = None) -> Department:
        return self.directory.add_department(name=name, parentid=parentid, id=id)

    def move_department(self, id: int, parentid: int) -> None:
        department = self.departments[id]
        self.directory.move_department(department, parentid=parentid, name=department.name)

    def rename_department(self, id: int, name: str) -> None:
        department = self.departments[id]
        self.directory.move_department(department, parentid=department.parentid, name=name)

    def remove_department(self, id: int) -> None:
        """A department is deleted by hand; it must be empty, as in the console."""
        department = self.departments[id]
        if department.children or department.members:
            raise ValueError(f"department {id} is not empty")
        self.directory.remove_department(department)

    def add_tag(self, name: str, userids: Iterable[str] = (), *, id: int | None = None) -> Tag:
        """A tag is made in the console by an administrator."""
        tag = self.directory.add_tag(name=name, owner=CONSOLE, id=id)
        self.tag_members(tag.id, userids)
        return tag

    def tag_members(self, tag_id: int, userids: Iterable[str]) -> None:
        """People are put into a tag by hand."""
        self.directory.tag(self.tags[tag_id], tuple(fold(userid) for userid in userids), ())

    def untag_members(self, tag_id: int, userids: Iterable[str]) -> None:
        """People are taken out of a tag by hand."""
        self.directory.untag(self.tags[tag_id], tuple(fold(userid) for userid in userids), ())

    def remove_tag(self, tag_id: int) -> None:
        self.directory.remove_tag(self.tags[tag_id])

    def revoke_tokens(self) -> None:
        """Every token is invalid from now on (40014), as after a reset of the secrets."""
        self.tokens.clear()
        self.current_tokens.clear()

    def expire_tokens(self) -> None:
        """Every token is past its life from now on (42001)."""
        for token in self.tokens.values():
            token.expires_at = self.clock()

    def forget_listings(self) -> None:
        """Every cursor of user/list_id that was handed out is invalid from now on (50100)."""
        self.listings.clear()
