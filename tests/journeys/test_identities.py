"""Nobody is taken for somebody else because of a userid, a department's id or a tag's that is used anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journeys.existing import WAYS, Way
from tests.journeys.stage import described, failures
from tests.journeys.story import Story, email, mobile
from wxsync.model.change import Kind, Reason, Rejected, Verb
from wxsync.model.seen import ReadingWay

in_every_way = pytest.mark.parametrize("way", WAYS, ids=[way.name for way in WAYS])
IDS, APP, _, CONTACT = WAYS


def office(folder: Path, way: Way, people: int = 3, **settings: object) -> Story:
    """A few people whom wxsync created."""
    story = way.story(folder, **settings)
    story.people(people)
    story.settle()
    story.stage.later(days=1)
    return story


def somebody_else(story: Story, userid: str) -> None:
    """A hand makes another person under the userid of one who is deleted, and that one activates."""
    story.wecom.add_member(userid, "别人", mobile="13900000009", email="other@example.com", is_activated=True)


def writes(story: Story) -> list[str]:
    story.save()
    return described(story.stage.plan().plan.writes)


@in_every_way
def test_who_was_made_again_by_a_hand_is_not_ours(tmp_path: Path, way: Way) -> None:
    """A run saw them missing: whoever has the userid later is changed, disabled and deleted by nobody."""
    story = office(tmp_path, way, policy={"leavers": "delete"})
    story.wecom.remove_member("e1")
    assert story.plan() == ["keep member E1  [foreign]"]
    story.apply()
    somebody_else(story, "e1")
    story.hr.employees["E1"].title = "经理"
    assert writes(story) == []
    story.goes("E1")
    assert writes(story) == []
    story.apply()
    member = story.wecom.member("e1")
    assert (member.name, member.enable, member.mobile) == ("别人", 1, "13900000009")


@in_every_way
def test_who_was_made_again_and_is_the_same_is_adopted(tmp_path: Path, way: Way) -> None:
    """On proof by itself where WeCom shows it, by approval where it shows ids alone."""
    story = office(tmp_path, way)
    story.configure(policy={"adopt": ["userid"]}, app=way.app)
    story.wecom.remove_member("e1")
    story.apply()
    story.wecom.add_member("e1", "员工1", department=[story.unit("研发部").id], mobile=mobile(1))
    if way.shows_names:
        assert [change.verb for change in story.apply().plan.writes] == [Verb.ADOPT]
    else:
        (kept,) = story.stage.plan().plan.changes
        assert kept.reason is Reason.UNADOPTED
        story.stage.apply(approved=story.stage.plan(weak_too=True).plan.digest)
    story.settle()
    assert story.member("E1").email == email(1)


@pytest.mark.parametrize("leaves", [False, True])
def test_no_run_saw_them_missing_and_every_fact_is_another_ones(tmp_path: Path, leaves: bool) -> None:
    """Name, number and address are neither what was written nor what is wanted: somebody else."""
    story = office(tmp_path, CONTACT, policy={"leavers": "delete"})
    story.wecom.remove_member("e1")
    somebody_else(story, "e1")
    if leaves:
        story.goes("E1")
    assert writes(story) == []
    run = story.apply()
    assert [(row.key, row.rule) for row in run.plan.rejected] == ([] if leaves else [("E1", "userid_taken")])
    assert story.wecom.member("e1").name == "别人"
    assert writes(story) == []


def test_a_new_name_by_hand_is_still_the_same_person(tmp_path: Path) -> None:
    """One fact that differs is put back, and so are two while a third agrees."""
    story = office(tmp_path, CONTACT)
    member = story.wecom.member("e1")
    member.name = "改名"
    story.wecom.directory.set_email(member, "by.hand@example.com")
    story.settle()
    assert (member.name, member.email) == ("员工1", email(1))


def test_the_userid_of_somebody_deleted_stays_theirs(tmp_path: Path) -> None:
    """Also once they are back under another one; and the one who had it may have it again."""
    story = office(
        tmp_path,
        IDS,
        policy={"leavers": "delete"},
        member={"userid": "alias | default(emp_no, true) | lower", "alias": "''"},
    )
    story.goes("E1")
    story.settle_beside_strangers()
    story.person("E1", alias="neo")
    story.settle_beside_strangers()
    story.person("E9", alias="e1")
    assert [(row.key, row.rule) for row in _rejected(story)] == [("E9", "userid_reused")]
    story.apply()
    assert story.wecom.members.keys() == {"neo", "e2", "e3"}
    del story.hr.employees["E9"]
    story.goes("E1")
    story.settle_beside_strangers()
    story.person("E1")
    story.settle_beside_strangers()
    assert "e1" in story.wecom.members


def _rejected(story: Story) -> tuple[Rejected, ...]:
    story.save()
    rejected: tuple[Rejected, ...] = story.stage.plan().plan.rejected
    return rejected


@pytest.mark.parametrize("dept", ["D3", "D4"])
def test_a_department_made_by_hand_under_an_id_of_ours(tmp_path: Path, dept: str) -> None:
    """WeCom gives the last id anew: one that is named otherwise and holds nothing of ours is not ours."""
    story = CONTACT.story(tmp_path)
    story.department("D3", "平台组")
    story.department("D4", "空部门")
    story.person("E1", dept="D3")
    story.settle()
    name = story.hr.departments[dept].name
    id = story.unit(name).id
    if dept == "D3":
        story.wecom.move_member("e1", [1])
    story.wecom.remove_department(id)
    story.wecom.add_department("手工", id=id)
    assert failures(story.apply()) == []
    assert story.wecom.departments[id].name == "手工"
    assert story.unit(name).id != id
    assert writes(story) == []


def test_a_department_that_a_hand_renamed_gets_its_name_again(tmp_path: Path) -> None:
    """Somebody of ours is in it, or a department of ours below it."""
    story = CONTACT.story(tmp_path)
    story.department("D3", "平台组", "D1")
    story.person("E1", dept="D3")
    story.settle()
    for name in ("研发部", "平台组"):
        story.wecom.rename_department(story.unit(name).id, f"手工{name}")
    story.settle()


def test_a_tag_made_by_hand_under_an_id_of_ours(tmp_path: Path) -> None:
    """Another name, and nobody in it whom we put in: another tag. With one of ours in it: renamed."""
    story = office(tmp_path, CONTACT)
    story.tag("党员", "E1", "E2")
    story.settle()
    (tag,) = story.wecom.tags.values()
    story.wecom.directory.rename_tag(tag, "改名")
    story.settle()
    story.wecom.remove_tag(tag.id)
    story.wecom.add_tag("访客组", ["e3"], id=tag.id)
    assert failures(story.apply()) == []
    assert {each.name: set(each.users) for each in story.wecom.tags.values()} == {
        "访客组": {"e3"},
        "党员": {"e1", "e2"},
    }


@pytest.mark.parametrize("way", WAYS[1:], ids=[way.name for way in WAYS[1:]])
def test_a_number_that_somebody_keeps_is_taken_by_nobody(tmp_path: Path, way: Way) -> None:
    """Who has activated keeps the number, and the plan says so, also once a disabling hides it."""
    story = office(tmp_path, way)
    story.wecom.set_status("e1", 1)
    story.goes("E1")
    story.person("E9", mobile=mobile(1))
    for _ in range(3):
        plan = story.apply().plan
        assert [(row.key, row.rule) for row in plan.rejected] == [("E9", "taken")]
        assert all("mobile" not in change.fields for change in plan.writes)
        assert writes(story) == []
    assert "e9" not in story.wecom.members


@pytest.mark.parametrize("errcode", [48002, 60011, 50003])
def test_a_refusal_of_the_moment_rewrites_nobody(tmp_path: Path, errcode: int) -> None:
    """What was seen is known also while it is hidden, and the way that was lost is found again."""
    story = APP.story(tmp_path, policy={"adopt": ["userid"]})
    story.people(5, title="工程师")
    for number in range(1, 6):
        story.wecom.add_member(
            f"e{number}", f"员工{number}", mobile=mobile(number), email=email(number)
        ).position = "工程师"
    story.apply()
    story.apply()
    story.stage.baseline()
    assert writes(story) == []
    story.wecom.faults.answer("department/list", errcode, where=lambda query, body: True, times=2)
    before = len(story.wecom.writes)
    story.apply()
    assert len(story.wecom.writes) == before
    story.stage.later(minutes=15)
    assert story.stage.plan().seen.way is ReadingWay.APP


def test_a_leaver_whom_a_hand_enabled_has_the_whole_grace_again(tmp_path: Path) -> None:
    """Disabled anew, and deleted thirty days after that."""
    story = office(tmp_path, CONTACT, policy={"delete_after_days": 30})
    story.goes("E1")
    story.apply()
    story.stage.later(days=31)
    story.wecom.set_status("e1", 4)
    assert [change.verb for change in story.apply().plan.writes] == [Verb.DISABLE]
    story.stage.later(days=29)
    assert writes(story) == []
    story.stage.later(days=2)
    assert [change.verb for change in story.apply().plan.writes] == [Verb.DELETE]


@in_every_way
def test_a_leaver_whom_a_hand_disabled_has_the_same_grace(tmp_path: Path, way: Way) -> None:
    """Deleted thirty days after leaving, whoever disabled them; back before that they stay disabled."""
    story = office(tmp_path, way, policy={"delete_after_days": 30})
    for userid in ("e1", "e2"):
        story.wecom.set_status(userid, 2)
    story.goes("E1")
    story.apply()
    story.stage.later(days=29)
    assert writes(story) == []
    story.stage.later(days=2)
    assert failures(story.apply()) == []
    assert story.wecom.members.keys() == {"e2", "e3"}
    assert story.wecom.member("e2").enable == 0


def test_a_member_missing_under_the_userid_that_it_has(tmp_path: Path) -> None:
    """Adopted under another userid than the source's: that one is told, not somebody else's."""
    story = CONTACT.story(tmp_path, policy={"adopt": ["mobile"]})
    story.person("E1", dept=None)
    story.wecom.add_member("w1", "员工1", mobile=mobile(1), email=email(1))
    story.save()
    story.stage.apply(approved=story.stage.plan(weak_too=True).plan.digest)
    story.wecom.remove_member("w1")
    (kept,) = [change for change in story.stage.plan().plan.changes if change.kind is Kind.MEMBER]
    assert (kept.id, kept.reason) == ("w1", Reason.FOREIGN)
