from __future__ import annotations

import asyncio
import logging
import traceback

import httpx
import pytest

from tests.wecom.line import SECRET, Line, errcode, ok
from wxsync.errors import (
    ConflictError,
    DeniedError,
    FieldError,
    NotFoundError,
    RateLimitError,
    WeComApiError,
    WeComTransportError,
    WxsyncError,
)
from wxsync.model.member import MemberWrite
from wxsync.wecom.client import open_client, open_transport
from wxsync.wecom.limits import Misses
from wxsync.wecom.retries import Patience

ZHANG = MemberWrite(userid="zhang", name="张三", mobile="13800000001", departments=(1,))
LOST = [
    httpx.ReadTimeout("slow"),
    httpx.ReadError("reset"),
    httpx.RemoteProtocolError("gone"),
    httpx.Response(502),
]
LOST += [
    httpx.Response(504),
    httpx.Response(500),
    httpx.WriteError("broken"),
    httpx.Response(200, text="<html>"),
    httpx.Response(200, text='{"errcode":0,"errmsg":"crea'),
    httpx.Response(200, text=""),
    httpx.DecodingError("cut"),
]
NEVER_SENT = [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.PoolTimeout("full")]


def create(contacts):
    return contacts.create_member(ZHANG)


def update(contacts):
    return contacts.update_member(ZHANG)


def delete(contacts):
    return contacts.delete_member("zhang")


def test_bodies_are_raw_utf8():
    r"""WeCom refuses `\uXXXX` (40033): Chinese goes out as it is written."""
    line = Line().script("user/update", ok("updated"))
    line.run(update)
    request = line.requests["user/update"][0]
    assert "张三".encode() in request.content
    assert b"\\u" not in request.content
    assert request.headers["content-type"] == "application/json; charset=utf-8"


def test_every_request_has_time_outs():
    """Neither a call nor the fetching of its token may hang for ever."""
    line = Line().script("tag/list", ok(taglist=[]))
    line.run(lambda contacts: contacts.list_tags())
    for path in ("gettoken", "tag/list"):
        timeouts = line.requests[path][0].extensions["timeout"]
        assert set(timeouts) == {"connect", "read", "write", "pool"}
        assert all(timeouts.values())


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (60104, ConflictError),
        (60111, NotFoundError),
        (60103, FieldError),
        (60020, DeniedError),
        (48002, DeniedError),
        (60132, WeComApiError),
        (123456, WeComApiError),
    ],
)
def test_an_errcode_becomes_its_error(code, error):
    """What WeCom refuses is raised at once, with endpoint, errcode and words that say what to do."""
    line = Line().script("user/update", errcode(code))
    with pytest.raises(error) as caught:
        line.run(update)
    assert type(caught.value) is error
    assert (caught.value.endpoint, caught.value.errcode) == ("user/update", code)
    assert caught.value.hint
    assert line.count("user/update") == 1


def test_an_errcode_may_be_text():
    """A real log has `"errcode": "302005"`: text counts as the number that it spells."""
    line = Line().script("user/update", httpx.Response(200, json={"errcode": "60103", "errmsg": "x"}))
    with pytest.raises(FieldError):
        line.run(update)
    assert (
        Line()
        .script("user/update", httpx.Response(200, json={"errcode": "0", "errmsg": "updated"}))
        .run(update)
        is None
    )


def test_a_warning_about_json_is_no_success():
    """errcode 0 with `Warning: wrong json format`: nobody knows whether the change was made."""
    line = Line().script("user/update", ok("updated. Warning: wrong json format. "))
    with pytest.raises(WeComTransportError) as caught:
        line.run(update)
    assert caught.value.is_ambiguous is True
    assert line.count("user/update") == 1


def test_busy_is_repeated_three_times_at_most():
    """-1: four attempts in all, with growing pauses, then an error."""
    line = Line().script("user/update", errcode(-1, "system busy"))
    with pytest.raises(RateLimitError) as caught:
        line.run(update)
    assert caught.value.errcode == -1
    assert line.count("user/update") == 4
    assert len(line.clock.sleeps) == 3
    assert all(0.25 * 2**n <= pause <= 0.5 * 2**n for n, pause in enumerate(line.clock.sleeps))


@pytest.mark.parametrize("code", [6000, 45033])
def test_a_crowd_is_waited_out(code):
    """Colliding writers and too many calls at once pass with patience; a creation is repeated too."""
    line = Line().script("user/create", *[errcode(code)] * 5, ok("created"))
    line.run(create)
    assert line.count("user/create") == 6
    assert max(line.clock.sleeps) <= 8


