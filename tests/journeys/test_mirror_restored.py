"""Much happens between a backup and its return: nothing of it hides, nobody is lost, nobody mistaken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.journeys.safekeeping import (
    apply_approved,
    keep,
    people_of,
    put_back,
    restored,
    settle_approved,
    verbs,
)
from tests.journeys.stage import failures
from tests.journeys.story import Story, mobile
from wxsync.mirror import links, schema
from wxsync.mirror.store import Store
from wxsync.model.change import Reason, Verb
from wxsync.model.remembered import Remembered
from wxsync.sandbox.state import SandboxState


def office(folder: Path, people: int = 8, *, shows_all: bool = False, **settings: Any) -> Story:
    story = Story(folder, **settings)
    if shows_all:
        story.stage.state = SandboxState(job_seconds=0.02, legacy_ip=True)
    for employee in story.people(people):
        employee.title = "工程师"
    story.settle()
    story.stage.later(days=1)
    return story


def remembered(story: Story) -> Remembered:
    store = Store(schema.prepare(story.stage.settings.mirror.full_url))
    with store.reading() as connection:
        found = links.load(connection, "acme", "acme")
    store.close()
    return found


def test_a_drift_in_between_cannot_hide(tmp_path: Path) -> None:
    """WeCom shows ids alone: what a hand changed, and what wxsync wrote since, is written once more."""
    story = office(tmp_path)
    backup = keep(story)
    story.hr.employees["E2"].title = "架构师"
    story.settle()
    story.hr.employees["E2"].title = "工程师"
    story.member("E1").position = "手写"
    story.member("E3").mobile = mobile(999)
    story.save()
    assert story.plan() != [], "the source's own change"

    put_back(story, backup)
    run = settle_approved(story)
    assert set(verbs(run)) == {f"E{number}" for number in range(1, 9)}
    assert {member.position for member in story.wecom.members.values()} == {"工程师"}
    story.check()


def test_had_it_been_believed_the_drift_would_hide(tmp_path: Path) -> None:
    """The same backup taken for the mirror without the word: the plan is empty, and WeCom is wrong."""
    story = office(tmp_path)
    story.member("E1").position = "手写"
    assert story.plan() == []


def test_what_changed_in_the_company_since(tmp_path: Path) -> None:
    """Joined, left, renamed, moved, deleted and disabled by hand: each comes to its own end."""
    story = office(tmp_path, people=12, policy={"adopt": ["userid"]})
    story.tag("标签", "E1", "E2", "E3")
    story.settle()
    backup = keep(story)
    story.person("E20", title="工程师")
    story.goes("E4")
    story.department("D3", "第三科", "D2")
    story.hr.departments["D1"].name = "新研发部"
    story.hr.employees["E5"].dept_code = "D3"
    story.hr.employees["E6"].dept_code = "D3"
    story.settle()
    story.stage.later(days=1)
    story.wecom.remove_member("e7")
    story.member("E8").enable = 0
    before = people_of(story)

    told = put_back(story, backup)
    assert (told.members, told.departments, told.tags, told.disabled) == (12, 2, 1, ())
    plan = story.stage.plan().plan
    by_key = {str(change.key): change for change in plan.changes if change.kind.value == "member"}
    assert by_key["E20"].reason is Reason.UNADOPTED
    assert by_key["E4"].verb is Verb.DISABLE, "the source says so now, too"
    assert by_key["E7"].reason is Reason.FOREIGN, "deleted by hand: reported"
    removing = [change.key for change in plan.writes if change.verb in (Verb.DELETE, Verb.DISABLE)]
    assert removing == ["E4"]
    assert [change.verb for change in plan.writes if change.key == "D3"] == [Verb.CREATE]

    # WeCom shows no names: which department D3 is, only the operator can say.
    there = {"D3": story.unit("第三科").id}
    story.configure(policy={"adopt": ["userid"], "adopt_departments": there})
    adopting = apply_approved(story, weak_too=True)
    assert failures(adopting) == []
    assert verbs(adopting)["E20"] is Verb.ADOPT
    assert failures(settle_approved(story)) == []
    assert people_of(story) == before
    assert story.member("E8").enable == 0, "nobody is enabled whom a hand disabled"
    assert story.names() == {"新研发部", "第三科", "市场部"}
    assert {story.member(key).department for key in ("E5", "E6")} == {(there["D3"],)}


def test_nobody_is_enabled_by_what_was_remembered(tmp_path: Path) -> None:
    """wxsync disabled E1, later enabled E1; then a hand disabled E1. The backup knows the first of it."""
    story = office(tmp_path)
    story.hr.employees["E1"].status = "left"
    story.settle()
    backup = keep(story)
    story.hr.employees["E1"].status = "active"
    story.settle()
    story.member("E1").enable = 0

    told = put_back(story, backup)
    assert told.disabled == ("E1",)
    run = settle_approved(story)
    assert verbs(run)["E1"] is Verb.UPDATE
    assert story.member("E1").enable == 0


def test_nobody_is_deleted_by_days_that_were_not_counted(tmp_path: Path) -> None:
    """Gone for long by the backup, back since, and gone again yesterday: the thirty days begin anew."""
    story = office(tmp_path, shows_all=True, policy={"leavers": "disable", "delete_after_days": 30})
    story.goes("E1")
    story.settle()
    story.stage.later(days=20)
    backup = keep(story)
    row = story.person("E1", title="工程师")
    story.settle()
    story.stage.later(days=300)
    del story.hr.employees[row.emp_no]
    story.settle()
    story.stage.later(days=1)

    put_back(story, backup)
    settle_approved(story)
    assert "e1" in story.wecom.members
    story.stage.later(days=29)
    assert Verb.DELETE not in verbs(story.apply()).values()
    story.stage.later(days=2)
    assert verbs(story.apply()) == {"E1": Verb.DELETE}


def test_numbers_that_changed_hands_since(tmp_path: Path) -> None:
    """Some were exchanged since, others are to be now: nobody is in anybody's way."""
    story = office(tmp_path)
    backup = keep(story)
    story.swap("mobile", "E1", "E2", "E3")
    story.settle()
    story.swap("mobile", "E5", "E6")
    story.swap("email", "E6", "E7", "E8")

    put_back(story, backup)
    settle_approved(story)
    story.check()


