"""What changes hands, what swaps, what stands in the way: one small story for each case."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.journeys.hr import FIRST_DAY, HQ
from tests.journeys.stage import failures, outcome_of
from tests.journeys.story import Story, email, mobile
from wxsync.model.change import Reason
from wxsync.model.run import OutcomeState, Run

REFUSED = 60103  # WeCom does not like this very number

Act = Callable[[Story], None]


# The tree


def family(story: Story) -> None:
    """A, B and C side by side, A1 below A, A2 below A1, and somebody in each."""
    for code, name, parent in (
        ("A", "甲部", HQ),
        ("B", "乙部", HQ),
        ("C", "丙部", HQ),
        ("A1", "甲一组", "A"),
        ("A2", "甲二组", "A1"),
        ("B1", "乙一组", "B"),
    ):
        story.department(code, name, parent)
    for number, code in enumerate(("A", "B", "C", "A1", "A2", "B1"), 1):
        story.person(f"E{number}", dept=code)


def rename(story: Story, **names: str) -> None:
    for code, name in names.items():
        story.hr.departments[code].name = name


def move(story: Story, **parents: str) -> None:
    for code, parent in parents.items():
        story.hr.departments[code].parent_code = parent


def drop(story: Story, code: str, *, into: str) -> None:
    del story.hr.departments[code]
    for row in story.hr.employees.values():
        if row.dept_code == code:
            row.dept_code = into


def a_renamed_sibling_needs_a_name_in_use(story: Story) -> None:
    rename(story, A="乙部", B="丁部")


def two_swap_names(story: Story) -> None:
    rename(story, A="乙部", B="甲部")


def three_rotate_names(story: Story) -> None:
    rename(story, A="乙部", B="丙部", C="甲部")


def a_chain_of_names(story: Story) -> None:
    rename(story, A="乙部", B="丙部", C="丁部")


def a_chain_against_the_order_of_keys(story: Story) -> None:
    rename(story, C="乙部", B="甲部", A="丁部")


def a_new_one_has_the_name_of_a_dropped_one(story: Story) -> None:
    story.department("N", "丙部")
    drop(story, "C", into="N")


def a_renamed_one_has_the_name_of_a_dropped_one(story: Story) -> None:
    drop(story, "C", into="A")
    rename(story, A="丙部")


def a_moved_one_has_the_place_of_a_dropped_one(story: Story) -> None:
    rename(story, A2="乙一组")
    move(story, A2="B")
    drop(story, "B1", into="A2")


def a_subtree_goes_below_its_child(story: Story) -> None:
    move(story, A1=HQ, A="A1")


def a_line_of_three_is_turned_over(story: Story) -> None:
    move(story, A2=HQ, A1="A2", A="A1")


def a_child_has_its_parents_place_and_name(story: Story) -> None:
    move(story, A1=HQ, A="A1")
    rename(story, A1="甲部", A="甲一组")


def namesakes_swap_parents(story: Story) -> None:
    move(story, A1="B", B1="A")


def namesakes_below_two_parents_swap_them(story: Story) -> None:
    rename(story, A1="一组", B1="一组")


def subtrees_move_into_each_other(story: Story) -> None:
    move(story, A="B1", B1=HQ, B="A")


def one_moves_below_a_new_one_below_a_new_one(story: Story) -> None:
    story.department("N1", "新一部")
    story.department("N2", "新二部", "N1")
    move(story, A="N2")


def a_new_one_takes_the_name_of_one_that_moves_away(story: Story) -> None:
    move(story, A="B")
    story.department("N", "甲部")


def a_new_parent_has_the_name_of_its_child(story: Story) -> None:
    story.department("N", "甲部")
    move(story, A="N")


def a_line_is_dropped(story: Story) -> None:
    drop(story, "A2", into="B")
    drop(story, "A1", into="B")
    drop(story, "A", into="B")


def one_is_dropped_and_its_children_move_up(story: Story) -> None:
    drop(story, "A", into="B")
    move(story, A1=HQ)


def one_is_dropped_and_its_child_is_called_like_it(story: Story) -> None:
    drop(story, "A", into="B")
    move(story, A1=HQ)
    rename(story, A1="甲部")


TREES: tuple[Act, ...] = (
    a_renamed_sibling_needs_a_name_in_use,
    two_swap_names,
    three_rotate_names,
    a_chain_of_names,
    a_chain_against_the_order_of_keys,
    a_new_one_has_the_name_of_a_dropped_one,
    a_renamed_one_has_the_name_of_a_dropped_one,
    a_moved_one_has_the_place_of_a_dropped_one,
    a_subtree_goes_below_its_child,
    a_line_of_three_is_turned_over,
    a_child_has_its_parents_place_and_name,
    namesakes_swap_parents,
    namesakes_below_two_parents_swap_them,
    subtrees_move_into_each_other,
    one_moves_below_a_new_one_below_a_new_one,
    a_new_one_takes_the_name_of_one_that_moves_away,
    a_new_parent_has_the_name_of_its_child,
    a_line_is_dropped,
    one_is_dropped_and_its_children_move_up,
    one_is_dropped_and_its_child_is_called_like_it,
)


@pytest.mark.parametrize("act", TREES, ids=lambda act: act.__name__)
def test_every_way_of_the_tree_is_gone_in_one_apply(tmp_path: Path, act: Act) -> None:
    """Names, parents and ids are what HR says after one apply, whatever stood in the way."""
    story = Story(tmp_path)
    family(story)
    story.settle()
    act(story)
    story.settle()


@pytest.mark.parametrize("act", TREES, ids=lambda act: act.__name__)
def test_and_all_the_way_back(tmp_path: Path, act: Act) -> None:
    """The same way back is gone in one apply too; what was dropped is made anew."""
    story = Story(tmp_path)
    family(story)
    story.save()
    act(story)
    story.settle()
    for code in [code for code in story.hr.departments if code not in (HQ, "D1", "D2")]:
        del story.hr.departments[code]
    family(story)
    story.settle()


# Phone numbers and addresses


def newcomer(story: Story, **fields: str) -> None:
    story.person("E9", **fields)


def two_swap_numbers(story: Story) -> None:
    story.swap("mobile", "E1", "E2")


def two_swap_addresses(story: Story) -> None:
    story.swap("email", "E1", "E2")


def two_swap_both(story: Story) -> None:
    story.swap("mobile", "E1", "E2")
    story.swap("email", "E1", "E2")


def three_rotate_numbers(story: Story) -> None:
    story.swap("mobile", "E1", "E2", "E3")


def three_rotate_both_ways(story: Story) -> None:
    story.swap("mobile", "E1", "E2", "E3")
    story.swap("email", "E3", "E2", "E1")


def six_rotate_both(story: Story) -> None:
    story.swap("mobile", "E1", "E2", "E3", "E4", "E5", "E6")
    story.swap("email", "E1", "E3", "E5")


def two_swap_numbers_and_one_has_no_address(story: Story) -> None:
    story.swap("mobile", "E1", "E7")


def the_swap_comes_with_a_new_address(story: Story) -> None:
    """The one without an address gets one the same day."""
    story.swap("mobile", "E7", "E8")
    story.hr.employees["E8"].email = "new@example.com"


def a_chain(story: Story) -> None:
    rows = story.hr.employees
    rows["E1"].mobile, rows["E2"].mobile, rows["E3"].mobile = mobile(2), mobile(3), mobile(99)


def a_joiner_has_the_number_of_one_who_gets_another(story: Story) -> None:
    story.hr.employees["E1"].mobile = mobile(99)
    newcomer(story, mobile=mobile(1))


def a_joiner_has_both_of_one_who_gets_others(story: Story) -> None:
    story.hr.employees["E1"].mobile = mobile(99)
    story.hr.employees["E1"].email = email(99)
    newcomer(story, mobile=mobile(1), email=email(1))


def a_joiner_has_the_number_of_a_leaver(story: Story) -> None:
    story.goes("E1")
    newcomer(story, mobile=mobile(1))


def two_joiners_share_what_a_leaver_had(story: Story) -> None:
    """One has the number of a leaver, the other the address of another leaver."""
    story.hr.employees["E1"].status = "left"
    story.hr.employees["E2"].leave_date = FIRST_DAY
    newcomer(story, mobile=mobile(1))
    story.person("E10", email=email(2))


def a_leavers_number_goes_round(story: Story) -> None:
    """To one whose own number goes to another, and so on."""
    story.goes("E1")
    rows = story.hr.employees
    rows["E2"].mobile, rows["E3"].mobile, rows["E4"].mobile = mobile(1), mobile(2), mobile(3)


def one_whose_number_is_withdrawn_loses_it_to_another(story: Story) -> None:
    story.hr.employees["E1"].mobile = None
    story.hr.employees["E2"].mobile = mobile(1)


def a_knot(story: Story) -> None:
    """Two swap numbers, and one of them takes the address of a third, who takes a new one."""
    story.swap("mobile", "E1", "E2")
    story.hr.employees["E1"].email, story.hr.employees["E3"].email = email(3), "new@example.com"


def a_swap_while_both_move_and_are_corrected(story: Story) -> None:
    story.swap("mobile", "E1", "E2")
    story.hr.employees["E1"].dept_code = "D2"
    story.hr.employees["E2"].title = "经理"
    story.hr.employees["E2"].manager_no = "E1"
    story.place("E2", "D2", is_leader=True)


CONTACTS: tuple[Act, ...] = (
    two_swap_numbers,
    two_swap_addresses,
    two_swap_both,
    three_rotate_numbers,
    three_rotate_both_ways,
    six_rotate_both,
    two_swap_numbers_and_one_has_no_address,
    the_swap_comes_with_a_new_address,
    a_chain,
    a_joiner_has_the_number_of_one_who_gets_another,
    a_joiner_has_both_of_one_who_gets_others,
    a_joiner_has_the_number_of_a_leaver,
    two_joiners_share_what_a_leaver_had,
    a_leavers_number_goes_round,
    one_whose_number_is_withdrawn_loses_it_to_another,
    a_knot,
    a_swap_while_both_move_and_are_corrected,
)


def office(tmp_path: Path, **settings: object) -> Story:
    """Six people with a number and an address each, and two with a number only; in WeCom."""
    story = Story(tmp_path, **settings)
    story.people(6)
    story.person("E7", email=None)
    story.person("E8", email=None)
    story.settle()
    story.stage.later(days=1)
    return story


@pytest.mark.parametrize("act", CONTACTS, ids=lambda act: act.__name__)
def test_every_exchange_is_done_in_one_apply(tmp_path: Path, act: Act) -> None:
    """Whoever is to have a number or an address has it after one apply."""
    story = office(tmp_path)
    act(story)
    story.settle()


SWAPS = (two_swap_numbers, two_swap_both, three_rotate_both_ways, a_knot)


@pytest.mark.parametrize("act", SWAPS, ids=lambda act: act.__name__)
def test_a_circle_that_breaks_is_taken_back_at_whatever_step_it_breaks(tmp_path: Path, act: Act) -> None:
    """All in the circle have the new values or all the old, and who has the old has a failed outcome."""
    loaded = office(tmp_path)
    for step in range(20):
        story = loaded.copy(tmp_path / str(step))
        act(story)
        since = len(story.wecom.writes)
        story.wecom.faults.answer("user/update", REFUSED, skip=step)
        run = story.apply()
        is_over = bool(story.wecom.faults.waiting)
        story.wecom.faults.clear()
        for field in ("mobile", "email"):
            _check_circle(field, loaded, story, since, run)
        story.settle()
        assert (failures(run) == []) == is_over
        if is_over:
            assert step > 2
            return
    pytest.fail("the exchange takes no end")


def _check_circle(field: str, loaded: Story, story: Story, since: int, run: Run) -> None:
    """Nobody is left with a third value, least of all none; a circle that was begun fails for all in it."""
    before = {userid: getattr(member, field) for userid, member in loaded.wecom.members.items()}
    after = {userid: getattr(member, field) for userid, member in story.wecom.members.items()}
    wanted = {emp_no.lower(): getattr(row, field) or "" for emp_no, row in story.hr.employees.items()}
    for userid, value in after.items():
        assert value in (before[userid], wanted[userid]), f"{userid} has {value!r} as {field}"
    circle = {userid for userid in before if wanted[userid] != before[userid]}
    if {wanted[userid] for userid in circle} != {before[userid] for userid in circle}:
        return  # a chain, or nothing
    assert len({after[userid] == wanted[userid] for userid in circle}) <= 1, after
    is_begun = any(field in (call.body or {}) for call in story.wecom.writes[since:])
    for userid in circle if is_begun and any(after[u] != wanted[u] for u in circle) else ():
        assert outcome_of(run, userid.upper()).state is OutcomeState.FAILED


def test_where_the_value_cannot_be_given_back_the_next_run_mends_it(tmp_path: Path) -> None:
    """The outcome says that it is to be done by hand, and a run that finds WeCom well does it."""
    story = office(tmp_path)
    two_swap_numbers(story)
    story.wecom.faults.answer("user/update", REFUSED, skip=1, times=2)
    run = story.apply()
    assert {outcome_of(run, key).state for key in ("E1", "E2")} == {OutcomeState.FAILED}
    hints = [str(outcome.hint) for outcome in run.outcomes]
    assert any("could not be given back" in hint for hint in hints), hints
    assert min(story.mobiles().values()) == ""
    story.settle()


def test_where_nothing_can_be_cleared_all_in_the_circle_are_rejected_by_name(tmp_path: Path) -> None:
    """Two with nothing but their numbers cannot swap them: nothing is written for them, all else is."""
    story = office(tmp_path)
    story.swap("mobile", "E7", "E8")
    story.hr.employees["E7"].title = "经理"
    story.hr.employees["E1"].title = "经理"
    since = len(story.wecom.writes)
    run = story.apply()
    assert [(row.key, row.field, row.rule) for row in run.plan.rejected] == [
        ("E7", "mobile", "cycle"),
        ("E8", "mobile", "cycle"),
    ]
    for row in run.plan.rejected:
        assert "E7" in str(row.problem)
        assert "E8" in str(row.problem)
        assert mobile(7) not in str(row.problem)
    assert story.written(since) == ["user/update e1"]
    assert story.mobiles()["e7"] == mobile(7)
    assert outcome_of(run, "E1").state is OutcomeState.DONE

    story.hr.employees["E7"].email = "now@example.com"
    story.settle()


def test_who_waits_for_one_in_a_rejected_circle_is_rejected_too(tmp_path: Path) -> None:
    """Somebody in the circle would have released an address; as they do not, its taker cannot have it."""
    story = office(tmp_path, policy={"clear_when_empty": ["email"]})
    story.swap("mobile", "E1", "E2")
    for emp_no in ("E1", "E2"):
        story.hr.employees[emp_no].email = None
    story.hr.employees["E3"].email = email(1)
    run = story.apply()
    assert {(row.key, row.field, row.rule) for row in run.plan.rejected} == {
        ("E1", "mobile", "cycle"),
        ("E2", "mobile", "cycle"),
        ("E3", "email", "taken"),
    }
    assert run.outcomes == ()
    story.hr.employees["E1"].email = "new@example.com"
    assert failures(story.apply()) == []
    assert story.emails()["e3"] == email(1)
    assert story.plan() == []


# Leavers


def test_a_leaver_who_is_deleted_goes_before_the_number_is_taken(tmp_path: Path) -> None:
    """With leavers = "delete" the deletion comes first, then whoever takes number and address."""
    story = office(tmp_path, policy={"leavers": "delete"})
    story.goes("E1")
    story.hr.employees["E2"].mobile = mobile(1)
    newcomer(story, email=email(1))
    since = len(story.wecom.writes)
    run = story.apply()
    assert failures(run) == []
    calls = story.written(since)
    assert calls[0] == "user/delete e1"
    assert sorted(calls[1:]) == ["user/create e9", "user/update e2"]
    assert "e1" not in story.wecom.members
    assert story.member("E2").mobile == mobile(1)
    assert story.member("E9").email == email(1)
    assert story.plan() == []


def test_a_leaver_whose_deletion_is_refused_keeps_the_number_and_the_taker_waits(tmp_path: Path) -> None:
    """The taker is skipped, not sent into a refusal; the next run does both."""
    story = office(tmp_path, policy={"leavers": "delete"})
    story.goes("E1")
    story.hr.employees["E2"].mobile = mobile(1)
    story.wecom.faults.answer("user/delete", 301005)
    run = story.apply()
    assert outcome_of(run, "E1").state is OutcomeState.FAILED
    assert outcome_of(run, "E2").state is OutcomeState.SKIPPED
    assert story.member("E2").mobile == mobile(2)
    assert failures(story.apply()) == []
    assert story.member("E2").mobile == mobile(1)
    assert story.plan() == []


@pytest.mark.parametrize("leavers", ["keep", "disable"])
def test_a_leaver_who_stays_is_cleared(tmp_path: Path, leavers: str) -> None:
    """Only the number that somebody takes is cleared; with "disable" in one call with the disabling."""
    story = office(tmp_path, policy={"leavers": leavers})
    story.goes("E1")
    story.hr.employees["E2"].mobile = mobile(1)
    since = len(story.wecom.writes)
    assert failures(story.apply()) == []
    assert story.written(since) == ["user/update e1", "user/update e2"]
    assert (story.member("E1").mobile, story.member("E1").email) == ("", email(1))
    assert story.member("E1").enable == (leavers == "keep")
    assert story.member("E2").mobile == mobile(1)
    assert story.stage.plan().plan.writes == ()


def test_a_leaver_with_nothing_but_the_number_keeps_it(tmp_path: Path) -> None:
    """WeCom wants one contact on everybody, disabled or not: the taker is rejected by name."""
    story = office(tmp_path)
    story.goes("E7")
    story.hr.employees["E2"].mobile = mobile(7)
    story.hr.employees["E3"].title = "经理"
    run = story.apply()
    assert [(row.key, row.field, row.rule) for row in run.plan.rejected] == [("E2", "mobile", "taken")]
    assert story.member("E7").enable == 0
    assert story.mobiles()["e7"] == mobile(7)
    assert story.mobiles()["e2"] == mobile(2)
    assert story.member("E3").position == "经理"


def test_a_number_of_somebody_protected_is_not_taken(tmp_path: Path) -> None:
    """Protected people lose nothing, even when they have left."""
    story = office(tmp_path)
    story.configure(policy={"protect": ["E1"]})
    story.goes("E1")
    story.hr.employees["E2"].mobile = mobile(1)
    run = story.apply()
    assert [(row.key, row.rule) for row in run.plan.rejected] == [("E2", "taken")]
    assert story.mobiles()["e1"] == mobile(1)
    assert story.member("E1").enable == 1


def test_who_comes_back_has_another_number_where_the_own_one_is_taken(tmp_path: Path) -> None:
    """Enabled again in one change, with what HR says now."""
    story = office(tmp_path)
    story.hr.employees["E1"].status = "left"
    newcomer(story, mobile=mobile(1))
    story.settle()
    story.hr.employees["E1"].status = "active"
    story.hr.employees["E1"].mobile = mobile(77)
    run = story.settle()
    assert [(change.verb.value, sorted(change.fields)) for change in run.plan.writes] == [
        ("enable", ["enable", "mobile"])
    ]


def test_an_end_date_is_the_last_day(tmp_path: Path) -> None:
    """A member on the last day, a leaver from its end in the sync's time zone."""
    story = office(tmp_path)
    story.hr.employees["E1"].leave_date = FIRST_DAY + timedelta(days=1)
    story.settle()
    assert story.member("E1").enable == 1
    story.stage.later(hours=14.9)
    story.settle()
    assert story.member("E1").enable == 1
    story.stage.later(hours=0.2)
    story.apply()
    assert story.member("E1").enable == 0


