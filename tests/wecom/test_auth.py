from __future__ import annotations

import asyncio
from itertools import pairwise

import httpx
import pytest

from tests.wecom.line import CORP, SECRET, Line, Reply, errcode, ok
from wxsync.errors import DeniedError, RateLimitError, TokenError, WeComTransportError
from wxsync.model.member import MemberWrite

TAGS = ok(taglist=[])


def tokens(line: Line, path: str) -> list[str]:
    return [request.url.params["access_token"] for request in line.requests[path]]


def test_the_token_is_fetched_once_under_concurrency():
    """Twenty calls at the same moment ask for one token, and send it in the query."""
    line = Line().script("tag/list", TAGS)
    line.run(lambda contacts: asyncio.gather(*(contacts.list_tags() for _ in range(20))))
    assert line.count("gettoken") == 1
    asked = line.requests["gettoken"][0]
    assert dict(asked.url.params) == {"corpid": CORP, "corpsecret": SECRET}
    assert tokens(line, "tag/list") == ["tok-secret-1"] * 20
    assert "authorization" not in line.requests["tag/list"][0].headers


def test_a_token_ends_a_little_before_wecom_ends_it():
    """7200 seconds are used for 7000: then another is fetched, without a refused call."""

    async def story(contacts):
        await contacts.list_tags()
        line.clock.now += 6999
        await contacts.list_tags()
        line.clock.now += 2
        await contacts.list_tags()

    line = Line().script("tag/list", TAGS)
    line.run(story)
    assert tokens(line, "tag/list") == ["tok-secret-1", "tok-secret-1", "tok-secret-2"]


@pytest.mark.parametrize("code", [40014, 42001])
def test_a_dropped_token_is_renewed_once(code):
    """A call that meets 40014 or 42001 gets a new token and is sent again, creations too."""
    line = Line().script("user/create", errcode(code), ok("created"))
    line.run(lambda contacts: contacts.create_member(MemberWrite(userid="a", name="甲")))
    assert tokens(line, "user/create") == ["tok-secret-1", "tok-secret-2"]
    assert line.count("gettoken") == 2
    assert line.bodies("user/create")[0] == line.bodies("user/create")[1]


def test_calls_that_lose_the_same_token_share_the_next():
    """Ten calls under way when the token is dropped fetch one new token between them."""

    def answer(request: httpx.Request) -> httpx.Response:
        return errcode(42001) if request.url.params["access_token"] == "tok-secret-1" else TAGS

    line = Line().script("tag/list", answer)
    line.run(lambda contacts: asyncio.gather(*(contacts.list_tags() for _ in range(10))))
    assert line.count("gettoken") == 2


def test_tokens_that_are_all_refused_are_fetched_less_and_less_often():
    """After a refusal one at once, then after 1, 2, 4 and 8 seconds; whoever would wait longer is told."""
    fetched_at = []

    def gettoken(request: httpx.Request) -> httpx.Response:
        fetched_at.append(line.clock.now)
        return ok(access_token="always the same", expires_in=7200)

    async def story(contacts):
        with pytest.raises(TokenError) as caught:
            await contacts.list_tags()
        assert caught.value.endpoint == "tag/list"
        assert line.count("tag/list") == 4
        for _ in range(3):
            with pytest.raises(TokenError) as caught:
                await contacts.list_tags()
        assert caught.value.endpoint == "gettoken"
        return caught.value

    line = Line().script("tag/list", errcode(40014, "invalid access_token")).script("gettoken", gettoken)
    error = line.run(story)
    assert [round(b - a, 3) for a, b in pairwise(fetched_at)] == [0, 1, 2, 4, 8]
    assert "UTC" in str(error.hint)


def test_a_token_that_is_let_in_ends_the_slowness():
    """What was refused long ago does not hold up the next renewal."""
    replies = [errcode(42001), errcode(42001), TAGS, errcode(42001), TAGS]

    async def story(contacts):
        await contacts.list_tags()
        assert line.clock.sleeps == [1.0]
        await contacts.list_tags()

    line = Line().script("tag/list", *replies)
    line.run(story)
    assert line.clock.sleeps == [1.0]
    assert line.count("gettoken") == 4


def test_the_same_token_with_its_old_end_is_used_until_it_is_refused():
    """WeCom may renew nothing: no call asks again before 42001, and then one does, once."""
    born = 1000.0

    def gettoken(request: httpx.Request) -> httpx.Response:
        age = line.clock.now - born
        if age < 7200:
            return ok(access_token="tok-old", expires_in=int(7200 - age))
        return ok(access_token="tok-new", expires_in=7200)

    def tag_list(request: httpx.Request) -> httpx.Response:
        is_over = request.url.params["access_token"] == "tok-old" and line.clock.now - born >= 7200
        return errcode(42001) if is_over else TAGS

    async def story(contacts):
        await contacts.list_tags()
        for moment in (6999, 7001, 7100, 7190, 7199, 7201, 7300):
            line.clock.now = born + moment
            await asyncio.gather(*(contacts.list_tags() for _ in range(20)))
            asked.append(line.count("gettoken"))

    asked: list[int] = []
    line = Line().script("tag/list", tag_list).script("gettoken", gettoken)
    line.run(story)
    assert asked == [1, 2, 2, 2, 2, 3, 3]


