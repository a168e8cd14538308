"""Customers and customer chats that go from one member to another, as time passes."""

from __future__ import annotations

import dataclasses
from xml.etree import ElementTree as ET

import pytest

from wxsync.sandbox.customers import refuse_transfer
from wxsync.sandbox.receivers import Receiver

DAY = 86_400


class App:
    """externalcontact/* by an app's token."""

    def __init__(self, wecom, token):
        self._wecom, self._token = wecom, token

    def __call__(self, path, **body):
        return self._wecom.post(f"externalcontact/{path}", body, self._token)

    def get(self, path, **query):
        return self._wecom.get(f"externalcontact/{path}", self._token, **query)


@pytest.fixture
def app(wecom, state):
    """The calls of an app that may; lin leaves people behind, wang takes over."""
    for userid in ("lin", "wang", "new"):
        state.add_member(userid, userid, is_activated=userid != "new")
    state.token_life = 10**9
    return App(wecom, wecom.fetch_token(state.apps[0].secret))


def pair(source="lin", taker="wang", **more):
    return {"handover_userid": source, "takeover_userid": taker, **more}


def test_who_has_which_customers(app, state):
    """A member without any gets 84061, one who is not there 60111, no userid 41009."""
    one, two = state.add_customer("lin", "客甲"), state.add_customer("lin", "客乙")
    assert app.get("list", userid="LIN")["external_userid"] == [one, two]
    assert app.get("list", userid="wang")["errcode"] == 84061
    assert app.get("list", userid="nobody")["errcode"] == 60111
    assert app.get("list")["errcode"] == 41009


def test_who_may_have_customers(app, state):
    """All whom the app sees, or those of them that the console names."""
    assert app.get("get_follow_user_list")["follow_user"] == ["lin", "wang", "new"]
    state.customer_users = ("Wang",)
    assert app.get("get_follow_user_list")["follow_user"] == ["wang"]
    part = state.add_department("部门").id
    state.apps = (dataclasses.replace(state.apps[0], scope=(part,)),)
    assert app.get("get_follow_user_list")["follow_user"] == []
    assert app.get("list", userid="lin")["errcode"] == 84074


def test_only_callable_apps_call(app, wecom, state):
    """48002 for the contact-sync secret and for an app that is not on the list."""
    assert wecom.get("externalcontact/get_follow_user_list")["errcode"] == 48002
    state.apps = (dataclasses.replace(state.apps[0], handles_customers=False),)
    answer = app.get("get_follow_user_list")
    assert (answer["errcode"], answer["follow_user"]) == (48002, [])


def test_a_deleted_members_customers_are_unassigned(app, wecom, state, clock):
    """By a call or by hand; the one who left last comes first; a disabled member's stay."""
    one, two = state.add_customer("lin"), state.add_customer("wang")
    state.set_status("lin", 2)
    assert app("get_unassigned_list")["info"] == []
    wecom.get("user/delete", userid="lin")
    left = clock.now
    clock.now += 60
    state.remove_member("wang")
    answer = app("get_unassigned_list")
    assert answer["info"] == [
        {"handover_userid": "wang", "external_userid": two, "dimission_time": int(clock.now)},
        {"handover_userid": "lin", "external_userid": one, "dimission_time": int(left)},
    ]
    assert (answer["is_last"], answer["next_cursor"]) == (True, "")


def test_the_unassigned_come_in_pages(app, state):
    """By cursor, or by page_id of old; at most 1000 of them in one."""
    ids = [state.add_customer("lin") for _ in range(5)]
    state.remove_member("lin")
    first = app("get_unassigned_list", page_size=2)
    assert ([row["external_userid"] for row in first["info"]], first["is_last"]) == (ids[:2], False)
    second = app("get_unassigned_list", page_size=2, cursor=first["next_cursor"])
    assert [row["external_userid"] for row in second["info"]] == ids[2:4]
    third = app("get_unassigned_list", page_size=2, page_id=2)
    assert ([row["external_userid"] for row in third["info"]], third["is_last"]) == (ids[4:], True)
    assert app("get_unassigned_list", page_size=1001)["errcode"] == 40058
    assert app("get_unassigned_list", cursor="x")["errcode"] == 50100


