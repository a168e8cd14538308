"""Handing over customers and their chats (events-and-messages.md §8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.sandbox.situation import APP, CONTACT, Setup, Situation, Stage, after, app_switch

CUSTOMER, CHAT = "wmCustomer0001", "wrChat0001"
DAY = 86_400.0


def customer(stage: Stage) -> None:
    """lin's customer and lin's chat with customers; wang may take both over."""
    stage.state.member("wang").is_activated = True
    stage.state.add_customer("lin", external_userid=CUSTOMER)
    stage.state.add_customer_chat("lin", chat_id=CHAT)


def left(stage: Stage) -> None:
    """And lin has left."""
    customer(stage)
    stage.state.remove_member("lin")


def later(days: float, setup: Setup) -> Setup:
    return after(setup, lambda stage: stage.forward(days * DAY))


def asked(call: str, setup: Setup) -> Setup:
    """The customer was asked to go over to wang."""

    def ask(stage: Stage) -> None:
        setup(stage)
        stage.did(APP, "POST", call, body=TRANSFER)

    return ask


def passed_on(call: str, setup: Setup) -> Setup:
    """The chat went to wang."""

    def ask(stage: Stage) -> None:
        setup(stage)
        stage.did(APP, "POST", call, body=CHATS)

    return ask


TRANSFER: Mapping[str, Any] = {
    "handover_userid": "lin",
    "takeover_userid": "wang",
    "external_userid": [CUSTOMER],
}
RESULT: Mapping[str, Any] = {"handover_userid": "lin", "takeover_userid": "wang"}
CHATS: Mapping[str, Any] = {"chat_id_list": [CHAT], "new_owner": "wang"}
RESIGNED, ON_THE_JOB = "externalcontact/resigned/transfer_customer", "externalcontact/transfer_customer"
OF_LEAVERS, OF_OTHERS = "externalcontact/groupchat/transfer", "externalcontact/groupchat/onjob_transfer"


def ask(
    call: str, title: str, errcode: int = 0, /, *, by=APP, given=customer, answer=None, **body
) -> Situation:
    """A POST of this family."""
    return Situation(
        id=f"{call}: {title}",
        call=f"POST {call}",
        by=by,
        errcode=errcode,
        given=given,
        body=body,
        answer=answer or {},
    )


def of_one(errcode: int) -> dict[str, Any]:
    """The answer for the one customer that was named."""
    return {"customer": [{"external_userid": CUSTOMER, "errcode": errcode}]}


CUSTOMERS = (
    Situation(
        id="get_follow_user_list",
        call="GET externalcontact/get_follow_user_list",
        by=APP,
        answer={"follow_user": ["lin", "wang", "chen"]},
    ),
    Situation(
        id="get_follow_user_list: contact sync",
        call="GET externalcontact/get_follow_user_list",
        by=CONTACT,
        errcode=48002,
    ),
    Situation(
        id="get_follow_user_list: an app that is not callable",
        call="GET externalcontact/get_follow_user_list",
        by=APP,
        given=app_switch(handles_customers=False),
        errcode=48002,
    ),
    Situation(
        id="externalcontact/list",
        call="GET externalcontact/list",
        by=APP,
        given=customer,
        query={"userid": "lin"},
        answer={"external_userid": [CUSTOMER]},
    ),
    Situation(
        id="externalcontact/list: who has none",
        call="GET externalcontact/list",
        by=APP,
        given=customer,
        query={"userid": "chen"},
        errcode=84061,
    ),
    ask("externalcontact/get_unassigned_list", "nobody left", answer={"info": [], "is_last": True}),
    ask("externalcontact/get_unassigned_list", "contact sync", 48002, by=CONTACT, given=left),
    ask("externalcontact/get_unassigned_list", "a page that is too large", 40058, given=left, page_size=1001),
    ask(RESIGNED, "a leaver's", given=left, answer=of_one(0), **TRANSFER),
    ask(RESIGNED, "of who has not left", 40097, **TRANSFER),
    ask(RESIGNED, "within the year", given=later(364, left), answer=of_one(0), **TRANSFER),
    ask(
        RESIGNED,
        "somebody who is no customer",
        given=left,
        answer={"customer": [{"external_userid": "wmNobody", "errcode": 40096}]},
        **{**TRANSFER, "external_userid": ["wmNobody"]},
    ),
    ask(
        RESIGNED,
        "101 customers",
        40058,
        given=left,
        **{**TRANSFER, "external_userid": [f"wm{n}" for n in range(101)]},
    ),
    ask(RESIGNED, "contact sync", 48002, by=CONTACT, given=left, **TRANSFER),
    ask(ON_THE_JOB, "one's own", answer=of_one(0), **TRANSFER),
    ask(
        ON_THE_JOB,
        "a farewell of 201 characters",
        40058,
        **TRANSFER,
        transfer_success_msg="谢" * 201,
    ),
    ask(
        ON_THE_JOB,
        "one who is being handed over",
        given=asked(ON_THE_JOB, customer),
        answer=of_one(40100),
        **TRANSFER,
    ),
    ask(
        "externalcontact/transfer_result",
        "on the way",
        given=asked(ON_THE_JOB, customer),
        **RESULT,
    ),
    ask(
        "externalcontact/resigned/transfer_result",
        "of a leaver",
        given=asked(RESIGNED, left),
        **RESULT,
    ),
)

CHAT_CALLS = (
    ask(
        "externalcontact/groupchat/list",
        "all",
        status_filter=0,
        limit=10,
        answer={"group_chat_list": [{"chat_id": CHAT, "status": 0}]},
    ),
    ask(
        "externalcontact/groupchat/list",
        "whose owner left",
        given=left,
        status_filter=1,
        limit=10,
        answer={"group_chat_list": [{"chat_id": CHAT, "status": 1}]},
    ),
    ask(
        "externalcontact/groupchat/list",
        "of an owner who was deleted",
        40003,
        given=left,
        owner_filter={"userid_list": ["lin"]},
        limit=10,
    ),
    ask("externalcontact/groupchat/list", "a page that is too large", 40058, limit=1001),
    ask("externalcontact/groupchat/list", "contact sync", 48002, by=CONTACT, limit=10),
    ask(OF_LEAVERS, "a leaver's", given=left, answer={"failed_chat_list": []}, **CHATS),
    ask(
        OF_LEAVERS,
        "101 chats",
        40058,
        given=left,
        chat_id_list=[f"wr{n}" for n in range(101)],
        new_owner="wang",
    ),
    ask(OF_LEAVERS, "no chats", 40058, given=left, chat_id_list=[], new_owner="wang"),
    ask(OF_OTHERS, "one's own", answer={"failed_chat_list": []}, **CHATS),
)


FAILED = (
    (OF_LEAVERS, "of who has not left", 90500, customer, CHATS),
    (OF_LEAVERS, "a chat that is none with customers", 90501, left, {**CHATS, "chat_id_list": ["wrNone"]}),
    (OF_OTHERS, "of who has left", 90502, left, CHATS),
    (OF_OTHERS, "to who has it", 90504, customer, {**CHATS, "new_owner": "lin"}),
    (OF_LEAVERS, "that is being handed over", 90507, passed_on(OF_LEAVERS, left), CHATS),
    (OF_LEAVERS, "that was handed over", 90508, later(2, passed_on(OF_LEAVERS, left)), CHATS),
)
"""Call, what it is about, the errcode of its one chat, setup, body: the call as such is taken (errcode 0)."""

SITUATIONS = (*CUSTOMERS, *CHAT_CALLS)
