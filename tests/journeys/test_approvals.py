"""A yes is to one plan, holds once and for a day, and goes on where its run was cut off."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys.crash import die_at
from tests.journeys.stage import failures
from tests.journeys.story import Story, mobile
from wxsync.engine.corp import Corp
from wxsync.errors import GuardError, StalePlanError
from wxsync.mirror import approvals, journal
from wxsync.model.approval import Operator, OperatorKind
from wxsync.model.change import Reason
from wxsync.model.message import say
from wxsync.model.run import RunState


def company(tmp_path: Path, people: int = 40, **settings: object) -> Story:
    """Forty people in two departments, in WeCom; the next day."""
    story = Story(tmp_path, **settings)
    story.people(people)
    story.settle()
    story.stage.later(days=8)
    return story


def gone(story: Story, first: int, last: int) -> None:
    for number in range(first, last + 1):
        story.goes(f"E{number}")


def enabled(story: Story) -> int:
    return sum(member.enable for member in story.wecom.members.values())


def on_record(story: Story, ask: Callable[..., object], *given: object) -> object:
    async def act(corp: Corp) -> object:
        with corp.store.transaction() as connection:
            return ask(connection, *given)

    return story.stage.act(act)


# Once


def test_an_approval_holds_once(tmp_path: Path) -> None:
    """Where everything failed the plan is the same again, and yet wants another yes, to a plan made since."""
    story = company(tmp_path)
    gone(story, 1, 10)
    digest = story.digest()
    assert failures(story.apply(approved=digest)) == []
    for number in range(1, 11):
        story.wecom.members[f"e{number}"].enable = 1
        story.person(f"E{number}")
    story.apply()
    gone(story, 1, 10)
    for _ in range(3):
        with pytest.raises(StalePlanError, match="carried out by run"):
            story.apply(approved=digest)
    assert enabled(story) == 40
    assert story.digest() == digest
    assert failures(story.apply(approved=digest)) == []
    assert enabled(story) == 30


def test_a_plan_that_nobody_was_shown_is_approved_by_nobody(tmp_path: Path) -> None:
    """However often it is tried: the plan that such a try makes is none that somebody was shown."""
    story = company(tmp_path)
    gone(story, 1, 10)
    story.save()
    before = story.copy(tmp_path / "elsewhere")
    digest = before.digest()
    for _ in range(2):
        with pytest.raises(StalePlanError, match="nobody can have looked at it"):
            story.apply(approved=digest)
    assert enabled(story) == 40


def test_a_refused_run_has_shown_its_plan(tmp_path: Path) -> None:
    """Its digest may be approved without another plan."""
    story = company(tmp_path)
    gone(story, 1, 10)
    with pytest.raises(GuardError, match="over a limit") as refused:
        story.apply()
    digest = str(refused.value.hint).rpartition(" ")[2]
    assert failures(story.apply(approved=digest)) == []
    assert enabled(story) == 30


def test_an_approval_comes_within_a_day(tmp_path: Path) -> None:
    """A plan of 25 hours ago is too old; planned anew it is as good as any."""
    story = company(tmp_path)
    gone(story, 1, 10)
    digest = story.digest()
    story.stage.later(hours=25)
    with pytest.raises(StalePlanError, match="made 25 hours ago"):
        story.apply(approved=digest)
    assert story.digest() == digest
    story.stage.later(hours=23)
    assert failures(story.apply(approved=digest)) == []


def test_a_plan_of_a_clock_that_was_ahead_is_approved_by_nobody(tmp_path: Path) -> None:
    """When it was made nobody knows."""
    story = company(tmp_path)
    gone(story, 1, 10)
    story.stage.later(days=370)
    digest = story.digest()
    story.stage.later(days=-370)
    with pytest.raises(StalePlanError, match="made 8880 hours ahead of this clock"):
        story.apply(approved=digest)
    assert enabled(story) == 40


def test_a_yes_is_to_what_was_so_when_it_was_said(tmp_path: Path) -> None:
    """The same changes, planned upon a source that has lost rows since: that nobody was shown."""
    story = company(tmp_path, policy={"leavers": "keep"}, limits={"field_change": 5})
    for number in range(1, 11):
        story.hr.employees[f"E{number}"].title = "经理"
    digest = story.digest()
    gone(story, 21, 35)
    with pytest.raises(StalePlanError, match=r"it was not so that source_shrink \(hr.members\): 15, allowed"):
        story.apply(approved=digest)
    assert story.member("E1").position == ""
    assert story.digest() == digest
    gone(story, 36, 37)
    with pytest.raises(StalePlanError, match=r"source_shrink \(hr.members\): 17"):
        story.apply(approved=digest)
    assert failures(story.apply(approved=story.digest())) == []
    assert story.member("E1").position == "经理"


def test_what_a_run_left_goes_on_while_all_else_is_as_it_was_shown(tmp_path: Path) -> None:
    """Thirty were deleted by a hand since: is it another corp than the mirror's? Nobody said yes to that."""
    story = company(tmp_path, 60)
    gone(story, 1, 10)
    digest = story.digest()
    assert die_at(story.stage, 3, is_after=True, act=lambda stage: stage.apply(approved=digest))
    for number in range(20, 50):
        story.wecom.remove_member(f"e{number}")
    with pytest.raises(StalePlanError, match="another corp than the mirror's"):
        story.apply()
    left = enabled(story)
    assert left > 20
    assert failures(story.apply(approved=story.digest())) == []
    assert enabled(story) < left


