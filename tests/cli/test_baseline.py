"""`wxsync baseline` on the command line."""

from __future__ import annotations

from tests.cli.stage import Stage


def test_nothing_is_unknown_of_those_whom_wxsync_created(applied: Stage) -> None:
    """There is nothing to take anybody's word for, and nothing is written to WeCom."""
    assert applied.writes_by("baseline") == []
    assert "remembered for 0 members" in applied.ok("baseline").out


def test_a_field_that_is_none(applied: Stage) -> None:
    """Wrong usage, with what may be named."""
    printed = applied.run("baseline", "--fields", "mobil,name")
    assert printed.code == 2
    printed.says("mobil: name some of", "mobile", "extattr")


def test_somebody_who_is_not_ours(applied: Stage) -> None:
    """Says so, and where to look."""
    printed = applied.run("baseline", "--person", "E999")
    assert printed.code == 1
    printed.says("E999 is not a member of ours", "wxsync plan")
