"""`wxsync audit`: who changed what, and whether that is what was written, by the real command line."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from tests.cli.stage import Stage, emp_no, mobile


def spoil(stage: Stage, statement: str) -> None:
    with closing(sqlite3.connect(stage.mirror_file)) as mirror, mirror:
        mirror.execute(statement)


def test_who_changed_somebody_and_why(applied: Stage) -> None:
    """By key and by userid, newest first, masked as reports are; all of it as JSON."""
    who = emp_no(3)
    applied.sql(f"UPDATE employees SET title = '经理', mobile = '{mobile(77)}' WHERE emp_no = '{who}'")
    applied.ok("apply", "--yes")
    told = applied.ok("audit", "show", "--person", who, "--language", "en").out
    assert told.index("member update") < told.index("member create")
    assert "经理" in told
    assert "mobile, position differs from the source" in told
    assert "run 2, by hand, from hr" in told
    assert mobile(77) not in told
    assert mobile(77)[:3] + "****" in told
    assert mobile(77) in applied.ok("audit", "show", "--person", who, "--show-personal").out
    assert applied.ok("audit", "show", "--person", who.upper(), "--language", "en").out == told
    document = applied.ok("audit", "show", "--person", who, "--run", "2", "--format", "json").json
    [corp] = document["corps"]
    [line] = corp["lines"]
    assert document["format"] == "wxsync-audit/1"
    assert (corp["corp"], line["is"], line["verb"], line["key"], line["state"]) == (
        "acme",
        "write",
        "update",
        who,
        "done",
    )
    assert line["fields"]["mobile"]["after"] == mobile(77)
    assert corp["runs"]["2"]["sources"] == ["hr"]
    assert "成员" in applied.ok("audit", "show", "--person", who, "--language", "zh").out


def test_nothing_about_somebody_is_an_error(applied: Stage) -> None:
    """It is told how to look, and where old lines go."""
    printed = applied.run("audit", "show", "--person", "nobody")
    assert printed.code == 1
    printed.says("the audit trail has nothing about nobody", "service.audit_days")


def test_a_trail_that_is_whole_and_one_that_is_not(applied: Stage) -> None:
    """Exit code 0 with the head, which is found again later; 1 with the first bad line."""
    document = applied.ok("audit", "verify", "--format", "json").json
    [corp] = document["corps"]
    assert (corp["is_whole"], corp["flaw"], corp["first"]) == (True, None, 1)
    head = corp["head_hash"]
    assert head in applied.ok("audit", "verify").out
    applied.hire(13, 13)
    applied.ok("apply", "--yes")
    assert applied.ok("audit", "verify", "--head", head, "--format", "json").json["corps"][0][
        "has_given_head"
    ]
    assert applied.run("audit", "verify", "--head", "0" * 64).code == 1
    spoil(applied, "UPDATE audit_lines SET document = replace(document, 'done', 'fail') WHERE seq = 3")
    printed = applied.run("audit", "verify", "--language", "en")
    assert printed.code == 1
    assert "acme: broken at line 3" in printed.out
    assert "its hash does not fit" in printed.out
    assert applied.run("audit", "verify", "--format", "json").json["corps"][0]["flaw"]["seq"] == 3


def test_before_anything_was_written_there_is_no_trail(stage: Stage) -> None:
    """Which is no fault."""
    stage.ok("plan")
    assert "There is no audit trail yet" in stage.ok("audit", "verify", "--language", "en").out
    assert "No line" in stage.ok("audit", "show", "--language", "en").out
