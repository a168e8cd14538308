"""A run that was applied is taken back: what it changed, made as it was; what it created stays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.journeys.crash import die_at
from tests.journeys.restored import Field, differing, fields_of
from tests.journeys.stage import Stage, described, failures
from tests.journeys.story import Story, email, mobile
from wxsync.engine.corp import Corp
from wxsync.engine.reconcile import holding, made_fresh, preview
from wxsync.errors import GuardError, StalePlanError, WxsyncError
from wxsync.mirror import links
from wxsync.mirror.watch_marks import load_marks, save_marks
from wxsync.model.change import Kind, Reason, Verb
from wxsync.model.loss import Loss, LossReason
from wxsync.model.plan import Plan
from wxsync.model.run import OutcomeState, RunState

WIDE = {"percent": 100, "floor": 1000}
KINDS = (
    "member_remove",
    "member_create",
    "member_update",
    "field_change",
    "department_move",
    "tag_member_remove",
    "source_shrink",
)
LIMITS: dict[str, Any] = {**dict.fromkeys(KINDS, WIDE), "department_delete": 1000}
APP = {"agent_id": 1000002, "secret": "sandbox-app-secret"}


def office(folder: Path, **settings: Any) -> Story:
    """Eight people, a tree, marks, leaders and tags, in WeCom."""
    story = Story(folder, **{"limits": LIMITS, **settings})
    story.department("D3", "客服部", "D2")
    story.department("D4", "法务部")
    story.people(6)
    story.person("E7", dept="D4")
    story.person("E8", dept="D3")
    story.tag("标签一", "E1", "E2")
    story.tag("标签二", "E3")
    story.place("E3", "D1", is_leader=True)
    story.place("E3", "D2", is_leader=True)
    rows = story.hr.employees
    rows["E2"].alias = "阿二"
    rows["E3"].title = "经理"
    for each in ("E5", "E6", "E8"):
        rows[each].manager_no = "E3"
    story.settle()
    story.stage.later(days=1)
    return story


def a_wrong_day(story: Story) -> None:
    """Something of everything that an undo can take back whole."""
    rows, units = story.hr.employees, story.hr.departments
    units["D1"].name, units["D2"].name = "市场部", "研发部"
    units["D3"].parent_code = "D1"
    units["D3"].sort = 7
    del units["D4"]
    rows["E7"].dept_code = "D3"
    story.swap("mobile", "E1", "E2", "E5")
    story.swap("email", "E2", "E3")
    rows["E4"].status = "left"
    rows["E5"].manager_no = "E1"
    rows["E8"].mobile = mobile(77)
    rows["E6"].dept_code = "D3"
    story.place("E6", "D2", is_leader=True)
    story.place("E3", "D1")
    story.place("E3", "D2", is_leader=True, sort=99)
    rows["E2"].alias = rows["E3"].title = None
    story.tag("标签一", "E5")
    story.hr.tags.remove(("标签一", "E1"))
    story.hr.tags.remove(("标签二", "E3"))


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """To be copied from: a copy is made in no time."""
    return office(tmp_path_factory.mktemp("office"))


@dataclass(frozen=True)
class Wronged:
    """The office after a wrong day, and what it was before."""

    story: Story
    before: dict[Field, Any]
    run: int

    def copy(self, folder: Path) -> Story:
        return self.story.copy(folder, limits=LIMITS)


@pytest.fixture(scope="module")
def wronged(loaded: Story, tmp_path_factory: pytest.TempPathFactory) -> Wronged:
    """To be copied from."""
    story = loaded.copy(tmp_path_factory.mktemp("wronged") / "office", limits=LIMITS)
    before = fields_of(story.wecom)
    a_wrong_day(story)
    run = story.settle()
    assert differing(before, fields_of(story.wecom))
    return Wronged(story, before, run.id)


Office: TypeAlias = Callable[..., Story]


@pytest.fixture
def copied(loaded: Story, tmp_path: Path) -> Office:
    """The same office under another config."""
    return lambda **settings: loaded.copy(tmp_path / "office", **{"limits": LIMITS, **settings})


@pytest.fixture
def story(copied: Office) -> Story:
    return copied()


def lost(plan: Plan, *reasons: LossReason) -> list[tuple[str, str | None, tuple[str, ...]]]:
    """What does not come back for these reasons: kind, key, fields."""
    return [(loss.kind.value, loss.key, loss.fields) for loss in plan.not_undoable if loss.reason in reasons]


def of(plan: Plan, kind: Kind, key: str) -> list[Loss]:
    return [loss for loss in plan.not_undoable if (loss.kind, loss.key) == (kind, key)]


def yes_to_the_next_plan(story: Story) -> None:
    """Whoever looked at the next plan says yes to it."""
    story.apply(approved=story.digest())


def test_a_day_is_taken_back_field_by_field(wronged: Wronged, tmp_path: Path) -> None:
    """Names and parents of departments, exchanged numbers, places, marks, tags, people switched off.

    What is as it was needs nothing: taken back once more, nothing is left to do.
    """
    story = wronged.copy(tmp_path / "office")

    undone = story.stage.undo(wronged.run)

    assert failures(undone) == []
    assert undone.state is RunState.APPLIED
    assert differing(wronged.before, fields_of(story.wecom)) == set()
    assert differing(fields_of(story.wecom), wronged.before) == set()
    assert described(story.stage.plan_undo(wronged.run).plan.writes) == []


def test_an_undo_can_be_undone(wronged: Wronged, tmp_path: Path) -> None:
    """It is a run with a plan of its own: what it brought back goes again, but for what it made anew."""
    story = wronged.copy(tmp_path / "office")
    after = fields_of(story.wecom)
    undone = story.stage.undo(wronged.run)

    again = story.stage.undo(undone.id)

    assert failures(again) == []
    assert {field for field in differing(fields_of(story.wecom), after) if field[0] != "department"} == {
        ("tag", "标签二", "members")
    }
    assert differing(after, fields_of(story.wecom)) == set()
    assert lost(again.plan, LossReason.STAYS) == [("department", "D4", ()), ("tag", "标签二", ())]


def test_after_it_the_next_plan_waits_for_a_yes(wronged: Wronged, tmp_path: Path) -> None:
    """The source still asks for all that was taken back: nobody's schedule brings it back unasked."""
    story = wronged.copy(tmp_path / "office")
    story.stage.undo(wronged.run)
    restored = fields_of(story.wecom)

    with pytest.raises(GuardError):
        story.apply()

    assert differing(restored, fields_of(story.wecom)) == set()
    yes_to_the_next_plan(story)
    story.check()
    story.hr.employees["E1"].title = "顾问"
    story.settle()