def test_a_first_day_that_is_yet_to_come_is_waited_for(tmp_path: Path) -> None:
    """Kept back with the day, then created; whoever is to be led by them gets the leader then."""
    story = office(tmp_path)
    story.person("E9", hire_date=FIRST_DAY + timedelta(days=3))
    story.hr.employees["E1"].manager_no = "E9"
    run = story.settle()
    kept = {(change.key, change.reason) for change in run.plan.changes}
    assert kept == {("E9", Reason.WAITING), ("E1", Reason.WAITING)}
    assert "e9" not in story.wecom.members
    story.stage.later(days=2)
    story.settle()
    assert story.member("E1").direct_leader == ("e9",)


# Leaders


def test_a_leader_of_the_same_day_is_there_before_those_whom_they_lead(tmp_path: Path) -> None:
    """New people are created with their leader in the same call; old hands get it after."""
    story = office(tmp_path)
    story.person("E11", manager_no="E13")
    story.person("E12", manager_no="E11")
    story.person("E13")
    story.hr.employees["E1"].manager_no = "E12"
    since = len(story.wecom.writes)
    story.settle()
    calls = story.written(since)
    assert calls == ["user/create e13", "user/create e11", "user/create e12", "user/update e1"]


def test_a_circle_of_leaders_among_joiners_is_closed_by_a_second_call(tmp_path: Path) -> None:
    """Three who lead one another: three creations and one update."""
    story = office(tmp_path)
    story.person("E11", manager_no="E12")
    story.person("E12", manager_no="E13")
    story.person("E13", manager_no="E11")
    since = len(story.wecom.writes)
    story.settle()
    assert sorted(call.split()[0] for call in story.written(since)) == [*["user/create"] * 3, "user/update"]


