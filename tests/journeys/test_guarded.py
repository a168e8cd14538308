"""What wxsync leaves alone, what it asks for, and what it does not conclude."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.journeys.hr import FIRST_DAY
from tests.journeys.stage import described, failures, outcome_of
from tests.journeys.story import Story, mobile
from tests.journeys.torn import torn
from wxsync.errors import GuardError, IncompleteReadError, StalePlanError
from wxsync.model.change import Kind, Reason, Verb
from wxsync.model.run import OutcomeState, Run

Kept = set[tuple[str | None, Reason | None]]


def kept(run: Run) -> Kept:
    return {(change.key, change.reason) for change in run.plan.changes if change.verb is Verb.KEEP}


def office(tmp_path: Path, **settings: object) -> Story:
    """Six people in two departments, in WeCom."""
    story = Story(tmp_path, **settings)
    story.people(4)
    story.person("E5", dept="D2")
    story.person("E6", dept="D2")
    story.settle()
    story.stage.later(days=1)
    return story


# What is not ours


def test_what_is_foreign_is_not_changed_by_a_load_or_by_a_day(tmp_path: Path) -> None:
    """Foreign people, departments and tags are after a load and a day as they were before."""
    story = Story(tmp_path)
    wecom = story.wecom
    boss = wecom.add_member("boss", "老板", mobile=mobile(900))
    outside = wecom.add_department("外部")
    wecom.add_member("guest", "客人", department=[outside.id], mobile=mobile(901))
    wecom.add_tag("自建", ["boss", "guest"])

    story.people(4)
    story.tag("标签", "E1", "E2")
    story.settle_beside_strangers()
    story.swap("mobile", "E1", "E2")
    story.goes("E3")
    story.tag("标签", "E4")
    story.settle_beside_strangers()

    touched = {str((call.body or call.query).get("userid")) for call in wecom.writes}
    assert touched.isdisjoint({"boss", "guest"})
    assert (boss.mobile, boss.department, boss.enable) == (mobile(900), (1,), 1)
    assert wecom.members["guest"].department == (outside.id,)
    assert (wecom.departments[outside.id].name, wecom.departments[outside.id].parentid) == ("外部", 1)
    assert story.tagged("自建") == {"boss", "guest"}
    assert story.stage.plan().plan.summary[Kind.MEMBER][Verb.KEEP] == 2
    assert story.stage.plan().plan.changes == ()


def test_protected_people_are_left_alone_whole(tmp_path: Path) -> None:
    """No update, no leaving, no creation; what would have been done is shown with the reason."""
    story = office(tmp_path)
    story.configure(policy={"protect": ["e1", "E2", "svc-*"]})
    story.hr.employees["E1"].title = "经理"
    story.goes("E2")
    story.hr.employees["E3"].title = "经理"
    since = len(story.wecom.writes)
    run = story.apply()
    assert story.written(since) == ["user/update e3"]
    assert kept(run) == {("E1", Reason.PROTECTED), ("E2", Reason.PROTECTED)}
    assert story.member("E2").enable == 1


def test_somebody_who_looks_like_ours_is_unadopted_and_left_alone(tmp_path: Path) -> None:
    """Somebody with the userid of a source row, of whom nothing else can be read, is kept; a tag of the
    same name is adopted, and whoever a hand has put into it stays."""
    story = office(tmp_path)
    story.wecom.add_member("E7", "员工7", mobile=mobile(700))
    story.wecom.add_tag("标签", ["E7"])
    story.person("E7")
    story.person("E8")
    story.tag("标签", "E1", "E7")
    since = len(story.wecom.writes)
    run = story.apply()
    assert kept(run) == {("E7", Reason.UNADOPTED)}
    assert story.written(since) == ["user/create e8"]
    assert story.member("E7").mobile == mobile(700)
    assert story.tagged("标签") == {"e7"}
    story.apply()
    assert {userid.lower() for userid in story.tagged("标签")} == {"e1", "e7"}


def test_a_foreign_department_of_the_same_name_is_no_ground_to_touch_it(tmp_path: Path) -> None:
    """Names cannot be read: WeCom refuses the second one of a name, and the outcome says so."""
    story = Story(tmp_path)
    there = story.wecom.add_department("研发部")
    story.person("E1", dept="D2")
    run = story.apply()
    assert outcome_of(run, "D1").errcode == 60008
    assert outcome_of(run, "E1").state is OutcomeState.DONE
    assert story.wecom.departments[there.id].parentid == 1


def test_a_department_is_adopted_by_id_and_then_kept_in_step(tmp_path: Path) -> None:
    """Adoption writes nothing; the run after it gives it the name, and people come in at once."""
    story = Story(tmp_path, policy={"adopt_departments": {"D1": 12}})
    story.wecom.add_department("研发", id=12)
    story.person("E1", dept="D1")
    run = story.apply()
    assert failures(run) == []
    assert run.plan.summary[Kind.DEPARTMENT][Verb.ADOPT] == 1
    assert story.wecom.departments[12].name == "研发"
    assert story.member("E1").department == (12,)
    story.settle()
    assert story.wecom.departments[12].name == "研发部"


def test_places_in_foreign_departments_are_sent_along(tmp_path: Path) -> None:
    """A member of ours whom somebody put into a foreign department stays there through every change."""
    story = office(tmp_path)
    outside = story.wecom.add_department("项目组")
    ours = story.unit("研发部").id
    story.wecom.move_member("e1", [ours, outside.id])
    assert story.stage.plan().plan.writes == ()
    story.hr.employees["E1"].dept_code = "D2"
    assert failures(story.apply()) == []
    assert set(story.member("E1").department) == {story.unit("市场部").id, outside.id}
    assert story.member("E1").main_department == story.unit("市场部").id
    assert story.stage.plan().plan.writes == ()


def test_places_in_foreign_departments_end_where_the_policy_says_so(tmp_path: Path) -> None:
    """foreign_memberships = "remove": only the source's places are left."""
    story = office(tmp_path, policy={"foreign_memberships": "remove"})
    outside = story.wecom.add_department("项目组")
    story.wecom.move_member("e1", [story.unit("研发部").id, outside.id])
    assert failures(story.apply()) == []
    assert story.member("E1").department == (story.unit("研发部").id,)