def test_an_undo_needs_no_yes_because_of_another_undo(story: Story) -> None:
    """Somebody typed it: what waits is what the sources ask for."""
    story.hr.employees["E1"].title = "顾问"
    first = story.apply()
    story.hr.employees["E2"].title = "顾问"
    second = story.apply()
    story.stage.undo(second.id)
    story.stage.undo(first.id)

    assert story.member("E1").position == story.member("E2").position == ""


def test_it_asks_no_source(story: Story) -> None:
    """Also where HR is what broke."""
    story.hr.employees["E1"].title = "顾问"
    run = story.apply()
    (story.folder / "hr.db").unlink()

    story.stage.undo(run.id)

    assert story.member("E1").position == ""


def test_its_limits_are_those_of_any_plan(copied: Office) -> None:
    """Over a limit nothing is written until that very undo is approved."""
    story = copied()
    for number in range(1, 8):
        story.hr.employees[f"E{number}"].title = "顾问"
    run = story.apply()
    story.configure(limits={"field_change": 3})

    with pytest.raises(GuardError, match=rf"wxsync undo {run.id} --apply --approve|field_change"):
        story.stage.undo(run.id)
    assert story.member("E1").position == "顾问"

    digest = story.stage.plan_undo(run.id).plan.digest
    undone = story.stage.undo(run.id, approved=digest)
    assert failures(undone) == []
    assert story.member("E7").position == ""


def test_its_digest_is_no_other_plans(story: Story) -> None:
    """Who approves an undo approves no plan of the sources that happens to change the same."""
    story.hr.employees["E1"].title = "顾问"
    run = story.apply()
    story.hr.employees["E1"].title = None
    by_the_source = story.digest()

    undo = story.stage.plan_undo(run.id).plan

    assert [each.fields for each in undo.writes] == [each.fields for each in story.stage.plan().plan.writes]
    assert undo.digest != by_the_source