def test_a_leader_whose_creation_is_refused_is_left_out_and_set_by_the_next_run(tmp_path: Path) -> None:
    """Nobody is held up by the leader's failure."""
    story = office(tmp_path)
    story.person("E11", manager_no="E12")
    story.person("E12")
    story.wecom.faults.answer("user/create", REFUSED, where=lambda query, body: body["userid"] == "e12")
    run = story.apply()
    assert outcome_of(run, "E12").state is OutcomeState.FAILED
    assert story.member("E11").direct_leader == ()
    story.settle()
    assert story.member("E11").direct_leader == ("e12",)


def test_a_leader_who_takes_the_number_of_one_they_will_lead(tmp_path: Path) -> None:
    """The old hand releases the number, then the joiner is created with it, then leads the old hand."""
    story = office(tmp_path)
    story.person("E11", mobile=mobile(1))
    story.hr.employees["E1"].mobile = mobile(99)
    story.hr.employees["E1"].manager_no = "E11"
    story.settle()


# Marks and places


def test_who_leaves_a_department_and_comes_back_has_no_mark_there(tmp_path: Path) -> None:
    """Marks and orders of a department end with the membership, in WeCom and in the mirror."""
    story = office(tmp_path)
    story.place("E1", "D1", is_leader=True, sort=5)
    story.settle()
    story.goes("E1")
    story.person("E1", dept="D2")
    story.settle()
    story.hr.employees["E1"].dept_code = "D1"
    story.settle()
    assert story.member("E1").is_leader_in_dept == (0,)
    assert story.member("E1").order == (0,)
    story.place("E1", "D1", is_leader=True, sort=5)
    story.settle()
    assert story.member("E1").order == (5,)