def test_who_approved_is_on_record(tmp_path: Path) -> None:
    """A user by the name, a token and a WeCom userid with their kind before it."""
    story = company(tmp_path)
    gone(story, 1, 10)
    operator = Operator(kind=OperatorKind.WECOM, name="lin")
    run = story.apply(approved=story.digest(), approver=str(operator))
    record = on_record(story, journal.record, run.id)
    assert isinstance(record, journal.RunRecord)
    assert record.approved_by == "wecom:lin"
    assert str(Operator(kind=OperatorKind.USER, name="lin")) == "lin"


# What stands in the mirror


def test_a_yes_that_stands_is_used_by_the_next_run(tmp_path: Path) -> None:
    """Once: whatever sets it off, and nobody has to say it again."""
    story = company(tmp_path)
    gone(story, 1, 10)
    digest = story.digest()
    offer = on_record(story, approvals.offer_of, digest)
    assert on_record(story, approvals.approve, offer, "token:ops", story.stage.now) is not None
    assert on_record(story, approvals.approve, offer, "lin", story.stage.now) is None
    run = story.apply(trigger="schedule")
    assert failures(run) == []
    assert enabled(story) == 30
    record = on_record(story, journal.record, run.id)
    assert isinstance(record, journal.RunRecord)
    assert record.approved_by == "token:ops"
    for number in range(1, 11):
        story.wecom.members[f"e{number}"].enable = 1
    gone(story, 11, 20)
    with pytest.raises(GuardError):
        story.apply()


def test_a_rejected_plan_is_not_carried_out_be_it_within_its_limits(tmp_path: Path) -> None:
    """Until somebody approves it anew; another plan is not concerned."""
    story = company(tmp_path)
    gone(story, 1, 2)
    digest = story.digest()
    offer = on_record(story, approvals.offer_of, digest)
    on_record(story, approvals.reject, offer, "lin", story.stage.now)
    assert [str(each) for each in story.stage.plan().plan.waits] == ["lin said no to this plan on 2026-03-10"]
    for _ in range(2):
        with pytest.raises(GuardError, match="this plan was rejected by lin"):
            story.apply()
    assert enabled(story) == 40
    story.hr.employees["E9"].title = "经理"
    assert failures(story.apply()) == []
    assert enabled(story) == 38


def test_a_rejected_plan_may_be_approved_all_the_same(tmp_path: Path) -> None:
    """The last word counts."""
    story = company(tmp_path)
    gone(story, 1, 10)
    digest = story.digest()
    offer = on_record(story, approvals.offer_of, digest)
    on_record(story, approvals.approve, offer, "wang", story.stage.now)
    on_record(story, approvals.reject, offer, "lin", story.stage.now)
    with pytest.raises(GuardError):
        story.apply()
    assert failures(story.apply(approved=digest)) == []


