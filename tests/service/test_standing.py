"""The one line that tells how all stands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from wxsync.errors import WxsyncError
from wxsync.service.running import Finished
from wxsync.service.standing import LastRun, standing
from wxsync.service.turns import Cause, Ending

ZONES = {"acme": ZoneInfo("Asia/Shanghai"), "berlin": ZoneInfo("Europe/Berlin")}
BEGAN = datetime(2026, 3, 2, 8, 5, tzinfo=UTC)


def finished(**facts: Any) -> Finished:
    values: dict[str, Any] = {
        "sync": "acme",
        "corp": "acme",
        "cause": Cause.SCHEDULE,
        "ending": Ending.DONE,
        "began": BEGAN,
        "took": timedelta(seconds=3),
        **facts,
    }
    return Finished(**values)


@pytest.mark.parametrize(
    ("last", "line"),
    [
        (finished(number=7), "last run 7 planned at 16:05"),
        (finished(ending=Ending.FAILED, error=WxsyncError("no")), "last run failed at 16:05"),
        (
            finished(ending=Ending.BUSY),
            "last run did not begin, as another one has the corp, at 16:05",
        ),
    ],
)
def test_the_last_run_and_the_next_one_are_told_by_the_syncs_own_clock(last: Finished, line: str) -> None:
    """Each sync in its time zone."""
    following = {"berlin": BEGAN + timedelta(hours=1)}
    told = standing(ZONES, {"acme": LastRun.of(last)}, (), following)
    assert told == f"acme: {line}; berlin: no run yet, next at 10:05"


def test_a_run_under_way_is_told() -> None:
    """It says more than the one before."""
    assert standing({"acme": ZONES["acme"]}, {"acme": LastRun.of(finished())}, ("acme",), {}) == (
        "acme: a run is under way"
    )


def test_who_does_not_lead_says_so() -> None:
    """What it remembers of the runs may be long ago."""
    assert standing({"acme": ZONES["acme"]}, {}, (), {}, ("acme",)) == "acme: another daemon leads"
