"""Customers on the line: listings to their end, hand-overs by the hundred, and what WeCom says of each."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from tests.wecom.line import Line, errcode, ok
from wxsync.errors import DeniedError, UnsendableError, WeComApiError, WeComError, WeComTransportError
from wxsync.wecom.customers import Customers
from wxsync.wecom.wire.customers import (
    ChatHandover,
    ChatStatus,
    CustomerChat,
    FailedChat,
    Handover,
    StartedTransfer,
    TransferResult,
    TransferStatus,
    Unassigned,
)

UNASSIGNED = "externalcontact/get_unassigned_list"
CHATS = "externalcontact/groupchat/list"
NOON = datetime(2026, 1, 31, 4, tzinfo=UTC)
SECONDS = int(NOON.timestamp())
LOST = httpx.ReadTimeout("slow")


def ask(line: Line, act):
    return line.ask(lambda transport: act(Customers(transport)))


def leaver(number, **other):
    return {
        "handover_userid": "lin",
        "external_userid": f"wm{number}",
        "dimission_time": SECONDS,
        **other,
    }


def test_members_with_customers_are_listed():
    """As the app sees them, which may be nobody."""
    line = Line().script(
        "externalcontact/get_follow_user_list", ok(follow_user=["a", "B"]), ok(follow_user=[])
    )
    assert ask(line, lambda customers: customers.get_follow_user_list()) == ("a", "B")
    assert ask(line, lambda customers: customers.get_follow_user_list()) == ()


def test_a_members_customers_are_listed():
    """A member without any is refused by WeCom (84061), and has none; other refusals stay what they are."""
    line = Line().script(
        "externalcontact/list", ok(external_userid=["wm1", "wm2"]), errcode(84061), errcode(84074)
    )
    assert ask(line, lambda customers: customers.list_of("Lin")) == ("wm1", "wm2")
    assert line.requests["externalcontact/list"][0].url.params["userid"] == "Lin"
    assert ask(line, lambda customers: customers.list_of("Lin")) == ()
    with pytest.raises(WeComApiError) as caught:
        ask(line, lambda customers: customers.list_of("Lin"))
    assert caught.value.errcode == 84074


def test_leavers_customers_are_read_to_the_end():
    """By cursor, a thousand a page, until WeCom says that it is the last."""
    line = Line().script(
        UNASSIGNED,
        ok(info=[leaver(1)], is_last=False, next_cursor="c1"),
        ok(info=[leaver(2)], is_last=True, next_cursor="c2"),
    )
    assert ask(line, lambda customers: customers.get_unassigned_list()) == tuple(
        Unassigned(handover_userid="lin", external_userid=f"wm{n}", dimission_time=NOON) for n in (1, 2)
    )
    assert line.bodies(UNASSIGNED) == [{"page_size": 1000}, {"cursor": "c1", "page_size": 1000}]


LISTINGS = {
    "unassigned": (
        UNASSIGNED,
        lambda customers: customers.get_unassigned_list(),
        lambda cursor: ok(info=[], is_last=False, next_cursor=cursor),
    ),
    "results": (
        "externalcontact/transfer_result",
        lambda customers: customers.results(Handover.ON_THE_JOB, "a", "b"),
        lambda cursor: ok(customer=[], next_cursor=cursor),
    ),
    "chats": (
        CHATS,
        lambda customers: customers.list_chats(),
        lambda cursor: ok(group_chat_list=[], next_cursor=cursor),
    ),
}


@pytest.mark.parametrize("listing", LISTINGS)
def test_a_cursor_that_comes_back_is_an_error(listing):
    """A listing that turns in a circle is no listing."""
    path, act, page = LISTINGS[listing]
    line = Line().script(path, page("c1"), page("c2"), page("c1"))
    with pytest.raises(WeComError, match="one cursor twice"):
        ask(line, act)
    assert line.count(path) == 3


@pytest.mark.parametrize("listing", LISTINGS)
@pytest.mark.parametrize("broken", [httpx.Response(404), errcode(48002), ok()])
def test_half_a_listing_is_never_given(listing, broken):
    """Whatever ends the second page, nothing of the first is handed out."""
    path, act, page = LISTINGS[listing]
    with pytest.raises(WeComError):
        ask(Line().script(path, page("c1"), broken), act)


@pytest.mark.parametrize("handover", Handover)
def test_customers_are_handed_over_by_the_hundred(handover):
    """250 are three calls; each one's errcode comes back, in order, for data."""
    ids = [f"wm{n}" for n in range(250)]
    path = f"{handover.value}transfer_customer"

    def answer(batch, errcodes):
        rows = [{"external_userid": id, "errcode": errcodes.get(id, 0)} for id in batch]
        return ok(customer=rows)

    refused = {"wm3": 40096, "wm204": 40099}
    line = Line().script(path, *(answer(ids[start : start + 100], refused) for start in (0, 100, 200)))
    started = ask(line, lambda customers: customers.transfer(handover, "lin", "wang", ids))
    assert [one.external_userid for one in started] == ids
    assert {one.external_userid: one.errcode for one in started if one.errcode} == refused
    bodies = line.bodies(path)
    assert [body["external_userid"] for body in bodies] == [ids[:100], ids[100:200], ids[200:]]
    assert {(body["handover_userid"], body["takeover_userid"]) for body in bodies} == {("lin", "wang")}
    assert list(line.requests) == ["gettoken", path]


