"""What WeCom asks of a member that is created or updated (WeCom pages 90195, 90197, 100111)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from wxsync.sandbox import fields
from wxsync.sandbox.directory import Directory
from wxsync.sandbox.fields import UINT32_MAX, Check, Shape, at_most, each_within, within
from wxsync.sandbox.records import Attribute, Member, Placement, fold
from wxsync.sandbox.refusal import Refusal, invalid
from wxsync.sandbox.state import SandboxState

SHAPES: Final[Mapping[str, Shape]] = {
    "userid": fields.is_text,
    "name": fields.is_text,
    "alias": fields.is_text,
    "mobile": fields.is_text,
    "email": fields.is_text,
    "biz_mail": fields.is_text,
    "position": fields.is_text,
    "gender": fields.is_text,
    "telephone": fields.is_text,
    "address": fields.is_text,
    "english_name": fields.is_text,
    "external_position": fields.is_text,
    "avatar_mediaid": fields.is_text,
    "department": fields.is_integers,
    "order": fields.is_integers,
    "is_leader_in_dept": fields.is_integers,
    "main_department": fields.is_integer,
    "enable": fields.is_integer,
    "direct_leader": fields.is_texts,
    "extattr": fields.is_object,
    "external_profile": fields.is_object,
}

CREATE_SHAPES: Final[Mapping[str, Shape]] = {**SHAPES, "to_invite": fields.is_boolean}

UPDATE_SHAPES: Final[Mapping[str, Shape]] = {
    **SHAPES,
    "new_userid": fields.is_text,
    "biz_mail_alias": fields.is_object,
}

CHECKS: Final[Mapping[str, Check]] = {
    "name": fields.check_name,
    "alias": at_most("alias", 64),
    "mobile": fields.check_mobile,
    "email": fields.check_email,
    "biz_mail": fields.check_biz_mail,
    "position": at_most("position", 128, 301012),
    "gender": fields.check_gender,
    "telephone": fields.check_telephone,
    "address": at_most("address", 128),
    "english_name": fields.check_english_name,
    "external_position": at_most("external_position", 12),
    "new_userid": fields.check_userid,
    "department": fields.check_departments,
    "order": each_within("order", 0, UINT32_MAX),
    "is_leader_in_dept": each_within("is_leader_in_dept", 0, 1),
    "enable": within("enable", 0, 1),
    "direct_leader": fields.check_direct_leader,
}

UPDATE_CHECKS: Final[Mapping[str, Check]] = {**CHECKS, "biz_mail": fields.check_new_biz_mail}
"""An update wants a corp address one byte shorter than a creation (WeCom page 90197)."""

PLAIN_FIELDS: Final = (
    "name",
    "alias",
    "position",
    "gender",
    "telephone",
    "address",
    "english_name",
    "external_position",
    "external_profile",
    "enable",
)
"""Fields that are stored as they come, without an index or a rule beside `CHECKS`."""

ATTRIBUTE_TEXT: Final = 64
EXTERNAL_TEXT: Final = 32
TITLE: Final = 12


def check_reachable(mobile: str, email: str) -> None:
    """Everybody has a phone number or an e-mail address."""
    if not mobile and not email:
        raise Refusal(60129)


def check_unique(directory: Directory, given: Mapping[str, Any], member: Member | None) -> None:
    """No other member has the phone number or an address."""
    owners = (
        (60104, "mobile", directory.by_mobile.get(fields.as_read(given.get("mobile", "")))),
        (60106, "email", directory.by_email.get(given.get("email", "").lower())),
        (60145, "biz_mail", directory.by_biz_mail.get(given.get("biz_mail", "").lower())),
    )
    for errcode, name, owner in owners:
        if owner is not None and owner is not member:
            raise Refusal(errcode, f"{name} existed:{owner.userid}")


def check_corp_mail(state: SandboxState, given: Mapping[str, Any], member: Member | None) -> None:
    """A corp address is of the corp's domain, and changes once if WeCom made it up (page 90197)."""
    address = given.get("biz_mail")
    if address is None or (member is not None and address.lower() == member.biz_mail.lower()):
        return
    if state.mail_domain is None:
        raise Refusal(60143)
    if not address.lower().endswith("@" + state.mail_domain.lower()):
        raise Refusal(81015)
    if member is not None and member.biz_mail and not member.has_generated_biz_mail:
        raise Refusal(60144)


def check_avatar(state: SandboxState, given: Mapping[str, Any]) -> None:
    """A picture that was uploaded for all apps, and is still there."""
    media_id = given.get("avatar_mediaid")
    if not media_id:
        return
    medium = state.media.get(media_id)
    is_good = medium is not None and medium.type == "image" and medium.webhook is None
    if not is_good or (medium is not None and medium.ends_at <= state.clock()):
        raise Refusal(301015)


def check_leaders(directory: Directory, given: Mapping[str, Any]) -> None:
    """A direct leader is a member."""
    for userid in given.get("direct_leader", ()):
        if fold(userid) not in directory.members:
            raise Refusal(301021)


