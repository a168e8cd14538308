"""The sandbox's corp with its identities, its switches, its log, and what an administrator does by hand."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from wxsync.sandbox.clock import MovableClock
from wxsync.sandbox.codes import Codes
from wxsync.sandbox.contact_events import Facts, take_all_facts, take_facts
from wxsync.sandbox.counters import Check, Counters
from wxsync.sandbox.customer_book import CustomerBook
from wxsync.sandbox.directory import Directory
from wxsync.sandbox.faults import Faults
from wxsync.sandbox.identity import Call, Identity, Token
from wxsync.sandbox.job_faults import JobFaults
from wxsync.sandbox.job_records import Jobs
from wxsync.sandbox.outbox import Outbox
from wxsync.sandbox.postbox import Click, Message, Postbox
from wxsync.sandbox.quotas import Quotas, Violation
from wxsync.sandbox.receivers import Listener, Receiver
from wxsync.sandbox.records import ROOT, Chat, Department, Medium, Member, Placement, Tag, Webhook, fold
from wxsync.sandbox.scope import Scope, scope_of, whole
from wxsync.sandbox.switches import App, Switches

CONSOLE = "admin"
"""The owner of tags that the administrators made in the console."""


@dataclass(kw_only=True, repr=False)
class SandboxState(Switches):
    """One corp. All switches may be turned at any time."""

    faults: Faults = field(default_factory=Faults)
    job_faults: JobFaults = field(default_factory=JobFaults)
    outbox: Outbox = field(default_factory=Outbox)
    """Callbacks that wait, and those that were sent."""
    callback_client: httpx.AsyncClient | None = field(default=None)
    """What callbacks are sent with; `callbacks.deliver` wants it."""
    log: list[Call] = field(default_factory=list)
    keeps_log: bool = True
    """Calls are kept in `log`; one that serves for days counts them only."""
    on_call: Callable[[Call], None] | None = None
    """Told of every call once it is answered."""
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
    quotas: Quotas = field(init=False, default_factory=Quotas)
    counters: Counters = field(init=False, default_factory=Counters)
    codes: Codes = field(init=False, default_factory=Codes)
    under_way: Counter[str] = field(init=False, default_factory=Counter)
    media: dict[str, Medium] = field(init=False, default_factory=dict)
    """By media_id; those that ended are forgotten at the next upload."""
    jobs: Jobs = field(init=False, default_factory=Jobs)
    post: Postbox = field(init=False, default_factory=Postbox)
    chats: dict[str, Chat] = field(init=False, default_factory=dict)
    """The group chats that apps made, by chatid."""
    webhooks: dict[str, Webhook] = field(init=False, default_factory=dict)
    """By key."""
    customers: CustomerBook = field(init=False, default_factory=CustomerBook)
    serial: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.directory = Directory(self.corp_name)
        self.directory.on_leaving.append(self._member_left)

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

    @property
    def messages(self) -> list[Message]:
        """Every message that was taken, with those who got it."""
        return self.post.messages

    @property
    def clicks(self) -> list[Click]:
        """What members pressed on cards."""
        return self.post.clicks

    def member(self, userid: str) -> Member:
        return self.directory.members[fold(userid)]

    def note(self, call: Call) -> None:
        """A call was answered: it is counted, kept, and told to who wants to know."""
        self.counters.note(call.path, call.errcode, changed=call.is_write and call.is_carried_out)
        if self.keeps_log:
            self.log.append(call)
        if self.on_call is not None:
            self.on_call(call)

    def counted(self) -> dict[str, Any]:
        """All counters as they go into a dump and are printed at the end."""
        return {
            "calls": sum(self.counters.calls.values()),
            "writes": dict(sorted(self.counters.writes.items())),
            "invitations": len(self.invitations),
            "refused": {check.value: self.counters.refused[check] for check in Check},
            "errcodes": {str(code): times for code, times in sorted(self.counters.errcodes.items())},
            "violations": {each.value: self.quotas.violations[each] for each in Violation},
        }

    def app(self, agent_id: int | None) -> App | None:
        return next((app for app in self.apps if app.agent_id == agent_id), None)

    def scope(self, who: Identity) -> Scope:
        """What this caller sees of the corp."""
        if who.is_contact:
            return whole(self.directory)
        app = self.app(who.agent_id)
        if app is None:
            return scope_of(self.directory, (), (), ())
        return scope_of(self.directory, app.scope, app.scope_members, app.scope_tags)

    def next_serial(self) -> int:
        """A number that was not given before."""
        self.serial += 1
        return self.serial

    # Telling

    def receiver_of(self, who: str) -> tuple[Receiver | None, str]:
        """The callback address of an identity, by its name, and its agent_id."""
        for app in self.apps:
            if who == f"app:{app.agent_id}":
                return app.receiver, str(app.agent_id)
        return (self.callback if who == "contact" else None), ""

    def listeners(self, *, by_contact: bool) -> tuple[Listener, ...]:
        """Who hears of a change; the contact assistant does not of what it did itself (WeCom page 90967)."""
        apps = tuple(
            Listener(receiver=app.receiver, agent_id=str(app.agent_id), with_sensitive=app.sees_sensitive)
            for app in self.apps
            if app.receiver is not None and app.hears_contacts
        )
        if self.callback is None or by_contact:
            return apps
        return (Listener(receiver=self.callback, is_reduced=not self.full_callbacks), *apps)

    @contextmanager
    def watched(self, *, by_contact: bool) -> Iterator[None]:
        """What the block changes anywhere in the corp is called back to those who hear of it."""
        listeners = self.listeners(by_contact=by_contact)
        if not listeners:
            yield
            return
        before = take_all_facts(self.directory)
        yield
        self._tell(listeners, before, take_all_facts(self.directory))

    @contextmanager
    def _by_hand(
        self, *, members: Iterable[str] = (), departments: Iterable[int] = (), tags: Iterable[int] = ()
    ) -> Iterator[None]:
        """As `watched`, for changes of these records in the console."""
        listeners, keys = self.listeners(by_contact=False), tuple(fold(userid) for userid in members)
        if not listeners:
            yield
            return
        scope = (keys, tuple(departments), tuple(tags))
        before = take_facts(self.directory, *scope)
        yield
        self._tell(listeners, before, take_facts(self.directory, *scope))

    def _tell(self, listeners: Iterable[Listener], before: Facts, after: Facts) -> None:
        self.outbox.tell_changes(
            self.directory,
            before,
            after,
            listeners=listeners,
            corp_id=self.corp_id,
            created_at=int(self.clock()),
        )

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
        zeros = (0,) * len(places)
        with self._by_hand(members=(userid,)):
            self.directory.add_member(member)
            self.directory.place(member, Placement(places, zeros, zeros, places[0] if places else 0))
            self.directory.set_mobile(member, mobile)
            self.directory.set_email(member, email)
        return member

    def remove_member(self, userid: str) -> None:
        """Somebody is deleted by hand."""
        with self._by_hand(members=(userid,)):
            self.directory.remove_member(self.member(userid))

    def set_status(self, userid: str, status: int) -> None:
        """1 activated, 2 disabled, 4 not activated, 5 left the corp (WeCom page 90196)."""
        if status not in (1, 2, 4, 5):
            raise ValueError(f"{status} is no status of a member")
        member = self.member(userid)
        with self._by_hand(members=(userid,)):
            member.has_left = status == 5
            member.enable = 0 if status == 2 else 1
            if status in (1, 4):
                member.is_activated = status == 1

    def move_member(self, userid: str, department: Iterable[int]) -> None:
        """Somebody is put into exactly these departments by hand."""
        places = tuple(department)
        zeros = (0,) * len(places)
        with self._by_hand(members=(userid,)):
            self.directory.place(self.member(userid), Placement(places, zeros, zeros, places[0]))

    def rename_member(self, userid: str, name: str) -> None:
        """Somebody gets another name by hand."""
        with self._by_hand(members=(userid,)):
            self.member(userid).name = name

    def change_userid(self, userid: str, new_userid: str) -> None:
        """Somebody gets another userid by hand; it must be free."""
        if fold(new_userid) in self.members:
            raise ValueError(f"userid {new_userid} exists")
        with self._by_hand(members=(userid, new_userid)):
            self.directory.rename_member(self.member(userid), new_userid)

    def set_mobile(self, userid: str, mobile: str) -> None:
        """Somebody changes the own phone number, as only an activated member can."""
        with self._by_hand(members=(userid,)):
            self.directory.set_mobile(self.member(userid), mobile)

    def add_department(self, name: str, parentid: int = ROOT, *, id: int | None = None) -> Department:
        department = self.directory.add_department(name=name, parentid=parentid, id=id)
        made = take_facts(self.directory, departments=(department.id,))
        self._tell(self.listeners(by_contact=False), Facts(), made)
        return department

    def move_department(self, id: int, parentid: int) -> None:
        department = self.departments[id]
        with self._by_hand(departments=(id,)):
            self.directory.move_department(department, parentid=parentid, name=department.name)

    def rename_department(self, id: int, name: str) -> None:
        department = self.departments[id]
        with self._by_hand(departments=(id,)):
            self.directory.move_department(department, parentid=department.parentid, name=name)

    def remove_department(self, id: int) -> None:
        """A department is deleted by hand; it must be empty, as in the console."""
        department = self.departments[id]
        if department.children or department.members:
            raise ValueError(f"department {id} is not empty")
        with self._by_hand(departments=(id,), tags=tuple(department.tags)):
            self.directory.remove_department(department)

    def add_tag(self, name: str, userids: Iterable[str] = (), *, id: int | None = None) -> Tag:
        """A tag is made in the console by an administrator."""
        tag = self.directory.add_tag(name=name, owner=CONSOLE, id=id)
        self.tag_members(tag.id, userids)
        return tag

    def tag_members(self, tag_id: int, userids: Iterable[str]) -> None:
        """People are put into a tag by hand."""
        with self._by_hand(tags=(tag_id,)):
            self.directory.tag(self.tags[tag_id], tuple(fold(userid) for userid in userids), ())

    def untag_members(self, tag_id: int, userids: Iterable[str]) -> None:
        """People are taken out of a tag by hand."""
        with self._by_hand(tags=(tag_id,)):
            self.directory.untag(self.tags[tag_id], tuple(fold(userid) for userid in userids), ())

    def remove_tag(self, tag_id: int) -> None:
        self.directory.remove_tag(self.tags[tag_id])

    def click(
        self,
        userid: str,
        message: Message,
        key: str,
        selected: Mapping[str, Sequence[str]] | None = None,
    ) -> Click:
        """A member presses what has this key on a card; `ValueError` where that cannot be."""
        click = self.post.click(self.member(userid), message, key, selected or {}, self.clock())
        receiver, agent_id = self.receiver_of(f"app:{click.agent_id}")
        self.outbox.tell(receiver, click.event, click.to_xml(self.corp_id), agent_id=agent_id)
        return click

    def add_webhook(self, name: str) -> Webhook:
        """A webhook is added to some chat; its key is needed to send."""
        webhook = Webhook(name=name, key=secrets.token_urlsafe(24))
        self.webhooks[webhook.key] = webhook
        return webhook

    def add_customer(self, userid: str, name: str = "客户", *, external_userid: str | None = None) -> str:
        """Somebody outside adds this member; the customer's external_userid."""
        id = external_userid or f"wm{self.next_serial():030d}"
        self.customers.add(self.member(userid), id, name, self.clock())
        return id

    def add_customer_chat(self, userid: str, name: str = "客户群", *, chat_id: str | None = None) -> str:
        """This member opens a chat with customers; its chat_id."""
        id = chat_id or f"wr{self.next_serial():030d}"
        self.customers.add_chat(self.member(userid), id, name)
        return id

    def _member_left(self, member: Member) -> None:
        """The chats go on without the member, whose customers wait for somebody else."""
        self.customers.leave(member, self.clock())
        for chat in self.chats.values():
            if member in chat.members:
                chat.members.remove(member)
            if chat.owner is member:
                heir = chat.members[0] if chat.members and self.chat_owner_passes_on else None
                chat.owner = heir

    def forward(self, seconds: float) -> None:
        """So much time passes at once."""
        if not isinstance(self.clock, MovableClock):
            self.clock = MovableClock(self.clock)
        self.clock.forward(seconds)

    def invite(self, userids: Iterable[str]) -> None:
        """Those of them who have not joined get an invitation."""
        members = (self.member(userid) for userid in userids)
        self.invitations.extend(member.userid for member in members if member.status == 4)

    def bind_wechat(self, userid: str) -> str:
        """The member activates by way of WeChat; the openid by which WeChat's side knows the member."""
        member = self.member(userid)
        member.is_activated = True
        member.openid = member.openid or f"o{self.next_serial():027d}"
        return member.openid

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
