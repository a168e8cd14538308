"""`wxsync approve` and `wxsync reject`: somebody's word on a plan, and what each of them prints."""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Callable

import pytest

from tests.cli.stage import SECRET, Printed, Stage, mobile
from wxsync.cli import main

OPERATOR = pwd.getpwuid(os.getuid()).pw_name

Typed = Callable[..., Printed]


@pytest.fixture
def typed(applied: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """`wxsync …` in this very process, which is sooner there."""
    monkeypatch.setenv("STAGE_SECRET", SECRET)
    monkeypatch.chdir(applied.home)
    monkeypatch.setattr("sys.stdin", None)

    def run(*arguments: str, code: int = 0) -> Printed:
        capsys.readouterr()
        ended = main.run(list(arguments))
        out, err = capsys.readouterr()
        printed = applied.keep(arguments, Printed(ended, out, err, 0))
        assert ended == code, f"{err}\n--- stdout:\n{out}"
        return printed

    return run


def leave(stage: Stage, *people: int) -> None:
    names = ", ".join(f"'E{number:03}'" for number in people)
    stage.sql(f"UPDATE employees SET status = 'left' WHERE emp_no IN ({names})")


def test_a_plan_is_approved_by_its_digest_alone(
    applied: Stage, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of whatever sync it is; once, and whoever did it is on record, whatever name the environment says."""
    monkeypatch.setenv("LOGNAME", "somebody-else")
    leave(applied, *range(2, 8))
    plan = typed("plan", "--format", "json").json
    assert {each["name"] for each in plan["limits"] if each["exceeded"]} == {"member_remove"}
    assert plan["causes"] == [
        "6 removals: source.hr.url changed since the last run",  # the company was copied to another place
        "6 removals: the source itself calls 6 of them inactive or past their last day",
    ]
    run = typed("approve", plan["digest"], "--format", "json").json
    assert (run["state"], len(run["outcomes"])) == ("applied", 6)
    assert len(applied.active_userids) == 6
    record = typed("runs", str(run["id"]), "--format", "json").json
    assert record["approved_by"] == OPERATOR

    again = typed("approve", plan["digest"], code=4)
    again.says(
        "was approved by", f"carried out by run {run['id']}", "an approval holds once", "wxsync plan acme"
    )
    assert "The approval holds no more" in again.out


def test_a_stale_approval_says_what_differs(applied: Stage, typed: Typed) -> None:
    """By record and field, masked; as JSON too, where the run is printed at exit code 4."""
    leave(applied, *range(2, 8))
    applied.sql(f"UPDATE employees SET mobile = '{mobile(800)}', title = '经理' WHERE emp_no = 'E009'")
    digest = typed("plan", "--format", "json").json["digest"]
    applied.sql(f"UPDATE employees SET mobile = '{mobile(801)}', title = '总监' WHERE emp_no = 'E009'")
    leave(applied, 8)
    told = [
        "member E009: mobile was to become 138****0800, and is to become 138****0801",
        "member E009: position was to become 经理, and is to become 总监",
        "member E008: disable was not planned",
    ]
    printed = typed("approve", digest, code=4)
    printed.says("Refused: the plan is not the one that was approved", digest)
    assert "By now it is another plan than the one that was approved:" in printed.out
    assert all(f"      {line}\n" in printed.out for line in told)
    run = typed("apply", "--approve", digest, "--format", "json", code=4).json
    assert (run["state"], run["differences"]) == ("refused", told)
    page = typed("apply", "--approve", digest, "--format", "html", "--language", "zh", code=4).out
    assert "成员 E009：手机号原计划改为 138****0800，现为 138****0801" in page


def test_a_digest_that_nobody_planned(applied: Stage, typed: Typed) -> None:
    """4 for a yes, with what to do; 1 for a no."""
    unknown = "sha256:" + "0" * 64
    typed("approve", unknown, code=4).says("the mirror has no plan", "wxsync plan")
    typed("reject", unknown, code=1).says("the mirror has no plan")
    assert applied.writes_by("approve", unknown, code=4) == []


def test_a_rejected_plan(applied: Stage, typed: Typed) -> None:
    """It is not carried out though it is within its limits; the plan says so, and how it may be."""
    leave(applied, 2)
    digest = typed("plan", "--format", "json").json["digest"]
    assert f"Rejected: plan {digest} of sync acme" in typed("reject", digest).out
    plan = typed("plan")
    assert "!! This plan waits for approval" in plan.out
    assert re.search(rf"{re.escape(OPERATOR)} said no to this plan on \d{{4}}-\d\d-\d\d", plan.out)
    assert f"    wxsync apply acme --approve {digest}\n" in plan.out
    refused = typed("apply", "--yes", "--format", "json", code=4)
    assert refused.json["state"] == "refused"
    assert len(refused.json["plan"]["waits"]) == 1
    assert len(applied.active_userids) == 12
    typed("approve", digest)
    assert len(applied.active_userids) == 11


def test_a_part_of_a_plan(applied: Stage, typed: Typed) -> None:
    """`--only` takes parts by name; the rest waits for a yes of its own."""
    leave(applied, *range(2, 8))
    applied.hire(20, 21)
    digest = typed("plan", "--format", "json").json["digest"]
    nothing = typed("approve", digest, "--only", "department:delete", code=4)
    document = typed("approve", "sha256:nope", "--format", "json", code=4).json
    assert (document["format"], document["code"]) == ("wxsync-error/1", "stale_plan")
    nothing.says("the plan has no department:delete", "it has: member:create (2), member:disable (6)")
    run = typed(
        "approve", digest, "--only", "member:create", "--only", "department:create", "--format", "json"
    ).json
    assert {(each["kind"], each["verb"]) for each in run["plan"]["changes"]} == {("member", "create")}
    assert len(applied.active_userids) == 14
    rest = typed("plan", "--format", "json").json
    assert rest["waits"] == [f"a part of plan {digest} was approved: the rest waits for its own"]
    typed("approve", rest["digest"])
    assert len(applied.active_userids) == 8

    leave(applied, 8)
    applied.hire(22, 22)
    digest = typed("plan", "--format", "json").json["digest"]
    told = typed("approve", digest, "--only", "member:create").out
    assert "2 more changes of that plan wait for an approval of their own." in told
    assert "All done" not in told


def test_parts_go_with_an_approval(typed: Typed) -> None:
    """Wrong usage without, for a person, or of a name that is no part."""
    assert "give --approve too" in typed("apply", "--only", "member:create", code=2).err
    assert (
        "give --approve too"
        in typed(
            "apply", "--only", "member:create", "--approve", "sha256:0", "--only-person", "E001", code=2
        ).err
    )
    assert "'member:keep' is not one of" in typed("approve", "sha256:0", "--only", "member:keep", code=2).err


def test_a_window_that_is_exceeded(applied: Stage, typed: Typed) -> None:
    """In text, JSON and Chinese HTML; a window of which less than half is used up is in the JSON alone."""
    applied.configure(add="\n[sync.acme.limits]\nmember_remove = 2\n")
    for first in (2, 4):
        leave(applied, first, first + 1)
        typed("apply", "--yes")
    leave(applied, 6)
    applied.sql("UPDATE employees SET title = '经理' WHERE emp_no = 'E001'")
    refused = typed("apply", "--yes", code=4)
    refused.says("member_remove within 24h: 5, allowed 4")
    assert "members disabled or deleted, within 24 hours: 5, allowed 4" in refused.out
    assert "members updated · within" not in refused.out
    plan = typed("plan", "--format", "json").json
    windows = {(each["name"], each.get("window")): each for each in plan["limits"]}
    assert windows["member_remove", "24h"]["exceeded"]
    assert windows["member_remove", "7d"] == {
        "name": "member_remove", "count": 5, "allowed": 8, "exceeded": False, "window": "7d",
    }  # fmt: skip
    assert windows["member_update", "24h"]["count"] == 1
    assert "window" not in windows["member_remove", None]
    page = typed("plan", "--format", "html", "--language", "zh").out
    assert "24 小时内" in page