def placement(given: Mapping[str, Any], before: Placement) -> Placement:
    """Where the member shall be: a new department list replaces the old one whole.

    That a department which stays keeps its order and leader mark, and that the first one becomes
    the main department where the old main one is left, are our own choices.
    """
    departments: tuple[int, ...] = tuple(given.get("department", before.department))
    order = _aligned(departments, before, before.order)
    if "department" in given and "order" in given:
        order = tuple(given["order"])
        if len(order) != len(departments):
            raise invalid("order")
    leaders = _aligned(departments, before, before.is_leader_in_dept)
    if "is_leader_in_dept" in given:
        leaders = tuple(given["is_leader_in_dept"])
        if len(leaders) != len(departments):
            raise Refusal(60132)
    return Placement(departments, order, leaders, _main_department(given, departments, before))


def _aligned(departments: tuple[int, ...], before: Placement, values: tuple[int, ...]) -> tuple[int, ...]:
    known = dict(zip(before.department, values, strict=True))
    return tuple(known.get(id, 0) for id in departments)


def _main_department(given: Mapping[str, Any], departments: tuple[int, ...], before: Placement) -> int:
    if "main_department" in given:
        main: int = given["main_department"]
        if main not in departments:
            raise invalid("main_department")
        return main
    if before.main_department in departments:
        return before.main_department
    return departments[0] if departments else 0


def check_room(state: SandboxState, after: Placement, before: Placement) -> None:
    """None of the departments that the member joins is full."""
    for id in after.department:
        department = state.departments.get(id)
        if department is None or id in before.department:
            continue
        if len(department.members) + len(department.children) >= state.max_nodes:
            raise Refusal(81001)


def check_rename(directory: Directory, userid: str, member: Member) -> None:
    """Only a userid that WeCom made up may change, and once (WeCom page 90197)."""
    if not member.has_generated_userid:
        raise Refusal(301036)
    owner = directory.members.get(fold(userid))
    if owner is not None and owner is not member:
        raise Refusal(60102)


def attributes(state: SandboxState, given: Mapping[str, Any]) -> dict[str, Attribute | None]:
    """The attributes to set (None: to clear) that the console defines; others are ignored."""
    wanted = parse_attributes(given.get("extattr", {}))
    return {
        name: value if value.value or value.title else None
        for name, value in wanted.items()
        if state.attributes.get(name) == value.type
    }


def parse_attributes(extattr: Mapping[str, Any]) -> dict[str, Attribute]:
    """What `{"attrs": [...]}` says (WeCom page 100111); 40058 where it is not so."""
    rows = extattr.get("attrs", [])
    if not isinstance(rows, list):
        raise invalid("extattr")
    return dict(_attribute(row, ATTRIBUTE_TEXT) for row in rows)


def check_external_profile(state: SandboxState, given: Mapping[str, Any]) -> None:
    """The corp's name is verified, the attributes shown to customers are well-formed."""
    profile = given.get("external_profile", {})
    rows, name = profile.get("external_attr") or [], profile.get("external_corp_name") or ""
    if not isinstance(rows, list) or not isinstance(name, str):
        raise invalid("external_profile")
    if name and name not in state.verified_names:
        raise Refusal(41036)
    for row in rows:
        if isinstance(row, dict) and row.get("type") == 2:
            _check_program(row.get("miniprogram"))
        else:
            _attribute(row, EXTERNAL_TEXT)


def _check_program(program: object) -> None:
    """A mini program has an id, a page and a title of up to 12 characters."""
    for name, longest in (("appid", 64), ("pagepath", 2048), ("title", TITLE)):
        _text(program, name, longest)


def _attribute(row: object, longest: int) -> tuple[str, Attribute]:
    if not isinstance(row, dict) or not isinstance(row.get("name"), str):
        raise invalid("extattr")
    match row.get("type"):
        case 0:
            return row["name"], Attribute(0, _text(row.get("text"), "value", longest))
        case 1:
            return row["name"], _web(row.get("web"))
    raise invalid("extattr.type")


def _web(web: object) -> Attribute:
    url, title = _text(web, "url", 2048), _text(web, "title", TITLE)
    if bool(url) != bool(title) or (url and not url.startswith(("http://", "https://"))):
        raise invalid("extattr.web")
    return Attribute(1, url, title)


def _text(holder: object, name: str, longest: int) -> str:
    value = holder.get(name) if isinstance(holder, dict) else None
    if not isinstance(value, str) or len(value) > longest:
        raise invalid(f"extattr.{name}")
    return value


def mail_aliases(given: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Up to 5 further corp addresses (WeCom page 90197); None where they are not given."""
    if "biz_mail_alias" not in given:
        return None
    items = given["biz_mail_alias"].get("item", [])
    if not fields.is_texts(items) or len(items) > 5:
        raise invalid("biz_mail_alias")
    return tuple(items)


def check_aliases(state: SandboxState, aliases: tuple[str, ...], member: Member) -> None:
    """Each is an address of the corp's domain that nobody else has. The call's other part is done."""
    taken = {alias.lower() for each in state.members.values() for alias in each.biz_mail_alias}
    taken -= {alias.lower() for alias in member.biz_mail_alias}
    for alias in aliases:
        errcode = 0
        if state.mail_domain is None or not fields.is_address(alias):
            errcode = 60143
        elif not alias.lower().endswith("@" + state.mail_domain.lower()):
            errcode = 81015
        elif alias.lower() in taken or alias.lower() in state.directory.by_biz_mail:
            errcode = 60145
        if errcode:
            raise Refusal(errcode, is_half_done=True)