@pytest.mark.parametrize("is_resigned", [True, False])
def test_a_customer_goes_over_after_a_day(app, state, clock, is_resigned):
    """Status 2 with the time to come, then 1; meanwhile no second transfer of the same (40100)."""
    call, result = (
        ("resigned/transfer_customer", "resigned/transfer_result")
        if is_resigned
        else ("transfer_customer", "transfer_result")
    )
    id = state.add_customer("lin")
    if is_resigned:
        state.remove_member("lin")
    asked_at = int(clock.now)
    assert app(call, **pair(external_userid=[id]))["customer"] == [{"external_userid": id, "errcode": 0}]
    assert app("get_unassigned_list")["info"] == []
    row = {"external_userid": id, "status": 2, "takeover_time": asked_at + DAY}
    assert app(result, **pair())["customer"] == [row]
    assert app(call, **pair(external_userid=[id]))["customer"][0]["errcode"] == 40100
    clock.now += DAY - 1
    assert app(result, **pair())["customer"] == [row]
    assert app.get("list", userid="wang")["errcode"] == 84061
    clock.now += 1
    assert app(result, **pair())["customer"] == [{**row, "status": 1}]
    assert app.get("list", userid="wang")["external_userid"] == [id]
    assert app(call, **pair(external_userid=[id]))["customer"][0]["errcode"] == 84061


def test_a_customer_declines(app, state, clock):
    """Status 3, the customer is unassigned again, and another member can be asked."""
    id = state.add_customer("lin")
    state.add_member("zhao", "赵", is_activated=True)
    state.remove_member("lin")
    app("resigned/transfer_customer", **pair(external_userid=[id]))
    refuse_transfer(state, id)
    clock.now += 2 * DAY
    row = {"external_userid": id, "status": 3, "takeover_time": 0}
    assert app("resigned/transfer_result", **pair())["customer"] == [row]
    assert [each["external_userid"] for each in app("get_unassigned_list")["info"]] == [id]
    again = app("resigned/transfer_customer", **pair(taker="zhao", external_userid=[id]))
    assert again["customer"] == [{"external_userid": id, "errcode": 0}]


def test_a_taker_is_full(app, state, clock):
    """40099 when asked, status 4 where it fills up on the way."""
    state.max_customers = 1
    ids = [state.add_customer("lin") for _ in range(2)]
    state.remove_member("lin")
    answer = app("resigned/transfer_customer", **pair(external_userid=ids))
    assert [row["errcode"] for row in answer["customer"]] == [0, 0]
    clock.now += DAY
    rows = app("resigned/transfer_result", **pair())["customer"]
    assert [row["status"] for row in rows] == [1, 4]
    answer = app("resigned/transfer_customer", **pair(external_userid=ids[1:]))
    assert [row["errcode"] for row in answer["customer"]] == [40099]


def test_a_transfer_that_fails_is_told(app, state, clock):
    """To apps that handle customers and have a receiver: refused, or the taker is full; success is not."""
    receiver = Receiver(url="http://127.0.0.1:9/", token="t", encoding_aes_key="k" * 43)
    own = dataclasses.replace(state.apps[0], receiver=receiver)
    deaf = dataclasses.replace(own, agent_id=9, secret="nine", handles_customers=False)
    state.apps = (own, deaf)
    state.max_customers = 1
    refused, taken, late = (state.add_customer("lin") for _ in range(3))
    app("transfer_customer", **pair(external_userid=[refused, taken, late]))
    refuse_transfer(state, refused)
    clock.now += DAY
    app("transfer_result", **pair())
    events = [ET.fromstring(callback.xml) for callback in state.outbox.waiting]
    facts = [(event.findtext("FailReason"), event.findtext("ExternalUserID")) for event in events]
    assert facts == [("customer_refused", refused), ("customer_limit_exceed", late)]
    assert {event.findtext("UserID") for event in events} == {"wang"}
    assert {callback.agent_id for callback in state.outbox.waiting} == {str(own.agent_id)}


def test_a_customer_who_left_on_the_way_has_no_record(app, state, clock):
    """Status 5."""
    id = state.add_customer("lin")
    app("transfer_customer", **pair(external_userid=[id]))
    state.customers.remove(state.member("lin"), id)
    clock.now += DAY
    assert app("transfer_result", **pair())["customer"][0]["status"] == 5