def test_a_place_in_our_department_that_nobody_asked_for_is_taken_back(tmp_path: Path) -> None:
    """Departments of ours and root_department are ours to fill, whoever moved a member by hand."""
    story = office(tmp_path)
    story.wecom.move_member("e1", [1, story.unit("市场部").id])
    story.settle()
    assert story.member("E1").department == (story.unit("研发部").id,)


def test_marks_are_not_sent_beside_a_foreign_department(tmp_path: Path) -> None:
    """The mark there is nobody's to guess: the array is not sent, and that is said."""
    story = office(tmp_path)
    outside = story.wecom.add_department("项目组")
    story.wecom.move_member("e1", [story.unit("研发部").id, outside.id])
    story.place("E1", "D1", is_leader=True)
    since = len(story.wecom.writes)
    run = story.apply()
    assert kept(run) == {("E1", Reason.UNKNOWN)}
    assert story.written(since) == []


def test_people_put_into_our_tag_by_hand_stay_unless_the_policy_is_strict(tmp_path: Path) -> None:
    """Ours or foreign: whom somebody else put in, wxsync takes out only with strict_tags."""
    story = office(tmp_path)
    story.tag("标签", "E1")
    story.settle()
    story.wecom.add_member("boss", "老板", mobile=mobile(900))
    (tag,) = story.wecom.tags.values()
    story.wecom.tag_members(tag.id, ["boss", "e2"])
    assert story.stage.plan().plan.writes == ()
    story.configure(policy={"strict_tags": True})
    assert failures(story.apply()) == []
    assert story.tagged("标签") == {"e1"}


def test_who_was_disabled_by_somebody_else_stays_disabled(tmp_path: Path) -> None:
    """`enable` is sent to those alone whom wxsync disabled."""
    story = office(tmp_path)
    story.wecom.set_status("e1", 2)
    story.hr.employees["E1"].title = "经理"
    assert failures(story.apply()) == []
    assert (story.member("E1").position, story.member("E1").enable) == ("经理", 0)
    assert all("enable" not in (c.body or {}) for c in story.wecom.writes if c.path == "user/update")


def test_who_was_deleted_by_hand_is_reported_or_recreated(tmp_path: Path) -> None:
    """missing_in_wecom = "report" writes nothing; "recreate" makes the member again."""
    story = office(tmp_path)
    story.wecom.remove_member("e1")
    run = story.apply()
    assert kept(run) == {("E1", Reason.FOREIGN)}
    assert "e1" not in story.wecom.members
    story.configure(policy={"missing_in_wecom": "recreate"})
    story.settle()
    assert "e1" in story.wecom.members