# What is created, and what is deleted


def test_what_the_run_created_stays_and_is_listed(story: Story) -> None:
    """An undo deletes nobody and nothing."""
    story.department("D9", "新部")
    story.person("E9", dept="D9")
    story.tag("标签九", "E9")
    run = story.apply()

    undone = story.stage.undo(run.id)

    assert undone.plan.writes == ()
    assert "e9" in story.wecom.members
    assert lost(undone.plan, LossReason.STAYS) == [
        ("department", "D9", ()),
        ("member", "E9", ()),
        ("tag", "标签九", ()),
    ]


def test_who_was_deleted_is_made_anew_with_all_that_is_known(copied: Office) -> None:
    """Places, marks, tags and those whom they led; not the chats and the mailbox, which is said before."""
    story = copied(policy={"leavers": "delete"})
    before = fields_of(story.wecom)
    story.goes("E3")
    for each in ("E5", "E6", "E8"):
        story.hr.employees[each].manager_no = None
    story.save()
    told = story.stage.plan().plan
    run = story.apply()
    assert "e3" not in story.wecom.members

    undone = story.stage.undo(run.id)

    assert failures(undone) == []
    assert differing(before, fields_of(story.wecom)) == set()
    [loss] = of(told, Kind.MEMBER, "E3")
    assert (loss.reason, "chats" in str(loss.why)) == (LossReason.DELETED, True)
    assert of(undone.plan, Kind.MEMBER, "E3")[0].reason is LossReason.DELETED


def test_who_was_deleted_and_comes_back_through_the_source_is_not_made_twice(copied: Office) -> None:
    """Whoever is there by then is left as they are; what the former one had is listed."""
    story = copied(policy={"leavers": "delete"})
    row = story.hr.employees["E1"]
    story.goes("E1")
    run = story.apply()
    story.hr.employees["E1"] = row
    former, row.mobile = row.mobile, mobile(88)
    del story.hr.departments["D4"]
    story.person("E7", dept="D1")
    second = story.apply()
    story.department("D4", "合规部")
    story.apply()

    plan = story.stage.plan_undo(run.id).plan
    assert described(plan.writes) == []
    assert [(each.reason, each.fields) for each in of(plan, Kind.MEMBER, "E1")] == [
        (LossReason.DELETED, ()),
        (LossReason.CHANGED, ("mobile", "tags")),
    ]
    assert str(former) not in str(plan.not_undoable)
    of_second = of(story.stage.plan_undo(second.id).plan, Kind.DEPARTMENT, "D4")
    assert [(each.reason, each.fields) for each in of_second] == [
        (LossReason.DELETED, ()),
        (LossReason.CHANGED, ("name",)),
    ]


def test_departments_are_built_anew_from_the_top_down(story: Story) -> None:
    """A whole branch that was deleted, with everybody who was in it."""
    story.department("D41", "合同组", "D4")
    story.department("D42", "诉讼组", "D41")
    story.person("E9", dept="D42")
    story.settle()
    before = fields_of(story.wecom)
    ids = set(story.wecom.departments)
    for code in ("D4", "D41", "D42"):
        del story.hr.departments[code]
    for each in ("E7", "E9"):
        story.hr.employees[each].dept_code = "D1"
    run = story.apply()

    undone = story.stage.undo(run.id)

    assert failures(undone) == []
    assert differing(before, fields_of(story.wecom)) == set()
    created = [change.key for change in undone.plan.writes if change.verb is Verb.CREATE]
    assert created == ["D4", "D41", "D42"]
    assert len(ids - set(story.wecom.departments)) == 3
    assert sorted(lost(undone.plan, LossReason.DELETED)) == [
        ("department", code, ()) for code in ("D4", "D41", "D42")
    ]


def test_a_name_that_a_new_department_has_is_not_fought_over(story: Story) -> None:
    """What was deleted cannot stand where what was created stays; both plans say so."""
    del story.hr.departments["D4"]
    story.department("D6", "法务部")
    story.hr.employees["E7"].dept_code = "D6"
    story.save()
    told = story.stage.plan().plan
    run = story.apply()

    undone = story.stage.undo(run.id)

    assert undone.plan.writes == ()
    assert [loss.reason for loss in of(told, Kind.DEPARTMENT, "D4")] == [LossReason.TAKEN, LossReason.DELETED]
    assert [loss.reason for loss in of(told, Kind.MEMBER, "E7")] == [LossReason.GONE]
    assert [loss.reason for loss in of(undone.plan, Kind.DEPARTMENT, "D4")] == [LossReason.TAKEN]
    assert [loss.reason for loss in of(undone.plan, Kind.MEMBER, "E7")] == [LossReason.GONE]