# Demands


def test_what_is_demanded_holds_for_every_trigger_until_an_approved_run_is_over(tmp_path: Path) -> None:
    """A plan that changes nothing does not wait; one of a single title does."""
    story = company(tmp_path)
    on_record(story, approvals.demand, "acme", "acme", say("run {run} was undone", run=7), story.stage.now)
    assert failures(story.apply()) == []
    story.hr.employees["E1"].title = "经理"
    for trigger in ("manual", "schedule"):
        with pytest.raises(GuardError, match=r"waits for approval.*run 7 was undone"):
            story.apply(trigger=trigger)
    assert failures(story.apply(approved=story.digest())) == []
    story.hr.employees["E2"].title = "经理"
    assert failures(story.apply()) == []


def test_by_schedule_the_first_run_ever_waits(tmp_path: Path) -> None:
    """By hand it does not; once one was applied to its end no run waits for that."""
    story = Story(tmp_path)
    story.people(3)
    story.save()
    with pytest.raises(GuardError, match="first run of this sync that changes anything"):
        story.apply(trigger="schedule")
    assert story.wecom.writes == []
    digest = story.stage.plan(trigger="schedule").plan.digest
    assert failures(story.apply(approved=digest, trigger="schedule")) == []
    story.person("E4")
    assert failures(story.apply(trigger="schedule")) == []


def test_by_schedule_a_run_waits_after_a_change_of_mapping_source_or_policy(tmp_path: Path) -> None:
    """And only where it would change anybody; a changed limit makes nobody wait, nor does it by hand."""
    story = company(tmp_path)
    story.configure(limits={"member_remove": 7})
    story.hr.employees["E1"].title = "经理"
    assert failures(story.apply(trigger="schedule")) == []

    story.configure(member={"position": "title | default('')"})
    assert failures(story.apply(trigger="schedule")) == [], "nothing to change"
    story.configure(member={"position": "alias"})
    with pytest.raises(GuardError, match="the mapping of position changed since the last run"):
        story.apply(trigger="schedule")
    story.configure(policy={"leavers": "delete"})
    story.hr.employees["E2"].title = "经理"
    with pytest.raises(GuardError, match=r"sync\.acme\.policy\.leavers changed since the last run"):
        story.apply(trigger="schedule")
    story.configure(source={"members": "SELECT * FROM employees WHERE 1 = 1"})
    with pytest.raises(GuardError, match=r"source\.hr\.members changed since the last run"):
        story.apply(trigger="schedule")
    assert failures(story.apply()) == []
    story.hr.employees["E3"].title = "经理"
    assert failures(story.apply(trigger="schedule")) == []


def test_a_plan_that_was_shown_before_an_undo_is_not_the_look_that_it_asks_for(tmp_path: Path) -> None:
    """The same digest, and yet somebody has to look again."""
    story = company(tmp_path)
    story.hr.employees["E1"].title = "经理"
    digest = story.digest()
    run = story.apply()
    story.stage.later(minutes=5)
    assert failures(story.stage.undo(run.id)) == []
    story.stage.later(minutes=5)
    with pytest.raises(StalePlanError, match="before it was asked that somebody look again: run"):
        story.apply(approved=digest)
    assert story.member("E1").position == ""
    assert story.digest() == digest
    assert failures(story.apply(approved=digest)) == []


def test_a_plan_of_the_daemon_is_approved_as_it_was_shown(tmp_path: Path) -> None:
    """Whom only one reading lacked by then is not in it, however many readings have lacked them since."""
    story = company(tmp_path, limits={"field_change": 1})
    gone(story, 3, 3)
    for number in (20, 21):
        story.hr.employees[f"E{number}"].title = "经理"
    story.save()
    story.stage.confirm_reads = 2
    with pytest.raises(GuardError, match="over a limit"):
        story.apply(trigger="schedule")
    digest = shown_last(story)
    story.stage.confirm_reads = 1
    story.stage.later(minutes=5)
    assert failures(story.apply(approved=digest)) == []
    assert (story.member("E20").position, story.member("E3").enable) == ("经理", 1)