def test_each_customer_is_judged_alone(app, state):
    """40096 an id that never was, 84061 somebody else's customer; the good one goes."""
    good, others = state.add_customer("lin"), state.add_customer("wang")
    state.remove_member("lin")
    answer = app("resigned/transfer_customer", **pair(external_userid=["wmX", others, good, good]))
    assert [(row["external_userid"], row["errcode"]) for row in answer["customer"]] == [
        ("wmX", 40096),
        (others, 84061),
        (good, 0),
    ]


@pytest.mark.parametrize(
    ("errcode", "body"),
    [
        (40058, pair()),
        (40058, pair(external_userid=[])),
        (40058, pair(external_userid=[f"wm{n}" for n in range(101)])),
        (40058, {"takeover_userid": "wang", "external_userid": ["wm1"]}),
        (60111, pair(source="nobody", external_userid=["wm1"])),
        (40097, pair(source="wang", external_userid=["wm1"])),
        (60111, pair(taker="nobody", external_userid=["wm1"])),
        (40098, pair(taker="new", external_userid=["wm1"])),
    ],
)
def test_what_a_resigned_transfer_is_refused_for(app, state, errcode, body):
    """Each fault has its errcode, and nobody is asked."""
    state.add_customer("lin", external_userid="wm1")
    state.remove_member("lin")
    assert app("resigned/transfer_customer", **body)["errcode"] == errcode
    assert state.customers.transfers == []


@pytest.mark.parametrize(
    ("errcode", "body"),
    [
        (60111, pair(source="gone", external_userid=["wm1"])),
        (40130, pair(taker="lin", external_userid=["wm1"])),
        (40058, pair(external_userid=["wm1"], transfer_success_msg="再" * 201)),
    ],
)
def test_what_an_on_the_job_transfer_is_refused_for(app, state, errcode, body):
    """Somebody who left is not on the job; nobody hands over to themselves; parting words are short."""
    state.add_member("gone", "走")
    state.remove_member("gone")
    state.add_customer("lin", external_userid="wm1")
    assert app("transfer_customer", **body)["errcode"] == errcode


def test_a_taker_without_the_feature(app, state):
    """84074 for a member whom the console lets have no customers."""
    state.add_customer("lin", external_userid="wm1")
    state.customer_users = ("lin",)
    assert app("transfer_customer", **pair(external_userid=["wm1"]))["errcode"] == 84074


def test_twice_in_90_days_on_the_job(app, state, clock):
    """The third time gets 40128, until the first is 90 days ago."""
    id = state.add_customer("lin")
    sides = ["lin", "wang"]
    for _ in range(2):
        assert app("transfer_customer", **pair(*sides, external_userid=[id]))["customer"][0]["errcode"] == 0
        clock.now += DAY
        sides.reverse()
    assert app("transfer_customer", **pair(*sides, external_userid=[id]))["customer"][0]["errcode"] == 40128
    clock.now += 89 * DAY
    assert app("transfer_customer", **pair(*sides, external_userid=[id]))["customer"][0]["errcode"] == 0


def test_a_year_after_leaving_it_is_too_late(app, state, clock):
    """The customers are in no list, and the leaver is unknown."""
    id = state.add_customer("lin")
    state.remove_member("lin")
    clock.now += 366 * DAY
    assert app("get_unassigned_list")["info"] == []
    assert app("resigned/transfer_customer", **pair(external_userid=[id]))["errcode"] == 60111


# Chats


def statuses(app, **body):
    rows = app("groupchat/list", limit=100, **body)["group_chat_list"]
    return {row["chat_id"]: row["status"] for row in rows}


def test_a_leavers_chats_are_inherited(app, state, clock):
    """Status 1 when the owner has left, 2 while it is inherited, 3 a day later; then 90507 and 90508."""
    one, two = state.add_customer_chat("lin"), state.add_customer_chat("wang")
    assert statuses(app) == {one: 0, two: 0}
    assert app("groupchat/transfer", chat_id_list=[one], new_owner="wang")["failed_chat_list"] == [
        {"chat_id": one, "errcode": 90500, "errmsg": "owner of the chat not resigned"}
    ]
    state.remove_member("lin")
    assert statuses(app, status_filter=1) == {one: 1}
    failed = app("groupchat/transfer", chat_id_list=[one, "wrX"], new_owner="wang")["failed_chat_list"]
    assert [(row["chat_id"], row["errcode"]) for row in failed] == [("wrX", 90501)]
    assert statuses(app) == {one: 2, two: 0}
    again = app("groupchat/transfer", chat_id_list=[one], new_owner="wang")
    assert again["failed_chat_list"][0]["errcode"] == 90507
    clock.now += DAY
    assert statuses(app, status_filter=3) == {one: 3}
    again = app("groupchat/transfer", chat_id_list=[one], new_owner="wang")
    assert again["failed_chat_list"][0]["errcode"] == 90508
    assert statuses(app, owner_filter={"userid_list": ["WANG"]}) == {one: 3, two: 0}


