from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wecom.line import Clock
from wxsync.errors import MirrorError
from wxsync.model.quota import LAPSE, Window
from wxsync.wecom.answers import Setback
from wxsync.wecom.ledger import MemoryLedger
from wxsync.wecom.limits import DAY, account_of, blocked_for
from wxsync.wecom.quota import FIRST_BLOCK, LARGEST_BLOCK, Quota

CORP = "ww1"


class Counting(MemoryLedger):
    """A ledger that tells what was asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.wants: list[int] = []
        self.is_broken = False

    def reserve(self, account, want, now, unused=()):
        if self.is_broken:
            raise MirrorError("the mirror is locked")
        self.wants.append(want)
        return super().reserve(account, want, now, unused)

    def spent(self, path: str, now: float) -> int:
        """Calls that count under the corp's minute."""
        window = account_of(CORP, path).windows[0]
        return window.limit - window.room(self._used[window.name, window.span], now)


def play(act, *, ledger=None, clock=None, longest_wait=3700.0):
    """What `act(quota, clock)` gives."""
    clock = clock or Clock()

    async def story():
        async with Quota(
            corp_id=CORP, ledger=ledger, longest_wait=longest_wait, clock=clock, sleep=clock.sleep
        ) as quota:
            return await act(quota, clock)

    return asyncio.run(story())


async def call(quota: Quota, path: str = "user/update") -> None:
    while not quota.claim(path):
        assert await quota.reserve(path) is None


def most_in_a_minute(moments: list[float]) -> int:
    """The most calls in any 60 seconds."""
    first = most = 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - 60:
            first += 1
        most = max(most, last - first + 1)
    return most


def test_no_minute_has_more_calls_than_wecom_takes():
    """However the windows lie: 25,000 calls as fast as they may go never come to 10,000 in 60 seconds."""

    async def story(quota, clock):
        moments: list[float] = []
        while len(moments) < 25_000:
            await call(quota)
            clock.now += 0.001
            moments.append(clock.now)
        return moments

    moments = play(story)
    assert 9_800 <= most_in_a_minute(moments) <= 10_000
    assert (moments[-1] - moments[0]) / 60 == pytest.approx(2.1, abs=0.2)


@given(st.lists(st.tuples(st.floats(0, 700), st.integers(1, 30)), max_size=60))
def test_no_window_of_any_size_is_over_spent(steps):
    """Whatever the pauses and the bursts: in no span are there more permits used than its limit."""
    window = Window(name="w", span=600, limit=25)
    used: dict[int, int] = {}
    now, spent = 1000.0, []
    for pause, want in steps:
        now += pause
        count = min(want, window.room(used, now))
        if count > 0:
            used[window.grain_at(now)] = used.get(window.grain_at(now), 0) + count
            # Used at the last moment that is allowed, or at once.
            spent += [now, *[now + LAPSE] * (count - 1)]
        else:
            assert window.room(used, now + window.wait(used, now)) >= 1
    for moment in spent:
        assert sum(moment - 600 < each <= moment for each in spent) <= 25


def test_paths_are_counted_apart():
    """WeCom's limit is per call: a full window of one path holds up no other."""

    async def story(quota, clock):
        for _ in range(9_900):
            await call(quota)
        await call(quota, "user/delete")
        assert clock.sleeps == []
        await call(quota)
        assert sum(clock.sleeps) >= 60

    play(story)


def test_the_ledger_is_not_asked_for_each_call():
    """A thousand calls in a row take some ten reservations, which grow with the need."""
    ledger = Counting()

    async def story(quota, clock):
        for _ in range(1000):
            await call(quota)
            await asyncio.sleep(0)

    play(story, ledger=ledger)
    assert ledger.wants[:4] == [FIRST_BLOCK, 2 * FIRST_BLOCK, 4 * FIRST_BLOCK, 8 * FIRST_BLOCK]
    assert max(ledger.wants) == LARGEST_BLOCK
    assert len(ledger.wants) <= 10