def test_a_reading_that_came_in_haste_is_not_counted(tmp_path: Path) -> None:
    """By schedule somebody is lacked once; a minute later a change is told, twice: they are still there."""
    story = company(tmp_path)
    story.apply(trigger="schedule")
    gone(story, 3, 3)
    story.save()
    story.stage.confirm_reads = 2
    story.apply(trigger="schedule")
    for _ in range(2):
        story.stage.later(minutes=1)
        story.stage.confirm_reads = 3
        story.apply(trigger="change")
        assert story.member("E3").enable == 1
    story.stage.later(hours=1)
    story.stage.confirm_reads = 2
    story.apply(trigger="schedule")
    assert story.member("E3").enable == 0


def shown_last(story: Story) -> str:
    """The digest of the newest plan on record."""

    async def ask(corp: Corp) -> str | None:
        with corp.store.reading() as connection:
            return journal.runs(connection, 1)[0].digest

    return str(story.stage.act(ask))


# Parts


def test_a_part_is_carried_out_with_what_it_needs_and_the_rest_waits(tmp_path: Path) -> None:
    """The creations, with the department that they go into and the number that somebody is to release."""
    story = company(tmp_path)
    gone(story, 1, 10)
    story.department("D3", "客服部")
    story.department("D4", "法务部")
    story.person("E50", dept="D3", manager_no="E51")
    story.person("E51", dept="D1", mobile=mobile(20))
    story.hr.employees["E20"].mobile = mobile(900)
    story.hr.employees["E21"].title = "经理"
    digest = story.digest()
    since = len(story.wecom.writes)
    run = story.apply(approved=digest, parts=["member:create"])
    assert failures(run) == []
    assert {"客服部"} <= story.names()
    assert "法务部" not in story.names()
    assert {"e50", "e51"} <= set(story.wecom.members)
    assert story.member("E50").direct_leader == ("e51",)
    assert story.mobiles()["e20"] == mobile(900)
    assert story.member("E21").position == ""
    assert enabled(story) == 42
    assert "user/update e21" not in story.written(since)

    with pytest.raises(GuardError, match="over a limit"):
        story.apply()
    for number in range(1, 11):
        story.person(f"E{number}")
    with pytest.raises(GuardError, match=r"a part of plan .* was approved: the rest waits for its own"):
        story.apply()
    with pytest.raises(StalePlanError):
        story.apply(approved=digest, parts=["department:create"])
    assert failures(story.apply(approved=story.digest())) == []
    story.check()


def test_no_removal_comes_along_unnamed(tmp_path: Path) -> None:
    """A department's deletion needs its people gone: who says yes to the one has to say yes to the other."""
    story = Story(tmp_path, policy={"leavers": "delete"})
    story.department("D3", "客服部")
    for number in range(1, 41):
        story.person(f"E{number}", dept="D3" if number > 30 else "D1")
    assert failures(story.apply()) == []
    story.stage.later(days=8)
    gone(story, 31, 40)
    del story.hr.departments["D3"]
    digest = story.digest()
    with pytest.raises(
        GuardError, match=r"department:delete cannot be carried out without member:delete \(10\)"
    ) as no:
        story.apply(approved=digest, parts=["department:delete"])
    assert "--only department:delete --only member:delete" in str(no.value.hint)
    assert len(story.wecom.members) == 40
    run = story.apply(approved=digest, parts=["department:delete", "member:delete"])
    assert failures(run) == []
    assert (len(story.wecom.members), "客服部" in story.names()) == (30, False)


def test_a_tag_comes_with_its_people(tmp_path: Path) -> None:
    """Those who are yet to be created are; nobody else is."""
    story = company(tmp_path)
    gone(story, 1, 10)
    story.person("E50")
    story.person("E51")
    story.tag("标签", "E11", "E50")
    assert failures(story.apply(approved=story.digest(), parts=["tag:create"])) == []
    assert story.tagged("标签") == {"e11", "e50"}
    assert "e51" not in story.wecom.members
    assert enabled(story) == 41


