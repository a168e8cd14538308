"""One file that replaces everybody: the same end state, exactly the planned deletions, and else nothing."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.crash import die_at
from tests.journeys.meanwhile import apply_meanwhile
from tests.journeys.stage import failures, outcome_of
from tests.journeys.story import Story, email, mobile
from wxsync.cli.output import exit_code_of
from wxsync.engine.corp import Corp
from wxsync.errors import WeComError
from wxsync.mirror import jobs
from wxsync.model.batch_job import BatchJob, JobState
from wxsync.model.change import Kind, Verb
from wxsync.model.job import JobKind
from wxsync.model.run import OutcomeState, Run, RunState
from wxsync.sandbox.job_progress import settle as work_off
from wxsync.sandbox.state import SandboxState

SINGLE = {"method": "single", "leavers": "delete"}
REPLACE = {"method": "batch", "replace": True, "exclusive": True, "leavers": "delete"}
APP = {"agent_id": 1000002, "secret": "sandbox-app-secret"}
"""With it the names of departments are seen, and they can go by file too."""
UPLOAD, MEMBERS, DEPARTMENTS = "media/upload", "batch/replaceuser", "batch/replaceparty"
WIDE = {"percent": 100, "floor": 1000}
KINDS = ("member_remove", "member_update", "field_change", "department_move", "source_shrink")
LIMITS = dict.fromkeys(KINDS, WIDE)


def office(folder: Path, **settings: Any) -> Story:
    """Eight people in WeCom, who came by a file that replaces everybody."""
    story = Story(folder, policy=REPLACE, **settings)
    story.people(8, title="工程师")
    story.save()
    story.stage.settle()
    return story


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return office(tmp_path)


def a_day(story: Story) -> None:
    """Two come, one of them with the number of somebody who goes; two go, one moves, one gets a leader."""
    rows = story.hr.employees
    rows["E1"].title = rows["E2"].title = "高级工程师"
    rows["E3"].dept_code = "D2"
    rows["E4"].manager_no = "E9"
    rows["E7"].title = None
    story.goes("E5")
    story.goes("E6")
    story.person("E9")
    story.person("E10", dept="D2", manager_no="E9", mobile=mobile(6))
    story.save()


def settle(story: Story) -> Run:
    story.save()
    return story.stage.settle()


def calls(story: Story, since: int) -> Counter[str]:
    return Counter(call.path for call in story.wecom.writes[since:])


def on_record(story: Story) -> tuple[BatchJob, ...]:
    """The jobs, the oldest first."""

    async def read(corp: Corp) -> tuple[BatchJob, ...]:
        with corp.store.reading() as connection:
            return tuple(reversed(jobs.jobs(connection, 100)))

    found: tuple[BatchJob, ...] = story.stage.act(read)
    return found


def picture(wecom: SandboxState) -> tuple[dict[str, object], dict[str, int], dict[str, list[str]]]:
    """Everything that matters, without ids."""
    paths = {id: _path(wecom, id) for id in wecom.departments}
    people: dict[str, object] = {
        userid: (
            member.name,
            member.alias,
            member.mobile,
            member.email,
            member.position,
            member.gender,
            member.enable,
            member.direct_leader,
            paths[member.placement.main_department],
            sorted(
                (paths[id], order, leads)
                for id, order, leads in zip(
                    member.placement.department,
                    member.placement.order,
                    member.placement.is_leader_in_dept,
                    strict=True,
                )
            ),
        )
        for userid, member in wecom.members.items()
    }
    tree = {paths[each.id]: each.order for each in wecom.departments.values() if each.id != 1}
    tags = {tag.name: sorted(tag.users) for tag in wecom.tags.values()}
    return people, tree, tags


def _path(wecom: SandboxState, id: int) -> str:
    department = wecom.departments[id]
    return "" if id == 1 else f"{_path(wecom, department.parentid)}/{department.name}"


def obstacles(story: Story) -> list[str]:
    story.save()
    return [str(obstacle) for obstacle in story.stage.plan().plan.forecast.obstacles]


# The end state


def test_a_day_by_one_file(story: Story) -> None:
    """The file creates, changes and deletes; what it cannot say are calls around it; nobody is invited."""
    before = len(story.wecom.writes)
    a_day(story)
    run = settle(story)
    assert run.plan.forecast.method == "replace"
    assert calls(story, before) == {MEMBERS: 1, "user/delete": 1, "user/update": 3}
    assert set(story.wecom.members) == {"e1", "e2", "e3", "e4", "e7", "e8", "e9", "e10"}
    assert story.member("E10").mobile == mobile(6)
    assert not story.wecom.invitations


def test_a_deletion_by_call_comes_before_the_file(story: Story) -> None:
    """Whoever takes the number of somebody who goes is a row; the deletion is a call, and comes first."""
    story.goes("E6")
    story.goes("E5")
    story.person("E9", mobile=mobile(6))
    before = len(story.wecom.writes)
    settle(story)
    assert story.written(before) == ["user/delete e6", MEMBERS]


def test_who_waits_for_somebody_in_the_file_comes_after_it(story: Story) -> None:
    """A number that is handed on: one row, and one call after it."""
    story.hr.employees["E1"].mobile = mobile(91)
    story.hr.employees["E2"].mobile = mobile(1)
    before = len(story.wecom.writes)
    settle(story)
    assert story.written(before) == [MEMBERS, "user/update e2"]


def test_a_number_that_the_file_cannot_clear_is_given_on_after_the_call_that_clears_it(story: Story) -> None:
    """One moves by the file and loses a number by a call: who gets the number waits for both."""
    rows = story.hr.employees
    rows["E1"].dept_code, rows["E1"].mobile = "D2", None
    rows["E2"].mobile = mobile(1)
    before = len(story.wecom.writes)
    settle(story)
    assert story.written(before) == [MEMBERS, "user/update e1", "user/update e2"]
    assert (story.member("E1").mobile, story.member("E2").mobile) == ("", mobile(1))


def test_somebody_disabled_by_hand_stays_disabled(story: Story) -> None:
    """No file of this kind says whether somebody is disabled."""
    story.wecom.members["e8"].enable = 0
    a_day(story)
    settle(story)
    assert story.member("E8").enable == 0


def test_departments_go_by_a_file_of_the_whole_tree(tmp_path: Path) -> None:
    """Built, renamed and moved by one file; what the plan drops is in it, and is deleted by a call."""
    story = office(tmp_path, app=APP)
    story.department("D3", "测试部", parent="D1")
    story.department("D4", "客服部", parent="D3")
    story.hr.departments["D1"].name = "研究部"
    settle(story)
    before = len(story.wecom.writes)
    story.hr.departments["D4"].parent_code = "D2"
    story.hr.departments.pop("D3")
    story.department("D5", "法务部", parent="D4")
    story.person("E11", dept="D5")
    run = settle(story)
    assert run.plan.forecast.method == "replace"
    assert story.written(before)[0] == DEPARTMENTS
    assert calls(story, before) == {DEPARTMENTS: 1, MEMBERS: 1, "department/delete": 1}
    assert picture(story.wecom)[1].keys() == {"/研究部", "/市场部", "/市场部/客服部", "/市场部/客服部/法务部"}


def test_nothing_else_is_done_while_the_tree_is_worked_off(tmp_path: Path) -> None:
    """WeCom would make a department anew that is deleted while the file with it is under way."""
    story = office(tmp_path, app=APP, limits=LIMITS)
    story.department("D3", "测试部")
    settle(story)
    story.wecom.job_seconds = 0.3
    story.hr.departments.pop("D3")
    story.hr.departments["D2"].name = "销售部"
    story.person("E11")
    before = len(story.wecom.writes)
    settle(story)
    assert story.written(before)[0] == DEPARTMENTS
    assert picture(story.wecom)[1].keys() == {"/研发部", "/销售部"}


def a_random_day(story: Story, chance: random.Random) -> None:
    """Anything that HR may do, without more of it than the limits allow."""
    rows = story.hr.employees
    for _ in range(chance.randrange(1, 9)):
        people = sorted(rows)
        row = rows[chance.choice(people)]
        other = rows[chance.choice(people)]
        act = chance.randrange(15)
        if act == 0 and len(rows) > 5 and row.emp_no != "E1":
            story.goes(row.emp_no)
            if chance.random() < 0.5:
                rows[chance.choice(sorted(rows))].mobile = row.mobile
        elif act == 1:
            number = chance.randrange(20, 60)
            story.person(f"E{number}", dept=chance.choice(sorted(story.hr.departments)))
        elif act == 2 and other is not row:
            row.mobile, other.mobile = other.mobile, row.mobile
        elif act == 3:
            row.mobile = mobile(chance.randrange(100, 999))
        elif act == 4:
            row.email = email(chance.randrange(100, 999))
        elif act == 5:
            row.title = chance.choice([None, "主管", "专员"])
        elif act == 6:
            row.dept_code = chance.choice(sorted(story.hr.departments))
        elif act == 7:
            row.manager_no = other.emp_no if other is not row else None
        elif act == 8:
            story.place(row.emp_no, chance.choice(sorted(story.hr.departments)), is_leader=True)
        elif act == 9:
            story.department(f"D{chance.randrange(3, 9)}", f"部门{chance.randrange(99)}")
        elif act in (12, 13):
            unit = story.hr.departments[chance.choice(sorted(story.hr.departments.keys() - {"HQ"}))]
            unit.name = f"部门{chance.randrange(100, 999)}"
            unit.sort = chance.randrange(1, 200)
        elif act == 14:
            unit = story.hr.departments[chance.choice(sorted(story.hr.departments.keys() - {"HQ"}))]
            unit.parent_code = chance.choice(("HQ", "D1" if unit.code > "D1" else "HQ"))
        elif act == 10:
            row.status = chance.choice(["active", "left"])
        else:
            row.alias = chance.choice([None, f"别名{chance.randrange(9)}"])
    for row in rows.values():
        if row.manager_no not in rows:
            row.manager_no = None
    drop(story, chance)
    taken = Counter(row.mobile for row in rows.values())
    for number, row in enumerate(rows.values()):
        if taken[row.mobile] > 1:
            taken[row.mobile] -= 1
            row.mobile = mobile(2000 + number)
    names = Counter((unit.parent_code, unit.name) for unit in story.hr.departments.values())
    for number, unit in enumerate(story.hr.departments.values()):
        if names[unit.parent_code, unit.name] > 1:
            names[unit.parent_code, unit.name] -= 1
            unit.name = f"部门{2000 + number}"


def drop(story: Story, chance: random.Random) -> None:
    """Now and then a department is gone, where nobody is in it and nothing below it."""
    people = {row.dept_code for row in story.hr.employees.values()} | {code for _, code in story.hr.places}
    for code in sorted(story.hr.departments.keys() - people - {"HQ", "D1", "D2"}):
        if not story.hr.children(code) and chance.random() < 0.3:
            del story.hr.departments[code]


def same_end(folder: Path, seeds: range) -> Counter[str]:
    """Of random days, each done by calls and by files that replace; gives the calls."""
    settings: dict[str, Any] = {"limits": LIMITS}
    used = Counter[str]()
    for at, app in enumerate((None, APP)):
        (folder / f"{at}").mkdir()
        loaded = office(folder / f"{at}", app=app, **settings)
        loaded.place("E1", "D2")
        loaded.hr.departments["D2"].sort = 50
        for seed in seeds:
            if seed % 2 != at:
                continue
            ends = []
            for policy in (SINGLE, REPLACE):
                story = loaded.copy(folder / f"{seed}-{policy['method']}", policy=policy, app=app, **settings)
                before = len(story.wecom.writes)
                for day in range(2):
                    a_random_day(story, random.Random(f"{seed}/{day}"))
                    run = story.apply()
                    assert failures(run) == [], f"seed {seed}"
                used += calls(story, before)
                assert not story.wecom.invitations
                assert story.stage.plan().plan.writes == (), f"seed {seed}"
                ends.append(picture(story.wecom))
            assert ends[0] == ends[1], f"seed {seed}"
    return used


def test_the_end_state_is_that_of_single_calls(tmp_path: Path) -> None:
    """Ten seeds of two days each."""
    made = same_end(tmp_path, range(10))
    assert made[MEMBERS] > 5
    assert made[DEPARTMENTS] > 1


@pytest.mark.soak
def test_the_end_state_is_that_of_single_calls_500_times(tmp_path: Path) -> None:
    """The same for 500 more seeds."""
    made = same_end(tmp_path, range(1000, 1500))
    assert made[MEMBERS] > 400
    assert made[DEPARTMENTS] > 100


# What stands against it


def test_strangers_and_foreign_departments_stand_against_it(story: Story) -> None:
    """They are counted and named, and the end state is reached without such a file."""
    story.wecom.add_member("zhang", "陌生人")
    story.wecom.add_department("外部")
    a_day(story)
    told = obstacles(story)
    assert any(each.startswith("members in WeCom that are not ours: 1 (zhang)") for each in told)
    assert any(each.startswith("departments in WeCom that are not ours: 1") for each in told)
    before = len(story.wecom.writes)
    settle(story)
    assert MEMBERS not in calls(story, before)
    assert "zhang" in story.wecom.members


def test_a_name_that_nobody_knows_stands_against_it(story: Story) -> None:
    """Somebody who was renamed in a way of which nobody knows what became."""
    story.hr.employees["E1"].full_name = "新名字"
    story.wecom.faults.reset("batch/replaceuser", after=False, times=99)
    story.wecom.faults.reset("user/update", after=False, times=99)
    story.apply()
    story.wecom.faults.clear()
    story.hr.employees.pop("E1")
    story.configure(policy={**REPLACE, "leavers": "keep"})
    story.person("E20")
    assert obstacles(story) == ["members of ours whose name is not known, or fits into no file: 1 (E1)"]
    settle(story)


# Others in the same corp


def stranger(story: Story) -> None:
    story.wecom.add_member("stranger", "陌生人")


@pytest.mark.parametrize("who", ["stranger", "new_one", "deleted", "gone"])
def test_whatever_a_hand_did_since_the_plan_keeps_the_file_back(story: Story, who: str) -> None:
    """Nothing is sent; the calls do what can be done, and nobody is deleted whom the plan does not delete."""
    a_day(story)
    acts = {
        "stranger": lambda: story.wecom.add_member("stranger", "陌生人"),
        "new_one": lambda: story.wecom.add_member("e9", "陌生人"),
        "deleted": lambda: story.wecom.remove_member("e8"),
        "gone": lambda: story.wecom.remove_member("e5"),
    }
    before = len(story.wecom.writes)
    run = apply_meanwhile(story, UPLOAD, 1, acts[who])
    assert MEMBERS not in calls(story, before)
    assert [job.state for job in on_record(story)][-1] is JobState.ABANDONED
    staying = {"e1", "e2", "e3", "e4", "e7"}
    assert staying <= set(story.wecom.members)
    assert "e5" not in story.wecom.members
    assert ("stranger" in story.wecom.members) == (who == "stranger")
    if who == "new_one":
        assert story.wecom.members["e9"].name == "陌生人"
        assert outcome_of(run, "E9").state is OutcomeState.FAILED
    assert outcome_of(run, "E1").state is OutcomeState.DONE


def test_a_department_that_is_gone_since_the_plan_keeps_the_file_back(story: Story) -> None:
    """WeCom would make one up for its id: those rows have failed, and calls do the others."""
    a_day(story)
    unit, before = story.unit("市场部").id, len(story.wecom.writes)
    run = apply_meanwhile(story, "department/simplelist", 2, lambda: story.wecom.remove_department(unit))
    assert MEMBERS not in calls(story, before)
    assert {outcome_of(run, key).state for key in ("E3", "E10")} == {OutcomeState.FAILED}
    assert outcome_of(run, "E1").state is OutcomeState.DONE
    assert "e5" not in story.wecom.members
    assert len(story.names()) == 1
    settle(story)


def test_the_check_comes_before_a_repeat_too(story: Story) -> None:
    """A stranger who came while the job failed (302005) keeps back the second submission."""
    a_day(story)
    story.wecom.job_faults.fail(MEMBERS, 302005, at=0.5)
    before = len(story.wecom.writes)
    run = apply_meanwhile(story, "batch/getresult", 1, lambda: stranger(story))
    assert calls(story, before)[MEMBERS] == 1
    assert "stranger" in story.wecom.members
    assert OutcomeState.UNKNOWN in {outcome.state for outcome in run.outcomes}
    story.wecom.remove_member("stranger")
    settle(story)


def test_a_job_that_wecom_could_not_carry_out_is_begun_again(story: Story) -> None:
    """302005 three times, each after half of the work: some of those who go are gone by then."""
    a_day(story)
    before = len(story.wecom.writes)
    story.wecom.job_faults.fail(MEMBERS, 302005, at=0.9, times=3)
    settle(story)
    assert calls(story, before)[MEMBERS] == 4


def test_a_department_made_by_hand_keeps_the_tree_back(tmp_path: Path) -> None:
    """It would be deleted, since it is not in the file: nothing is sent, and calls build the rest."""
    story = office(tmp_path, app=APP)
    story.department("D3", "测试部")
    story.department("D4", "客服部", parent="D3")
    before = len(story.wecom.writes)
    run = apply_meanwhile(story, UPLOAD, 1, lambda: story.wecom.add_department("外部"))
    assert failures(run) == []
    assert story.written(before)[0].startswith("department/create")
    assert {"外部", "测试部", "客服部"} <= story.names()


# What WeCom says


@pytest.mark.parametrize("at_once", [False, True], ids=["in_the_result", "at_the_start"])
def test_too_many_deletions_for_wecom_are_those_rows_failure(story: Story, at_once: bool) -> None:
    """45026: nobody is deleted or changed by the file, the rows say why, and the rest of the run goes on."""
    story.wecom.jobs_fail_at_once = at_once
    for number in range(2, 9):
        story.goes(f"E{number}")
    story.hr.employees["E1"].title = None
    story.configure(policy=REPLACE, limits=LIMITS)
    run = story.apply()
    assert run.state is RunState.APPLIED
    refused = [outcome for outcome in run.outcomes if outcome.state is OutcomeState.FAILED]
    assert {outcome.errcode for outcome in refused} == {45026}
    assert all("deletions" in str(outcome.hint) for outcome in refused)
    assert len(story.wecom.members) == 8
    assert story.member("E1").position == ""


def test_the_creator_of_the_corp_is_not_deleted(story: Story) -> None:
    """301005 is that person's outcome."""
    story.wecom.creator = "e5"
    a_day(story)
    run = story.apply()
    assert outcome_of(run, "E5").errcode == 301005
    assert "e5" in story.wecom.members
    assert len(failures(run)) == 1


