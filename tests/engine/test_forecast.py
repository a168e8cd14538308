"""What a plan is expected to take, by what WeCom allows."""

from __future__ import annotations

import pytest

from wxsync.engine.forecast import CALLS_AN_HOUR, PACE, forecast
from wxsync.engine.schedule import Units
from wxsync.model.change import Change, Kind, Verb
from wxsync.model.message import say

CREATION = Change(kind=Kind.MEMBER, verb=Verb.CREATE, key="E1", id="e1", name=None, why=say("new"))


@pytest.mark.parametrize(
    ("calls", "seconds"),
    [
        (0, 0.0),
        (1, 1 / PACE),
        (14_000, 14_000 / PACE),
        (CALLS_AN_HOUR, CALLS_AN_HOUR / PACE),
        (CALLS_AN_HOUR + 100, 3600 + 100 / PACE),
    ],
)
def test_an_hour_takes_no_more_calls_than_wecom_allows(calls, seconds):
    """What is over them waits for the next hour; below, the pace of a second is all that counts."""
    found = forecast((CREATION,), Units([1] * calls))
    assert found.calls == calls
    assert found.seconds == pytest.approx(seconds, abs=0.1)