def test_a_renewal_that_fails_in_passing_costs_nobody_a_call():
    """While the old token lives it is used, and 15 seconds later another one is asked for."""
    far: list[Reply] = [ok(access_token="tok-1", expires_in=7200), httpx.ReadTimeout("slow")]
    line = Line().script("tag/list", TAGS).script("gettoken", *far, ok(access_token="tok-2", expires_in=7200))

    async def story(contacts):
        for moment in (0, 7001, 7010, 7020):
            line.clock.now = 1000.0 + moment
            await contacts.list_tags()

    line.run(story)
    assert tokens(line, "tag/list") == ["tok-1", "tok-1", "tok-1", "tok-2"]


def test_giving_up_on_a_call_takes_the_token_from_nobody():
    """The call that began to fetch it is cancelled; those that wait with it get their token all the same."""

    async def story(contacts):
        first = asyncio.create_task(contacts.list_tags())
        others = [asyncio.create_task(contacts.list_tags()) for _ in range(3)]
        await asyncio.sleep(0)
        first.cancel()
        return await asyncio.gather(*others)

    line = Line().script("tag/list", TAGS)
    assert line.run(story) == [()] * 3
    assert line.count("gettoken") == 1


@pytest.mark.parametrize("code", [40001, 40013, 40091])
def test_a_wrong_secret_is_asked_for_once(code):
    """Many calls with a wrong secret make one gettoken call: WeCom bans the address of those who insist."""
    line = Line().script("gettoken", errcode(code, "invalid credential")).script("tag/list", TAGS)

    async def story(contacts):
        together = await asyncio.gather(*(contacts.list_tags() for _ in range(20)), return_exceptions=True)
        with pytest.raises(DeniedError):
            await contacts.list_departments()
        return together

    failures = line.run(story)
    assert {type(failure) for failure in failures} == {DeniedError}
    assert failures[0].errcode == code
    assert failures[0].endpoint == "gettoken"
    assert line.count("gettoken") == 1
    assert line.count("tag/list") == 0
    assert line.clock.sleeps == []


def test_a_ban_after_wrong_secrets_is_not_waited_for():
    """45009 of gettoken is an hour's ban: no repeat, by nobody, before that is over."""
    far = [errcode(45009, "api freq out of limit"), ok(access_token="t", expires_in=7200)]
    line = Line().script("gettoken", *far).script("tag/list", TAGS)

    async def story(contacts):
        for _ in range(3):
            with pytest.raises(RateLimitError):
                await contacts.list_tags()
        line.clock.now += 3601
        await contacts.list_tags()

    line.run(story)
    assert line.count("gettoken") == 2


def test_what_an_administrator_mends_is_asked_again_after_a_minute():
    """A disabled app (50003) may be enabled with the same secret: no restart is wanted then."""
    line = Line().script("gettoken", errcode(50003), ok(access_token="t", expires_in=7200))
    line.script("tag/list", TAGS)

    async def story(contacts):
        for _ in range(2):
            with pytest.raises(DeniedError):
                await contacts.list_tags()
        line.clock.now += 61
        await contacts.list_tags()

    line.run(story)
    assert line.count("gettoken") == 2


def test_a_busy_gettoken_is_repeated():
    """-1 of gettoken passes like that of any call."""
    line = (
        Line().script("gettoken", errcode(-1), ok(access_token="t", expires_in=7200)).script("tag/list", TAGS)
    )
    assert line.run(lambda contacts: contacts.list_tags()) == ()
    assert line.count("gettoken") == 2


@pytest.mark.parametrize("failure", [httpx.ReadTimeout("slow"), httpx.ReadError(""), httpx.Response(502)])
def test_a_failing_gettoken_is_never_ambiguous(failure):
    """A creation whose token could not be fetched was not sent: it is repeated, and in the end certain."""
    line = Line().script("gettoken", failure).script("user/create", ok("created"))
    with pytest.raises(WeComTransportError) as caught:
        line.run(lambda contacts: contacts.create_member(MemberWrite(userid="a", name="甲")))
    assert caught.value.is_ambiguous is False
    assert line.count("gettoken") == 4
    assert line.count("user/create") == 0


@pytest.mark.parametrize(
    "facts", [{}, {"access_token": "", "expires_in": 1}, {"access_token": "t", "expires_in": "x"}]
)
def test_an_answer_without_a_token_is_an_error(facts):
    """What answers in WeCom's place with errcode 0 and no token is named, not sent on."""
    line = Line().script("gettoken", ok(**facts))
    with pytest.raises(WeComTransportError, match="holds no token"):
        line.run(lambda contacts: contacts.list_tags())
