"""The calls for the group chats of an app (WeCom pages 90245, 98913, 98914, 90248)."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from typing import Any, Final

from wxsync.sandbox import fields
from wxsync.sandbox.access import Permission
from wxsync.sandbox.audience import calling_app
from wxsync.sandbox.call import Asked, Operation
from wxsync.sandbox.content import CHAT_RULES, content_of
from wxsync.sandbox.fields import USERID, Shape
from wxsync.sandbox.postbox import Message
from wxsync.sandbox.rates import DAY, HOUR, MINUTE, Window
from wxsync.sandbox.records import ROOT, Chat, Member, fold
from wxsync.sandbox.refusal import Refusal, invalid
from wxsync.sandbox.state import SandboxState
from wxsync.sandbox.switches import App

CREATE: Final[Mapping[str, Shape]] = {
    "name": fields.is_text,
    "owner": fields.is_text,
    "userlist": fields.is_texts,
    "chatid": fields.is_text,
}
UPDATE: Final[Mapping[str, Shape]] = {
    "chatid": fields.is_text,
    "name": fields.is_text,
    "owner": fields.is_text,
    "add_user_list": fields.is_texts,
    "del_user_list": fields.is_texts,
}
SEND: Final[Mapping[str, Shape]] = {
    "chatid": fields.is_text,
    "msgtype": fields.is_text,
    "safe": fields.is_integer,
}

CHATID: Final = re.compile(r"[0-9A-Za-z]+")
LONGEST_CHATID: Final = 32
NAME: Final = 50
LEAST: Final = 2

PUSHES: Final = (Window(MINUTE, 20_000), Window(HOUR, 350_000))
"""Person-times of all chats of the corp, for one of medium size."""
TO_ONE_MEMBER: Final = (Window(MINUTE, 200), Window(DAY, 10_000))
"""What one member gets of one app in all its chats; the rest is dropped without a word."""


def create(asked: Asked) -> Mapping[str, Any]:
    """A new chat of the app; without an owner one of the members is."""
    app, state = _chatting_app(asked), asked.state
    given = asked.given(CREATE)
    _check_rate(state, "chats made", Window(DAY, state.chats_per_day))
    chatid = given.get("chatid") or f"wxsync{state.next_serial():026d}"
    _check_chatid(chatid)
    if chatid in state.chats:
        raise Refusal(86215)
    if not given.get("userlist"):
        raise Refusal(86204)
    members = _members(asked, given["userlist"])
    _check_size(state, members)
    chance = zlib.crc32(chatid.encode()) % len(members)
    owner = _owner(asked, given["owner"], members) if given.get("owner") else members[chance]
    state.post.rates.add("chats made", state.clock())
    state.chats[chatid] = Chat(
        chatid=chatid,
        name=given.get("name", "")[:NAME],
        agent_id=app.agent_id,
        members=members,
        owner=owner,
    )
    return {"chatid": chatid}


def update(asked: Asked) -> Mapping[str, Any]:
    """A chat's name, owner and members. Who is in it already, or not in it, does not matter."""
    app, state = _chatting_app(asked), asked.state
    given = asked.given(UPDATE)
    _check_rate(state, "chat changes", Window(HOUR, state.chat_changes_per_hour))
    chat = _own_chat(state, app, given.get("chatid"))
    leaving = _members(asked, given.get("del_user_list", []))
    joining = _members(asked, given.get("add_user_list", []))
    stay = [member for member in chat.members if member not in leaving]
    after = list(dict.fromkeys((*stay, *joining)))
    _check_size(state, after)
    owner = _owner(asked, given["owner"], after) if given.get("owner") else chat.owner
    if owner is not None and owner not in after:
        raise Refusal(86203)
    state.post.rates.add("chat changes", state.clock())
    chat.name = given["name"][:NAME] if given.get("name") else chat.name
    chat.members, chat.owner = after, owner
    return {}