def test_the_main_department_changes_alone(tmp_path: Path) -> None:
    """The same departments, another main one: one field, one call."""
    story = office(tmp_path)
    story.place("E1", "D1")
    story.place("E1", "D2")
    story.settle()
    story.hr.employees["E1"].dept_code = "D2"
    run = story.settle()
    assert [sorted(change.fields) for change in run.plan.writes] == [["main_department"]]


# Departments that somebody or something stays in


def test_a_dropped_department_with_a_disabled_leaver_is_kept_until_the_leaver_is_gone(tmp_path: Path) -> None:
    """Kept as occupied, with its name; deleted in the run that deletes the last one in it."""
    story = Story(tmp_path, policy={"delete_after_days": 3})
    story.people(3)
    story.person("E4", dept="D2")
    story.settle()
    story.goes("E4")
    del story.hr.departments["D2"]
    run = story.apply()
    assert [(c.key, c.reason) for c in run.plan.changes if c.reason] == [("D2", Reason.OCCUPIED)]
    assert story.names() == {"研发部", "市场部"}
    story.stage.later(days=4)
    assert failures(story.apply()) == []
    assert story.names() == {"研发部"}
    assert "e4" not in story.wecom.members
    assert story.plan() == []


def test_a_dropped_department_with_a_foreign_child_or_member_is_kept(tmp_path: Path) -> None:
    """What is not ours is not moved out of the way, and the department keeps its name for it."""
    story = Story(tmp_path)
    story.people(2)
    story.department("D3", "客服部")
    story.department("D4", "法务部")
    story.settle()
    stranger = story.wecom.add_member(
        "boss", "老板", department=[story.unit("市场部").id], mobile=mobile(500)
    )
    child = story.wecom.add_department("外部", story.unit("客服部").id)
    for code in ("D2", "D3", "D4"):
        del story.hr.departments[code]
    run = story.apply()
    kept = {(c.key, c.reason) for c in run.plan.changes if c.reason}
    assert kept == {("D2", Reason.OCCUPIED), ("D3", Reason.OCCUPIED)}
    assert failures(run) == []
    assert story.names() == {"研发部", "市场部", "客服部", "外部"}
    assert stranger.department == (story.unit("市场部").id,)
    assert story.wecom.departments[child.id].parentid == story.unit("客服部").id