def test_a_number_that_went_to_somebody_new_stays_there(story: Story) -> None:
    """Everything else of whoever had it comes back; both plans name the number."""
    story.hr.employees["E4"].status = "left"
    story.person("E9", mobile=mobile(4))
    story.save()
    told = story.stage.plan().plan
    run = story.apply()

    undone = story.stage.undo(run.id)

    assert failures(undone) == []
    assert story.member("E4").enable == 1
    assert (story.member("E4").mobile, story.member("E9").mobile) == ("", mobile(4))
    assert ("member", "E4", ("mobile",)) in lost(told, LossReason.TAKEN)
    assert lost(undone.plan, LossReason.TAKEN) == [("member", "E4", ("mobile",))]


# What was changed since


def test_what_another_run_changed_since_is_left(story: Story) -> None:
    """The title that the next run wrote stays; the alias that it did not touch comes back."""
    row = story.hr.employees["E2"]
    row.title, row.alias = "顾问", "二哥"
    run = story.apply()
    row.title = "总监"
    story.settle()

    undone = story.stage.undo(run.id)

    assert (story.member("E2").position, story.member("E2").alias) == ("总监", "阿二")
    assert lost(undone.plan, LossReason.CHANGED) == [("member", "E2", ("position",))]


def test_what_a_hand_changed_since_is_left_where_it_can_be_seen(copied: Office) -> None:
    """An app shows it: the hand's title stays, and is still a hand's for the next plan."""
    story = copied(app=APP)
    story.hr.employees["E1"].title = story.hr.employees["E5"].title = "顾问"
    run = story.apply()
    story.member("E1").position = "由人改过"

    undone = story.stage.undo(run.id)

    assert story.member("E1").position == "由人改过"
    assert story.member("E5").position == ""
    assert lost(undone.plan, LossReason.CHANGED) == [("member", "E1", ("position",))]
    [mine] = [change for change in story.stage.plan().plan.writes if change.key == "E1"]
    assert mine.drift == ("position",)


def test_a_number_of_somebody_who_has_activated_is_named_and_not_sent(copied: Office) -> None:
    """WeCom would answer ok and keep the one that it has."""
    story = copied(app=APP)
    story.hr.employees["E1"].mobile = mobile(77)
    run = story.apply()
    story.member("E1").is_activated = True

    undone = story.stage.undo(run.id)

    assert undone.plan.writes == ()
    assert lost(undone.plan, LossReason.IGNORED) == [("member", "E1", ("mobile",))]


def test_whom_somebody_disabled_meanwhile_is_not_enabled(copied: Office) -> None:
    """The source had them back, and then a hand switched them off: that is not ours to undo."""
    story = copied(app=APP)
    story.hr.employees["E4"].status = "left"
    run = story.apply()
    story.hr.employees["E4"].status = "active"
    story.settle()
    story.member("E4").enable = 0

    undone = story.stage.undo(run.id)

    assert undone.plan.writes == ()
    assert story.member("E4").enable == 0
    assert lost(undone.plan, LossReason.CHANGED) == [("member", "E4", ("enable",))]


def test_whom_the_run_enabled_is_disabled_again(story: Story) -> None:
    """And can be enabled once more: it is we who disabled them."""
    story.hr.employees["E4"].status = "left"
    story.settle()
    story.hr.employees["E4"].status = "active"
    run = story.apply()

    story.stage.undo(run.id)
    assert story.member("E4").enable == 0

    yes_to_the_next_plan(story)
    assert story.member("E4").enable == 1


def test_who_is_gone_by_now_is_listed(copied: Office) -> None:
    """Nothing can be given back to somebody who was deleted since."""
    story = copied(policy={"leavers": "delete"})
    story.hr.employees["E1"].title = "顾问"
    run = story.apply()
    story.goes("E1")
    story.apply()

    undone = story.stage.plan_undo(run.id).plan

    assert undone.writes == ()
    assert lost(undone, LossReason.GONE) == [("member", "E1", ("position",))]