def test_customers_are_told_something_on_the_job_only():
    """200 characters; those of a leaver get WeCom's own words."""
    path = "externalcontact/transfer_customer"
    line = Line().script(path, ok(customer=[{"external_userid": "wm1", "errcode": "0"}]))

    def transfer(handover, words):
        return ask(line, lambda customers: customers.transfer(handover, "a", "b", ["wm1"], success_msg=words))

    assert transfer(Handover.ON_THE_JOB, "字" * 200) == (StartedTransfer(external_userid="wm1", errcode=0),)
    assert line.bodies(path)[0]["transfer_success_msg"] == "字" * 200
    for handover, words in ((Handover.ON_THE_JOB, "字" * 201), (Handover.RESIGNED, "字")):
        with pytest.raises(UnsendableError, match="success_msg"):
            transfer(handover, words)
    assert line.count(path) == 1


@pytest.mark.parametrize(
    ("path", "act"),
    [
        (
            "externalcontact/resigned/transfer_customer",
            lambda customers: customers.transfer(Handover.RESIGNED, "a", "b", ["wm1"]),
        ),
        (
            "externalcontact/transfer_customer",
            lambda customers: customers.transfer(Handover.ON_THE_JOB, "a", "b", ["wm1"]),
        ),
        (
            "externalcontact/groupchat/transfer",
            lambda customers: customers.transfer_chats(ChatHandover.RESIGNED, ["wr1"], "b"),
        ),
        (
            "externalcontact/groupchat/onjob_transfer",
            lambda customers: customers.transfer_chats(ChatHandover.ON_THE_JOB, ["wr1"], "b"),
        ),
    ],
)
def test_a_hand_over_whose_answer_is_lost_is_not_repeated(path, act):
    """Customers change hands twice in 90 days: the results tell whether they do."""
    line = Line().script(path, LOST, ok(customer=[]))
    with pytest.raises(WeComTransportError) as caught:
        ask(line, act)
    assert caught.value.is_ambiguous
    assert line.count(path) == 1