def get(asked: Asked) -> Mapping[str, Any]:
    """A chat of the app."""
    chat = _own_chat(asked.state, _chatting_app(asked), asked.query.get("chatid"))
    info = {
        "chatid": chat.chatid,
        "name": chat.name,
        "owner": chat.owner.userid if chat.owner else "",
        "userlist": [member.userid for member in chat.members],
    }
    return {"chat_info": info}


def send(asked: Asked) -> Mapping[str, Any]:
    """A message into a chat of the app. The answer has no msgid: it cannot be recalled."""
    app, state = _chatting_app(asked), asked.state
    given = asked.given(SEND)
    chat = _own_chat(state, app, given.get("chatid"))
    msgtype = given.get("msgtype", "")
    if msgtype not in CHAT_RULES:
        raise Refusal(86214)
    if given.get("safe", 0) not in (0, 1):
        raise invalid("safe")
    content = CHAT_RULES[msgtype](state, content_of(asked.body, msgtype))
    if not chat.members:
        raise Refusal(81013)
    now, rates = state.clock(), state.post.rates
    if not rates.has_room("pushes", PUSHES, now, len(chat.members)):
        raise Refusal(45009)
    rates.add("pushes", now, len(chat.members))
    to = [each for each in chat.members if rates.spend(("chats", app.agent_id, each), TO_ONE_MEMBER, now)]
    message = Message(
        msgid="",
        msgtype=msgtype,
        content=content,
        sent_at=now,
        agent_id=app.agent_id,
        chatid=chat.chatid,
        to=tuple(to),
        dropped=tuple(member for member in chat.members if member not in to),
    )
    state.post.messages.append(message)
    return {}


def _chatting_app(asked: Asked) -> App:
    """The calling app, which must see the whole corp."""
    app = calling_app(asked)
    if ROOT not in app.scope:
        raise Refusal(48002)
    return app


def _check_rate(state: SandboxState, what: str, window: Window) -> None:
    if not state.post.rates.has_room(what, (window,), state.clock()):
        raise Refusal(45009)


def _check_chatid(chatid: str) -> None:
    """1 to 32 digits and letters."""
    if len(chatid) > LONGEST_CHATID:
        raise Refusal(86205)
    if not CHATID.fullmatch(chatid):
        raise Refusal(86001)


def _own_chat(state: SandboxState, app: App, chatid: str | None) -> Chat:
    """The app's chat; one that is not there gets 86001, as was observed, and not 86003."""
    if not chatid:
        raise Refusal(86201)
    _check_chatid(chatid)
    chat = state.chats.get(chatid)
    if chat is None:
        raise Refusal(86001)
    if chat.agent_id != app.agent_id:
        raise Refusal(86008)
    return chat


def _members(asked: Asked, userids: list[str]) -> list[Member]:
    """Everybody in the list, once."""
    for userid in userids:
        if not USERID.fullmatch(userid) or len(userid.encode()) > 64:
            raise Refusal(86216)
        if fold(userid) not in asked.directory.members:
            raise Refusal(86007)
    return list(dict.fromkeys(asked.directory.members[fold(userid)] for userid in userids))


def _owner(asked: Asked, userid: str, members: list[Member]) -> Member:
    """The member who is to own the chat, and is in it."""
    owner = asked.directory.members.get(fold(userid))
    if owner is None:
        raise Refusal(86005)
    if owner not in members:
        raise Refusal(86207)
    return owner


def _check_size(state: SandboxState, members: list[Member]) -> None:
    if not LEAST <= len(members) <= state.max_chat_members:
        raise Refusal(86006)


OPERATIONS: Final = (
    Operation(
        path="appchat/create", method="POST", permission=Permission.APP, carry_out=create, is_write=True
    ),
    Operation(
        path="appchat/update", method="POST", permission=Permission.APP, carry_out=update, is_write=True
    ),
    Operation(path="appchat/get", method="GET", permission=Permission.APP, carry_out=get),
    Operation(path="appchat/send", method="POST", permission=Permission.APP, carry_out=send, is_write=True),
)