def test_a_chat_on_the_job(app, state):
    """90504 for the same owner, 90502 where the owner left, 90503 where it is full; twice in 90 days."""
    state.add_member("zhao", "赵", is_activated=True)
    mine, full, left = (state.add_customer_chat(userid) for userid in ("wang", "lin", "zhao"))
    state.customers.chats[full].is_full = True
    state.remove_member("zhao")
    failed = app("groupchat/onjob_transfer", chat_id_list=[mine, full, left], new_owner="wang")
    assert [row["errcode"] for row in failed["failed_chat_list"]] == [90504, 90503, 90502]
    for owner in ("lin", "wang"):
        assert app("groupchat/onjob_transfer", chat_id_list=[mine], new_owner=owner)["failed_chat_list"] == []
    failed = app("groupchat/onjob_transfer", chat_id_list=[mine], new_owner="lin")["failed_chat_list"]
    assert [row["errcode"] for row in failed] == [40128]


def test_300_chats_of_an_owner_a_day(app, state, clock):
    """The 301st gets 45009 in its row, and goes the next day."""
    ids = [state.add_customer_chat("lin") for _ in range(301)]
    state.remove_member("lin")
    failed = []
    for start in range(0, 301, 100):
        answer = app("groupchat/transfer", chat_id_list=ids[start : start + 100], new_owner="wang")
        failed += [(row["chat_id"], row["errcode"]) for row in answer["failed_chat_list"]]
    assert failed == [(ids[300], 45009)]
    clock.now += DAY
    answer = app("groupchat/transfer", chat_id_list=ids[300:], new_owner="wang")
    assert answer["failed_chat_list"] == []


@pytest.mark.parametrize(
    ("errcode", "call", "body"),
    [
        (40058, "groupchat/list", {}),
        (40058, "groupchat/list", {"limit": 1001}),
        (40058, "groupchat/list", {"limit": 1, "status_filter": 4}),
        (40003, "groupchat/list", {"limit": 1, "owner_filter": {"userid_list": ["gone"]}}),
        (40058, "groupchat/list", {"limit": 1, "owner_filter": {"userid_list": ["a"] * 101}}),
        (40058, "groupchat/transfer", {"new_owner": "wang"}),
        (40058, "groupchat/transfer", {"new_owner": "wang", "chat_id_list": ["wr"] * 101}),
        (40058, "groupchat/transfer", {"chat_id_list": ["wr"]}),
        (60111, "groupchat/onjob_transfer", {"new_owner": "nobody", "chat_id_list": ["wr"]}),
        (40098, "groupchat/onjob_transfer", {"new_owner": "new", "chat_id_list": ["wr"]}),
    ],
)
def test_what_the_calls_for_chats_are_refused_for(app, errcode, call, body):
    """Each fault has its errcode, and the answer its empty list."""
    answer = app(call, **body)
    assert answer["errcode"] == errcode
    assert [] in answer.values()


def test_more_than_1000_members_want_a_filter(app, state):
    """81017 without one; chats come in pages."""
    ids = [state.add_customer_chat("lin") for _ in range(3)]
    page = app("groupchat/list", limit=2)
    assert [row["chat_id"] for row in page["group_chat_list"]] == ids[:2]
    rest = app("groupchat/list", limit=2, cursor=page["next_cursor"])
    assert ([row["chat_id"] for row in rest["group_chat_list"]], rest["next_cursor"]) == (ids[2:], "")
    for number in range(998):
        state.add_member(f"m{number}", "员")
    assert app("groupchat/list", limit=2)["errcode"] == 81017
    assert app("groupchat/list", limit=2, owner_filter={"userid_list": ["lin"]})["errcode"] == 0