def test_a_department_that_somebody_could_not_leave_is_not_deleted(tmp_path: Path) -> None:
    """The deletion is skipped, not tried; the next run does both."""
    story = Story(tmp_path)
    story.people(2)
    story.person("E3", dept="D2")
    story.settle()
    story.hr.employees["E3"].dept_code = "D1"
    del story.hr.departments["D2"]
    story.wecom.faults.answer("user/update", REFUSED)
    run = story.apply()
    assert outcome_of(run, "E3").state is OutcomeState.FAILED
    assert outcome_of(run, "D2").state is OutcomeState.SKIPPED
    assert "department/delete" not in " ".join(story.written())
    story.settle()


def test_a_department_that_cannot_be_made_holds_up_only_those_who_need_it(tmp_path: Path) -> None:
    """Its children and people are skipped; the rest goes on, and the next run completes it."""
    story = Story(tmp_path)
    story.department("D3", "客服部", "D2")
    story.person("E1", dept="D1")
    story.person("E2", dept="D2")
    story.person("E3", dept="D3")
    story.wecom.faults.answer("department/create", 60009, where=lambda query, body: body["name"] == "市场部")
    run = story.apply()
    states = {key: outcome_of(run, key).state for key in ("D1", "D2", "D3", "E1", "E2", "E3")}
    assert states == {
        "D1": OutcomeState.DONE,
        "D2": OutcomeState.FAILED,
        "D3": OutcomeState.SKIPPED,
        "E1": OutcomeState.DONE,
        "E2": OutcomeState.SKIPPED,
        "E3": OutcomeState.SKIPPED,
    }
    story.settle()


