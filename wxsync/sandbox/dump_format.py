"""A corp as a JSON document, `wxsync-sandbox/1`: what may be in it, and where it contradicts itself."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from wxsync.sandbox.records import ROOT
from wxsync.sandbox.switches import ContactSync

FORMAT: Final = "wxsync-sandbox/1"

Count = Annotated[int, Field(ge=0)]


class Part(BaseModel):
    """Strict: a misspelt key is an error, and no text is taken for a number."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    shown_only: ClassVar[frozenset[str]] = frozenset()
    """Keys of WeCom's own rows that follow from others, or stand for what the sandbox does not hold."""

    @model_validator(mode="before")
    @classmethod
    def drop_what_is_only_shown(cls, data: Any) -> Any:
        """A row of WeCom's own listings is good as it is."""
        if not isinstance(data, dict):
            return data
        return {name: value for name, value in data.items() if name not in cls.shown_only}


class CorpPart(Part):
    """The corp and its console."""

    corp_id: str = Field(default="ww5a6d626f78000001", min_length=1)
    corp_name: str = Field(default="样例公司", min_length=1)
    contact_secret: str = Field(default="sandbox-contact-secret", min_length=1)
    contact_sync: Annotated[ContactSync, Field(strict=False)] = ContactSync.EDIT
    creator: str | None = None
    legacy_ip: bool = False
    attributes: dict[str, Literal[0, 1]] = Field(default_factory=dict)
    mail_domain: str | None = None
    verified_names: list[str] = Field(default_factory=list)
    account_cap: Count | None = None


class AppPart(Part):
    """A self-built app."""

    agent_id: int = 1000002
    secret: str = Field(default="sandbox-app-secret", min_length=1)
    name: str = "样例应用"
    sees_sensitive: bool = False
    is_enabled: bool = True
    handles_customers: bool = True
    scope: list[int] = Field(default_factory=lambda: [ROOT])
    scope_members: list[str] = Field(default_factory=list)
    scope_tags: list[int] = Field(default_factory=list)


class DepartmentPart(Part):
    """A row of department/list. The root may be left out; its name is the corp's."""

    shown_only: ClassVar = frozenset(("department_leader",))

    id: int = Field(ge=ROOT)
    name: str
    name_en: str = ""
    parentid: int
    order: Count | None = None


class MemberPart(Part):
    """A row of user/list, and what no call shows."""

    shown_only: ClassVar = frozenset(
        ("isleader", "hide_mobile", "avatar", "thumb_avatar", "qr_code", "open_userid")
    )

    userid: str
    name: str
    department: list[int] = Field(default_factory=lambda: [ROOT], min_length=1)
    order: list[Count] | None = None
    is_leader_in_dept: list[Literal[0, 1]] | None = None
    main_department: int | None = None
    direct_leader: list[str] = Field(default_factory=list)
    alias: str = ""
    mobile: str = ""
    email: str = ""
    biz_mail: str = ""
    biz_mail_alias: list[str] = Field(default_factory=list, max_length=5)
    position: str = ""
    gender: Literal["0", "1", "2"] = "0"
    telephone: str = ""
    address: str = ""
    english_name: str = ""
    external_position: str = ""
    external_profile: dict[str, Any] = Field(default_factory=dict)
    extattr: dict[str, Any] = Field(default_factory=dict)
    status: Literal[1, 2, 4, 5] | None = None
    enable: Literal[0, 1] | None = None
    is_activated: bool | None = None
    openid: str = ""
    has_generated_userid: bool = False
    has_generated_biz_mail: bool = False


class TagPart(Part):
    """A tag; `owner` is `admin` for one made in the console, else `contact` or `app:1000002`."""

    tagid: Count
    tagname: str
    owner: str = "admin"
    userlist: list[str] = Field(default_factory=list)
    partylist: list[int] = Field(default_factory=list)


class Dump(Part):
    """The whole document; every part may be left out."""

    format: Literal["wxsync-sandbox/1"] = FORMAT
    corp: CorpPart = Field(default_factory=CorpPart)
    apps: list[AppPart] = Field(default_factory=lambda: [AppPart()])
    departments: list[DepartmentPart] = Field(default_factory=list)
    members: list[MemberPart] = Field(default_factory=list)
    tags: list[TagPart] = Field(default_factory=list)
    counters: dict[str, Any] = Field(default_factory=dict)
    """What was counted when the dump was made; not read again."""
