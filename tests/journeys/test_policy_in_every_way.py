"""Leaving and coming back, and the smaller policies, whatever WeCom lets us read."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.journeys.existing import WAYS, Way, policy
from tests.journeys.stage import described, failures
from tests.journeys.story import Story, email, mobile
from wxsync.mirror import links
from wxsync.mirror.schema import prepare
from wxsync.mirror.store import Store
from wxsync.model.change import Reason, Verb
from wxsync.model.remembered import RememberedMember
from wxsync.sandbox.records import Attribute

in_every_way = pytest.mark.parametrize("way", WAYS, ids=[way.name for way in WAYS])


def office(folder: Path, way: Way, **settings: object) -> Story:
    """Three people whom wxsync created."""
    story = way.story(folder, **settings)
    story.people(3)
    story.settle()
    story.stage.later(days=1)
    return story


def remembered(story: Story, key: str) -> RememberedMember:
    store = Store(prepare(f"sqlite:///{story.mirror}"))
    with store.reading() as connection:
        link = links.load(connection, "acme", "acme").members[key]
    store.close()
    return link


def writes(story: Story) -> list[str]:
    story.save()
    return described(story.stage.plan().plan.writes)


@in_every_way
def test_grace_and_return(tmp_path: Path, way: Way) -> None:
    """Disabled on day 0; back on day 29 under the same userid, or gone on day 31."""
    story = office(tmp_path, way, policy={"delete_after_days": 30})
    first = story.stage.now
    for emp_no in ("E1", "E2"):
        story.hr.employees[emp_no].status = "left"
    assert [change.verb for change in story.apply().plan.writes] == [Verb.DISABLE] * 2
    assert [story.member(emp_no).enable for emp_no in ("E1", "E2", "E3")] == [0, 0, 1]
    told = story.stage.plan().plan
    due = (first + timedelta(days=30)).date()
    assert [(c.key, c.reason, c.why.facts["date"]) for c in told.changes] == [
        ("E1", Reason.GRACE, due),
        ("E2", Reason.GRACE, due),
    ]

    person = story.wecom.member("e1")
    story.stage.now = first + timedelta(days=29)
    assert writes(story) == []
    story.hr.employees["E1"].status = "active"
    story.settle()
    assert story.wecom.member("e1") is person
    assert (person.userid, person.enable) == ("e1", 1)

    story.stage.now = first + timedelta(days=31)
    story.settle_beside_strangers()
    assert story.wecom.members.keys() == {"e1", "e3"}
    assert described(story.stage.plan().plan.changes) == []


@in_every_way
def test_who_is_adopted_has_the_same_grace(tmp_path: Path, way: Way) -> None:
    """Whom a hand created is disabled, comes back and is deleted like anybody else of ours."""
    story = way.story(tmp_path, policy=policy(delete_after_days=30))
    story.person("E1", dept=None)
    story.wecom.add_member("E1", "员工1", mobile=mobile(1), email=email(1), is_activated=True)
    story.save()
    story.apply(approved=story.stage.plan(weak_too=True).plan.digest)
    story.stage.baseline()
    first = story.stage.now
    story.person("E2")
    story.hr.employees["E1"].status = "left"
    story.settle_beside_strangers()
    assert story.member("E1").enable == 0
    story.stage.now = first + timedelta(days=29)
    story.hr.employees["E1"].status = "active"
    story.settle_beside_strangers()
    assert (story.member("E1").enable, story.member("E1").userid) == (1, "E1")
    story.hr.employees["E1"].status = "left"
    story.settle_beside_strangers()
    story.stage.later(days=29)
    assert writes(story) == []
    story.stage.later(days=2)
    story.settle_beside_strangers()
    assert "e1" not in story.wecom.members


@in_every_way
def test_who_was_deleted_by_hand_is_created_once_a_day_at_most(tmp_path: Path, way: Way) -> None:
    """missing_in_wecom: "report" says it, "recreate" makes the member again, and not twice in a day."""
    story = office(tmp_path, way)
    story.wecom.remove_member("e1")
    assert story.plan() == ["keep member E1  [foreign]"]
    story.configure(policy={"missing_in_wecom": "recreate"}, app=way.app)
    story.settle()
    story.wecom.remove_member("e1")
    assert story.plan() == ["keep member E1  [foreign]"]
    story.stage.later(days=1)
    story.settle()


@in_every_way
def test_a_hand_that_puts_somebody_elsewhere(tmp_path: Path, way: Way) -> None:
    """foreign_memberships: the foreign place is kept through a move of ours, or removed."""
    story = office(tmp_path, way)
    outside = story.wecom.add_department("项目组").id
    story.wecom.move_member("e1", [story.unit("研发部").id, outside])
    assert writes(story) == []
    story.hr.employees["E1"].dept_code = "D2"
    assert failures(story.apply()) == []
    assert set(story.member("E1").department) == {story.unit("市场部").id, outside}
    assert writes(story) == []
    story.configure(policy={"foreign_memberships": "remove"}, app=way.app)
    assert failures(story.apply()) == []
    assert story.member("E1").department == (story.unit("市场部").id,)
    assert writes(story) == []


@in_every_way
def test_a_tag_that_the_source_dropped(tmp_path: Path, way: Way) -> None:
    """empty_tags: emptied of those whom we put in, then kept, or deleted where nobody else is in it."""
    story = office(tmp_path, way, policy={"empty_tags": "keep"})
    story.tag("标签", "E1", "E2")
    story.settle()
    story.hr.tags.clear()
    story.hr.tags.add(("另一个", "E3"))
    assert failures(story.apply()) == []
    assert story.tagged("标签") == set()
    assert writes(story) == []
    story.configure(policy={"empty_tags": "delete"}, app=way.app)
    story.settle()
    assert [tag.name for tag in story.wecom.tags.values()] == ["另一个"]


@in_every_way
def test_an_attribute(tmp_path: Path, way: Way) -> None:
    """extattr is written and followed; an empty one stays unless the policy clears it; a hand's change is
    taken back where attributes are shown."""
    member = {"extattr": {"工号": "title"}, "position": "''"}
    story = way.story(tmp_path, member=member)
    story.wecom.attributes["工号"] = 0
    story.person("E1", title="甲")
    assert failures(story.apply()) == []

    def shown() -> str | None:
        value = story.member("E1").extattr.get("工号")
        return None if value is None else value.value

    assert (shown(), writes(story)) == ("甲", [])
    story.member("E1").extattr["工号"] = Attribute(0, "手工")
    assert bool(writes(story)) is way.shows_names
    story.hr.employees["E1"].title = "乙"
    assert failures(story.apply()) == []
    assert (shown(), writes(story)) == ("乙", [])
    story.hr.employees["E1"].title = None
    assert writes(story) == []
    story.configure(policy={"clear_when_empty": ["extattr"]}, member=member, app=way.app)
    assert failures(story.apply()) == []
    assert (shown() or None, writes(story)) == (None, [])


@in_every_way
def test_an_empty_value(tmp_path: Path, way: Way) -> None:
    """clear_when_empty: a position is cleared where the policy says so, and stays where it does not."""
    story = way.story(tmp_path, policy={"clear_when_empty": []})
    story.person("E1", title="经理", alias="小一")
    assert failures(story.apply()) == []
    story.hr.employees["E1"].title = story.hr.employees["E1"].alias = None
    assert writes(story) == []
    story.configure(policy={"clear_when_empty": ["position"]}, app=way.app)
    assert failures(story.apply()) == []
    assert (story.member("E1").position, story.member("E1").alias) == ("", "小一")
    assert writes(story) == []


def test_what_an_app_does_not_show_stays_remembered_and_an_empty_text_is_empty(tmp_path: Path) -> None:
    """A number that a hand changed unseen is not asked for again; a position that a hand cleared is."""
    way = WAYS[1]
    story = way.story(tmp_path)
    story.person("E1", title="经理")
    story.settle()
    story.wecom.set_mobile("e1", mobile(77))
    assert writes(story) == []
    assert remembered(story, "E1").member.mobile == mobile(1)
    story.member("E1").position = ""
    assert writes(story) == ["update member E1 position: None -> '经理'"]
    story.settle_beside_strangers()
    assert (story.member("E1").position, story.member("E1").mobile) == ("经理", mobile(77))


@in_every_way
def test_who_has_activated_keeps_the_phone_number(tmp_path: Path, way: Way) -> None:
    """Where it is shown the plan says so and asks for nothing; else it is sent once, and unproven."""
    story = office(tmp_path, way)
    story.wecom.set_status("e1", 1)
    story.hr.employees["E1"].mobile = mobile(99)
    story.hr.employees["E1"].title = "顾问"
    since = len(story.wecom.writes)
    run = story.apply()
    assert failures(run) == []
    assert (story.member("E1").mobile, story.member("E1").position) == (mobile(1), "顾问")
    assert story.written(since) == ["user/update e1"]
    sent = [call.body for call in story.wecom.writes[since:] if call.body]
    assert [("mobile" in body) for body in sent] == [not way.shows_names]
    told = story.stage.plan().plan
    assert described(told.writes) == []
    kept = [(change.key, change.reason, set(change.fields)) for change in told.changes]
    assert kept == ([("E1", Reason.UNKNOWN, {"mobile"})] if way.shows_names else [])
    assert ("mobile" in remembered(story, "E1").unproven) is not way.shows_names
