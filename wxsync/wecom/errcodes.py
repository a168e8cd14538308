"""What to do about each of WeCom's error codes (WeCom page 90313), as data.

The class of the error follows the action: RETRY is a `RateLimitError`, REFRESH a `TokenError`, STOP a
`DeniedError`, BUG a plain `WeComApiError`; a RECORD is one of not found, conflict or field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from wxsync.errors import (
    ConflictError,
    DeniedError,
    FieldError,
    NotFoundError,
    RateLimitError,
    TokenError,
    WeComApiError,
)
from wxsync.model.message import Message, say


class Action(StrEnum):
    """What a caller does about an errcode."""

    RETRY = "retry"
    """It passes: the transport has repeated the call before anybody sees the error."""
    REFRESH = "refresh"
    """The token is at fault: the transport has fetched another one, once."""
    RECORD = "record"
    """This record cannot be written so; the others go on."""
    STOP = "stop"
    """No call of this kind will work until somebody changes something: end the run."""
    BUG = "bug"
    """wxsync asked in a way that WeCom does not take."""


@dataclass(frozen=True, slots=True)
class ErrcodeInfo:
    """What an errcode means to us: the action, the words that say how to mend it, the error to raise."""

    action: Action
    hint: Message
    error: type[WeComApiError]


BUSY: Final = -1
VERSION_CONFLICT: Final = 6000
FREQUENCY: Final = 45009
CONCURRENCY: Final = 45033
BAD_CURSOR: Final = 50100
USERIDS_INVALID: Final = 40031
NODES_INVALID: Final = 40070
UNTRUSTED_IP: Final = 60020
MOBILE_TAKEN: Final = 60104
EMAIL_TAKEN: Final = 60106
DEPARTMENT_EXISTS: Final = 60008
USERID_EXISTS: Final = 60102
TAG_NAME_EXISTS: Final = 40071
NO_SUCH_USERID: Final = 60111
BAD_USERID: Final = 40003
NO_SUCH_DEPARTMENT: Final = 60003
NO_SUCH_PARENT: Final = 60004
INVALID_DEPARTMENT: Final = 60123
NO_SUCH_TAG: Final = 40068
OUT_OF_SCOPE: Final = frozenset({50002, 60011, 60021, 60030})
"""The secret is good for the call, but not for the record that it names."""
FORBIDDEN: Final = frozenset({48001, 48002, 48003, 48004, 48006, 48007, 48008, 48009, 50003, 60031, 301002})
"""The secret is not good for the call, whatever it names. A wrong secret (40001) is not among them: an
attempt more, and WeCom bans the address; nor is an address that is not trusted (60020), which is mended."""


def retry(hint: Message) -> ErrcodeInfo:
    return ErrcodeInfo(Action.RETRY, hint, RateLimitError)


def refresh(hint: Message) -> ErrcodeInfo:
    return ErrcodeInfo(Action.REFRESH, hint, TokenError)


def stop(hint: Message) -> ErrcodeInfo:
    return ErrcodeInfo(Action.STOP, hint, DeniedError)


def not_found(hint: Message) -> ErrcodeInfo:
    return ErrcodeInfo(Action.RECORD, hint, NotFoundError)


def conflict(hint: Message) -> ErrcodeInfo:
    return ErrcodeInfo(Action.RECORD, hint, ConflictError)


def field(hint: Message) -> ErrcodeInfo:
    return ErrcodeInfo(Action.RECORD, hint, FieldError)


BUG: Final = ErrcodeInfo(
    Action.BUG,
    say("wxsync asked in a way that WeCom does not take: please report it with the errcode"),
    WeComApiError,
)
UNLISTED: Final = ErrcodeInfo(
    Action.RECORD,
    say("look the errcode up at https://open.work.weixin.qq.com/devtool/query"),
    WeComApiError,
)
_TOKEN: Final = refresh(
    say("WeCom took neither the access token nor a new one: try again, and see that nobody resets the secret")
)
_FILE: Final = field(say("WeCom does not take this file: see its type and size"))
_CORP_GONE: Final = stop(say("see the state of the corp in WeCom's admin console"))
_PERMISSION: Final = stop(
    say("this secret has no permission for the call: in WeCom's admin console see what the app may do")
)
_CONTACT_SYNC: Final = stop(
    say(
        "use the secret of contact sync (通讯录同步), switched on in WeCom's admin console with the right "
        "to edit (API 编辑通讯录); other secrets may not write"
    )
)
_SECRET: Final = stop(
    say(
        "the secret is wrong, reset, or of another app or corp: copy it again from WeCom's admin console; do "
        "not retry meanwhile, WeCom bans the address for an hour"
    )
)
_NO_MEMBER: Final = not_found(say("no member has this userid: deleted by somebody, or never there"))
_NO_DEPARTMENT: Final = not_found(say("no such department: deleted by somebody, or never there"))
_NO_JOB: Final = not_found(say("WeCom keeps the results of the last five jobs; this one is not among them"))
_DEPARTMENT_NAME: Final = field(
    say(r'give the department a name of 1 to 32 characters without \ : * ? " < > |')
)
_DEPARTMENTS: Final = field(say("a department of this member does not exist in WeCom: run again"))
_TREE: Final = field(say("the parent department cannot be this one: look at the departments in the source"))
_MAIL_BOX: Final = field(say("WeCom does not take this corp mailbox: it must be of the corp's mail domain"))
_JOB_FILE: Final = field(say("WeCom does not take the file of the job: look at the rows of its result"))
_IDENTITY: Final = not_found(say("WeCom knows nobody by this value"))
_IP_LIST: Final = stop(
    say(
        "WeCom does not trust this machine's address: enter it in the admin console under 企业可信IP; "
        "it takes about a minute to hold"
    )
)

_TABLE: Final[dict[int, ErrcodeInfo]] = {
    BUSY: retry(say("WeCom was busy each time: run again later")),
    VERSION_CONFLICT: retry(say("somebody else changes the same records: run again when they are done")),
    40001: _SECRET,
    BAD_USERID: field(say("WeCom does not take this userid, or has no such member")),
    40004: BUG,
    40005: BUG,
    40006: _FILE,
    40007: field(say("the uploaded file has expired or is of another kind: upload it again")),
    40009: _FILE,
    40013: stop(say("the corp_id is wrong: copy it from WeCom's admin console under 我的企业")),
    40014: _TOKEN,
    40029: field(say("the sign-in code is not valid: sign in again")),
    USERIDS_INVALID: field(say("at least one userid of the list does not exist: run again")),
    40032: BUG,
    40033: BUG,
    40035: BUG,
    40056: stop(say("the agent_id is wrong: copy it from the app's page in WeCom's admin console")),
    40057: stop(say("WeCom cannot reach the callback address, or its answer was wrong: run wxsync check")),
    40058: field(say("WeCom does not take a value of this record: see what is empty or too long")),
    40063: BUG,
    40066: _DEPARTMENTS,
    NO_SUCH_TAG: not_found(say("no such tag: deleted by somebody, or never there")),
    40069: field(say("a tag of the list does not exist: run again")),
    NODES_INVALID: field(say("WeCom knows none of those whom the tag was to get")),
    TAG_NAME_EXISTS: conflict(say("another tag has this name: rename one of them")),
    40072: field(say("give the tag a name of 1 to 32 characters")),
    40073: _IDENTITY,
    40078: stop(say("the authorisation code is not valid: authorise again")),
    40082: _TOKEN,
    40088: _NO_JOB,
    40089: _NO_JOB,
    40091: _SECRET,
    40092: _JOB_FILE,
    40096: field(say("WeCom does not take this external contact")),
    40097: field(say("this member has not left the corp: only a leaver's customers are handed over so")),
    40098: field(say("the member who takes over has not proved their identity to WeCom (实名)")),
    40100: field(say("these customers are being handed over already")),
    # 40126 and 81001 ask an admin, as STOP does, but hinder only this one record: the others can go on.
    40126: field(say("the corp has the 3000 tags that WeCom allows: delete some")),
    40206: BUG,
    41001: BUG,
    41002: stop(say("the corp_id is missing: copy it from WeCom's admin console under 我的企业")),
    41004: stop(say("the secret is missing: copy it from WeCom's admin console")),
    41006: BUG,
    41009: BUG,
    41017: BUG,
    41018: BUG,
    41019: BUG,
    41036: field(say("the corp's short name is not verified")),
    41066: field(say("WeCom does not know this channel name (视频号)")),
    42001: _TOKEN,
    42007: _TOKEN,
    42009: _TOKEN,
    43004: field(say("this member has not bound WeChat")),
    43009: stop(say("the corp has not been verified (企业认证): do that in WeCom's admin console")),
    44001: BUG,
    45001: _FILE,
    FREQUENCY: retry(
        say(
            "too many calls: WeCom blocks this call for a minute, or for an hour after a wrong secret or "
            "where the limit of the hour was passed; run again after that"
        )
    ),
    45024: stop(say("the corp has as many accounts as it may: verify it, or have the number raised")),
    45026: stop(say("WeCom refuses so many deletions in one job: look at the plan, then do it in parts")),
    45029: BUG,
    45031: stop(say("WeCom calls the secret too weak: reset it in the admin console and put the new one in")),
    CONCURRENCY: retry(say("too many calls at once: run again, and see what else uses this corp's API")),
    46004: _IDENTITY,
    48001: _PERMISSION,
    48002: _CONTACT_SYNC,
    48003: _PERMISSION,
    48004: _PERMISSION,
    48005: BUG,
    48006: stop(say("WeCom withdrew the permission after long disuse: grant it again in the admin console")),
    48007: _PERMISSION,
    48008: _PERMISSION,
    48009: stop(say("contact sync may not read details from here: configure a self-built app to read with")),
    50001: stop(say("the domain of the address is not registered for the app in WeCom's admin console")),
    50002: _PERMISSION,
    50003: stop(say("the app is disabled: enable it in WeCom's admin console")),
    BAD_CURSOR: not_found(say("WeCom lost its place in the listing twice: run again")),
    60001: _DEPARTMENT_NAME,
    NO_SUCH_DEPARTMENT: _NO_DEPARTMENT,
    NO_SUCH_PARENT: not_found(say("the parent department does not exist: see what became of it")),
    60005: conflict(say("the department still has members: move them first")),
    60006: conflict(say("the department still has departments below it: delete or move them first")),
    60007: BUG,
    DEPARTMENT_EXISTS: conflict(say("a department of this name is there already, or one with this id")),
    60009: _DEPARTMENT_NAME,
    60010: _TREE,
    60011: stop(
        say(
            "this secret may not write there: use the secret of contact sync (通讯录同步), and see its "
            "rights in WeCom's admin console"
        )
    ),
    60012: BUG,
    UNTRUSTED_IP: _IP_LIST,
    60021: _PERMISSION,
    60030: _PERMISSION,
    60031: _PERMISSION,
    USERID_EXISTS: conflict(say("a member has this userid already (WeCom ignores case): see who it is")),
    60103: field(say("WeCom does not take this phone number: digits, + and - only, 32 at most")),
    MOBILE_TAKEN: conflict(say("another member has this phone number: see who, and correct one of the two")),
    60105: field(say("WeCom does not take this e-mail address: 64 bytes at most")),
    EMAIL_TAKEN: conflict(say("another member has this e-mail address: see who, and correct one of the two")),
    60107: BUG,
    60110: field(say("this member is in too many departments for WeCom: 20 are safe")),
    NO_SUCH_USERID: _NO_MEMBER,
    60112: field(say("give the member a name of 1 to 64 characters")),
    INVALID_DEPARTMENT: _NO_DEPARTMENT,
    60124: _TREE,
    60125: _DEPARTMENT_NAME,
    60127: BUG,
    60129: field(say("WeCom wants a phone number or an e-mail address on everybody: give one of them")),
    60132: BUG,
    60136: not_found(say("WeCom has no such record")),
    60141: field(say("WeCom does not take this e-mail address, and there is no phone number beside it")),
    60142: field(say("WeCom lets nobody but the member change this e-mail address")),
    60143: _MAIL_BOX,
    60144: field(say("WeCom lets a corp mailbox be renamed once, and that has been done")),
    60145: conflict(say("another member has this corp mailbox")),
    60146: _IDENTITY,
    60147: _IDENTITY,
    60148: _IDENTITY,
    60257: field(say("WeCom takes one direct leader for each member")),
    81001: field(say("the department would hold more than 30,000 members and departments: split it")),
    81002: field(say("WeCom's tree is 15 levels deep at most: move the department up")),
    81003: field(say("the tag would hold more than 30,000 members and departments")),
    # Asks an admin too, and hinders this one tag only.
    81011: field(say("another app made this tag, and only that may change it: give ours another name")),
    81012: BUG,
    81013: field(say("WeCom knows none of the members or departments of the call, or lets us see none")),
    81014: BUG,
    81015: _MAIL_BOX,
    81017: retry(say("too many requests: run again later")),
    82001: BUG,
    82002: BUG,
    82003: BUG,
    301002: _PERMISSION,
    301005: field(say("the creator of the corp cannot be deleted: hand the role over in the admin console")),
    301007: _CORP_GONE,
    301012: field(say("WeCom takes a position of 128 characters at most")),
    301013: field(say("WeCom does not take this telephone: digits and - only, 32 at most")),
    301014: field(say("WeCom does not take this English name: letters, digits, blanks, - _ and . only")),
    301015: field(say("the picture is not valid any more: upload it again")),
    301021: not_found(say("somebody whom the call names is not in WeCom, the direct leader perhaps")),
    301036: field(say("WeCom lets a userid be changed once, and only one that it made up itself")),
    301042: _IP_LIST,
    302003: _JOB_FILE,
    302004: _JOB_FILE,
    302005: retry(say("WeCom could not carry out the job: run again")),
    302006: _JOB_FILE,
    302007: _JOB_FILE,
    302008: retry(say("another job is being carried out: run again when it is done")),
}
ERRCODES: Final[Mapping[int, ErrcodeInfo]] = MappingProxyType(_TABLE)

_SEEN_IP = re.compile(r"from ip: ([0-9A-Fa-f.:]+)")
_OWNER = re.compile(r"existed:\s*([A-Za-z0-9][A-Za-z0-9_\-@.]{0,63})")


def lookup(errcode: int) -> ErrcodeInfo:
    """What to do about `errcode`; one that is in no table concerns this record only."""
    return ERRCODES.get(errcode, UNLISTED)


def explain(errcode: int, errmsg: str = "") -> Message:
    """The hint for `errcode`, with the facts that `errmsg` happens to tell: never used to decide anything."""
    address = _SEEN_IP.search(errmsg)
    if errcode in (UNTRUSTED_IP, 301042) and address:
        return say(
            "WeCom sees this machine as {address} and does not trust it: enter that in the admin console "
            "under 企业可信IP; it takes about a minute to hold",
            address=address.group(1).rstrip("."),
        )
    owner = _OWNER.search(errmsg)
    if errcode == MOBILE_TAKEN and owner:
        return say(
            "the member {owner} has this phone number, says WeCom: correct one of the two",
            owner=owner.group(1),
        )
    if errcode == DEPARTMENT_EXISTS and owner:
        return say(
            "a department of this name is there already, or one with this id: {owner}, says WeCom",
            owner=owner.group(1),
        )
    return lookup(errcode).hint