def test_who_was_put_into_a_tag_by_hand_stays_in_it(story: Story) -> None:
    """Only whom the run put in leaves, and only where they are still in it."""
    story.tag("标签一", "E5", "E6", "E7")
    run = story.apply()
    story.hr.tags.remove(("标签一", "E5"))
    story.apply()
    [tag] = [tag for tag in story.wecom.tags.values() if tag.name == "标签一"]
    story.wecom.tag_members(tag.id, ["e5", "e8"])
    story.wecom.untag_members(tag.id, ["e7"])

    story.stage.undo(run.id)

    assert story.tagged("标签一") == {"e1", "e2", "e5", "e8"}


def test_a_value_that_nobody_knew_is_named_before_and_after(tmp_path: Path) -> None:
    """People who were adopted: what they held is not known, so it cannot be given back."""
    story = Story(tmp_path, limits=LIMITS, policy={"adopt": ["userid"]})
    story.wecom.add_member("e1", "员工1", mobile=mobile(1))
    story.person("E1", title="顾问")
    story.save()
    adopted = story.apply(approved=story.stage.plan(weak_too=True).plan.digest)
    told = story.stage.plan().plan
    run = story.apply()
    assert story.member("E1").position == "顾问"

    undone = story.stage.plan_undo(run.id).plan

    unknown = [loss for loss in of(told, Kind.MEMBER, "E1") if "position" in loss.fields]
    assert [loss.reason for loss in unknown] == [LossReason.UNKNOWN]
    assert unknown[0].fields == of(undone, Kind.MEMBER, "E1")[0].fields
    assert all("position" not in change.fields for change in undone.writes)
    assert lost(story.stage.plan_undo(adopted.id).plan, LossReason.STAYS)[-1] == ("member", "E1", ())


# Runs of every kind


def test_a_repair_of_one_person_is_taken_back(story: Story) -> None:
    """`apply --only-person` is a run like any other."""
    story.hr.employees["E1"].title = story.hr.employees["E2"].title = "顾问"
    story.save()
    run = story.stage.repair("E1")

    story.stage.undo(run.id)

    assert story.member("E1").position == ""


@pytest.mark.parametrize(
    "policy",
    [
        {"method": "batch"},
        {"method": "batch", "replace": True, "exclusive": True, "leavers": "delete"},
    ],
    ids=["batch", "replace"],
)
def test_a_run_by_files_is_taken_back(tmp_path: Path, policy: dict[str, Any]) -> None:
    """Whatever the way by which it was written; an undo replaces nobody."""
    story = Story(tmp_path, limits=LIMITS, policy=policy)
    story.people(12, title="工程师")
    story.hr.employees["E3"].manager_no = "E1"
    story.save()
    story.stage.settle()
    before = fields_of(story.wecom)
    for number in range(1, 7):
        story.hr.employees[f"E{number}"].title = "顾问"
    story.hr.employees["E8"].dept_code = "D2"
    story.goes("E12")
    run = story.apply()
    assert failures(run) == []
    assert differing(before, fields_of(story.wecom))
    assert run.plan.forecast.method == ("replace" if "replace" in policy else "batch")

    undone = story.stage.undo(run.id)

    assert failures(undone) == []
    assert undone.plan.forecast.method == "batch"
    assert differing(before, fields_of(story.wecom)) == set()


def test_of_a_run_that_failed_for_some_the_rest_is_taken_back(story: Story) -> None:
    """Whose change WeCom refused is as before; what was written of it is taken back too."""
    before = fields_of(story.wecom)
    story.wecom.add_member("x1", "别人", mobile=mobile(99))
    story.hr.employees["E1"].title = story.hr.employees["E2"].title = "顾问"
    story.hr.employees["E2"].mobile = mobile(99)
    run = story.apply()
    assert [outcome.state for outcome in run.outcomes] == [OutcomeState.DONE, OutcomeState.FAILED]
    assert story.member("E2").position == "顾问"

    undone = story.stage.undo(run.id)

    assert failures(undone) == []
    assert differing(before, fields_of(story.wecom)) == set()


