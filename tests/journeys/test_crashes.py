"""A change has its effect once, whatever is lost and wherever the process dies."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest

from tests.journeys.crash import die_again_and_again, die_at
from tests.journeys.stage import failures, outcome_of
from tests.journeys.story import Story, email, mobile
from wxsync.errors import WeComError
from wxsync.model.change import Reason
from wxsync.model.run import OutcomeState, RunState


def office(tmp_path: Path) -> Story:
    """Eight people, a tree and tags, in WeCom."""
    story = Story(tmp_path)
    story.department("D3", "客服部", "D2")
    story.department("D4", "法务部")
    story.people(6)
    story.person("E7", dept="D4")
    story.person("E8", dept="D3")
    story.tag("标签一", "E1", "E2")
    story.tag("标签二", "E3")
    story.place("E3", "D1", is_leader=True)
    story.place("E3", "D2", is_leader=True)
    story.hr.employees["E2"].alias = "阿二"
    story.hr.employees["E3"].title = "经理"
    story.settle()
    story.stage.later(days=1)
    return story


def a_day(story: Story) -> None:
    """Something of everything."""
    rows, units = story.hr.employees, story.hr.departments
    units["D1"].name, units["D2"].name = "市场部", "研发部"
    units["D3"].parent_code = "D1"
    story.department("D5", "新部", "D3")
    story.department("D6", "法务部")
    del units["D4"]
    rows["E7"].dept_code = "D6"
    story.swap("mobile", "E1", "E2")
    story.swap("email", "E2", "E3")
    rows["E4"].status = "left"
    story.person("E9", mobile=mobile(4), dept="D5", manager_no="E10")
    story.person("E10", dept="D6", manager_no="E9")
    rows["E5"].manager_no = "E10"
    rows["E5"].mobile = mobile(77)
    rows["E6"].dept_code = "D5"
    story.place("E6", "D2", is_leader=True)
    story.place("E3", "D1")
    story.place("E3", "D2", is_leader=True, sort=99)
    rows["E2"].alias = rows["E3"].title = None
    story.tag("标签一", "E9", "E5")
    story.hr.tags.remove(("标签一", "E1"))
    story.hr.tags.remove(("标签二", "E3"))
    story.tag("标签三", "E10", "E6")


WHEN = pytest.mark.parametrize("is_after", [False, True], ids=["before_its_effect", "after_its_effect"])


@WHEN
def test_where_the_process_dies_the_next_run_ends_as_if_it_had_not(tmp_path: Path, is_after: bool) -> None:
    """At every other write call of a day with something of everything: one more run, and all is well."""
    _die_in_the_day(tmp_path, is_after, range(int(is_after), 100, 2))


@pytest.mark.soak
@WHEN
def test_wherever_the_process_dies_the_next_run_ends_as_if_it_had_not(tmp_path: Path, is_after: bool) -> None:
    """The same at every one."""
    _die_in_the_day(tmp_path, is_after, range(100))


def _die_in_the_day(tmp_path: Path, is_after: bool, calls: Iterable[int]) -> None:
    loaded = office(tmp_path)
    for at in calls:
        story = loaded.copy(tmp_path / str(at))
        a_day(story)
        story.save()
        if not die_at(story.stage, at, is_after=is_after):
            assert at > 25
            return
        run = story.apply()
        assert failures(run) == [], f"after the death at call {at}: {story.written()[-3:]}"
        story.check()
    pytest.fail("the day takes no end")


@pytest.mark.parametrize("seed", range(3))
def test_runs_that_die_one_after_another_come_to_the_same_end(tmp_path: Path, seed: int) -> None:
    """What one run left half-done, and the next one again, a run that lives brings to its end."""
    _die_until_done(tmp_path, seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 200))
def test_runs_that_die_one_after_another_come_to_the_same_end_whatever_the_seed(
    tmp_path: Path, seed: int
) -> None:
    """The same many times."""
    _die_until_done(tmp_path, seed)


def _die_until_done(tmp_path: Path, seed: int) -> None:
    story = office(tmp_path)
    a_day(story)
    story.save()
    died = die_again_and_again(story.stage, random.Random(seed))
    run = story.apply()
    assert failures(run) == [], f"after deaths at {died}"
    story.check()


@pytest.mark.parametrize("is_after", [False, True], ids=["before_its_effect", "after_its_effect"])
def test_wherever_the_process_dies_in_a_first_load_nothing_is_doubled(tmp_path: Path, is_after: bool) -> None:
    """Every creation is carried out once, and what was created before the death is known to be ours."""
    for at in range(40):
        folder = tmp_path / str(at)
        folder.mkdir()
        story = Story(folder)
        story.department("D3", "客服部", "D2")
        story.people(4)
        story.person("E5", dept="D3", manager_no="E1")
        story.tag("标签", "E1", "E5")
        story.save()
        if not die_at(story.stage, at, is_after=is_after):
            assert at == 10
            return
        story.settle()
        created = [call for call in story.wecom.writes if call.path == "user/create" and call.is_carried_out]
        assert len(created) == 5
    pytest.fail("the load takes no end")


def test_a_stranger_with_the_userid_of_a_creation_that_never_happened_is_not_ours(tmp_path: Path) -> None:
    """Our intent alone makes nobody ours: the departments must be the requested ones."""
    story = Story(tmp_path)
    story.people(1)
    story.settle()
    story.person("E9", dept="D2")
    story.save()
    assert die_at(story.stage, 0, is_after=False)
    story.wecom.add_member("e9", "别人", mobile=mobile(300))
    run = story.apply()
    assert [(c.key, c.reason) for c in run.plan.changes] == [("E9", Reason.UNADOPTED)]
    assert story.member("E9").name == "别人"


@pytest.mark.parametrize("path", ["user/create", "department/create", "tag/create"])
def test_a_creation_whose_reply_is_lost_has_its_effect_once(tmp_path: Path, path: str) -> None:
    """The run looks for itself, finds what it made, and goes on: one call, one record, all done."""
    story = Story(tmp_path)
    story.people(2)
    story.tag("标签", "E1")
    story.wecom.faults.reset(path, after=True)
    story.settle()
    sent = [call for call in story.wecom.writes if call.path == path]
    assert len(sent) == {"user/create": 2, "department/create": 2, "tag/create": 1}[path]


@pytest.mark.parametrize("path", ["user/create", "department/create", "tag/create"])
def test_a_creation_that_did_not_get_through_is_made_by_the_next_run(tmp_path: Path, path: str) -> None:
    """It is not sent again blindly: its fate is unknown until a run has looked."""
    story = Story(tmp_path)
    story.people(2)
    story.tag("标签", "E1")
    story.wecom.faults.reset(path)
    run = story.apply()
    assert OutcomeState.UNKNOWN in {outcome.state for outcome in run.outcomes}
    story.settle()
    done = [call for call in story.wecom.writes if call.path == path and call.is_carried_out]
    assert len(done) == {"user/create": 2, "department/create": 2, "tag/create": 1}[path]


@pytest.mark.parametrize("path", ["user/update", "department/update", "tag/addtagusers", "user/delete"])
@pytest.mark.parametrize("is_after", [False, True], ids=["before_its_effect", "after_its_effect"])
def test_a_lost_reply_to_what_may_be_repeated_is_no_failure(
    tmp_path: Path, path: str, is_after: bool
) -> None:
    """Sent again, with the same effect."""
    story = office(tmp_path)
    story.configure(policy={"leavers": "delete"})
    story.hr.employees["E1"].title = "经理"
    story.hr.departments["D1"].name = "研究部"
    story.goes("E5")
    story.tag("标签一", "E6")
    story.wecom.faults.reset(path, after=is_after)
    run = story.apply()
    assert failures(run) == []
    assert story.wecom.faults.waiting == []
    assert "e5" not in story.wecom.members
    assert story.member("E1").position == "经理"
    assert story.stage.plan().plan.writes == ()


def test_where_the_line_breaks_in_the_middle_the_run_stops_and_the_next_one_goes_on(tmp_path: Path) -> None:
    """An address that is no longer trusted (60020) ends the run; the rest is done later."""
    story = Story(tmp_path)
    story.people(30)
    story.wecom.faults.answer("user/create", 60020, times=100, skip=10)
    run = story.apply()
    assert run.state.value == "stopped"
    assert len(story.wecom.members) == 10
    done = [o for o in run.outcomes if o.state is OutcomeState.DONE]
    assert len(done) == 12
    story.wecom.faults.clear()
    story.settle()


def test_a_run_that_did_half_of_a_change_is_not_said_to_have_written_nothing(tmp_path: Path) -> None:
    """Who was created still waits for a direct leader: no change is done, and yet something was written."""
    story = Story(tmp_path)
    story.people(1)
    story.settle()
    story.person("E8", manager_no="E9")
    story.person("E9", manager_no="E8")
    story.wecom.faults.answer("user/create", 48002, skip=1)
    run = story.apply()
    created = [key for key in ("E8", "E9") if key.lower() in story.wecom.members]
    assert len(created) == 1
    half = outcome_of(run, created[0])
    assert (half.state, half.attempts) == (OutcomeState.SKIPPED, 1)
    assert not run.count(OutcomeState.DONE)
    assert run.state is RunState.STOPPED
    story.settle()


def test_a_run_whose_first_call_is_refused_has_written_nothing(tmp_path: Path) -> None:
    """It is an error, and on record as failed."""
    story = Story(tmp_path)
    story.people(1)
    story.settle()
    story.hr.employees["E1"].title = "经理"
    story.wecom.faults.answer("user/update", 48002)
    with pytest.raises(WeComError, match="48002"):
        story.apply()
    with closing(sqlite3.connect(story.mirror)) as mirror:
        states = [state for (state,) in mirror.execute("SELECT state FROM runs ORDER BY id DESC LIMIT 1")]
    assert states == ["failed"]


def test_a_circle_that_was_begun_is_not_left_half_way_when_the_run_stops(tmp_path: Path) -> None:
    """Something else ends the run while somebody is cleared: the circle is finished or taken back."""
    story = office(tmp_path)
    story.swap("mobile", "E1", "E2", "E3")
    story.person("E9")
    story.wecom.faults.answer("user/create", 48002)
    story.wecom.faults.delay("user/update", 0.05, times=2)
    run = story.apply()
    assert outcome_of(run, "E9").errcode == 48002
    assert "" not in story.mobiles().values()
    story.settle()
    assert story.emails()["e9"] == email(9)
