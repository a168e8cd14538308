"""The dead-man's switch: told after two intervals without a complete run, and once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from wxsync.config.cron import parse_cron
from wxsync.mirror.notices import Mark
from wxsync.model.notice import Notice, NoticeKind
from wxsync.service.notify.silence import silence
from wxsync.service.timetable import Timetable

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
"""A Monday."""


def timetable(schedule: str) -> Timetable:
    return Timetable(cron=parse_cron(schedule), zone=ZoneInfo("UTC"), shift=timedelta())


def listened(
    schedule: str, complete: datetime | None, now: datetime, mark: Mark | None = None
) -> tuple[Notice | None, Mark]:
    mark = mark or Mark(known_since=NOW - timedelta(days=30))
    return silence("acme", "acme", mark, complete, timetable(schedule), now, "en")


@pytest.mark.parametrize(
    ("schedule", "complete", "told_at"),
    [
        ("*/15 * * * *", "2026-03-02 08:01", "2026-03-02 08:40"),
        ("0 * * * *", "2026-03-02 08:20", "2026-03-02 10:10"),
        ("0 2 * * *", "2026-03-02 02:05", "2026-03-04 02:10"),
        ("0 9 * * 1-5", "2026-03-06 09:01", "2026-03-10 09:10"),
    ],
)
def test_it_is_pulled_when_the_second_start_has_gone_by(schedule: str, complete: str, told_at: str) -> None:
    """And the run that it set off has had ten minutes; a weekend is no silence."""
    since, moment = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (complete, told_at))
    assert listened(schedule, since, moment - timedelta(seconds=1))[0] is None
    notice = listened(schedule, since, moment)[0]
    assert notice is not None
    assert notice.kind is NoticeKind.SILENT
    assert f"{since:%Y-%m-%d %H:%M}" in notice.reasons[0]


def test_it_is_told_once_until_a_run_succeeds() -> None:
    """And again when it falls silent after that."""
    first, mark = listened("0 * * * *", NOW, NOW + timedelta(hours=9))
    assert first is not None
    assert listened("0 * * * *", NOW, NOW + timedelta(days=9), mark) == (None, mark)
    later = NOW + timedelta(days=10)
    quiet, well = listened("0 * * * *", later, later + timedelta(minutes=5), mark)
    assert quiet is None
    assert well.silent_since is None
    assert listened("0 * * * *", later, later + timedelta(hours=9), well)[0] is not None


def test_a_sync_that_never_succeeded_counts_from_when_it_became_known() -> None:
    """A new one is not silent at once."""
    mark = Mark(known_since=NOW)
    assert listened("0 * * * *", None, NOW + timedelta(minutes=61), mark)[0] is None
    notice, after = listened("0 * * * *", None, NOW + timedelta(minutes=130), mark)
    assert notice is not None
    assert "no complete run has succeeded yet" in notice.reasons[0]
    assert listened("0 * * * *", None, NOW + timedelta(days=2), after)[0] is None


def test_a_run_that_ended_in_a_time_to_come_is_not_believed() -> None:
    """The clock was ahead: else nobody would be told for a year."""
    mark = replace(Mark(known_since=NOW))
    assert listened("0 * * * *", NOW + timedelta(days=365), NOW + timedelta(hours=3), mark)[0] is not None