def test_the_frequency_limit_is_waited_for_by_everybody():
    """45009 holds back all calls of the path for a minute, and no others."""

    async def story(contacts):
        before = line.clock.now
        updates = asyncio.gather(*(contacts.update_member(ZHANG) for _ in range(3)))
        await contacts.delete_member("li")
        assert line.clock.now == before
        await updates

    replies = [errcode(45009)] * 3 + [ok("updated")]
    line = Line().script("user/update", *replies).script("user/delete", ok("deleted"))
    line.run(story)
    assert line.clock.sleeps == [61.0]
    assert line.count("user/update") == 6


def test_a_limit_that_holds_on_is_the_longer_one():
    """45009 right after the minute was waited out is the hour's, and after that it is raised with its end."""
    line = Line().script("user/create", errcode(45009))
    line.clock.now = 1_750_000_000.0  # 2025-06-15 15:06:40 UTC
    with pytest.raises(RateLimitError) as caught:
        line.run(create)
    assert caught.value.errcode == 45009
    assert line.count("user/create") == 3
    assert line.clock.sleeps == [61.0, 3601.0]
    # 30 days on: what comes after the hour is the month's limit of creations.
    assert "from 2025-07-15 16:07:43 UTC on" in str(caught.value.hint)


def test_a_limit_that_let_calls_through_begins_anew():
    """After a call that was carried out the next 45009 is the minute's again."""
    replies = [errcode(45009), ok("updated"), errcode(45009), ok("updated")]
    line = Line().script("user/update", *replies)

    async def story(contacts):
        await contacts.update_member(ZHANG)
        await contacts.update_member(ZHANG)

    line.run(story)
    assert line.clock.sleeps == [61.0, 61.0]


def test_whoever_may_not_wait_is_told_until_when():
    """Where the window is longer than the patience, the call is not repeated, nor is the next one sent."""
    line = Line().script("user/update", errcode(45009))
    line.clock.now = 1_750_000_000.0

    async def story(contacts):
        for _ in range(2):
            with pytest.raises(RateLimitError) as caught:
                await contacts.update_member(ZHANG)
            assert caught.value.errcode == 45009
            assert "from 2025-06-15 15:07:41 UTC on" in str(caught.value.hint)

    line.run(story, Patience(longest_wait=10.0))
    assert line.count("user/update") == 1
    assert line.clock.sleeps == []


@pytest.mark.parametrize("code", [45009, 45033])
def test_a_complaint_halves_what_is_under_way(code):
    """Ten at once become five after the first complaint, however many of the ten complain."""
    under_way = most = answered = 0

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most, answered
        if request.url.path.endswith("gettoken"):
            return ok(access_token="t", expires_in=7200)
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.001)
        under_way -= 1
        answered += 1
        if answered == 10:
            most = 0  # counted anew from the first complaints on
        return errcode(code) if answered <= 10 else ok("updated")

    async def story():
        line = Line()
        async with open_client(
            corp_id="ww1",
            secret="s",
            base_url="https://wecom.test",
            transport=httpx.MockTransport(answer),
            sleep=line.clock.sleep,
            clock=line.clock,
        ) as contacts:
            await asyncio.gather(*(contacts.update_member(ZHANG) for _ in range(40)))

    asyncio.run(story())
    assert answered == 50
    assert most == 5


@pytest.mark.parametrize("failure", LOST, ids=repr)
def test_a_creation_whose_answer_was_lost_is_not_repeated(failure):
    """The call may have had its effect: one attempt, and an error that says so."""
    line = Line().script("user/create", failure)
    with pytest.raises(WeComTransportError) as caught:
        line.run(create)
    assert caught.value.is_ambiguous is True
    assert caught.value.hint
    assert line.count("user/create") == 1


@pytest.mark.parametrize("failure", NEVER_SENT, ids=repr)
def test_a_creation_that_was_never_sent_is_repeated(failure):
    """Nothing can have happened where there was no connection: try again, and say so in the end."""
    line = Line().script("user/create", failure, ok("created"))
    line.run(create)
    assert line.count("user/create") == 2
    line = Line().script("user/create", failure)
    with pytest.raises(WeComTransportError) as caught:
        line.run(create)
    assert caught.value.is_ambiguous is False
    assert line.count("user/create") == 4


@pytest.mark.parametrize("failure", LOST, ids=repr)
def test_an_update_whose_answer_was_lost_is_repeated(failure):
    """A repeat has the same effect."""
    line = Line().script("user/update", failure, ok("updated"))
    line.run(update)
    assert line.count("user/update") == 2


def test_an_ambiguous_attempt_is_not_forgotten():
    """An update that may have been made and then finds no connection stays ambiguous."""
    line = Line().script("user/update", httpx.ReadTimeout("slow"), httpx.ConnectError("refused"))
    with pytest.raises(WeComTransportError) as caught:
        line.run(update)
    assert caught.value.is_ambiguous is True
    assert line.count("user/update") == 4


