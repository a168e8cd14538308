"""Group chats of an app to WeCom's JSON and back (WeCom pages 90245, 98913, 98914, 90248)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from wxsync.wecom.content import ChatContent
from wxsync.wecom.wire.cards import filled
from wxsync.wecom.wire.messages import to_chat_content
from wxsync.wecom.wire.shapes import Answer, Json, text_of, texts_of, unreadable

CREATE = "appchat/create"
UPDATE = "appchat/update"
GET = "appchat/get"
SEND = "appchat/send"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """A group chat as WeCom shows it."""

    chatid: str
    name: str
    owner: str
    userids: tuple[str, ...]


def to_new_chat(chatid: str, userids: Iterable[str], *, name: str | None, owner: str | None) -> Json:
    return filled({"chatid": chatid, "name": name, "owner": owner, "userlist": list(userids)})


def to_chat_change(
    chatid: str, *, name: str | None, owner: str | None, add: Iterable[str], remove: Iterable[str]
) -> Json:
    lists = {"add_user_list": list(add), "del_user_list": list(remove)}
    return filled({"chatid": chatid, "name": name, "owner": owner, **lists})


def to_chat_query(chatid: str) -> dict[str, str]:
    return {"chatid": chatid}


def to_chat_message(chatid: str, content: ChatContent, *, is_safe: bool, mentioned: Sequence[str]) -> Json:
    """The body of appchat/send; only a text mentions people."""
    body: Json = {"chatid": chatid, **to_chat_content(content)}
    if mentioned:
        body["text"] = {**body["text"], "mentioned_list": list(mentioned)}
    if is_safe:
        body["safe"] = 1
    return body


def check_created(answer: Answer, chatid: str) -> None:
    """Raise `WeComError` where WeCom made the chat with another chatid than the caller's."""
    if text_of(answer, "chatid", CREATE) != chatid:
        raise unreadable(CREATE, "chatid is not the one that was asked for")


def from_chat(answer: Answer) -> Chat:
    info = answer.get("chat_info")
    if not isinstance(info, Mapping):
        raise unreadable(GET, "chat_info is not a record")
    if "userlist" not in info:
        raise unreadable(GET, "userlist is not there")
    return Chat(
        chatid=text_of(info, "chatid", GET),
        name=text_of(info, "name", GET),
        owner=text_of(info, "owner", GET),
        userids=texts_of(info, "userlist", GET),
    )