@pytest.mark.parametrize("handover", Handover)
def test_results_are_read_to_the_end(handover):
    """Each customer's state; a time only where somebody has taken them over."""
    path = f"{handover.value}transfer_result"
    states = [
        {"external_userid": "wm1", "status": 1, "takeover_time": SECONDS},
        {"external_userid": "wm2", "status": 2, "takeover_time": 0},
        {"external_userid": "wm3", "status": 3},
    ]
    line = Line().script(
        path, ok(customer=states[:1], next_cursor="c1"), ok(customer=states[1:], next_cursor="")
    )
    assert ask(line, lambda customers: customers.results(handover, "lin", "wang")) == (
        TransferResult(external_userid="wm1", status=TransferStatus.DONE, takeover_time=NOON),
        TransferResult(external_userid="wm2", status=TransferStatus.WAITING, takeover_time=None),
        TransferResult(external_userid="wm3", status=TransferStatus.REFUSED, takeover_time=None),
    )
    pair = {"handover_userid": "lin", "takeover_userid": "wang"}
    assert line.bodies(path) == [pair, {**pair, "cursor": "c1"}]


def chat_rows(*pairs):
    return [{"chat_id": id, "status": status} for id, status in pairs]


def test_chats_are_listed_by_status():
    """All, or those in one status; to WeCom "normal" means all, so that is looked at here."""
    line = Line().script(CHATS, ok(group_chat_list=chat_rows(("wr1", 0), ("wr2", 1)), next_cursor=""))
    everything = (
        CustomerChat(chat_id="wr1", status=ChatStatus.NORMAL),
        CustomerChat(chat_id="wr2", status=ChatStatus.OWNER_LEFT),
    )
    assert ask(line, lambda customers: customers.list_chats()) == everything
    assert ask(line, lambda customers: customers.list_chats(ChatStatus.NORMAL)) == everything[:1]
    assert ask(line, lambda customers: customers.list_chats(ChatStatus.OWNER_LEFT)) == everything[1:]
    assert line.bodies(CHATS) == [
        {"status_filter": 0, "limit": 1000},
        {"status_filter": 0, "limit": 1000},
        {"status_filter": 1, "limit": 1000},
    ]


def test_chats_are_listed_by_a_hundred_owners_at_a_time():
    """Each hundred to its last page; a chat that comes twice is one."""
    owners = [f"u{n}" for n in range(101)]
    line = Line().script(
        CHATS,
        ok(group_chat_list=chat_rows(("wr1", 0)), next_cursor="c1"),
        ok(group_chat_list=chat_rows(("wr2", 0)), next_cursor=""),
        ok(group_chat_list=chat_rows(("wr1", 0), ("wr3", 0))),
    )
    chats = ask(line, lambda customers: customers.list_chats(owners=owners))
    assert [chat.chat_id for chat in chats] == ["wr1", "wr2", "wr3"]
    assert [body["owner_filter"]["userid_list"] for body in line.bodies(CHATS)] == [
        owners[:100],
        owners[:100],
        owners[100:],
    ]


@pytest.mark.parametrize("handover", ChatHandover)
def test_chats_are_handed_over_by_the_hundred(handover):
    """Those that were not come back with WeCom's reason; a list that is left out is empty."""
    ids = [f"wr{n}" for n in range(150)]
    failed = [{"chat_id": "wr7", "errcode": 90507, "errmsg": "in progress"}]
    line = Line().script(handover.value, ok(failed_chat_list=failed), ok())
    assert ask(line, lambda customers: customers.transfer_chats(handover, ids, "wang")) == (
        FailedChat(chat_id="wr7", errcode=90507, errmsg="in progress"),
    )
    assert line.bodies(handover.value) == [
        {"chat_id_list": ids[:100], "new_owner": "wang"},
        {"chat_id_list": ids[100:], "new_owner": "wang"},
    ]