def test_a_part_ends_no_first_load_and_moves_no_baseline(tmp_path: Path) -> None:
    """The rest of the reading was not carried out."""
    story = Story(tmp_path)
    story.people(60)
    run = story.apply(approved=story.digest(), parts=["department:create"])
    assert failures(run) == []
    assert len(story.wecom.members) == 0
    plan = story.stage.plan().plan
    assert not plan.exceeded
    with pytest.raises(GuardError, match="the rest waits for its own"):
        story.apply()
    assert failures(story.apply(approved=plan.digest)) == []


def test_a_part_that_the_plan_does_not_have_uses_nothing_up(tmp_path: Path) -> None:
    """It is refused by name, and the plan may still be approved."""
    story = company(tmp_path)
    gone(story, 1, 10)
    digest = story.digest()
    with pytest.raises(GuardError, match="the plan has no tag:delete") as refused:
        story.apply(approved=digest, parts=["tag:delete"])
    assert refused.value.hint == "it has: member:disable (10)"
    assert failures(story.apply(approved=digest)) == []


# Cut off


@pytest.mark.parametrize("at", [0, 3, 9])
@pytest.mark.parametrize("is_after", [False, True], ids=["before_its_effect", "after_its_effect"])
def test_a_run_that_was_cut_off_goes_on_under_its_approval(tmp_path: Path, at: int, is_after: bool) -> None:
    """By whatever sets the next run off, and by the same name; when it is over the approval is too."""
    story = company(tmp_path)
    gone(story, 1, 10)
    story.department("D3", "客服部")
    story.person("E50", dept="D3", manager_no="E51")
    story.person("E51", dept="D3")
    story.tag("标签", "E11", "E50")
    digest = story.digest()
    assert die_at(
        story.stage, at, is_after=is_after, act=lambda stage: stage.apply(approved=digest, approver="lin")
    )
    run = story.apply(trigger="schedule")
    assert failures(run) == []
    story.check()
    record = on_record(story, journal.record, run.id)
    assert isinstance(record, journal.RunRecord)
    assert (record.approved_by, record.state) == ("lin", RunState.APPLIED)
    gone(story, 12, 21)
    with pytest.raises(GuardError):
        story.apply()
    with pytest.raises(StalePlanError):
        story.apply(approved=digest)


@pytest.mark.parametrize("at", [2, 4, 7])
def test_whose_creation_was_on_the_way_gets_the_rest_at_once(tmp_path: Path, at: int) -> None:
    """They are found in WeCom, and nobody knows with what: the run that goes on writes all of it."""
    story = company(tmp_path, 60)
    for number in range(1, 31):
        story.hr.employees[f"E{number}"].title = "经理"
    for number in range(101, 106):
        story.person(f"E{number}")
    digest = story.digest()
    assert die_at(story.stage, at, is_after=True, act=lambda stage: stage.apply(approved=digest))
    run = story.apply()
    assert failures(run) == []
    assert [change.key for change in run.plan.changes if change.reason is Reason.UNKNOWN] == []
    story.check()


def test_what_was_left_goes_on_and_nothing_beside_it(tmp_path: Path) -> None:
    """One leaver more, and it is another plan: stale with the digest, refused without."""
    story = company(tmp_path)
    gone(story, 1, 10)
    digest = story.digest()
    assert die_at(story.stage, 3, is_after=False, act=lambda stage: stage.apply(approved=digest))
    story.goes("E11")
    with pytest.raises(StalePlanError, match="is not what that run left") as refused:
        story.apply(approved=digest)
    assert [str(each) for each in refused.value.differences] == ["member E11: disable was not planned"]
    with pytest.raises(GuardError, match="over a limit"):
        story.apply()
    story.person("E11")
    assert failures(story.apply(approved=digest)) == []
    assert enabled(story) == 30


