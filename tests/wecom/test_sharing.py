"""What a process does with a token that others use, fetch, refuse or cannot keep."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from tests.wecom.line import BASE, CORP, SECRET, Line, errcode, ok
from wxsync.errors import DeniedError, MirrorError
from wxsync.model.token import TokenState
from wxsync.wecom.client import open_client
from wxsync.wecom.tokens import RENEWAL, MemoryTokens

TAGS = ok(taglist=[])


class Shared(MemoryTokens):
    """What the mirror is to several processes, and it may fail."""

    def __init__(self, state: TokenState | None = None) -> None:
        super().__init__()
        self.state = state or TokenState()
        self.is_broken = False

    def load(self) -> TokenState:
        if self.is_broken:
            raise MirrorError("the mirror is locked")
        return super().load()

    def save(self, state: TokenState) -> bool:
        if self.is_broken:
            raise MirrorError("the mirror is locked")
        return super().save(state)


@asynccontextmanager
async def process(line: Line, shared: Shared):
    """A process of its own on the same line."""
    async with open_client(
        corp_id=CORP,
        secret=SECRET,
        base_url=BASE,
        transport=httpx.MockTransport(line._answer),
        tokens=shared,
        sleep=line.clock.sleep,
        clock=line.clock,
    ) as contacts:
        yield contacts


def play(line: Line, shared: Shared, act, processes: int = 1):
    """What `act(*contacts)` gives, for so many processes."""

    async def story():
        if processes == 1:
            async with process(line, shared) as one:
                return await act(one)
        async with process(line, shared) as one, process(line, shared) as two:
            return await act(one, two)

    return asyncio.run(story())


def test_the_token_of_another_process_is_used():
    """Nobody fetches what is there."""
    line = Line().script("tag/list", TAGS)
    shared = Shared(TokenState(version=7, text="tok-shared", fetches=1, renew_at=2000.0, ends_at=2200.0))
    play(line, shared, lambda contacts: contacts.list_tags())
    assert line.count("gettoken") == 0
    assert line.requests["tag/list"][0].url.params["access_token"] == "tok-shared"


def test_two_processes_that_lose_the_same_token_fetch_one():
    """The second one finds the token of the first, whether it waited for it or came later."""

    def tag_list(request: httpx.Request) -> httpx.Response:
        return errcode(42001) if request.url.params["access_token"] == "tok-secret-1" else TAGS

    async def story(one, two):
        await asyncio.gather(*(contacts.list_tags() for contacts in (one, two) for _ in range(10)))

    line = Line().script("tag/list", tag_list)
    play(line, Shared(), story, processes=2)
    assert line.count("gettoken") == 2


def test_a_late_refusal_of_an_old_token_is_none_of_the_new_one():
    """Also where gettoken gave the same text again: what was sent before the new one says nothing of it."""
    line = Line()
    late, renewed = asyncio.Event(), asyncio.Event()

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("gettoken"):
            line.token_number += 1
            if line.token_number == 2:
                renewed.set()
            return ok(access_token="same", expires_in=7200)
        path = request.url.path.removeprefix("/cgi-bin/")
        line.requests[path].append(request)
        if line.count(path) > 2:
            return TAGS
        if line.count(path) == 1:
            await late.wait()
        else:
            late.set()
            await renewed.wait()
            await asyncio.sleep(0.01)
        return errcode(40014)

    async def story():
        async with open_client(
            corp_id=CORP, secret=SECRET, base_url=BASE, transport=httpx.MockTransport(answer)
        ) as contacts:
            await asyncio.gather(contacts.list_tags(), contacts.list_tags())

    asyncio.run(story())
    assert line.token_number == 2
    assert line.count("tag/list") == 4


def test_a_dead_process_holds_up_nobody_for_long():
    """One that said it would fetch a token and never did is taken for dead after 45 s."""
    line = Line().script("tag/list", TAGS)
    taken = TokenState(version=3, renewed_by="another process", renewal_ends_at=line.clock.now + RENEWAL)
    play(line, Shared(taken), lambda contacts: contacts.list_tags())
    assert line.count("gettoken") == 1
    assert RENEWAL <= sum(line.clock.sleeps) < RENEWAL + 1


def test_while_another_process_renews_the_old_token_is_used():
    """It still lives: no call waits."""
    line = Line().script("tag/list", TAGS)
    now = line.clock.now
    old = TokenState(
        version=3,
        text="tok-old",
        fetches=1,
        renew_at=now - 1,
        ends_at=now + 199,
        renewed_by="another process",
        renewal_ends_at=now + RENEWAL,
    )
    play(line, Shared(old), lambda contacts: contacts.list_tags())
    assert line.count("gettoken") == 0
    assert line.clock.sleeps == []


def test_a_refusal_is_remembered_for_all_processes():
    """The second process does not ask, says so and names the command; once it is forgotten it asks."""
    line = Line().script("gettoken", errcode(40001, "invalid credential")).script("tag/list", TAGS)
    shared = Shared()
    for _ in range(2):
        with pytest.raises(DeniedError) as caught:
            play(line, shared, lambda contacts: contacts.list_tags())
        assert caught.value.errcode == 40001
    assert line.count("gettoken") == 1
    assert "wxsync check --retry" in caught.value.errmsg
    shared.state = replace(shared.state, refusal=None)
    line.script("gettoken", ok(access_token="t", expires_in=7200))
    play(line, shared, lambda contacts: contacts.list_tags())
    assert line.count("gettoken") == 2


def test_a_mirror_that_cannot_be_used_does_not_stop_reading(caplog):
    """The process then has a token of its own, says so once, and asks the mirror again after a minute."""
    line, shared = Line().script("tag/list", TAGS), Shared()
    shared.is_broken = True

    async def story(contacts):
        for _ in range(3):
            await contacts.list_tags()
        shared.is_broken = False
        line.clock.now += 7100
        await contacts.list_tags()

    play(line, shared, story)
    assert line.count("gettoken") == 2
    assert shared.state.text == "tok-secret-2"
    assert [record.message for record in caplog.records if "process's own" in record.message] == [
        "tokens and quotas are this process's own for 60 s: the mirror is locked"
    ]


def test_a_token_outlives_a_mirror_that_breaks():
    """What was read from the mirror before it broke is used on."""
    line = Line().script("tag/list", TAGS)
    shared = Shared(TokenState(version=7, text="tok-shared", fetches=1, renew_at=2000.0, ends_at=2200.0))

    async def story(contacts):
        await contacts.list_tags()
        shared.is_broken = True
        line.clock.now = 2001.0
        await contacts.list_tags()

    play(line, shared, story)
    assert line.count("gettoken") == 1
    assert [request.url.params["access_token"] for request in line.requests["tag/list"]] == [
        "tok-shared",
        "tok-secret-1",
    ]
