"""A token's life, step by step, where a clock was ahead and was put right."""

from __future__ import annotations

import pytest

from tests.wecom.line import Line, errcode, ok
from wxsync.errors import TokenError
from wxsync.model.token import TokenRefusal, TokenState
from wxsync.wecom import tokens

NOW = 1_750_000_000.0
YEAR = 365 * 86400.0


@pytest.mark.parametrize(
    ("seconds", "is_taken"),
    [(0, False), (1, True), (tokens.RENEWAL, True), (tokens.RENEWAL + 1, False), (YEAR, False)],
)
def test_who_fetches_is_waited_for_as_long_as_fetching_takes(seconds, is_taken):
    """A claim that ends later was made while the clock was ahead."""
    state = TokenState(renewed_by="other", renewal_ends_at=NOW + seconds)
    assert tokens.is_taken(state, "me", NOW) is is_taken


@pytest.mark.parametrize(("ago", "wait"), [(10, 50), (0, 60), (-1, None), (-YEAR, None)])
def test_a_token_fetched_in_the_future_holds_up_no_other(ago, wait):
    """After many refusals the next is fetched a minute after the last, and at once where that lies ahead."""
    state = TokenState(refusals=20, fetched_at=NOW - ago)
    assert tokens.next_fetch_at(state, NOW) == (0.0 if wait is None else NOW + wait)


@pytest.mark.parametrize(
    ("until", "is_in_force"),
    [(None, True), (NOW, False), (NOW + 60, True), (NOW + tokens.BAN, True), (NOW + tokens.BAN + 1, False)],
)
def test_a_refusal_that_passes_is_in_force_for_an_hour_at_most(until, is_in_force):
    """A wrong secret is one for ever."""
    refusal = TokenRefusal(errcode=45009, errmsg="x", until=until)
    state = TokenState(refusal=refusal)
    assert tokens.refusal_in_force(state, NOW) == (refusal if is_in_force else None)


def test_when_the_next_token_is_asked_for_is_told_with_its_date():
    """A time of day alone says nothing where the clock is off."""

    async def story(contacts):
        for _ in range(4):
            with pytest.raises(TokenError) as caught:
                await contacts.list_tags()
        return caught.value

    line = Line().script("tag/list", errcode(40014))
    line.script("gettoken", ok(access_token="always the same", expires_in=7200))
    line.clock.now = NOW
    assert "asked for at 2025-06-15 15:" in str(line.run(story).hint)
