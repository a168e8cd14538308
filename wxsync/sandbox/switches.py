"""What an administrator sets in the console, and what the sandbox is told to be like."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from wxsync.sandbox.clock import MovableClock
from wxsync.sandbox.receivers import Receiver
from wxsync.sandbox.records import ROOT


class ContactSync(StrEnum):
    """The switch 通讯录同步 in the console."""

    EDIT = "edit"
    READ = "read"
    """Every write gets 60011."""
    OFF = "off"
    """Every call that wants a right gets 48002."""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A self-built app."""

    agent_id: int = 1000002
    secret: str = "sandbox-app-secret"
    sees_sensitive: bool = False
    """It was made before 2022-06-20 20:00: mobile, e-mail and the like are shown to it."""
    name: str = "样例应用"
    scope: tuple[int, ...] = (ROOT,)
    """The departments that it sees, with all below them."""
    scope_members: tuple[str, ...] = ()
    """Userids that it sees beside them."""
    scope_tags: tuple[int, ...] = ()
    """Tags whose members and departments it sees beside them."""
    is_enabled: bool = True
    """Else 50003 for gettoken and for all that it calls."""
    handles_customers: bool = True
    """It is among the callable apps of "customer contact" (else 48002)."""
    receiver: Receiver | None = None
    """Its own callback address: clicks on its cards, the ends of its jobs."""
    hears_contacts: bool = False
    """It is told of changes of contacts too, in full; whether an ordinary app is, nobody documents."""


@dataclass(kw_only=True, repr=False)
class Switches:
    """One corp's, all of which may be turned at any time."""

    corp_id: str = "ww5a6d626f78000001"
    corp_name: str = "样例公司"
    contact_secret: str = "sandbox-contact-secret"
    contact_sync: ContactSync = ContactSync.EDIT
    """What the console lets the contact-sync secret do."""
    refused_secrets: Mapping[str, int] = field(default_factory=dict, repr=False)
    """Secret -> what gettoken answers: 40091 another corp's, 45031 too weak, 48006 unused for too long."""
    apps: tuple[App, ...] = (App(),)
    creator: str | None = None
    """The userid of the corp's creator, who cannot be deleted (301005)."""

    clock: Callable[[], float] = field(default_factory=MovableClock)
    """Seconds since 1970. `forward` moves it."""
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
    verified_names: Collection[str] = ()
    """Short names of the corp that are verified: an external_corp_name is one of them (else 41036)."""
    is_multilingual: bool = True
    """Departments have a name_en; else it is ignored and not shown."""
    verification_range: Collection[str] | None = None
    """Userids of those who go through second verification (二次验证); None: everybody."""
    account_cap: int | None = None
    """Over it 45024; and over three times as many creations in 30 days 45009."""
    calls_per_minute: int | None = None
    """Per path; the real one has 10,000 (WeCom page 90312)."""
    calls_per_hour: int | None = None
    """Per path; the real one has 150,000."""
    calls_per_minute_and_ip: int | None = None
    """Per path and address; the real one has 20,000."""
    calls_per_hour_and_ip: int | None = None
    """Per path and address; the real one has 600,000."""
    calls_at_once: int | None = None
    """Per path; the real figure is not published."""
    wrong_secrets_per_hour: int | None = 20
    """So many ban the address for an hour (45009); the real figure is not published."""
    max_nodes: int = 30_000
    """Members and sub-departments of one department, and nodes of one tag."""
    max_listed: int | None = None
    """Members that user/list or user/simplelist shows, else 45029; the real figure is not published."""
    max_levels: int = 15
    max_departments: int = 30_000
    max_tags: int = 3000
    max_chat_members: int = 2000
    """Of one group chat of an app."""
    chats_per_day: int = 1000
    """Group chats made, all apps together (WeCom page 90245)."""
    chat_changes_per_hour: int = 1000
    """Changes of group chats, all apps together (WeCom page 98913)."""
    chat_owner_passes_on: bool = True
    """When a chat's owner is deleted another member becomes owner; else nobody is."""
    customer_users: Collection[str] | None = None
    """Userids of those who may have customers; None: everybody."""
    max_customers: int | None = None
    """A member's customers; over it 40099."""

    callback: Receiver | None = None
    """The callback address of contact sync (WeCom page 96238)."""
    full_callbacks: bool = False
    """It was saved before 2022-08-15: its events tell everything."""
    callback_patience: float = 5.0
    """Seconds that a receiver has to answer, and until a callback is sent again."""
    jobs_by_polls: bool = False
    """A job is at its start, half-way and over at the first, second and third look at its result."""
    job_seconds: float = 2.0
    """What a job takes, by the clock."""
    jobs_fail_at_once: bool = False
    """What is wrong with an import as a whole is said when it is sent in, not with its result."""
    jobs_go_backwards: bool = False
    """An import works its rows off from the last to the first: no page promises any order."""
    space_clears: bool = True
    """A cell of an import that holds one space clears the field; else it keeps it, as an empty one does."""