def test_what_was_reserved_and_not_used_comes_back():
    """After the block, and when it has lapsed, only the calls that went out are spent."""
    ledger = Counting()

    async def story(quota, clock):
        await call(quota)
        assert ledger.spent("user/update", clock.now) == FIRST_BLOCK
        clock.now += LAPSE + 1
        await call(quota)
        assert ledger.spent("user/update", clock.now) == 1 + FIRST_BLOCK

    clock = Clock()
    play(story, ledger=ledger, clock=clock)
    assert ledger.spent("user/update", clock.now) == 2


def test_a_permit_lapses():
    """One that was reserved long ago would count in the wrong minute: another one is reserved."""
    ledger = Counting()

    async def story(quota, clock):
        await call(quota)
        clock.now += LAPSE - 0.1
        assert quota.claim("user/update")
        clock.now += 0.1
        assert not quota.claim("user/update")

    play(story, ledger=ledger)


def test_who_cannot_wait_is_refused():
    """A full window that lasts longer than the patience is a setback with 45009, and nobody sleeps."""

    async def story(quota, clock):
        for _ in range(9_900):
            await call(quota)
        return await quota.reserve("user/update"), clock.sleeps

    setback, sleeps = play(story, longest_wait=10.0)
    assert isinstance(setback, Setback)
    assert setback.errcode == 45009
    assert sleeps == []


def test_many_who_wait_ask_once():
    """While a window is full the ledger is left alone, however many calls stand before it."""
    ledger = Counting()

    async def story(quota, clock):
        for _ in range(9_900):
            await call(quota)
        asked = len(ledger.wants)
        assert [quota.claim("user/update") for _ in range(50)] == [False] * 50
        await asyncio.gather(*(call(quota) for _ in range(16)))
        return len(ledger.wants) - asked

    # One refusal at most beside the reservations that the sixteen then want.
    assert play(story, ledger=ledger) <= 3


def test_two_who_share_a_ledger_share_the_minute():
    """Side by side they come to no more than one alone."""
    ledger, clock = Counting(), Clock()

    async def story():
        def opened() -> Quota:
            return Quota(corp_id=CORP, ledger=ledger, longest_wait=3700.0, clock=clock, sleep=clock.sleep)

        moments: list[float] = []
        async with opened() as one, opened() as two:
            while len(moments) < 15_000:
                await call(one if len(moments) % 3 else two)
                clock.now += 0.001
                moments.append(clock.now)
        return moments

    assert most_in_a_minute(asyncio.run(story())) <= 10_000


def test_a_ledger_that_cannot_be_written_does_not_stop_reading():
    """Calls are then counted by this process alone, and the ledger is asked again after a minute."""
    ledger = Counting()
    ledger.is_broken = True

    async def story(quota, clock):
        await call(quota)
        ledger.is_broken = False
        clock.now += 10
        await call(quota)
        assert ledger.wants == []
        clock.now += 60
        await call(quota)
        assert ledger.wants == [FIRST_BLOCK]

    play(story, ledger=ledger)


@pytest.mark.parametrize(
    ("path", "spans"),
    [
        ("user/update", [61, 3601, 3601]),
        ("user/create", [61, 3601, 30 * DAY + 1]),
    ],
)
def test_a_block_is_as_long_as_its_window(path, spans):
    """The minute's, the hour's, and for creations the month's."""
    assert [blocked_for(path, step, 0.0) for step in range(3)] == spans


def test_a_day_ends_at_midnight_in_beijing():
    """WeCom's day is the calendar's: from 23:59:00 there it is a minute."""
    midnight = time.mktime((2026, 3, 2, 0, 0, 0, 0, 0, 0)) // DAY * DAY - 8 * 3600
    assert blocked_for("user/getuserid", 2, midnight - 60) == 61
    assert blocked_for("user/getuserid", 2, midnight) == DAY + 1