def test_who_was_put_into_a_tag_by_a_hand_stays_in_it(tmp_path: Path) -> None:
    """wxsync put E1 in, took E1 out; a hand put E1 in again. The backup says that wxsync did."""
    story = office(tmp_path)
    story.tag("标签", "E1", "E2")
    story.settle()
    backup = keep(story)
    story.hr.tags.discard(("标签", "E1"))
    story.settle()
    [tag] = story.wecom.tags.values()
    tag.users["e1"] = None
    story.wecom.members["e1"].tags.add(tag.id)

    put_back(story, backup)
    settle_approved(story)
    assert story.tagged("标签") == {"e1", "e2"}


def test_a_stranger_with_the_userid_of_one_who_was_deleted_since(tmp_path: Path) -> None:
    """Where WeCom shows who it is, nobody is taken for somebody else, and nobody of theirs is touched."""
    story = office(tmp_path, shows_all=True, policy={"leavers": "delete"})
    backup = keep(story)
    story.goes("E1")
    story.wecom.remove_member("e1")
    story.wecom.add_member("e1", "陌生人", mobile=mobile(777))

    put_back(story, backup)
    for _ in range(2):
        run = apply_approved(story)
        assert "E1" not in verbs(run)
    stranger = story.wecom.members["e1"]
    assert (stranger.name, stranger.mobile, stranger.enable) == ("陌生人", mobile(777), 1)


def test_a_department_with_the_id_of_one_that_was_deleted_since(tmp_path: Path) -> None:
    """Where WeCom shows names, a department that a hand made is not taken for ours, nor deleted as ours."""
    story = office(tmp_path, shows_all=True)
    story.department("D9", "旧科")
    story.settle()
    backup = keep(story)
    del story.hr.departments["D9"]
    id = story.unit("旧科").id
    story.settle()
    by_hand = story.wecom.add_department("手工科", id=id)
    assert by_hand.id == id

    put_back(story, backup)
    settle_approved(story)
    assert story.wecom.departments[id].name == "手工科"


@pytest.mark.soak
def test_what_was_restored_twice_is_the_same(tmp_path: Path) -> None:
    """Said again, or of a mirror that is no backup, it does no harm: values are unknown, and written."""
    story = office(tmp_path)
    restored(story)
    first = remembered(story)
    restored(story)
    second = remembered(story)
    assert (first.members, first.departments) == (second.members, second.departments)
    assert set(first.members["E1"].doubts) >= {"name", "mobile", "email", "position"}
    settle_approved(story)
    story.check()