@pytest.mark.parametrize(
    ("path", "code", "act"),
    [
        ("user/delete", 60111, delete),
        ("department/delete", 60003, lambda contacts: contacts.delete_department(7)),
        ("tag/delete", 40068, lambda contacts: contacts.delete_tag(7)),
    ],
)
def test_gone_after_a_lost_answer_is_deleted(path, code, act):
    """The repeat of a deletion finds nothing: the first had its effect. Without a first it is an error."""
    line = Line().script(path, httpx.ReadTimeout("slow"), errcode(code))
    line.run(act)
    assert line.count(path) == 2
    with pytest.raises(NotFoundError):
        Line().script(path, errcode(code)).run(act)


def test_exists_after_busy_is_ambiguous():
    """A creation that was answered -1 and then meets a member of that userid may have met itself."""
    line = Line().script("user/create", errcode(-1), errcode(60102, "userid existed"))
    with pytest.raises(WeComTransportError) as caught:
        line.run(create)
    assert caught.value.is_ambiguous is True
    with pytest.raises(ConflictError):
        Line().script("user/create", errcode(60102)).run(create)


def test_a_department_of_a_moment_ago_is_given_time():
    """60123 is repeated once: what was just created may not be visible yet."""
    line = Line().script("user/create", errcode(60123), ok("created"))
    line.run(create)
    assert line.count("user/create") == 2
    line = Line().script("user/create", errcode(60123))
    with pytest.raises(NotFoundError):
        line.run(create)
    assert line.count("user/create") == 2


@pytest.mark.parametrize("status", [301, 403, 404, 407])
def test_a_wrong_address_is_told_at_once(status):
    """A redirect, a 404 or a proxy that wants a password is no matter of repeats, and not ambiguous."""
    line = Line().script(
        "user/create", httpx.Response(status, headers={"location": "https://elsewhere.test/"})
    )
    with pytest.raises(WeComTransportError, match=str(status)) as caught:
        line.run(create)
    assert caught.value.is_ambiguous is False
    assert line.count("user/create") == 1


def test_ten_calls_at_once():
    """However many wait, ten are in flight."""
    under_way = most = 0

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.001)
        under_way -= 1
        if request.url.path.endswith("gettoken"):
            return ok(access_token="t", expires_in=7200)
        return ok("updated")

    async def story():
        far = httpx.MockTransport(answer)
        async with open_client(
            corp_id="ww1", secret="s", base_url="https://wecom.test", transport=far
        ) as contacts:
            await asyncio.gather(*(contacts.update_member(ZHANG) for _ in range(50)))

    asyncio.run(story())
    assert most == 10


def everything(error: BaseException) -> str:
    """All that any report or log could make of an error: chain, frames, locals, attributes."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=True, compact=False)
    chain = [repr(error), str(error), repr(vars(error)), *shown.format(chain=True)]
    chain += [everything(other) for other in (error.__cause__, error.__context__) if other]
    return "\n".join(chain)


@pytest.mark.parametrize(
    ("path", "reply"),
    [
        ("user/update", httpx.ReadTimeout("slow")),
        ("user/update", httpx.ConnectError("refused")),
        ("user/update", httpx.Response(502)),
        ("user/update", httpx.Response(404)),
        ("user/update", lambda request: errcode(40014, f"invalid {request.url.params['access_token']}")),
        ("user/update", errcode(60103)),
        ("gettoken", errcode(40001, f"invalid credential {SECRET}")),
        ("gettoken", httpx.ReadTimeout("slow")),
        ("gettoken", httpx.ConnectError("refused")),
        ("gettoken", httpx.Response(502)),
    ],
)
def test_no_token_and_no_secret_in_any_error_or_log(path, reply, caplog):
    """Not in the message, the hint, the chain, the frames' locals, nor in a log at the lowest level."""
    caplog.set_level(logging.DEBUG)
    line = Line().script(path, reply)

    async def story():
        async with line.open() as contacts:
            try:
                await contacts.update_member(ZHANG)
            except WxsyncError as error:
                return error
        return None

    error = asyncio.run(story())
    assert isinstance(error, WeComTransportError | WeComApiError)
    assert error.__context__ is None
    # The frames of the test itself hold the scripted replies; those of the product are looked at.
    error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
    shown = everything(error)
    assert "tok-secret" not in shown
    assert SECRET not in shown
    assert "tok-secret" not in caplog.text
    assert SECRET not in caplog.text
    assert "access_token=" not in caplog.text