def test_a_plan_and_a_run_that_was_refused_have_nothing_to_undo(story: Story) -> None:
    """It says so, and which runs there are."""
    story.configure(limits={"field_change": 0})
    story.hr.employees["E1"].title = "顾问"
    with pytest.raises(GuardError):
        story.apply()
    last = story.stage.last_run()

    with pytest.raises(WxsyncError, match="refused, and wrote nothing"):
        story.stage.plan_undo(last)
    with pytest.raises(WxsyncError, match="there is no run 4711"):
        story.stage.plan_undo(4711)
    story.stage.plan()
    with pytest.raises(WxsyncError, match="is a plan, and wrote nothing"):
        story.stage.plan_undo(story.stage.last_run())


# What an undo leaves to the runs by the sources


def test_it_learns_of_nobody_that_they_are_wanted_or_gone(copied: Office) -> None:
    """A leaver's days go on, whom a hand deleted is reported as before, a watched source is where it was."""
    story = copied(policy={"delete_after_days": 30})
    story.goes("E4")
    story.settle()
    story.wecom.remove_member("e7")
    story.stage.later(days=10)
    story.hr.employees["E1"].title = "顾问"
    run = story.apply()
    story.stage.act(marked)
    missed = story.stage.act(missed_reads)
    story.stage.undo(run.id)

    assert story.stage.act(marks) == {"hr": "42"}
    assert story.stage.act(missed_reads) == missed != {}
    story.stage.later(days=21)
    story.save()
    changes = story.stage.plan().plan.changes

    assert [change.verb for change in changes if change.key == "E4"] == [Verb.DELETE]
    assert [change.reason for change in changes if change.key == "E7"] == [Reason.FOREIGN]


async def marked(corp: Corp) -> None:
    """A source that is watched stood here when it was last applied."""
    with corp.store.transaction() as connection:
        save_marks(connection, corp.name, corp.sync, {"hr": "42"})


async def marks(corp: Corp) -> dict[str, str]:
    with corp.store.reading() as connection:
        return load_marks(connection, corp.name, corp.sync)


async def missed_reads(corp: Corp) -> Mapping[str, int]:
    with corp.store.reading() as connection:
        return links.load(connection, corp.name, corp.sync).missed_reads


def test_a_late_yes_is_to_an_undo_that_is_still_the_same(story: Story) -> None:
    """More than five minutes after the look it is made anew; where it is another one, nothing is written."""
    story.hr.employees["E1"].title = story.hr.employees["E2"].title = "顾问"
    run = story.apply()

    async def act(corp: Corp) -> None:
        async with holding(corp, "undo"):
            number, decision = await preview(corp, verb="undo", undoes=run.id)
            story.stage.later(minutes=6)
            assert (await made_fresh(corp, number, decision)).plan.digest == decision.plan.digest
            story.wecom.remove_member("e2")
            with pytest.raises(StalePlanError):
                await made_fresh(corp, number, decision)

    story.stage.act(act)


# Processes that die

WHEN = pytest.mark.parametrize("is_after", [False, True], ids=["before_its_effect", "after_its_effect"])
SOME = (1, 8)
EVERY = range(100)


@WHEN
def test_where_an_undo_dies_the_next_one_ends_it(wronged: Wronged, tmp_path: Path, is_after: bool) -> None:
    """Once more, and everything is as it was before the run."""
    assert die_in_the_undo(wronged, tmp_path, SOME, is_after=is_after) == len(SOME)


@pytest.mark.soak
@WHEN
def test_wherever_an_undo_dies_the_next_one_ends_it(wronged: Wronged, tmp_path: Path, is_after: bool) -> None:
    """The same for every write call of it."""
    assert die_in_the_undo(wronged, tmp_path, EVERY, is_after=is_after) > 15


@dataclass(frozen=True)
class Emptied:
    """A company of which a day deleted two people who led, and were in a tag."""

    story: Story
    before: dict[Field, Any]
    run: int

    def copy(self, folder: Path) -> Story:
        return self.story.copy(folder, policy={"leavers": "delete"}, limits=LIMITS)


