"""`wxsync baseline` on the command line."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.cli.stage import Stage, mobile


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


@pytest.mark.parametrize(
    ("options", "remembered", "field_counts"),
    [
        (("--fields", "mobile"), 12, {"mobile": 12}),
        (("--person", "E001"), 1, {"mobile": 1, "name": 1, "position": 1}),
        (("--person", "E001", "--fields", "name,mobile"), 1, {"mobile": 1, "name": 1}),
    ],
)
def test_no_more_than_was_said_is_taken_for_known(
    stage: Stage, options: tuple[str, ...], remembered: int, field_counts: dict[str, int]
) -> None:
    """Some fields, or one person: everybody else's stay unknown, and are written."""
    adopt_everybody(stage)

    printed = stage.ok("baseline", *options)

    assert f"remembered for {remembered} members, 0 department names" in printed.out
    told = dict(re.findall(r"^  (name|mobile|position): (\d+)$", printed.out, re.MULTILINE))
    assert {name: int(count) for name, count in told.items()} == field_counts
    after = stage.ok("plan", "--format", "json").json
    still_unknown = Counter(
        name
        for change in after["changes"]
        for name, values in change["fields"].items()
        if values["before"] == {"unknown": True} and name in ("name", "mobile", "position")
    )
    assert still_unknown == {
        name: 12 - field_counts.get(name, 0)
        for name in ("name", "mobile", "position")
        if field_counts.get(name, 0) < 12
    }


def test_somebody_whose_row_is_rejected(applied: Stage) -> None:
    """Nothing could be remembered, and that is said."""
    applied.sql("UPDATE employees SET mobile = 'none' WHERE emp_no = 'E001'")
    printed = applied.run("baseline", "--person", "E001")
    assert printed.code == 1
    printed.says("E001", "rejected")


def adopt_everybody(stage: Stage) -> None:
    """The people of the source are in WeCom already, made by a hand."""
    for number in range(1, 13):
        stage.wecom.add_member(f"e{number:03}", f"林{number}", mobile=mobile(number))
    stage.configure(("adopt = []", 'adopt = ["userid"]'))
    digest = stage.ok("plan", "--adopt", "--format", "json").json["digest"]
    stage.ok("apply", "--approve", digest)
