"""Errcodes of members, departments and tags: mostly this one record's, to be mended in the source."""

from __future__ import annotations

from typing import Final

from wxsync.model.message import say
from wxsync.wecom.errcodes.codes import (
    BAD_USERID,
    DEPARTMENT_EXISTS,
    EMAIL_TAKEN,
    INVALID_DEPARTMENT,
    MOBILE_TAKEN,
    NO_SUCH_DEPARTMENT,
    NO_SUCH_PARENT,
    NO_SUCH_TAG,
    NO_SUCH_USERID,
    NODES_INVALID,
    TAG_NAME_EXISTS,
    USERID_EXISTS,
    USERIDS_INVALID,
)
from wxsync.wecom.errcodes.meaning import ErrcodeInfo, bug, conflict, field, not_found, stop

_NO_DEPARTMENT: Final = not_found(say("no such department: deleted by somebody, or never there"))
_DEPARTMENT_NAME: Final = field(
    say(r'give the department a name of 1 to 32 characters without \ : * ? " < > |')
)
_TREE: Final = field(say("the parent department cannot be this one: look at the departments in the source"))
_MAIL_BOX: Final = field(
    say(
        "WeCom does not take this corp mailbox: it must be of the corp's mail domain, and corp "
        "mail be switched on in the admin console (管理后台 → 协作 → 邮件)"
    )
)
_IDENTITY: Final = not_found(
    say("WeCom knows nobody by this value, or the app may not see them: see whether it is right")
)

MEMBERS: Final[dict[int, ErrcodeInfo]] = {
    BAD_USERID: field(say("WeCom does not take this userid, or has no such member: see its spelling")),
    USERIDS_INVALID: field(say("at least one userid of the list does not exist: run again")),
    40032: bug(),
    40066: field(say("a department of this member does not exist in WeCom: run again")),
    40073: _IDENTITY,
    41009: bug(),
    41019: bug(),
    41036: field(
        say(
            "the corp's short name is not verified: verify it in the admin console (管理后台 → "
            "我的企业 → 企业信息), or leave it out"
        )
    ),
    41066: field(say("WeCom does not know this channel name (视频号): correct it, or leave it out")),
    43004: field(say("this member has not bound WeChat: ask them to do that in WeCom")),
    45024: stop(
        say(
            "the corp has as many accounts as it may: verify it, or have the number raised, in the "
            "admin console (管理后台 → 我的企业 → 企业信息)"
        )
    ),
    46004: _IDENTITY,
    USERID_EXISTS: conflict(say("a member has this userid already (WeCom ignores case): see who it is")),
    60103: field(say("WeCom does not take this phone number: digits, + and - only, 32 at most")),
    MOBILE_TAKEN: conflict(say("another member has this phone number: see who, and correct one of the two")),
    60105: field(say("WeCom does not take this e-mail address: 64 bytes at most")),
    EMAIL_TAKEN: conflict(say("another member has this e-mail address: see who, and correct one of the two")),
    60107: field(say("WeCom does not take this WeChat id (weixinid): leave it out")),
    60110: field(say("this member is in too many departments for WeCom: 20 are safe")),
    NO_SUCH_USERID: not_found(say("no member has this userid: deleted by somebody, or never there")),
    60112: field(say("give the member a name of 1 to 64 characters")),
    60127: bug(),
    60129: field(say("WeCom wants a phone number or an e-mail address on everybody: give one of them")),
    60132: bug(),
    60141: field(say("WeCom does not take this e-mail address, and there is no phone number beside it")),
    60142: field(say("WeCom lets nobody but the member change this e-mail address: ask them")),
    60143: _MAIL_BOX,
    60144: field(
        say("WeCom lets a corp mailbox be renamed once, and that has been done: keep the name that it has")
    ),
    60145: conflict(say("another member has this corp mailbox: see who, and correct one of the two")),
    60146: _IDENTITY,
    60147: _IDENTITY,
    60148: _IDENTITY,
    60257: field(say("WeCom takes one direct leader for each member")),
    81015: _MAIL_BOX,
    301005: field(
        say(
            "the creator of the corp cannot be deleted: hand the role over in the admin console "
            "(管理后台 → 我的企业 → 权限管理), or protect this userid"
        )
    ),
    301012: field(say("WeCom takes a position of 128 characters at most")),
    301013: field(say("WeCom does not take this telephone: digits and - only, 32 at most")),
    301014: field(say("WeCom does not take this English name: letters, digits, blanks, - _ and . only")),
    301015: field(say("the picture is not valid any more: upload it again")),
    301021: not_found(
        say("somebody whom the call names is not in WeCom, the direct leader perhaps: run again")
    ),
    301036: field(
        say("WeCom lets a userid be changed once, and only one that it made up itself: keep this one")
    ),
}

DEPARTMENTS: Final[dict[int, ErrcodeInfo]] = {
    60001: _DEPARTMENT_NAME,
    NO_SUCH_DEPARTMENT: _NO_DEPARTMENT,
    NO_SUCH_PARENT: not_found(say("the parent department does not exist: see what became of it")),
    60005: conflict(say("the department still has members: move them first")),
    60006: conflict(say("the department still has departments below it: delete or move them first")),
    60007: bug(),
    DEPARTMENT_EXISTS: conflict(say("a department of this name is there already, or one with this id")),
    60009: _DEPARTMENT_NAME,
    60010: _TREE,
    INVALID_DEPARTMENT: _NO_DEPARTMENT,
    60124: _TREE,
    60125: _DEPARTMENT_NAME,
    # This and 40126 ask an admin, as STOP does, but hinder only this one record: the others can go on.
    81001: field(say("the department would hold more than 30,000 members and departments: split it")),
    81002: field(say("WeCom's tree is 15 levels deep at most: move the department up")),
}

TAGS: Final[dict[int, ErrcodeInfo]] = {
    NO_SUCH_TAG: not_found(say("no such tag: deleted by somebody, or never there")),
    40069: field(say("a tag of the list does not exist: run again")),
    NODES_INVALID: field(say("WeCom knows none of those whom the tag was to get")),
    TAG_NAME_EXISTS: conflict(say("another tag has this name: rename one of them")),
    40072: field(say("give the tag a name of 1 to 32 characters")),
    40126: field(
        say(
            "the corp has the 3000 tags that WeCom allows: delete some in the admin console (管理后台 "
            "→ 通讯录 → 标签)"
        )
    ),
    41017: bug(),
    41018: bug(),
    81003: field(say("the tag would hold more than 30,000 members and departments: split it")),
    # Asks an admin too, and hinders this one tag only.
    81011: field(say("another app made this tag, and only that may change it: give ours another name")),
    81014: bug(),
}
