"""The calls by which chats with customers get another owner (WeCom pages 92120, 92127, 95703)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from wxsync.sandbox import fields
from wxsync.sandbox.access import Permission
from wxsync.sandbox.call import Asked, Operation
from wxsync.sandbox.customer_book import CustomerChat
from wxsync.sandbox.customers import (
    BATCH,
    PAGE,
    customer_scope,
    find_server,
    is_moved_too_often,
    paged,
)
from wxsync.sandbox.fields import Shape
from wxsync.sandbox.rates import DAY, Window
from wxsync.sandbox.records import Member, fold
from wxsync.sandbox.refusal import TEXTS, Refusal, invalid, missing
from wxsync.sandbox.state import SandboxState

LIST: Final[Mapping[str, Shape]] = {
    "status_filter": fields.is_integer,
    "owner_filter": fields.is_object,
    "cursor": fields.is_text,
    "limit": fields.is_integer,
}
TRANSFER: Final[Mapping[str, Shape]] = {"chat_id_list": fields.is_texts, "new_owner": fields.is_text}

OWNERS: Final = 100
MOST_VISIBLE: Final = 1000
"""An app that sees more members must name the owners (81017)."""
A_DAY: Final = (Window(DAY, 300),)
"""Chats of one owner."""


def listing(asked: Asked) -> Mapping[str, Any]:
    """The chats of some owners or of everybody; status_filter 0 takes all."""
    scope = customer_scope(asked)
    given = asked.given(LIST)
    limit = given.get("limit")
    if limit is None:
        raise missing("limit")
    if not 1 <= limit <= PAGE:
        raise invalid("limit")
    wanted = given.get("status_filter", 0)
    if wanted not in (0, 1, 2, 3):
        raise invalid("status_filter")
    owners = _owners(asked, given.get("owner_filter", {}))
    if not owners and sum(scope.sees_member(each) for each in asked.state.members.values()) > MOST_VISIBLE:
        raise Refusal(81017)
    book, now = asked.state.customers, asked.state.clock()
    rows = [
        {"chat_id": chat.chat_id, "status": book.chat_status(chat, now)}
        for chat in book.chats.values()
        if not owners or chat.owner in owners
    ]
    page, following = paged(
        [row for row in rows if wanted in (0, row["status"])], given.get("cursor", ""), limit
    )
    return {"group_chat_list": page, "next_cursor": following}


def transfer(asked: Asked) -> Mapping[str, Any]:
    """Chats whose owners left; those that cannot be handed over are named, each with its reason."""
    return _hand_over(asked, _resigned_obstacle)


def onjob_transfer(asked: Asked) -> Mapping[str, Any]:
    """Chats whose owners stay; those that cannot be handed over are named, each with its reason."""
    return _hand_over(asked, _onjob_obstacle)


def _owners(asked: Asked, owner_filter: Mapping[str, Any]) -> list[Member]:
    """The members whose chats are asked for; one who left gets 40003, as was observed."""
    userids = owner_filter.get("userid_list") or []
    if not fields.is_texts(userids) or len(userids) > OWNERS:
        raise invalid("owner_filter")
    for userid in userids:
        if fold(userid) not in asked.directory.members:
            raise Refusal(40003)
    return [asked.directory.members[fold(userid)] for userid in userids]


Obstacle = Callable[[SandboxState, CustomerChat, Member], int]


def _hand_over(asked: Asked, find_obstacle: Obstacle) -> Mapping[str, Any]:
    scope = customer_scope(asked)
    given = asked.given(TRANSFER)
    ids = given.get("chat_id_list", [])
    if not ids:
        raise missing("chat_id_list")
    if len(ids) > BATCH:
        raise invalid("chat_id_list")
    if not given.get("new_owner"):
        raise missing("new_owner")
    owner = find_server(asked, scope, given["new_owner"])
    failed = []
    for id in dict.fromkeys(ids):
        errcode = _try(asked.state, asked.state.customers.chats.get(id), owner, find_obstacle)
        if errcode:
            text = TEXTS.get(errcode, "error")
            failed.append({"chat_id": id, "errcode": errcode, "errmsg": text})
    return {"failed_chat_list": failed}


def _try(state: SandboxState, chat: CustomerChat | None, owner: Member, find_obstacle: Obstacle) -> int:
    """One chat gets the new owner, or the errcode that says why not."""
    if chat is None:
        return 90501
    errcode = find_obstacle(state, chat, owner)
    if errcode:
        return errcode
    now = state.clock()
    if not state.post.rates.spend(("customer chats", chat.owner), A_DAY, now):
        return 45009
    if state.customers.has_left(chat.owner):
        chat.inherited_at = now
    else:
        chat.moved_at = (*chat.moved_at, now)
    chat.owner = owner
    return 0


def _resigned_obstacle(state: SandboxState, chat: CustomerChat, _owner: Member) -> int:
    match state.customers.chat_status(chat, state.clock()):
        case 2:
            return 90507
        case 3:
            return 90508
        case 0:
            return 90500
    return 90503 if chat.is_full else 0


def _onjob_obstacle(state: SandboxState, chat: CustomerChat, owner: Member) -> int:
    if state.customers.has_left(chat.owner):
        return 90502
    if chat.owner is owner:
        return 90504
    if is_moved_too_often(chat.moved_at, state.clock()):
        return 40128
    return 90503 if chat.is_full else 0


OPERATIONS: Final = (
    Operation(
        path="externalcontact/groupchat/list",
        method="POST",
        permission=Permission.APP,
        carry_out=listing,
        empties=("group_chat_list",),
    ),
    Operation(
        path="externalcontact/groupchat/transfer",
        method="POST",
        permission=Permission.APP,
        carry_out=transfer,
        is_write=True,
        empties=("failed_chat_list",),
    ),
    Operation(
        path="externalcontact/groupchat/onjob_transfer",
        method="POST",
        permission=Permission.APP,
        carry_out=onjob_transfer,
        is_write=True,
        empties=("failed_chat_list",),
    ),
)
