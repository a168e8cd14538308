"""What to do about each of WeCom's error codes (WeCom page 90313), as data: one table of all families."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from wxsync.model.message import Message, say
from wxsync.wecom.errcodes import codes
from wxsync.wecom.errcodes.access import ACCESS
from wxsync.wecom.errcodes.callbacks import CALLBACKS
from wxsync.wecom.errcodes.calls import CALLS
from wxsync.wecom.errcodes.chats import CHATS
from wxsync.wecom.errcodes.customers import CUSTOMERS
from wxsync.wecom.errcodes.directory import DEPARTMENTS, MEMBERS, TAGS
from wxsync.wecom.errcodes.files import JOBS, MEDIA
from wxsync.wecom.errcodes.meaning import Action, ErrcodeInfo, unlisted
from wxsync.wecom.errcodes.messages import CARDS, MESSAGES, WEBHOOKS

FAMILIES: Final = (
    ACCESS,
    CALLS,
    MEMBERS,
    DEPARTMENTS,
    TAGS,
    MEDIA,
    JOBS,
    MESSAGES,
    CARDS,
    WEBHOOKS,
    CHATS,
    CUSTOMERS,
    CALLBACKS,
)
ERRCODES: Final[Mapping[int, ErrcodeInfo]] = MappingProxyType(
    {errcode: info for family in FAMILIES for errcode, info in family.items()}
)

ALREADY_SO: Final[Mapping[str, frozenset[int]]] = MappingProxyType(
    {
        "user/delete": frozenset({codes.NO_SUCH_USERID, codes.BAD_USERID}),
        "department/delete": frozenset({codes.NO_SUCH_DEPARTMENT, codes.INVALID_DEPARTMENT}),
        "tag/delete": frozenset({codes.NO_SUCH_TAG}),
        "externalcontact/groupchat/transfer": frozenset({codes.CHAT_OWNER_UNCHANGED}),
        "externalcontact/groupchat/onjob_transfer": frozenset({codes.CHAT_OWNER_UNCHANGED}),
    }
)
"""Call -> the errcodes by which WeCom says that what it was to bring about is so.

60102, 60008 and 40071 are in no row: that a userid, a department or a tag's name is there does not say that
it is ours, and only the rule for lost replies may conclude that.
"""

_SEEN_IP = re.compile(r"from ip: ([0-9A-Fa-f.:]+)")
_OWNER = re.compile(r"existed:\s*([A-Za-z0-9][A-Za-z0-9_\-@.]{0,63})")


def lookup(errcode: int, endpoint: str = "") -> ErrcodeInfo:
    """What to do about `errcode`, and where it is known to come from the call `endpoint`, about it there.

    One that is in no table concerns its record only.
    """
    info = ERRCODES.get(errcode) or unlisted(errcode)
    if errcode in ALREADY_SO.get(endpoint, ()):
        return replace(info, action=Action.ALREADY)
    return info


def explain(errcode: int, errmsg: str = "") -> Message:
    """The hint for `errcode`, with the facts that `errmsg` happens to tell: never used to decide anything."""
    address = _SEEN_IP.search(errmsg)
    if errcode in (codes.UNTRUSTED_IP, codes.NOT_ON_WHITELIST) and address:
        return say(
            "WeCom sees this machine as {address} and does not trust it: enter that in the admin "
            "console under 企业可信IP (contact sync: 管理后台 → 管理工具 → 通讯录同步; an app: "
            "管理后台 → 应用管理 → 应用); it takes about a minute to hold",
            address=address.group(1).rstrip("."),
        )
    owner = _OWNER.search(errmsg)
    if errcode == codes.MOBILE_TAKEN and owner:
        return say(
            "the member {owner} has this phone number, says WeCom: correct one of the two",
            owner=owner.group(1),
        )
    if errcode == codes.DEPARTMENT_EXISTS and owner:
        return say(
            "a department of this name is there already, or one with this id: {owner}, says WeCom",
            owner=owner.group(1),
        )
    return lookup(errcode).hint
