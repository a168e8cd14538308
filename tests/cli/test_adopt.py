"""`wxsync plan --adopt` and `wxsync apply --approve`: yes to one plan, and to no other."""

from __future__ import annotations

from tests.cli.stage import Stage, mobile

ADOPT = ("adopt = []", 'adopt = ["userid"]')


def strangers(stage: Stage, count: int) -> None:
    """People whom HR has too, made by hand; nothing but their userids can be read."""
    for number in range(1, count + 1):
        stage.wecom.add_member(f"E{number:03}", f"林{number}", mobile=mobile(number))


def test_weak_evidence_wants_a_yes_to_the_very_plan(stage: Stage) -> None:
    """`plan` keeps them, `plan --adopt` shows them, `apply --approve` of that digest makes them ours; no
    call is made for them, and by itself `apply` adopts nobody."""
    stage.configure(ADOPT)
    strangers(stage, 2)

    kept = [
        change for change in stage.ok("plan", "--format", "json").json["changes"] if change["verb"] == "keep"
    ]
    assert {(change["key"], change["reason"]) for change in kept} == {
        ("E001", "unadopted"),
        ("E002", "unadopted"),
    }
    shown = stage.ok("plan", "--adopt", "--format", "json").json
    assert shown["summary"]["member"]["adopt"] == 2
    calls = stage.writes_by("apply", "--approve", shown["digest"])
    assert calls.count("user/create") == 10
    assert "user/update" not in calls
    assert "12 members" in stage.ok("status").out


def test_a_yes_to_another_plan_is_refused(stage: Stage) -> None:
    """Somebody came to HR meanwhile: the plan is another one, and nothing is written."""
    stage.configure(ADOPT)
    strangers(stage, 2)
    digest = stage.ok("plan", "--adopt", "--format", "json").json["digest"]
    stage.hire(13, 13)

    assert stage.writes_by("apply", "--approve", digest, code=4) == []
    assert {change["verb"] for change in stage.ok("plan", "--format", "json").json["changes"]} == {
        "create",
        "keep",
    }
