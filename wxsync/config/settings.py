"""The config as frozen records, one a TOML table (contract §2)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator
from sqlalchemy.engine import URL

from wxsync.config import addresses, database
from wxsync.config.attributes import AttributeNames
from wxsync.config.authority import AuthoritySettings, check_mapped
from wxsync.config.breaker import BreakerSettings
from wxsync.config.cron import check_schedule
from wxsync.config.expressions import Expression
from wxsync.config.files import DataFile
from wxsync.config.limits import LimitRule, LimitsSettings
from wxsync.config.notify import NotifySettings
from wxsync.config.placing import around, placed_file
from wxsync.config.policy import PolicySettings
from wxsync.config.secrets import Secret
from wxsync.config.suggestions import did_you_mean
from wxsync.config.table import Attribute, Name, PositiveNumber, Query, Switch, Table, Text

__all__ = [
    "AppSettings",
    "AuthoritySettings",
    "BreakerSettings",
    "CallbackKeys",
    "CallbackSettings",
    "CorpSettings",
    "DataFile",
    "DepartmentMapping",
    "Expression",
    "FileSourceSettings",
    "LdapSourceSettings",
    "LimitRule",
    "LimitsSettings",
    "MemberMapping",
    "MirrorSettings",
    "NotifySettings",
    "PolicySettings",
    "Secret",
    "ServiceSettings",
    "Settings",
    "SourceSettings",
    "SqlSourceSettings",
    "SyncSettings",
]

AES_KEY: Final = re.compile(r"[A-Za-z0-9]{43}")
"""43 letters and digits (WeCom page 90930)."""
TOKEN: Final = re.compile(r"[A-Za-z0-9]{1,32}")
"""Letters and digits, 32 at most (WeCom page 90930)."""
DAY: Final = 86400
LARGEST_PAGE: Final = 100_000
"""Of a directory; the paging control holds less than 2^31 (RFC 2696), and a page is held in memory."""


def _no_password_in_url(password: Secret | None, info: ValidationInfo) -> Secret | None:
    if password is not None and database.has_password(info.data.get("url", "sqlite://")):
        raise ValueError("is given twice: url holds a password already. Leave it out there")
    return password


class MirrorSettings(Table):
    """[mirror]: where wxsync remembers."""

    url: str
    """Without password, its driver named; an SQLite file by absolute path."""
    password: Secret | None = None

    _split = model_validator(mode="before")(database.without_password)
    _once = field_validator("password")(_no_password_in_url)

    @field_validator("url")
    @classmethod
    def known(cls, text: str, info: ValidationInfo) -> str:
        return database.check_database_url(text, dialects=database.MIRROR_DIALECTS, around=around(info))

    @property
    def full_url(self) -> URL:
        """The URL with the password, masked in its own repr and str."""
        return database.full_url(self.url, self.password)


class ServiceSettings(Table):
    """[service]: the daemon, and the language of all reports."""

    listen: Annotated[str, AfterValidator(addresses.check_listen)] = "127.0.0.1:8080"
    public_url: Annotated[str, AfterValidator(addresses.check_public_url)] | None = None
    """Where WeCom and people reach the daemon from outside, without a trailing slash."""
    trusted_proxies: tuple[Annotated[str, AfterValidator(addresses.check_network)], ...] = ()
    """Networks of proxies whose X-Forwarded-For is believed."""
    language: Literal["zh", "en"] = "zh"
    log: Literal["auto", "text", "json", "journal"] = "auto"
    """How the daemon's log looks; "auto" goes by where it leads to."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    metrics_allow: tuple[Annotated[Text, AfterValidator(addresses.check_network)], ...] = (
        "127.0.0.0/8",
        "::1/128",
    )
    """Networks whose hosts may read /metrics."""
    keep_runs_days: Annotated[PositiveNumber, Field(ge=31, le=36500)] = 90
    """Runs, with their plans, readings and files. WeCom's month of creations is counted by them."""
    audit_days: Annotated[PositiveNumber, Field(ge=31, le=36500)] = 400
    """Lines of the audit trail, and what is kept of somebody after they are gone."""

    @field_validator("audit_days")
    @classmethod
    def longest(cls, days: int, info: ValidationInfo) -> int:
        if days < info.data.get("keep_runs_days", 0):
            raise ValueError("is less than keep_runs_days: who is erased after it would still stand in runs")
        return days


class CallbackKeys(Table):
    """What WeCom signs and encrypts with."""

    token: Secret
    encoding_aes_key: Secret

    @field_validator("token")
    @classmethod
    def takeable(cls, token: Secret) -> Secret:
        if not TOKEN.fullmatch(token.get_secret_value()):
            raise ValueError("is not a receiver's Token: that has 1 to 32 letters and digits")
        return token

    @field_validator("encoding_aes_key")
    @classmethod
    def whole(cls, key: Secret) -> Secret:
        if not AES_KEY.fullmatch(key.get_secret_value()):
            raise ValueError("is not an EncodingAESKey: that has 43 letters and digits")
        return key