@pytest.mark.parametrize("key", ["E8", "E9"], ids=["who_was_there", "who_was_created"])
def test_somebody_who_vanished_while_the_job_ran_is_an_alarm(story: Story, key: str) -> None:
    """The run stops and names them; the very next plan creates them again."""
    a_day(story)
    looks = 3  # for the plan, before the submission, and after the job
    run = apply_meanwhile(story, "user/list_id", looks, lambda: story.wecom.remove_member(key.lower()))
    assert run.state is RunState.STOPPED
    assert exit_code_of(run) == 5
    assert f"creates again: {key}." in str(run.error)
    story.save()
    created = {
        change.key
        for change in story.stage.plan().plan.writes
        if change.kind is Kind.MEMBER and change.verb is Verb.CREATE
    }
    assert created == {key}
    settle(story)
    assert key.lower() in story.wecom.members


def test_the_alarm_says_whom_nobody_creates_again(tmp_path: Path) -> None:
    """A leaver in grace who vanished while the job ran: the source does not ask for them."""
    story = Story(tmp_path, policy=REPLACE | {"leavers": "disable"}, limits=LIMITS)
    story.people(8, title="工程师")
    story.settle()
    story.goes("E5")
    story.settle()
    story.person("E9")
    story.hr.employees["E1"].title = "主管"
    run = apply_meanwhile(story, "user/list_id", 3, lambda: story.wecom.remove_member("e5"))
    assert run.state is RunState.STOPPED
    assert "so that nobody creates them: E5." in str(run.error)
    assert "creates again" not in str(run.error)
    settle(story)
    assert "e5" not in story.wecom.members