def test_a_number_that_wecom_ignores_is_sent_once(tmp_path: Path) -> None:
    """For a member who has activated WeCom answers ok and keeps the old one: it is not sent for ever."""
    story = office(tmp_path)
    story.wecom.set_status("e1", 1)
    story.hr.employees["E1"].mobile = mobile(99)
    assert failures(story.apply()) == []
    assert story.member("E1").mobile == mobile(1)
    assert story.stage.plan().plan.writes == ()


# Limits and approval


def test_over_a_limit_nothing_is_written_until_that_very_plan_is_approved(tmp_path: Path) -> None:
    """Refused; an approval of another plan is stale; the right one works, and works once."""
    story = Story(tmp_path)
    story.people(40)
    story.settle()
    for number in range(10, 20):
        story.goes(f"E{number}")
    digest = story.digest()
    since = len(story.wecom.writes)
    with pytest.raises(GuardError, match="member_remove: 10, allowed 5"):
        story.apply()
    story.goes("E20")
    with pytest.raises(StalePlanError):
        story.apply(approved=digest)
    assert story.written(since) == []

    digest = story.digest()
    assert digest == story.digest()
    assert failures(story.apply(approved=digest)) == []
    assert sum(member.enable for member in story.wecom.members.values()) == 29
    for number in range(21, 30):
        story.goes(f"E{number}")
    with pytest.raises(StalePlanError):
        story.apply(approved=digest)
    assert sum(member.enable for member in story.wecom.members.values()) == 29


def test_a_first_load_has_no_limit_and_the_second_one_has(tmp_path: Path) -> None:
    """Plans do not end the first load; a run applied to its end does."""
    story = Story(tmp_path)
    story.people(60)
    story.plan()
    assert failures(story.apply()) == []
    for number in range(100, 130):
        story.person(f"E{number}")
    with pytest.raises(GuardError, match="member_create: 30, allowed 20"):
        story.apply()


def test_a_corp_full_of_people_and_an_empty_mirror_is_a_new_or_lost_mirror(tmp_path: Path) -> None:
    """Nothing is written without approval; with up to 20 strangers it is a first load."""
    story = Story(tmp_path)
    for number in range(21):
        story.wecom.add_member(f"old{number}", "旧人", mobile=mobile(800 + number))
    story.people(3)
    with pytest.raises(GuardError, match="new or lost mirror"):
        story.apply()
    assert story.wecom.writes == []
    story.wecom.remove_member("old0")
    assert failures(story.apply()) == []


def test_a_lost_mirror_does_not_double_the_corp(tmp_path: Path) -> None:
    """With the mirror gone everybody is a stranger: refused, and even approved nobody is touched."""
    story = Story(tmp_path)
    story.people(30)
    story.settle()
    for file in tmp_path.glob("mirror.db*"):
        file.unlink()
    since = len(story.wecom.writes)
    with pytest.raises(GuardError, match="new or lost mirror"):
        story.apply()
    assert story.written(since) == []


@pytest.mark.parametrize("table", ["departments", "members"])
def test_a_source_that_is_suddenly_empty_is_no_truth(tmp_path: Path, table: str) -> None:
    """No departments or no members where there were some stops the run."""
    story = office(tmp_path)
    if table == "members":
        story.hr.employees.clear()
    else:
        story.hr.departments.clear()
    since = len(story.wecom.writes)
    with pytest.raises(IncompleteReadError):
        story.apply()
    assert story.written(since) == []


def test_half_of_the_rows_missing_is_over_the_limit(tmp_path: Path) -> None:
    """source_shrink counts the rows of each query against the last applied run."""
    story = Story(tmp_path, limits={"member_remove": 1000})
    story.people(40)
    story.settle()
    for number in range(1, 21):
        story.goes(f"E{number}")
    with pytest.raises(GuardError, match=r"source_shrink \(hr.members\): 20, allowed 5"):
        story.apply()


# Rejected rows