class CallbackSettings(CallbackKeys):
    """[corp.NAME.callback] and [corp.NAME.app.callback]: a receiver of events."""

    former: tuple[CallbackKeys, ...] = ()
    """Pairs that are taken as well: those of before, while WeCom is told the new one."""
    enforce_ips: Switch = False
    """Events from addresses that WeCom does not list as its own are refused, and not only logged."""


class AppSettings(Table):
    """[corp.NAME.app]: a self-built app of the corp."""

    agent_id: PositiveNumber
    secret: Secret
    callback: CallbackSettings | None = None


class CorpSettings(Table):
    """[corp.NAME]: one WeCom tenant."""

    corp_id: Text
    allow_http: Switch = False
    base_url: str = "https://qyapi.weixin.qq.com"
    """Without /cgi-bin and without a trailing slash."""
    contact_secret: Secret
    proxy: Annotated[Text, AfterValidator(addresses.check_proxy)] | None = Field(default=None, repr=False)
    """"env" for the environment's; may hold a password, so it is not shown."""
    ca_file: Path | None = None
    account_cap: PositiveNumber | None = None
    """For the month's quota of creations; without it that is not checked."""
    concurrency: Annotated[PositiveNumber, Field(le=20)] = 10
    """Calls under way at once, of one process."""
    app: AppSettings | None = None
    callback: CallbackSettings | None = None

    @field_validator("base_url")
    @classmethod
    def reachable(cls, text: str, info: ValidationInfo) -> str:
        # Where allow_http itself is at fault, only that is told.
        return addresses.check_base_url(text, allow_http=info.data.get("allow_http", True))

    _placed = field_validator("ca_file")(placed_file)

    @field_validator("app")
    @classmethod
    def other_secret(cls, app: AppSettings | None, info: ValidationInfo) -> AppSettings | None:
        if app is not None and app.secret == info.data.get("contact_secret"):
            raise ValueError("secret is the same as contact_secret: contact sync and each app have their own")
        return app


class SqlSourceSettings(Table):
    """[source.NAME] with type = "sql"."""

    type: Literal["sql"]
    url: str
    """Without password, its driver named; an SQLite file by absolute path."""
    password: Secret | None = None
    departments: Query | None = None
    """Required of the source that a sync names first."""
    members: Query
    memberships: Query | None = None
    tags: Query | None = None
    receive_timeout: PositiveNumber = 300
    """Seconds for which the server may say nothing; a slow query is silent too."""
    canaries: tuple[Text, ...] = ()
    """Keys of people without whom no reading is whole."""

    _split = model_validator(mode="before")(database.without_password)
    _once = field_validator("password")(_no_password_in_url)

    @field_validator("url")
    @classmethod
    def known(cls, text: str, info: ValidationInfo) -> str:
        return database.check_database_url(text, dialects=database.SOURCE_DIALECTS, around=around(info))

    @property
    def full_url(self) -> URL:
        """The URL with the password, masked in its own repr and str."""
        return database.full_url(self.url, self.password)


