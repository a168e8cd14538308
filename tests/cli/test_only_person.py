"""`--only-person`: one person's changes out of the whole plan, and nothing half done."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.stage import Stage, emp_no, mobile


def writes(printed: Any) -> list[tuple[str, str, str]]:
    """Kind, verb and key of what a plan would write."""
    return [(c["kind"], c["verb"], c["key"]) for c in printed["changes"] if c["verb"] != "keep"]


def test_one_is_mended_and_the_others_wait(applied: Stage) -> None:
    """Of two changed titles and a leaver one title is written, by one call; the rest is planned as before."""
    applied.sql(
        "UPDATE employees SET title = '总监' WHERE emp_no IN ('E002', 'E003')",
        "UPDATE employees SET status = 'left' WHERE emp_no = 'E004'",
    )
    whole = applied.ok("plan", "--format", "json").json
    alone = applied.ok("plan", "--only-person", "E002", "--format", "json").json
    assert writes(alone) == [("member", "update", "E002")]
    assert alone["digest"] != whole["digest"]
    assert (alone["changes"][0]["n"], alone["forecast"]["calls"]) == (1, 1)
    assert [each["count"] for each in alone["limits"] if each["name"] == "member_remove"] == [0]

    assert applied.writes_by("apply", "--yes", "--only-person", "E002") == ["user/update"]
    assert applied.wecom.member("e002").position == "总监"
    assert applied.wecom.member("e003").position == "工程师"
    left = applied.ok("plan", "--format", "json").json
    assert writes(left) == [w for w in writes(whole) if w[2] != "E002"]
    assert writes(applied.ok("plan", "--only-person", "E002", "--format", "json").json) == []


def test_a_userid_will_do(applied: Stage) -> None:
    """In any case of letters; and the digest of that plan can be approved."""
    applied.sql("UPDATE employees SET status = 'left' WHERE emp_no = 'E004'")
    digest = applied.ok("plan", "--only-person", "e004", "--format", "json").json["digest"]
    run = applied.ok("apply", "--only-person", "E004", "--approve", digest, "--format", "json").json
    assert [outcome["state"] for outcome in run["outcomes"]] == ["done"]
    assert not applied.wecom.member("e004").enable


def test_somebody_whom_nobody_knows(applied: Stage) -> None:
    """An error that says so, without repeating what may be a phone number."""
    printed = applied.run("apply", "--yes", "--only-person", mobile(1))
    assert (printed.code, printed.out) == (1, "")
    printed.says("nor its mirror know anybody by this key or userid")
    assert applied.run("plan", "--only-person", "E999", "--format", "json").json["code"] == "error"


def test_a_number_that_somebody_else_has_to_release(applied: Stage) -> None:
    """The plan names the other change; apply refuses with 4, writes nothing and prints the run."""
    applied.sql(
        f"UPDATE employees SET mobile = '{mobile(500)}' WHERE emp_no = 'E002'",
        f"UPDATE employees SET mobile = '{mobile(2)}' WHERE emp_no = 'E003'",
    )
    planned = applied.ok("plan", "--only-person", "E003").says("Needed before: update member E002")
    assert "E003" in planned.out
    printed = applied.run("apply", "--yes", "--only-person", "E003", "--format", "json")
    assert (printed.code, printed.json["state"]) == (4, "refused")
    printed.says("need others first: update member E002", "wxsync apply acme")
    assert applied.wecom.member("e003").mobile == mobile(3)
    assert applied.writes_by("apply", "--yes", "--only-person", "E002") == ["user/update"]
    assert applied.writes_by("apply", "--yes", "--only-person", "E003") == ["user/update"]
    assert applied.wecom.member("e003").mobile == mobile(2)


def test_a_swap_is_the_business_of_two(applied: Stage) -> None:
    """Neither of them is cleared for a number that the other one keeps."""
    mailed = 'mobile = "mobile"\nemail = "(emp_no | lower) ~ \'@example.com\'"'
    applied.configure(('mobile = "mobile"', mailed))
    applied.ok("apply", "--yes")
    applied.sql(
        f"UPDATE employees SET mobile = '{mobile(3)}' WHERE emp_no = 'E002'",
        f"UPDATE employees SET mobile = '{mobile(2)}' WHERE emp_no = 'E003'",
    )
    assert applied.writes_by("apply", "--yes", "--only-person", "E002", code=4) == []
    applied.printed[-1][1].says("need others first: ", "update member E003")
    assert applied.wecom.member("e002").mobile == mobile(2)


def test_a_department_that_is_to_be_created(applied: Stage) -> None:
    """With all above it; nobody is put elsewhere meanwhile."""
    applied.sql(
        "INSERT INTO departments VALUES ('D8', NULL, '新部'), ('D9', 'D8', '新组')",
        "UPDATE employees SET dept_code = 'D9' WHERE emp_no = 'E002'",
    )
    assert applied.writes_by("apply", "--yes", "--only-person", "E002", code=4) == []
    applied.printed[-1][1].says("create department D8; create department D9")
    assert applied.writes_by("apply", "--yes", "--only-person", "E003") == []


def test_a_direct_leader_who_is_to_be_created(applied: Stage) -> None:
    """The person is not created without one: that would be half of it."""
    applied.configure(('position = "title"', 'position = "title"\ndirect_leader = "title"'))
    applied.hire(21, 22)
    applied.sql(
        "UPDATE employees SET title = NULL",
        "UPDATE employees SET title = 'E021' WHERE emp_no = 'E022'",
    )
    assert applied.writes_by("apply", "--yes", "--only-person", "E022", code=4) == []
    applied.printed[-1][1].says("create member E021")
    assert applied.writes_by("apply", "--yes", "--only-person", "E021") == ["user/create"]
    assert applied.writes_by("apply", "--yes", "--only-person", "E022") == ["user/create"]
    assert applied.wecom.member("e022").direct_leader == ("e021",)


def test_it_ends_no_first_load(stage: Stage) -> None:
    """After a repair the sync has still not been applied; a whole run ends its first load."""
    stage.sql("UPDATE employees SET dept_code = NULL WHERE emp_no = 'E001'")
    assert stage.writes_by("apply", "--yes", "--only-person", "E001") == ["user/create"]
    [run] = stage.ok("runs", "--format", "json").json
    assert (run["verb"], run["state"]) == ("repair", "applied")
    stage.hire(13, 60)
    limits = {each["name"]: each["allowed"] for each in stage.ok("plan", "--format", "json").json["limits"]}
    assert limits["member_create"] is None
    stage.ok("apply", "--yes")
    limits = {each["name"]: each["allowed"] for each in stage.ok("plan", "--format", "json").json["limits"]}
    assert limits["member_create"] == 20


@pytest.mark.parametrize("how", ["--yes", "--approve"])
def test_it_moves_no_baseline(applied: Stage, how: str) -> None:
    """Neither applied nor approved: against how many rows a shrinking source is judged stays."""
    applied.hire(13, 20)
    applied.sql("UPDATE employees SET title = '总监' WHERE emp_no = 'E002'")
    digest = applied.ok("plan", "--only-person", "E002", "--format", "json").json["digest"]
    applied.ok("apply", "--only-person", "E002", how, *([digest] if how == "--approve" else []))
    applied.sql("DELETE FROM employees WHERE emp_no > 'E012'")
    shrinks = {
        each["detail"]: each["count"]
        for each in applied.ok("plan", "--format", "json").json["limits"]
        if each["name"] == "source_shrink"
    }
    assert shrinks["hr.members"] == 0


def test_limits_hold_for_what_is_left(applied: Stage) -> None:
    """Eleven leavers are over the limit; one of them alone is not."""
    applied.sql("UPDATE employees SET status = 'left' WHERE emp_no > 'E001'")
    assert applied.writes_by("apply", "--yes", code=4) == []
    assert applied.writes_by("apply", "--yes", "--only-person", "E005") == ["user/update"]
    assert {emp_no(5).lower()} == set(applied.wecom.members) - applied.active_userids


def test_only_this_person_is_rejected_or_kept(applied: Stage) -> None:
    """What cannot be used of others is another matter: exit 0 for one, 5 for the rejected one."""
    applied.sql("UPDATE employees SET mobile = 'none' WHERE emp_no = 'E002'")
    assert applied.run("apply", "--yes", "--only-person", "E003").code == 0
    assert applied.run("apply", "--yes", "--only-person", "E002").code == 5


def test_their_tags_wait(applied: Stage) -> None:
    """A tag is a list of many people: the next whole run puts this one into it."""
    applied.hire(13, 13)
    assert applied.writes_by("apply", "--yes", "--only-person", "E013") == ["user/create"]
    assert "tag/addtagusers" in applied.writes_by("apply", "--yes")
