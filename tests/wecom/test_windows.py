"""WeCom's documented limits, played window by window, and the waits where it refuses all the same."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.wecom.line import Clock, Line, errcode, ok
from wxsync.errors import WeComError
from wxsync.wecom.chats import Chats
from wxsync.wecom.content import Receivers, Text
from wxsync.wecom.customers import Customers
from wxsync.wecom.ledger import MemoryLedger
from wxsync.wecom.limits import Post, account_of, post_windows
from wxsync.wecom.messages import Messages
from wxsync.wecom.quota import Quota
from wxsync.wecom.wire.customers import ChatHandover, Handover

BUSY = errcode(-1, "system busy")


def calls_as_fast_as_granted(path: str, corps: int, until: float) -> list[tuple[float, int]]:
    """(moment, how many calls) of so many corps behind one address, each taking all that it gets."""
    ledger, now, granted = MemoryLedger(), 0.0, []
    accounts = [account_of(f"ww{number}", path) for number in range(corps)]
    while now < until:
        waits = []
        for account in accounts:
            while (grant := ledger.reserve(account, 500, now)).count:
                granted.append((now, grant.count))
            waits.append(grant.wait)
        now += min(waits)
    return granted


@pytest.mark.parametrize(
    ("path", "corps", "span", "limit"),
    [
        ("user/update", 1, 60, 10_000),
        ("user/update", 1, 3600, 150_000),
        ("user/update", 3, 60, 20_000),
        ("user/update", 5, 3600, 600_000),
        ("appchat/create", 1, 86_400, 1000),
        ("appchat/update", 1, 3600, 1000),
    ],
)
def test_each_documented_window_is_used_and_never_overstepped(path, corps, span, limit):
    """Per corp, per address and per kind of chat call: nearly as many as WeCom takes, and no more."""
    granted = calls_as_fast_as_granted(path, corps, 1.5 * span)
    most = max(
        sum(count for moment, count in granted if end - span < moment <= end)
        for end in {moment for moment, _ in granted}
    )
    assert 0.98 * limit <= most <= limit


def test_a_second_refusal_in_a_row_is_the_hours():
    """45009 is waited for 61 seconds; said again right after that, for 3601."""
    clock, waits = Clock(), []

    async def story():
        async with Quota(corp_id="ww1", longest_wait=3700.0, clock=clock, sleep=clock.sleep) as quota:
            for _ in range(2):
                await quota.hold("user/update", clock.now)
                waits.append(quota.held_until("user/update") - clock.now)
                clock.now = quota.held_until("user/update") + 1

    asyncio.run(story())
    assert waits == [61, 3601]


@pytest.mark.parametrize(
    ("path", "act"),
    [
        ("appchat/send", lambda line: Chats(line).send("chat1", Text(content="你好"))),
        (
            "externalcontact/transfer_customer",
            lambda line: Customers(line).transfer(Handover.ON_THE_JOB, "a", "b", ["wm1"]),
        ),
        (
            "externalcontact/resigned/transfer_customer",
            lambda line: Customers(line).transfer(Handover.RESIGNED, "a", "b", ["wm1"]),
        ),
        (
            "externalcontact/groupchat/transfer",
            lambda line: Customers(line).transfer_chats(ChatHandover.RESIGNED, ["wr1"], "b"),
        ),
    ],
)
def test_busy_is_not_repeated_where_a_second_one_would_not_show(path, act):
    """-1 may come after the effect: a chat would have the message twice, so there is one request."""
    line = Line().script(path, BUSY)
    with pytest.raises(WeComError):
        line.ask(act)
    assert line.count(path) == 1


@pytest.mark.parametrize(
    "receivers",
    [Receivers(department_ids=(7,)), Receivers(tag_ids=(7,)), Receivers(is_everybody=True)],
)
def test_a_department_a_tag_and_everybody_are_a_receiver_each(receivers):
    """The 31st message within a minute waits; to another department or tag it does not."""
    line = Line().script("message/send", ok(msgid="m"))
    others = Receivers(userids=("7",), department_ids=(8,), tag_ids=(8,))

    async def story(transport):
        messages = Messages(transport, agent_id=7)
        for number in range(30):
            await messages.send(Text(content=str(number)), receivers)
        await messages.send(Text(content="other"), others)
        assert line.clock.sleeps == []
        await messages.send(Text(content="last"), receivers)

    line.ask(story)
    assert 60 <= sum(line.clock.sleeps) <= 65


@pytest.mark.parametrize(("members", "fitting"), [(1, 200), (150, 133), (2000, 10)])
def test_a_chat_gets_what_its_members_would_see(members, fitting):
    """200 messages a minute, and no more than 20,000 person-times: the next one waits."""
    line = Line().script("appchat/send", ok())

    async def story(transport):
        for number in range(fitting):
            await Chats(transport).send("chat1", Text(content=str(number)), members=members)
        assert line.clock.sleeps == []
        await Chats(transport).send("chat1", Text(content="last"), members=members)

    line.ask(story)
    assert 60 <= sum(line.clock.sleeps) <= 65


def test_a_chat_gets_10_000_messages_a_day():
    """Beyond them WeCom would drop them, whatever the minute has left."""
    ledger, post = MemoryLedger(), Post(chatid="chat1")
    account = replace(account_of("ww1", "appchat/send"), windows=post_windows("ww1", "7", post))
    granted = 0
    for minute in range(23 * 60):
        granted += ledger.reserve(account, 200, 60.0 * 2 * (minute // 2)).count
    assert granted == 10_000
