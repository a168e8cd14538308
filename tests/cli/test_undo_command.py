"""`wxsync undo`: shows how a run can be taken back, and with --apply takes it back."""

from __future__ import annotations

import re

from tests.cli.stage import Stage, mobile


def changed(stage: Stage) -> int:
    """A run that changes a title and a number and disables somebody; gives its number."""
    stage.sql(
        "UPDATE employees SET title = '总监' WHERE emp_no = 'E002'",
        f"UPDATE employees SET mobile = '{mobile(502)}' WHERE emp_no = 'E003'",
        "UPDATE employees SET status = 'left' WHERE emp_no = 'E004'",
        "INSERT INTO employees VALUES ('E099', '林99', 'D1', '13900000099', '工程师', 'active')",
    )
    return int(stage.ok("apply", "--yes", "--format", "json").json["id"])


def test_a_run_is_shown_and_taken_back(applied: Stage) -> None:
    """Without --apply no write call; then the same plan, carried out; then the source's plan waits."""
    run = str(changed(applied))
    assert applied.writes_by("undo", run) == []
    shown = applied.printed[-1][1].out
    assert f"Undo of run {run}" in shown
    assert "Not undoable (2)" in shown
    assert "E099" in shown
    printed = applied.ok("undo", run, "--format", "json").json
    assert (printed["format"], printed["undoes"]) == ("wxsync-plan/1", int(run))
    assert [(each["verb"], each["key"]) for each in printed["changes"]] == [
        ("update", "E002"),
        ("update", "E003"),
        ("enable", "E004"),
    ]
    assert [(each["key"], each["reason"]) for each in printed["not_undoable"]] == [
        ("E003", "ignored"),
        ("E099", "stays"),
    ]
    assert applied.writes_by("undo", run, "--apply", "--yes") == ["user/update"] * 3
    assert applied.wecom.member("e002").position == "工程师"
    assert applied.wecom.member("e003").mobile == mobile(3)
    assert applied.wecom.member("e004").enable
    runs = applied.ok("runs", "--format", "json").json
    assert [each["verb"] for each in runs[:4]] == ["undo", "plan", "plan", "apply"]

    assert applied.writes_by("apply", "--yes", code=4) == []
    applied.printed[-1][1].says(f"run {run} was undone", "--approve sha256:")


def test_the_plan_tells_beforehand_what_does_not_come_back(applied: Stage) -> None:
    """In the text, the JSON and the HTML, in both languages."""
    applied.configure(('leavers = "disable"', 'leavers = "delete"'))
    applied.sql("DELETE FROM employees WHERE emp_no = 'E004'")
    shown = applied.ok("plan").out
    assert "Not undoable (1)" in shown
    assert "member E004" in shown.partition("Not undoable")[2]
    [loss] = applied.ok("plan", "--format", "json").json["not_undoable"]
    assert (loss["kind"], loss["key"], loss["reason"]) == ("member", "E004", "deleted")
    applied.ok("plan", "--format", "html", "--language", "zh", "--output", "plan.html")
    page = (applied.home / "plan.html").read_text("utf-8")
    assert "E004" in page.partition('id="not-undoable"')[2].partition("</section>")[0]


def test_it_refuses_without_a_yes_and_over_a_limit(applied: Stage) -> None:
    """Exit code 4, and the command to type is an undo; an approval by digest carries it out."""
    run = str(changed(applied))
    assert applied.writes_by("undo", run, "--apply", code=4) == []
    applied.printed[-1][1].says(f"wxsync undo {run} --apply --yes")
    applied.configure(add="\n[sync.acme.limits]\nmember_update = 0\n")
    assert applied.writes_by("undo", run, "--apply", "--yes", code=4) == []
    [command] = re.findall(r"Hint: .*(undo \d+ --apply --approve sha256:\w+)", applied.printed[-1][1].err)
    assert len(applied.writes_by(*command.split())) == 3


def test_what_cannot_be_undone_is_an_error(applied: Stage) -> None:
    """No such run, options without their use."""
    assert applied.run("undo", "1", "--yes").says("--apply").code == 2
    printed = applied.run("undo", "4711", "--format", "json")
    assert (printed.code, printed.json["message"]) == (1, "there is no run 4711")