def test_an_approval_that_was_cut_off_is_over_after_a_day(tmp_path: Path) -> None:
    """The plan was made more than 24 hours ago."""
    story = company(tmp_path)
    gone(story, 1, 12)
    digest = story.digest()
    assert die_at(story.stage, 3, is_after=False, act=lambda stage: stage.apply(approved=digest))
    story.stage.later(hours=25)
    with pytest.raises(GuardError):
        story.apply()


def test_an_approval_that_was_cut_off_is_over_when_somebody_says_no(tmp_path: Path) -> None:
    """To the plan that it was of."""
    story = company(tmp_path)
    gone(story, 1, 12)
    digest = story.digest()
    assert die_at(story.stage, 3, is_after=False, act=lambda stage: stage.apply(approved=digest))
    offer = on_record(story, approvals.offer_of, digest)
    on_record(story, approvals.reject, offer, "lin", story.stage.now)
    with pytest.raises(GuardError):
        story.apply()
    assert enabled(story) >= 28


def without_number(story: Story) -> list[str]:
    return [userid for userid, number in story.mobiles().items() if not number]


@pytest.mark.parametrize(("at", "is_after"), [(0, True), (1, False), (1, True)])
def test_a_circle_that_was_cut_off_is_closed_by_the_next_run(tmp_path: Path, at: int, is_after: bool) -> None:
    """Thirty numbers go round, ten more than a run may change unasked: one yes is enough, whatever dies."""
    story = company(tmp_path, people=60)
    story.swap("mobile", *(f"E{number}" for number in range(1, 31)))
    digest = story.digest()
    assert die_at(story.stage, at, is_after=is_after, act=lambda stage: stage.apply(approved=digest))
    assert without_number(story) == ["e1"]
    assert failures(story.apply()) == []
    story.check()


def test_a_circle_that_was_cut_off_long_ago_can_be_asked_for(tmp_path: Path) -> None:
    """The yes is too old to go on by: all thirty are planned, refused, and closed by another yes."""
    story = company(tmp_path, people=60)
    story.swap("mobile", *(f"E{number}" for number in range(1, 31)))
    digest = story.digest()
    assert die_at(story.stage, 1, is_after=False, act=lambda stage: stage.apply(approved=digest))
    story.stage.later(hours=26)
    for _ in range(2):
        with pytest.raises(GuardError, match=r"field_change \(mobile\): 30, allowed 20"):
            story.apply()
    assert without_number(story) == ["e1"]
    assert failures(story.apply(approved=story.digest())) == []
    story.check()


def test_a_swap_that_was_cut_off_is_finished_however_tight_the_limit(tmp_path: Path) -> None:
    """One number a run: the two of a swap are still written in one, under the yes that both had."""
    story = company(tmp_path, limits={"field_change": 1})
    story.swap("mobile", "E1", "E2")
    digest = story.digest()
    assert die_at(story.stage, 1, is_after=True, act=lambda stage: stage.apply(approved=digest))
    assert without_number(story) == ["e1"]
    assert failures(story.apply()) == []
    story.check()


def test_swaps_that_were_cut_off_leave_nobody_without_a_number_for_another_run(tmp_path: Path) -> None:
    """Twenty-two are at work when the process dies: the run that goes on ends every one of them."""
    story = company(tmp_path, people=60)
    for number in range(1, 45, 2):
        story.swap("mobile", f"E{number}", f"E{number + 1}")
    digest = story.digest()
    assert die_at(story.stage, 9, is_after=True, act=lambda stage: stage.apply(approved=digest))
    assert len(without_number(story)) > 1
    assert failures(story.apply()) == []
    story.check()


@pytest.mark.parametrize("at", [0, 2])
def test_what_an_approval_covers_waits_for_no_later_run(tmp_path: Path, at: int) -> None:
    """New numbers, four too many for a run unasked: what nobody knows the fate of is written by the next."""
    story = company(tmp_path, people=60)
    for number in range(1, 25):
        story.hr.employees[f"E{number}"].mobile = mobile(number + 500)
    digest = story.digest()
    assert die_at(story.stage, at, is_after=True, act=lambda stage: stage.apply(approved=digest))
    planned = story.digest()
    run = story.apply()
    assert failures(run) == []
    assert run.plan.digest == planned
    story.check()