def test_what_wecom_says_gives_a_terminal_no_orders():
    """Control characters, line ends and marks of direction become "?"; Chinese and its wide space stay."""
    said = "a\x1b]0;owned\x07b\x9bc\r\nd\u202ee\u200bf 张\u3000三"
    line = Line().script("user/update", errcode(60103, said))
    with pytest.raises(FieldError) as caught:
        line.run(update)
    assert caught.value.errmsg == "a?]0;owned?b?c??d?e?f 张\u3000三"


def test_what_wecom_says_of_people_is_masked():
    """A phone number or an e-mail address in an errmsg gets into no error."""
    text = "mobile 13800000001, +852 12345678 or zs@example.com bad, hint: [1559637818_7], from ip: 192.0.2.1"
    line = Line().script("user/update", errcode(60103, text))
    with pytest.raises(FieldError) as caught:
        line.run(update)
    assert caught.value.errmsg == "mobile ***, *** or *** bad, hint: [1559637818_7], from ip: 192.0.2.1"


def test_the_60020_error_says_what_to_enter_where():
    """The address that WeCom saw and the page of the console are in the error's own hint."""
    line = Line().script(
        "user/update", errcode(60020, "not allow to access from your ip, from ip: 192.0.2.1, more")
    )
    with pytest.raises(DeniedError) as caught:
        line.run(update)
    assert "192.0.2.1" in str(caught.value.hint)
    assert "企业可信IP" in str(caught.value.hint)


MISSES = Misses(errcodes=frozenset({46004}))


def speak(line: Line, act, **options):
    """What `act(transport)` gives over the line."""

    async def story():
        async with open_transport(
            corp_id="ww1",
            secret="s",
            base_url="https://wecom.test",
            transport=httpx.MockTransport(line._answer),
            sleep=line.clock.sleep,
            clock=line.clock,
            **options,
        ) as transport:
            return await act(transport)

    return asyncio.run(story())


def test_a_member_gets_thirty_messages_a_minute():
    """The thirty-first to the same member waits, in whatever case the userid is written; others do not."""

    async def send(transport, *userids):
        await transport.send("POST", "message/send", json={}, is_repeatable=False, receivers=userids)

    async def story(transport):
        for n in range(30):
            await send(transport, "zhang" if n % 2 else "ZHANG", f"other{n}")
        assert line.clock.sleeps == []
        await send(transport, "li")
        assert line.clock.sleeps == []
        await send(transport, "Zhang")

    line = Line().script("message/send", ok())
    speak(line, story, app="1000002")
    assert line.count("message/send") == 32
    assert sum(line.clock.sleeps) >= 60


def test_look_ups_that_miss_end_at_five_percent():
    """Those that find somebody are not counted; after 5 % of the members nobody is looked up any more."""

    async def look_up(transport):
        return await transport.send("POST", "user/getuserid", json={}, is_repeatable=True, misses=MISSES)

    async def story(transport):
        found = missed = 0
        for _ in range(50):
            try:
                await look_up(transport)
                found += 1
            except WeComApiError as error:
                if error.errcode != 46004:
                    return found, missed, error
                missed += 1
        return found, missed, None

    replies = [ok(userid="a")] * 10 + [errcode(46004), ok(userid="a")] * 10
    line = Line().script("user/getuserid", *replies)
    found, missed, error = speak(line, story, members=60)
    assert (found, missed) == (12, 3)
    assert isinstance(error, RateLimitError)
    assert error.errcode == 45009
    assert "not sent" in error.errmsg
    assert line.count("user/getuserid") == 15
    assert line.clock.sleeps == []


@pytest.mark.parametrize(("path", "limit", "span"), [("appchat/update", 1000, 3600)])
def test_group_chats_change_a_thousand_times_an_hour(path, limit, span):
    """The next one waits until the first ones are an hour old."""

    async def story(transport):
        for _ in range(limit):
            await transport.send("POST", path, json={}, is_repeatable=True)
        assert line.clock.sleeps == []
        await transport.send("POST", path, json={}, is_repeatable=True)

    line = Line().script(path, ok())
    speak(line, story)
    assert line.count(path) == limit + 1
    assert span <= sum(line.clock.sleeps) <= span + 120


def test_group_chats_are_created_a_thousand_times_a_day():
    """The next one is not sent, and says until when: nobody waits for a day."""

    async def story(transport):
        for _ in range(1000):
            await transport.send("POST", "appchat/create", json={}, is_repeatable=False)
        with pytest.raises(RateLimitError) as caught:
            await transport.send("POST", "appchat/create", json={}, is_repeatable=False)
        return caught.value

    line = Line().script("appchat/create", ok())
    assert speak(line, story).errcode == 45009
    assert line.count("appchat/create") == 1000