@pytest.fixture(scope="module")
def emptied(tmp_path_factory: pytest.TempPathFactory) -> Emptied:
    """To be copied from; nobody has a leader in the source any more, so what comes back is the undo's."""
    story = Story(tmp_path_factory.mktemp("emptied"), policy={"leavers": "delete"}, limits=LIMITS)
    for number in range(1, 7):
        story.person(f"E{number}", manager_no=None if number == 1 else "E1")
    story.tag("标签", "E1", "E2", "E3")
    story.place("E1", "D2", is_leader=True)
    story.settle()
    story.stage.later(days=8)
    before = fields_of(story.wecom)
    for key in ("E1", "E2"):
        story.goes(key)
    for row in story.hr.employees.values():
        row.manager_no = None
    run = story.apply()
    assert failures(run) == []
    return Emptied(story, before, run.id)


@WHEN
def test_where_an_undo_of_deletions_dies_the_next_one_completes_whom_it_made(
    emptied: Emptied, tmp_path: Path, is_after: bool
) -> None:
    """Somebody who is there again has their tags, marks and people again too, whichever call was the last."""
    count = 0
    for at in EVERY:
        story = emptied.copy(tmp_path / str(at))
        if not die_at(story.stage, at, is_after=is_after, act=undoing(emptied.run)):
            break
        assert failures(story.stage.undo(emptied.run)) == [], f"after the death at call {at}"
        assert differing(emptied.before, fields_of(story.wecom)) == set(), f"after the death at call {at}"
        count += 1
    assert count > 5


def die_in_the_undo(wronged: Wronged, folder: Path, calls: Iterable[int], *, is_after: bool) -> int:
    """At each of these calls, until one is beyond the last; gives how many there were."""
    for count, at in enumerate(calls):
        story = wronged.copy(folder / str(at))
        if not die_at(story.stage, at, is_after=is_after, act=undoing(wronged.run)):
            return count
        undone = story.stage.undo(wronged.run)
        assert failures(undone) == [], f"after the death at call {at}: {story.written()[-3:]}"
        assert differing(wronged.before, fields_of(story.wecom)) == set(), f"after the death at call {at}"
    return count + 1


@WHEN
def test_after_an_undo_that_died_the_next_run_by_the_sources_waits_and_then_ends_right(
    wronged: Wronged, tmp_path: Path, is_after: bool
) -> None:
    """Half of it is taken back: nothing goes on by itself, and with a yes the sources have their way."""
    story = wronged.copy(tmp_path / "office")
    assert die_at(story.stage, 9, is_after=is_after, act=undoing(wronged.run))
    with pytest.raises(GuardError):
        story.apply()
    story.apply(approved=story.digest())
    story.check()


@WHEN
def test_a_run_that_died_is_taken_back_as_far_as_it_got(
    loaded: Story, tmp_path: Path, is_after: bool
) -> None:
    """What was written, what may have been, and what gave way for a while."""
    assert die_in_the_run(loaded, tmp_path, SOME, is_after=is_after) == len(SOME)


@pytest.mark.soak
@WHEN
def test_wherever_a_run_dies_it_is_taken_back_as_far_as_it_got(
    loaded: Story, tmp_path: Path, is_after: bool
) -> None:
    """The same for every write call of it."""
    assert die_in_the_run(loaded, tmp_path, EVERY, is_after=is_after) > 15


def die_in_the_run(loaded: Story, folder: Path, calls: Iterable[int], *, is_after: bool) -> int:
    """At each of these calls, until one is beyond the last; gives how many there were."""
    before = fields_of(loaded.wecom)
    for count, at in enumerate(calls):
        story = loaded.copy(folder / str(at), limits=LIMITS)
        a_wrong_day(story)
        story.save()
        if not die_at(story.stage, at, is_after=is_after):
            return count
        undone = story.stage.undo(story.stage.last_run())
        assert failures(undone) == [], f"after the death at call {at}: {described(undone.plan.changes)}"
        assert differing(before, fields_of(story.wecom)) == set(), f"after the death at call {at}"
    return count + 1


def undoing(run: int) -> Any:
    """The act that takes this run back."""

    def undo(stage: Stage) -> object:
        return stage.undo(run)

    return undo


def test_addresses_are_as_they_were(story: Story) -> None:
    """The addresses that were swapped go back without ever being held by two."""
    kept = deepcopy(story.emails())
    story.swap("email", "E1", "E2", "E3")
    run = story.apply()
    assert story.emails()["e1"] == email(2)
    story.stage.undo(run.id)
    assert story.emails() == kept