def test_somebody_who_vanished_before_a_dead_runs_job_was_seen_to_is_an_alarm(story: Story) -> None:
    """The next run follows the job to its end, and looks for everybody as its own run would have."""
    a_day(story)
    assert die_at(story.stage, 1, is_after=True)
    assert story.wecom.writes[-1].path == MEMBERS
    time.sleep(2 * story.wecom.job_seconds)
    work_off(story.wecom)
    story.wecom.remove_member("e8")
    with pytest.raises(WeComError, match=r"The next plan creates again, if wanted: E8\."):
        story.stage.apply()
    settle(story)
    assert "e8" in story.wecom.members


def test_a_refusal_of_somebody_who_does_not_change_is_told(story: Story) -> None:
    """The file says everybody: a refused row without a change is nobody's outcome, and is told of the job."""
    story.person("E20")
    story.hr.employees["E1"].title = "主管"
    story.wecom.job_faults.fail_rows(MEMBERS, 60104, every=3)
    story.apply()
    assert "WeCom refused rows that change nobody" in str(on_record(story)[-1].hint)


def test_the_reply_to_the_start_is_lost(story: Story) -> None:
    """The corp is looked at before the repeat, which finds the work of the first one done or not."""
    a_day(story)
    story.wecom.faults.reset(MEMBERS, after=True)
    settle(story)


