"""The exit codes of plan and apply (contract §3), each with what it says and what it leaves undone."""

from __future__ import annotations

import re

from tests.cli.stage import Stage, emp_no, mobile

SECOND_SYNC = """
[sync.other]
corp = "acme"
sources = ["hr"]
root_department = 2
mode = "plan"

[sync.other.department]
key = "code"
parent = "parent_code"
name = "name"

[sync.other.member]
key = "emp_no"
userid = "emp_no | lower"
name = "full_name"
mobile = "mobile"

[sync.other.policy]
leavers = "keep"
empty_departments = "keep"
adopt = []
"""


def digest_in(text: str) -> str:
    found = re.search(r"sha256:[0-9a-f]{64}", text)
    assert found
    return found[0]


def test_plan_is_0_or_3_if_asked(stage: Stage) -> None:
    """A plan is no failure, whatever is in it; with --exit-code changes are 3. It never writes."""
    assert stage.writes_by("plan", code=0) == []
    assert stage.writes_by("plan", "--exit-code", code=3) == []
    assert stage.writes_by("plan", "--exit-code", "--format", "json", code=3) == []
    assert stage.printed[-1][1].json["format"] == "wxsync-plan/1"


def test_keeps_and_rejects_alone_are_no_change(applied: Stage) -> None:
    """Who is rejected is listed; there is nothing to do about it in WeCom, so 0."""
    applied.sql("UPDATE employees SET mobile = 'none' WHERE emp_no = 'E003'")
    assert applied.run("plan", "--exit-code").code == 0
    assert "member E003, mobile: " in applied.printed[-1][1].out


def test_apply_wants_a_yes(stage: Stage) -> None:
    """Without a terminal and without --yes: the plan is printed, nothing is written, 4."""
    assert stage.writes_by("apply", code=4) == []
    printed = stage.printed[-1][1]
    assert "create (12)" in printed.out
    printed.says("Refused: nothing was written", "needs --yes", "Hint:", "wxsync apply acme --yes")
    assert len(stage.writes_by("apply", "--yes")) == 17
    assert stage.writes_by("apply") == []  # nothing to do: nothing to ask


def test_over_a_limit(applied: Stage) -> None:
    """4, the plan with its limit and digest, nothing written; that digest carries out this plan alone."""
    applied.sql("UPDATE employees SET status = 'left' WHERE emp_no BETWEEN 'E002' AND 'E007'")
    assert applied.writes_by("apply", "--yes", code=4) == []
    printed = applied.printed[-1][1]
    assert "disable (6)" in printed.out
    printed.says("Refused: the plan is over a limit", "member_remove: 6, allowed 5", "--approve sha256:")
    digest = digest_in(printed.err)

    applied.sql("UPDATE employees SET status = 'left' WHERE emp_no = 'E008'")
    assert applied.writes_by("apply", "--approve", digest, code=4) == []
    applied.printed[-1][1].says("Refused: the plan is not the one that was approved", digest, "as it is now")

    applied.sql("UPDATE employees SET status = 'active' WHERE emp_no = 'E008'")
    assert len(applied.writes_by("apply", "--approve", digest)) == 6
    assert len(applied.active_userids) == 6


def test_a_stale_approval_refuses_a_small_plan_too(applied: Stage) -> None:
    """Who names a digest means that plan and no other, limits or not."""
    applied.sql("UPDATE employees SET title = '经理' WHERE emp_no = 'E001'")
    assert applied.writes_by("apply", "--approve", "sha256:" + "0" * 64, code=4) == []
    assert applied.writes_by("apply", "--approve", "sha256:" + "0" * 64, "--yes", code=4) == []


def test_rejected_rows_are_5(stage: Stage) -> None:
    """The others are done; who is rejected is named with key, field and rule. Also where nothing is to do."""
    stage.sql("UPDATE employees SET mobile = '12345' WHERE emp_no = 'E004'")
    assert len(stage.writes_by("apply", "--yes", code=5)) == 16
    assert "member E004, mobile: " in stage.printed[-1][1].out
    assert len(stage.wecom.members) == 11
    assert stage.writes_by("apply", "--yes", code=5) == []


def test_a_record_that_wecom_refuses_is_5(stage: Stage) -> None:
    """One failed outcome with errcode and hint in words; the others are done."""
    stage.wecom.add_member("boss", "陈明", mobile=mobile(5))
    assert len(stage.writes_by("apply", "--yes", code=5)) == 17
    out = stage.printed[-1][1].out
    assert "failed (1)" in out
    assert f"+ {emp_no(5)} 林5, create — errcode 60104: the member boss has this phone number" in out
    assert "done 15, failed 1" in out
    assert set(stage.active_userids) == {"boss"} | {emp_no(n).lower() for n in range(1, 13) if n != 5}
    again = stage.run("apply", "--yes", "--format", "json")
    assert again.code == 5
    outcomes = again.json["outcomes"]
    assert [(outcome["state"], outcome["errcode"]) for outcome in outcomes] == [("failed", 60104)]
    assert "phone number" in outcomes[0]["hint"]
    stage.wecom.remove_member("boss")
    stage.ok("apply", "--yes")


def test_wrong_usage_is_2(stage: Stage) -> None:
    """Usage and the nearest right word go to stderr."""
    for arguments, words in (
        (("pln",), "No such command 'pln'. Did you mean plan?"),
        (("plan", "--fromat", "json"), "No such option '--fromat'. Did you mean '--format'?"),
        (("plan", "--format", "xml"), "'xml' is not one of 'text', 'json'"),
        (("plan", "acme", "acme"), "unexpected extra argument"),
        (("plan", "nobody"), "There is no sync 'nobody' in the config; it has: acme."),
        (("runs", "x"), "'x' is not a valid integer"),
    ):
        printed = stage.run(*arguments)
        assert (printed.code, printed.out) == (2, "")
        printed.says("Usage: wxsync", words)
    assert stage.wecom.log == []


def test_which_sync(stage: Stage) -> None:
    """SYNC may be left out where there is one; where there are several it is asked for, with their names."""
    stage.configure(add=SECOND_SYNC)
    for command in ("plan", "apply"):
        printed = stage.run(command)
        assert (printed.code, printed.out) == (2, "")
        printed.says("Which sync? The config has several: acme, other.")
    assert "Plan  acme " in stage.ok("plan", "acme").out
    checked = stage.ok("check").out
    assert "sync acme: WeCom answers" in checked
    assert "sync other: WeCom answers" in checked