def test_a_bad_phone_number_makes_nobody_a_leaver(tmp_path: Path) -> None:
    """The record stays as it is, tags and all; the others go on; the next good row is used."""
    story = office(tmp_path)
    story.tag("标签", "E1", "E2")
    story.settle()
    story.hr.employees["E1"].mobile = "call me"
    story.hr.employees["E1"].title = "经理"
    story.hr.employees["E2"].title = "经理"
    run = story.apply()
    assert [(row.key, row.field, row.rule) for row in run.plan.rejected] == [("E1", "mobile", "phone_number")]
    assert kept(run) == {("E1", Reason.REJECTED)}
    assert (story.member("E1").position, story.member("E2").position) == ("", "经理")
    assert story.member("E1").enable == 1
    assert story.tagged("标签") == {"e1", "e2"}
    story.hr.employees["E1"].mobile = mobile(1)
    story.settle()


def test_all_rows_of_a_doubled_key_are_rejected_and_what_is_there_stays(tmp_path: Path) -> None:
    """Nobody can tell which row is right."""
    story = office(tmp_path)
    story.save()
    twin = replace(story.hr.employees["E1"], title="双胞胎", mobile=mobile(99))
    story.hr.employees["twin"] = twin
    run = story.apply()
    assert {(row.key, row.rule) for row in run.plan.rejected} == {("E1", "duplicate_key")}
    assert kept(run) == {("E1", Reason.REJECTED)}
    assert run.outcomes == ()
    assert story.member("E1").enable == 1


def test_two_rows_with_one_number_are_both_rejected(tmp_path: Path) -> None:
    """Nobody can tell whose it is; both stay as they are."""
    story = office(tmp_path)
    story.hr.employees["E1"].mobile = story.hr.employees["E2"].mobile
    run = story.apply()
    assert {(row.key, row.rule) for row in run.plan.rejected} == {
        ("E1", "duplicate_mobile"),
        ("E2", "duplicate_mobile"),
    }
    assert run.outcomes == ()


def test_a_row_whose_key_cannot_be_read_may_be_anybody(tmp_path: Path) -> None:
    """While there is one nobody is taken for absent; who is inactive by a row of their own leaves."""
    story = office(tmp_path)
    story.person("E7")
    story.hr.employees["E7"].emp_no = ""
    story.goes("E1")
    story.hr.employees["E2"].status = "left"
    story.hr.employees["E3"].title = "经理"
    run = story.apply()
    assert kept(run) == {("E1", Reason.REJECTED)}
    assert [member.enable for member in (story.member("E1"), story.member("E2"))] == [1, 0]
    assert story.member("E3").position == "经理"
    del story.hr.employees["E7"]
    story.settle()
    assert story.member("E1").enable == 0


def test_a_department_row_without_a_key_holds_all_dropped_departments(tmp_path: Path) -> None:
    """Each of them may be that row's."""
    story = office(tmp_path)
    story.department("D3", "客服部")
    story.settle()
    del story.hr.departments["D3"]
    story.department("D4", "谁").code = " "
    run = story.apply()
    assert kept(run) == {("D3", Reason.REJECTED)}
    assert "客服部" in story.names()


def test_a_rejected_department_holds_its_subtree_and_memberships(tmp_path: Path) -> None:
    """The department, what is below it and who is in it stay; others do not go there."""
    story = office(tmp_path)
    story.department("D3", "客服部", "D2")
    story.person("E7", dept="D3")
    story.settle()
    story.hr.departments["D2"].name = "坏:名"
    story.hr.departments["D3"].name = "客服一部"
    story.hr.employees["E5"].dept_code = "D1"
    story.hr.employees["E1"].dept_code = "D3"
    story.hr.employees["E7"].title = "经理"
    story.person("E8", dept="D2")
    run = story.apply()
    assert {(row.key, row.field) for row in run.plan.rejected} == {("D2", "name")}
    assert kept(run) == {(key, Reason.REJECTED) for key in ("D2", "D3", "E5", "E1", "E8")}
    assert story.names() == {"研发部", "市场部", "客服部"}
    assert story.member("E5").department == (story.unit("市场部").id,)
    assert story.member("E1").department == (story.unit("研发部").id,)
    assert story.member("E7").position == "经理"
    story.hr.departments["D2"].name = "市场部"
    story.settle()


def test_a_loop_in_the_tree_holds_its_departments(tmp_path: Path) -> None:
    """Each department of the loop is rejected, nothing of it moves, the rest goes on."""
    story = office(tmp_path)
    story.department("D3", "客服部", "D2")
    story.settle()
    story.hr.departments["D2"].parent_code = "D3"
    story.hr.employees["E1"].title = "经理"
    run = story.apply()
    assert {(row.key, row.rule) for row in run.plan.rejected} == {("D2", "loop"), ("D3", "loop")}
    assert story.wecom.departments[story.unit("客服部").id].parentid == story.unit("市场部").id
    assert story.member("E1").position == "经理"