# Crashes


@pytest.mark.parametrize("is_after", [False, True], ids=["before_its_effect", "after_its_effect"])
@pytest.mark.parametrize("app", [None, APP], ids=["ids_only", "names_too"])
def test_wherever_the_process_dies_the_next_run_ends_as_if_it_had_not(
    tmp_path: Path, is_after: bool, app: Any
) -> None:
    """For every write call of a day, the next run sees to the job, never submits its file, and ends right."""
    (tmp_path / "office").mkdir()
    loaded = office(tmp_path / "office", app=app)
    for at in range(100):
        story = loaded.copy(tmp_path / str(at), policy=REPLACE, app=app)
        story.department("D3", "测试部")
        a_day(story)
        story.hr.employees["E2"].dept_code = "D3"
        story.save()
        if not die_at(story.stage, at, is_after=is_after):
            assert at > 4
            return
        run = story.apply()
        assert failures(run) == [], f"after the death at call {at}: {story.written()[-3:]}"
        assert story.stage.plan().plan.writes == ()
        assert set(story.wecom.members) == {"e1", "e2", "e3", "e4", "e7", "e8", "e9", "e10"}
        assert story.member("E10").mobile == mobile(6)
        assert not story.wecom.invitations
        assert not any(job.state.is_open for job in on_record(story))
        by_death = [job for job in on_record(story) if job.kind is not JobKind.SYNC_MEMBERS]
        assert all(job.submissions <= 1 for job in by_death)
    pytest.fail("the day takes no end")
