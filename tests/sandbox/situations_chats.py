"""Group chats that an app owns (events-and-messages.md §4)."""

from __future__ import annotations

from typing import Any

from tests.sandbox.situation import APP, CONTACT, NARROW_APP, OTHER_APP, Situation, Stage, as_ever, switch

CHAT = "chat0001"


def chat(stage: Stage) -> None:
    """lin's chat with wang."""
    body = {"chatid": CHAT, "name": "值班", "owner": "lin", "userlist": ["lin", "wang"]}
    stage.did(APP, "POST", "appchat/create", body=body)


def without_its_owner(stage: Stage) -> None:
    """lin was deleted, and WeCom passed the chat on."""
    body = {"chatid": CHAT, "name": "值班", "owner": "lin", "userlist": ["lin", "wang", "chen"]}
    stage.did(APP, "POST", "appchat/create", body=body)
    stage.state.remove_member("lin")


def at_the_limit(stage: Stage) -> None:
    """One change more than WeCom takes in an hour is to come."""
    chat(stage)
    stage.state.chat_changes_per_hour = 1
    stage.did(APP, "POST", "appchat/update", body={"chatid": CHAT, "name": "一"})


def an_hour_after_the_limit(stage: Stage) -> None:
    at_the_limit(stage)
    stage.forward(3601)


def one_today(stage: Stage) -> None:
    chat(stage)
    stage.state.chats_per_day = 1


def create(title: str, errcode: int = 0, /, *, by=APP, given=as_ever, answer=None, **fields) -> Situation:
    body = {"name": "值班", "owner": "lin", "userlist": ["lin", "wang"], "chatid": CHAT, **fields}
    return Situation(
        id=f"appchat/create: {title}",
        call="POST appchat/create",
        by=by,
        errcode=errcode,
        given=given,
        body={name: value for name, value in body.items() if value is not None},
        answer=answer or {},
    )


def update(title: str, errcode: int = 0, /, *, by=APP, given=chat, **fields: Any) -> Situation:
    return Situation(
        id=f"appchat/update: {title}",
        call="POST appchat/update",
        by=by,
        errcode=errcode,
        given=given,
        body={"chatid": CHAT, **fields},
    )


def get(title: str, errcode: int = 0, /, *, by=APP, given=chat, answer=None, chatid: str = CHAT) -> Situation:
    return Situation(
        id=f"appchat/get: {title}",
        call="GET appchat/get",
        by=by,
        errcode=errcode,
        given=given,
        query={"chatid": chatid} if chatid else {},
        answer=answer or {},
    )


def send(title: str, errcode: int = 0, /, *, by=APP, given=chat, **fields: Any) -> Situation:
    body = {"chatid": CHAT, "msgtype": "text", "text": {"content": "到岗"}, **fields}
    return Situation(
        id=f"appchat/send: {title}",
        call="POST appchat/send",
        by=by,
        errcode=errcode,
        given=given,
        body={name: value for name, value in body.items() if value is not None},
        lacks=("msgid",),
    )


SITUATIONS = (
    create("all that it wants", answer={"chatid": CHAT}),
    create("an id of WeCom's own", chatid=None),
    create("an owner of WeCom's choice", owner=None),
    create("no name", name=None),
    create("contact sync", 48002, by=CONTACT),
    create(
        "an app that does not see the root", 48002, by=NARROW_APP, userlist=["wang", "chen"], owner="wang"
    ),
    create("no members", 86204, userlist=None),
    create("one member", 86006, userlist=["lin"]),
    create("too many members", 86006, given=switch(max_chat_members=2), userlist=["lin", "wang", "chen"]),
    create("an owner who is no member", 86207, owner="chen"),
    create("somebody who is not there", 86007, userlist=["lin", "wang", "nobody"]),
    create("an id that is taken", 86215, given=chat),
    create("an id of 33 characters", 86205, chatid="c" * 33),
    create("an id with a dash", 86001, chatid="chat-1"),
    create("one more than may be in a day", 45009, given=one_today, chatid="chat0002"),
    update("a name", name="夜班"),
    update("somebody more", add_user_list=["chen"]),
    update("another owner", owner="wang"),
    update(
        "the owner leaves and another one is named",
        owner="wang",
        del_user_list=["lin"],
        add_user_list=["chen"],
    ),
    update("no id", 86201, chatid=None),
    update("an unknown chat", 86001, chatid="nochat"),
    update("another app's chat", 86008, by=OTHER_APP, name="x"),
    update("somebody more who is not there", 86007, add_user_list=["nobody"]),
    update("an owner who is no member", 86207, owner="chen"),
    update("one change more than may be in an hour", 45009, given=at_the_limit, name="二"),
    update("one change more, an hour later", given=an_hour_after_the_limit, name="二"),
    get(
        "one's own",
        answer={"chat_info": {"chatid": CHAT, "name": "值班", "owner": "lin", "userlist": ["lin", "wang"]}},
    ),
    get(
        "whose owner was deleted",
        given=without_its_owner,
        answer={"chat_info": {"chatid": CHAT, "name": "值班", "owner": "wang", "userlist": ["wang", "chen"]}},
    ),
    get("another app's", 86008, by=OTHER_APP),
    get("an unknown one", 86001, chatid="nochat"),
    get("no id", 86201, chatid=""),
    get("contact sync", 48002, by=CONTACT),
    send("a text"),
    send("markdown", msgtype="markdown", markdown={"content": "**到岗**"}),
    send("a card", 86214, msgtype="template_card", template_card={}),
    send("a type that is none", 86214, msgtype="poem"),
    send("an empty text", 44004, text={"content": ""}),
    send("an unknown chat", 86001, chatid="nochat"),
    send("another app's chat", 86008, by=OTHER_APP),
    send("no id", 86201, chatid=None),
)
