"""The XML of an event, decrypted, as a record (WeCom pages 90967, 90970 to 90973 and 90240). Pure.

An event that lacks what it should have is an unknown one, and never an error: it was WeCom who signed it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from xml.etree.ElementTree import Element

from wxsync.errors import CallbackRejectedError
from wxsync.model.event import (
    AnyEvent,
    CardEvent,
    DepartmentEvent,
    JobEvent,
    MemberEvent,
    TagEvent,
    UnknownEvent,
)
from wxsync.wecom.crypto import parse_xml
from wxsync.wecom.wire.directory import SHOWN_FORMS, shown_text

MEMBERS: Final = frozenset({"create_user", "update_user", "delete_user"})
DEPARTMENTS: Final = frozenset({"create_party", "update_party", "delete_party"})
CARDS: Final = frozenset({"template_card_event", "template_card_menu_event"})
TEXTS: Final = {
    "Name": "name",
    "Alias": "alias",
    "Mobile": "mobile",
    "Email": "email",
    "Position": "position",
    "Gender": "gender",
    "Telephone": "telephone",
    "Address": "address",
    "BizMail": "biz_mail",
}
"""Element -> the member's field."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = 253_402_300_799
"""The last second that a datetime can hold."""
NUMBER: Final = re.compile(r"\d{1,18}", re.ASCII)
STRANGE: Final = re.compile(r"[^\w./-]", re.ASCII)
LONGEST_USERID: Final = 64
LONGEST_NAME: Final = 64
LONGEST_TEXT: Final = 1024
"""Characters of a job's id, a task's id or a key: WeCom's own limits are 64 to 1024 bytes."""


def parse_event(message: bytes) -> AnyEvent:
    """The event that a decrypted message tells of."""
    try:
        root = parse_xml(message)
    except CallbackRejectedError:
        return UnknownEvent(created_at=EPOCH, name="unreadable")
    created_at = _moment(_text(root, "CreateTime"))
    return _known(root, created_at) or UnknownEvent(created_at=created_at, name=_name(root))


def _known(root: Element, created_at: datetime) -> AnyEvent | None:
    event, change = _text(root, "Event"), _text(root, "ChangeType")
    if event == "batch_job_result":
        job_id = _text(root, "BatchJob/JobId")
        return JobEvent(created_at=created_at, job_id=job_id) if _is_usable(job_id) else None
    if event in CARDS:
        return _card(root, created_at, is_menu=event != "template_card_event")
    if event != "change_contact":
        return None
    if change in MEMBERS:
        return _member(root, created_at, change)
    if change == "update_tag":
        id = _number(root, "TagId")
        return None if id is None else TagEvent(created_at=created_at, id=id)
    id = _number(root, "Id")
    if change not in DEPARTMENTS or id is None:
        return None
    return DepartmentEvent(created_at=created_at, change=change, id=id)


def _member(root: Element, created_at: datetime, change: str) -> MemberEvent | None:
    userid, new_userid = _text(root, "UserID"), _text(root, "NewUserID")
    if not userid or max(len(userid), len(new_userid)) > LONGEST_USERID:
        return None
    return MemberEvent(
        created_at=created_at,
        change=change,
        userid=userid,
        new_userid=new_userid or None,
        values=dict(_values(root)),
    )


def _values(root: Element) -> Iterator[tuple[str, str]]:
    """What is told. An element that is there and empty may be a cleared field, or not: nobody has said so."""
    for element, name in TEXTS.items():
        value = shown_text(_text(root, element) or None, SHOWN_FORMS.get(name, str))
        if isinstance(value, str):
            yield name, value
    for item in root.findall("ExtAttr/Item"):
        name, value = _text(item, "Name"), shown_text(_text(item, "Text/Value") or None)
        if name and isinstance(value, str):
            yield f"extattr.{name}", value


def _card(root: Element, created_at: datetime, *, is_menu: bool) -> CardEvent | None:
    names = ("FromUserName", "EventKey", "TaskId", "CardType", "ResponseCode")
    userid, key, task, card_type, code = (_text(root, name) for name in names)
    if not all(map(_is_usable, (userid, key, task))) or len(userid) > LONGEST_USERID:
        return None
    return CardEvent(
        created_at=created_at,
        userid=userid,
        event_key=key,
        task_id=task,
        card_type=card_type,
        response_code=code,
        is_menu=is_menu,
    )


def _name(root: Element) -> str:
    """What it calls itself, fit for a log and a counter."""
    said = (_text(root, name) for name in ("Event", "ChangeType"))
    name = "/".join(each for each in said if each) or _text(root, "MsgType") or root.tag
    return STRANGE.sub("?", name)[:LONGEST_NAME]


def _text(root: Element, path: str) -> str:
    return (root.findtext(path) or "").strip()


def _number(root: Element, path: str) -> int | None:
    text = _text(root, path)
    return int(text) if NUMBER.fullmatch(text) else None


def _moment(text: str) -> datetime:
    seconds = int(text) if NUMBER.fullmatch(text) else 0
    return datetime.fromtimestamp(min(seconds, LATEST), UTC)


def _is_usable(text: str) -> bool:
    return 0 < len(text) <= LONGEST_TEXT
