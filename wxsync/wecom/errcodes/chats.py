"""Errcodes of the group chats that an app owns (WeCom pages 90245 to 90248): this one chat's."""

from __future__ import annotations

from typing import Final

from wxsync.model.message import say
from wxsync.wecom.errcodes.meaning import ErrcodeInfo, bug, conflict, field, not_found

_NO_CHAT: Final = not_found(say("WeCom knows no chat with this chatid: it was dissolved, or never made"))
_NOBODY: Final = field(
    say("somebody whom the chat was to get is not in WeCom, or cannot be in chats: see who, and run again")
)
_OWNER: Final = field(say("the chat's owner must be one of its members and in WeCom: name another one"))

CHATS: Final[dict[int, ErrcodeInfo]] = {
    40050: _NO_CHAT,
    86001: _NO_CHAT,
    86003: _NO_CHAT,
    86004: field(say("give the chat a name of 1 to 50 characters")),
    86005: _OWNER,
    86006: field(say("a chat has 2 to 2000 members, the app among them: see how many there would be")),
    86007: _NOBODY,
    # Hinders this one chat only, as 81011 does a tag.
    86008: field(say("another app made this chat, and only that may change it: make one of ours")),
    86101: field(say("only the chat's owner may do that: let the owner do it in WeCom")),
    86201: bug(),
    86202: bug(),
    86203: bug(),
    86204: bug(),
    86205: bug(),
    86206: bug(),
    86207: _OWNER,
    86214: bug(),
    86215: conflict(say("a chat has this chatid already: see whether it is ours")),
    86216: _NOBODY,
    86217: field(say("the sender is not in the chat: put them in first")),
    86220: bug(),
    86222: field(say("such a chat needs somebody of a downstream corp: put one in")),
    86224: field(say("this chat is not a restricted one: use the calls of a common chat")),
}
