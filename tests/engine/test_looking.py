"""By which way a run reads WeCom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from wxsync.engine.looking import way_to_try
from wxsync.model.remembered import RememberedWay
from wxsync.model.seen import ReadingWay

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
IDS, CONTACT, APP = ReadingWay.IDS, ReadingWay.CONTACT, ReadingWay.APP


@pytest.mark.parametrize(
    ("way", "had_app", "has_app", "hours", "tried"),
    [
        (IDS, False, False, 1, IDS),
        (IDS, False, False, 24, IDS),
        (IDS, False, False, 25, None),
        (IDS, True, True, 25, None),
        (IDS, False, True, 1, None),
        (IDS, False, False, -1, None),
        (CONTACT, False, False, 1000, CONTACT),
        (CONTACT, False, True, 1, None),
        (APP, True, True, 1000, APP),
        (APP, True, False, 1, None),
    ],
)
def test_the_way_is_kept_while_nothing_speaks_against_it(way, had_app, has_app, hours, tried):
    """An app that came or went, a day with nothing but ids, a clock that was set back: found anew."""
    known = RememberedWay(way=way, has_app=had_app, found_at=NOW - timedelta(hours=hours))
    assert way_to_try(known, has_app=has_app, now=NOW) is tried


def test_a_corp_that_was_never_read_is_tried():
    """Nothing is remembered: every way is open."""
    assert way_to_try(None, has_app=True, now=NOW) is None