# Departments whose name is taken by one that stays


def a_stranger_in(story: Story, name: str) -> str:
    story.wecom.add_member("boss", "老板", department=[story.unit(name).id], mobile=mobile(500))
    return "boss"


def test_a_new_department_with_the_name_of_one_that_stays_is_rejected_by_both_names(tmp_path: Path) -> None:
    """Nothing is sent for it and for who is to be in it, all else is; it comes once the name is free."""
    story = Story(tmp_path)
    story.people(2)
    story.person("E3", dept="D2")
    story.settle()
    stranger = a_stranger_in(story, "市场部")
    story.department("D9", "市场部")
    story.department("D10", "市场一组", "D9")
    drop(story, "D2", into="D9")
    story.hr.employees["E1"].title = "经理"
    since = len(story.wecom.writes)
    run = story.apply()
    assert [(row.kind.value, row.key, row.field, row.rule) for row in run.plan.rejected] == [
        ("department", "D9", "name", "taken")
    ]
    assert "D2" in str(run.plan.rejected[0].problem)
    assert story.written(since) == ["user/update e1"]
    assert story.plan() == story.plan()
    story.wecom.remove_member(stranger)
    story.settle()


def test_a_department_that_is_renamed_like_one_that_stays_keeps_its_name(tmp_path: Path) -> None:
    """And so does whoever was to have that one's name in turn."""
    story = Story(tmp_path)
    story.department("D3", "客服部")
    story.people(2)
    story.person("E3", dept="D2")
    story.settle()
    stranger = a_stranger_in(story, "市场部")
    drop(story, "D2", into="D1")
    rename(story, D1="市场部", D3="研发部")
    run = story.apply()
    assert {(row.key, row.rule) for row in run.plan.rejected} == {("D1", "taken"), ("D3", "taken")}
    assert failures(run) == ["rejected department D1 name taken", "rejected department D3 name taken"]
    assert story.names() == {"研发部", "市场部", "客服部"}
    story.wecom.remove_member(stranger)
    story.settle()