def test_nothing_to_hand_over_is_no_call():
    """Neither customers nor chats; and no ids that are none."""
    line = Line()
    assert ask(line, lambda customers: customers.transfer(Handover.RESIGNED, "a", "b", [])) == ()
    assert ask(line, lambda customers: customers.transfer_chats(ChatHandover.RESIGNED, [], "b")) == ()
    ids = [*(f"wm{n}" for n in range(150)), ""]
    for act in (
        lambda customers: customers.transfer(Handover.RESIGNED, "a", "b", ids),
        lambda customers: customers.transfer(Handover.RESIGNED, "", "b", ids[:1]),
        lambda customers: customers.transfer(Handover.RESIGNED, "a", "\udcff", ids[:1]),
        lambda customers: customers.transfer_chats(ChatHandover.RESIGNED, ids, "b"),
        lambda customers: customers.transfer_chats(ChatHandover.RESIGNED, ids[:1], ""),
        lambda customers: customers.list_of(""),
        lambda customers: customers.list_of("u" * 65),
        lambda customers: customers.results(Handover.RESIGNED, "a", ""),
        lambda customers: customers.list_chats(owners=[""]),
    ):
        with pytest.raises(UnsendableError):
            ask(line, act)
    assert not line.requests


@pytest.mark.parametrize(
    ("path", "act", "facts"),
    [
        ("externalcontact/get_follow_user_list", lambda c: c.get_follow_user_list(), {"follow_user": [1]}),
        ("externalcontact/get_follow_user_list", lambda c: c.get_follow_user_list(), {"follow_user": None}),
        ("externalcontact/list", lambda c: c.list_of("a"), {"external_userid": "wm1"}),
        (UNASSIGNED, lambda c: c.get_unassigned_list(), {"info": [], "is_last": "no"}),
        (UNASSIGNED, lambda c: c.get_unassigned_list(), {"info": [], "is_last": False}),
        (UNASSIGNED, lambda c: c.get_unassigned_list(), {"info": [], "is_last": False, "next_cursor": 1}),
        (UNASSIGNED, lambda c: c.get_unassigned_list(), {"info": [leaver(1, dimission_time="1")]}),
        (UNASSIGNED, lambda c: c.get_unassigned_list(), {"info": [leaver(1, dimission_time=10**18)]}),
        (UNASSIGNED, lambda c: c.get_unassigned_list(), {"info": [leaver(1, external_userid=None)]}),
        (
            "externalcontact/transfer_customer",
            lambda c: c.transfer(Handover.ON_THE_JOB, "a", "b", ["wm1"]),
            {"customer": [{"external_userid": "wm1"}]},
        ),
        (
            "externalcontact/transfer_result",
            lambda c: c.results(Handover.ON_THE_JOB, "a", "b"),
            {"customer": [{"external_userid": "wm1", "status": 6}]},
        ),
        (
            "externalcontact/transfer_result",
            lambda c: c.results(Handover.ON_THE_JOB, "a", "b"),
            {"customer": [{"external_userid": "wm1", "status": 1, "takeover_time": "soon"}]},
        ),
        (CHATS, lambda c: c.list_chats(), {"group_chat_list": chat_rows(("wr1", 9))}),
        (CHATS, lambda c: c.list_chats(), {"group_chat_list": [], "next_cursor": []}),
        (
            "externalcontact/groupchat/transfer",
            lambda c: c.transfer_chats(ChatHandover.RESIGNED, ["wr1"], "b"),
            {"failed_chat_list": None},
        ),
        (
            "externalcontact/groupchat/transfer",
            lambda c: c.transfer_chats(ChatHandover.RESIGNED, ["wr1"], "b"),
            {"failed_chat_list": [{"chat_id": "wr1", "errcode": [], "errmsg": ""}]},
        ),
    ],
)
def test_an_answer_of_another_kind_is_an_error(path, act, facts):
    """A field that is not as documented is never guessed at."""
    with pytest.raises(WeComError, match="not what WeCom documents"):
        ask(Line().script(path, ok(**facts)), act)


def test_an_app_that_may_not_is_denied():
    """48002: it is not among the callable apps."""
    with pytest.raises(DeniedError):
        ask(
            Line().script("externalcontact/get_follow_user_list", errcode(48002)),
            lambda customers: customers.get_follow_user_list(),
        )