def test_an_unknown_department_of_a_member_holds_the_member(tmp_path: Path) -> None:
    """A typing error in one row moves nobody and disables nobody."""
    story = office(tmp_path)
    story.hr.employees["E1"].dept_code = "D99"
    run = story.apply()
    assert [(row.key, row.rule) for row in run.plan.rejected] == [("E1", "unknown_department")]
    assert kept(run) == {("E1", Reason.REJECTED)}
    assert story.member("E1").department == (story.unit("研发部").id,)


# Reads that are not proven complete


def test_on_a_read_that_is_not_proven_complete_nothing_is_taken_away(tmp_path: Path) -> None:
    """No disabling, no place, mark, tag or department is lost; what is added or corrected is."""
    story = office(tmp_path)
    story.department("D3", "客服部")
    story.place("E1", "D1", is_leader=True)
    story.place("E2", "D1")
    story.place("E2", "D2")
    story.tag("标签", "E1", "E2")
    story.settle()

    story.goes("E6")
    del story.hr.departments["D3"]
    story.hr.places["E1", "D1"].is_leader = False
    del story.hr.places["E2", "D2"]
    story.hr.tags.remove(("标签", "E2"))
    story.tag("标签", "E3")
    story.hr.employees["E4"].title = "经理"
    story.hr.employees["E5"].dept_code = "D1"
    story.person("E9")
    story.stage.sources = [torn(story)]
    run = story.apply()

    assert not run.plan.is_complete
    assert {reason for _, reason in kept(run)} == {Reason.INCOMPLETE}
    assert story.member("E6").enable == 1
    assert "客服部" in story.names()
    assert story.member("E1").is_leader_in_dept == (1,)
    assert len(story.member("E2").department) == 2
    assert story.member("E5").department == (story.unit("市场部").id,)
    assert story.tagged("标签") == {"e1", "e2", "e3"}
    assert story.member("E4").position == "经理"
    assert "e9" in story.wecom.members

    story.stage.sources = None
    story.settle()
    assert story.tagged("标签") == {"e1", "e3"}


def test_a_number_is_not_taken_from_a_leaver_on_an_incomplete_read(tmp_path: Path) -> None:
    """The leaver may be there after all: the taker waits for a complete read."""
    story = office(tmp_path)
    story.goes("E1")
    story.hr.employees["E2"].mobile = mobile(1)
    story.stage.sources = [torn(story)]
    run = story.apply()
    assert kept(run) == {("E1", Reason.INCOMPLETE), ("E2", Reason.INCOMPLETE)}
    assert story.mobiles()["e1"] == mobile(1)
    story.stage.sources = None
    story.settle()


def test_delete_after_days_counts_from_the_leaving_and_starts_anew_with_every_leaving(tmp_path: Path) -> None:
    """Disabled at once, deleted after the days, not a day earlier; who came back counts anew."""
    story = office(tmp_path, policy={"delete_after_days": 10})
    story.hr.employees["E1"].status = "left"
    story.settle()
    story.stage.later(days=9)
    assert kept(story.apply()) == {("E1", Reason.GRACE)}
    story.hr.employees["E1"].status = "active"
    story.settle()
    story.hr.employees["E1"].leave_date = FIRST_DAY + timedelta(days=1)
    story.settle()
    story.stage.later(days=9)
    assert kept(story.apply()) == {("E1", Reason.GRACE)}
    story.stage.later(days=2)
    assert failures(story.apply()) == []
    assert "e1" not in story.wecom.members
    assert described(story.stage.plan().plan.changes) == []


def test_the_userid_of_somebody_gone_is_not_given_to_another(tmp_path: Path) -> None:
    """WeCom would mix their histories: the row is rejected."""
    story = Story(tmp_path, policy={"leavers": "delete"}, member={"userid": "alias"})
    story.person("E1", alias="lin")
    story.person("E2", alias="mei")
    assert failures(story.apply()) == []
    story.goes("E1")
    assert failures(story.apply()) == []
    story.person("E3", alias="Lin")
    run = story.apply()
    assert [(row.key, row.field, row.rule) for row in run.plan.rejected] == [
        ("E3", "userid", "userid_reused")
    ]
    assert set(story.wecom.members) == {"mei"}