class LdapSourceSettings(Table):
    """[source.NAME] with type = "ldap"."""

    type: Literal["ldap"]
    url: Annotated[
        tuple[Annotated[Text, AfterValidator(addresses.check_ldap_url)], ...],
        BeforeValidator(lambda value: (value,) if isinstance(value, str) else value),
        Field(min_length=1),
    ]
    """Tried in turn."""
    start_tls: Switch = False
    ca_file: Path | None = None
    bind_dn: Text | None = None
    """None reads as nobody: anonymously."""
    bind_password: Secret | None = None
    connect_timeout: Annotated[PositiveNumber, Field(le=DAY)] = 10
    """Seconds, as is `receive_timeout`."""
    receive_timeout: Annotated[PositiveNumber, Field(le=DAY)] = 60
    page_size: Annotated[PositiveNumber, Field(le=LARGEST_PAGE)] = 500
    base_dn: Text
    departments: Text
    members: Text
    department_attribute: Attribute | None = None
    """One department for each value that this attribute has in the entries of `departments`."""
    memberships: Text | None = None
    """Groups whose own members are in the department that has the group's DN for its `ref`."""
    groups: Text | None = None
    group_name: Attribute = "cn"
    """The attribute of a group that is its tag's name."""
    names: AttributeNames = Field(default_factory=dict)
    """A name in expressions -> the attribute that the directory has it in."""
    referrals: tuple[Text, ...] = ()
    """Hosts that hold a part of the tree and may be left out."""
    watch: Switch = False
    """The daemon may ask between two readings whether anything has changed."""
    canaries: tuple[Text, ...] = ()
    """Keys of people without whom no reading is whole."""

    _placed = field_validator("ca_file")(placed_file)

    @field_validator("names")
    @classmethod
    def apart(cls, names: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        """The mapping's defaults read department_attribute by its own name."""
        attribute = info.data.get("department_attribute") or ""
        if any(name.lower() == attribute.lower() for name in names):
            raise ValueError(f'"{attribute}" is department_attribute: give it another name')
        return names

    @model_validator(mode="after")
    def bound(self) -> Self:
        # A name with an empty password binds nobody, and most servers call that a success (RFC 4513, 5.1.2).
        password = self.bind_password.get_secret_value() if self.bind_password else ""
        if (self.bind_dn is None) != (not password):
            raise ValueError("bind_dn and bind_password go together: give both, or neither to read as nobody")
        return self


class FileSourceSettings(Table):
    """[source.NAME] with type = "file": exports, one file for each query."""

    type: Literal["file"]
    departments: DataFile | None = None
    """Required of the source that a sync names first."""
    members: DataFile
    memberships: DataFile | None = None
    tags: DataFile | None = None
    encoding: Literal["auto", "utf-8", "gb18030"] = "auto"
    """Of CSV and JSON: "auto" is UTF-8 where all of a file is that, else GB18030."""
    names: dict[Text, Text] = Field(default_factory=dict)
    """A name in expressions -> the column that the files have it in."""
    canaries: tuple[Text, ...] = ()
    """Keys of people without whom no reading is whole."""


SourceSettings = Annotated[
    SqlSourceSettings | LdapSourceSettings | FileSourceSettings, Field(discriminator="type")
]


class DepartmentMapping(Table):
    """[sync.NAME.department]: expressions over one row of a source's departments."""

    key: Expression
    parent: Expression
    name: Expression
    order: Expression | None = None
    root: Expression | None = None
    ref: Expression | None = None
    """The name by which other rows point to this one; None is the key."""


class MemberMapping(Table):
    """[sync.NAME.member]: expressions over one row of a source's members."""

    key: Expression
    userid: Expression
    name: Expression
    alias: Expression | None = None
    mobile: Expression | None = None
    email: Expression | None = None
    departments: Expression | None = None
    main_department: Expression | None = None
    is_leader: Expression | None = None
    order: Expression | None = None
    direct_leader: Expression | None = None
    position: Expression | None = None
    gender: Expression | None = None
    telephone: Expression | None = None
    address: Expression | None = None
    biz_mail: Expression | None = None
    external_position: Expression | None = None
    enable: Expression | None = None
    active: Expression | None = None
    starts: Expression | None = None
    ends: Expression | None = None
    ref: Expression | None = None
    extattr: dict[Text, Expression] = Field(default_factory=dict)

    @property
    def written(self) -> frozenset[str]:
        """The fields that it says something of; an attribute as `extattr.NAME`."""
        plain = (name for name, value in self if name != "extattr" and value is not None)
        return frozenset(plain) | {f"extattr.{name}" for name in self.extattr}


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        meant = did_you_mean(name, available_timezones())
        raise ValueError(f'"{name}" is no IANA time zone such as "Asia/Shanghai".{meant}') from None
    return name


class SyncSettings(Table):
    """[sync.NAME]: one corp fed from one or more sources."""

    corp: str
    sources: Annotated[tuple[str, ...], Field(min_length=1)]
    """The first one is the authority on who exists."""
    root_department: PositiveNumber = 1
    mode: Literal["plan", "apply"]
    schedule: Annotated[str, AfterValidator(check_schedule)] | None = None
    """None: the daemon begins no run of it by the clock."""
    exact: Switch = False
    """A start on minute 0 or 30 is not shifted."""
    min_interval: Annotated[PositiveNumber, Field(le=DAY)] = 60
    """Seconds from the beginning of one run of the daemon to that of the next at least."""
    run_timeout: Annotated[PositiveNumber, Field(ge=5, le=7 * DAY)] = 6 * 3600
    """Seconds after which the daemon cuts a run off."""
    time_zone: Annotated[str, AfterValidator(_time_zone)] = "Asia/Shanghai"
    department: DepartmentMapping
    member: MemberMapping
    tags: dict[Text, Expression] = Field(default_factory=dict)
    """A tag's name -> the rule over a member's row."""
    policy: PolicySettings
    authority: AuthoritySettings = AuthoritySettings()
    limits: LimitsSettings = LimitsSettings()
    breaker: BreakerSettings = BreakerSettings()
    notify: tuple[str, ...] = ()
    """The [notify.…] by which people are told; none: nobody is."""

    @field_validator("sources", "notify")
    @classmethod
    def named_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f'names "{doubled[0]}" twice')
        return names

    @field_validator("authority")
    @classmethod
    def mapped(cls, authority: AuthoritySettings, info: ValidationInfo) -> AuthoritySettings:
        mapping = info.data.get("member")
        return check_mapped(authority, mapping.written) if mapping is not None else authority


class Settings(Table):
    """The whole config file."""

    mirror: MirrorSettings
    service: ServiceSettings = ServiceSettings()
    corp: dict[Name, CorpSettings] = Field(default_factory=dict)
    source: dict[Name, SourceSettings] = Field(default_factory=dict)
    notify: dict[Name, NotifySettings] = Field(default_factory=dict)
    sync: dict[Name, SyncSettings] = Field(default_factory=dict)
