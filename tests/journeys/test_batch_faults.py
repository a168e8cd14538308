"""Whatever goes wrong with a file: every outcome is true, nobody is doubled, the next run converges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.journeys.crash import die_at
from tests.journeys.stage import failures, outcome_of
from tests.journeys.story import Story, mobile
from wxsync.engine.corp import Corp
from wxsync.errors import WeComError
from wxsync.mirror import jobs
from wxsync.model.batch_job import BatchJob, JobState
from wxsync.model.run import OutcomeState, Run, RunState
from wxsync.sandbox.transport import SandboxTransport

BATCH = {"method": "batch"}
SUBMIT, RESULT, UPLOAD = "batch/syncuser", "batch/getresult", "media/upload"


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return office(tmp_path)


def office(folder: Path) -> Story:
    """Six people in WeCom, who came by a file."""
    story = Story(folder, policy=BATCH)
    story.people(6, title="工程师")
    story.settle()
    return story


def a_day(story: Story) -> None:
    """Three come, two have another title, one moves, one leaves, one gets a leader."""
    rows = story.hr.employees
    rows["E1"].title = rows["E2"].title = "高级工程师"
    rows["E3"].dept_code = "D2"
    rows["E4"].manager_no = "E7"
    rows["E5"].status = "left"
    story.person("E7")
    story.person("E8", dept="D2", manager_no="E7")
    story.person("E9", mobile=mobile(5))
    story.save()


def on_record(story: Story) -> tuple[BatchJob, ...]:
    """The jobs, the oldest first."""

    async def read(corp: Corp) -> tuple[BatchJob, ...]:
        with corp.store.reading() as connection:
            return tuple(reversed(jobs.jobs(connection, 100)))

    found: tuple[BatchJob, ...] = story.stage.act(read)
    return found


def submissions(story: Story) -> int:
    return Counter(call.path for call in story.wecom.writes)[SUBMIT]


def states(run) -> Counter[OutcomeState]:
    return Counter(outcome.state for outcome in run.outcomes)


# Rows


@pytest.mark.parametrize("errcode", [40003, 60103, 60104, 60106, 60123, 81013])
def test_a_row_that_wecom_refuses_is_that_persons_failure(story, errcode):
    """Its errcode is the outcome, with a hint; everybody else is done, and the next run makes it good."""
    for number in (7, 8, 9, 10):
        story.person(f"E{number}")
    story.wecom.job_faults.fail_rows(SUBMIT, errcode, every=2)
    run = story.apply()
    assert states(run) == {OutcomeState.DONE: 2, OutcomeState.FAILED: 2}
    refused = [outcome for outcome in run.outcomes if outcome.state is OutcomeState.FAILED]
    assert {outcome.errcode for outcome in refused} == {errcode}
    assert all(outcome.hint for outcome in refused)
    assert run.state is RunState.APPLIED
    story.settle()


def test_a_row_for_which_wecom_was_too_busy_is_tried_by_a_call(story):
    """-1 says nothing of the person: a call finds out, and nothing has failed."""
    for number in (7, 8, 9, 10):
        story.person(f"E{number}")
    story.hr.employees["E1"].title = story.hr.employees["E2"].title = "主管"
    story.wecom.job_faults.fail_rows(SUBMIT, -1, every=2, times=2)
    run = story.settle()
    assert failures(run) == []
    assert {"user/create e7", "user/create e9"} <= set(story.written())


def test_a_number_of_somebody_elses_does_not_hold_up_the_rest_of_a_row(story):
    """As by single calls: the title arrives, the number is refused, and the refusal is the outcome."""
    story.wecom.set_mobile("e2", mobile(77))
    story.hr.employees["E1"].title = "主管"
    story.hr.employees["E1"].mobile = mobile(77)
    run = story.apply()
    assert outcome_of(run, "E1").errcode == 60104
    assert story.member("E1").position == "主管"


# The whole job


@pytest.mark.parametrize("errcode", [40092, 302003, 302004, 302006, 302007])
def test_a_file_that_wecom_does_not_take_changes_nobody(story, errcode):
    """All its rows have failed with that errcode, nothing is open, and the next run converges."""
    a_day(story)
    story.wecom.job_faults.fail(SUBMIT, errcode, times=9)
    run = story.apply()
    assert {o.errcode for o in run.outcomes if o.state is OutcomeState.FAILED} == {errcode}
    assert {job.state for job in on_record(story)} == {JobState.FINISHED, JobState.FAILED}
    story.wecom.job_faults.clear()
    story.settle()


def test_a_job_that_wecom_could_not_carry_out_is_begun_again(story):
    """302005, three times, and the fourth start succeeds; half of it had been done each time."""
    story.person("E7")
    story.person("E8")
    before = submissions(story)
    story.wecom.job_faults.fail(SUBMIT, 302005, at=0.5, times=3)
    story.settle()
    assert submissions(story) - before == 4


def test_a_job_that_never_comes_through_leaves_its_rows_to_the_next_run(story):
    """After three repeats nobody knows what it did: who is there is found, the rest is unknown."""
    story.person("E7")
    story.person("E8")
    story.hr.employees["E1"].title = story.hr.employees["E2"].title = "主管"
    story.wecom.job_faults.fail(SUBMIT, 302005, at=0.5, times=99)
    run = story.apply()
    assert OutcomeState.UNKNOWN in states(run)
    story.wecom.job_faults.clear()
    story.settle()


def test_the_import_of_somebody_else_has_its_turn(story):
    """302008 is waited for, and is no failure."""
    story.person("E7")
    story.wecom.faults.answer(SUBMIT, 302008, times=4)
    story.settle()


def test_a_file_that_has_expired_is_uploaded_again(story):
    """40007 at the start of the job."""
    story.person("E7")
    story.wecom.faults.answer(SUBMIT, 40007, times=2)
    story.settle()


def test_a_result_that_wecom_has_dropped_is_settled_by_looking(story):
    """Only five are kept (40089): who was to come is there, and that proves it."""
    story.person("E7")
    story.person("E8")
    story.wecom.job_seconds = 0
    story.wecom.faults.answer(RESULT, 40089, times=99)
    run = story.apply()
    assert states(run) == {OutcomeState.DONE: 2}
    story.wecom.faults.clear()
    story.settle()


@pytest.mark.parametrize("errcode", [48002, 60020])
def test_a_refusal_to_start_stops_the_run_and_changes_nothing(story, errcode):
    """No right, or another address: every later call would fail as well."""
    a_day(story)
    story.wecom.faults.answer(SUBMIT, errcode, times=99)
    before = dict(story.mobiles())
    story.wecom.faults.answer("user/*", errcode, times=999)
    with pytest.raises(WeComError):
        story.apply()
    story.wecom.faults.clear()
    assert story.mobiles() == before
    story.settle()


# Lost replies


@pytest.mark.parametrize("after", [False, True], ids=["not_done", "done"])
def test_the_reply_to_a_start_is_lost(story, after):
    """The same file is submitted again only where not all of it is there; nothing is left open."""
    story.person("E7")
    story.person("E8")
    story.wecom.faults.reset(SUBMIT, after=after)
    story.settle()
    assert not any(job.state.is_open for job in on_record(story))


def test_the_reply_to_the_start_of_updates_is_lost(story):
    """A second file of the same content has the same effect, and tells what became of each row."""
    story.hr.employees["E1"].title = story.hr.employees["E2"].title = "主管"
    story.wecom.faults.reset(SUBMIT, after=True)
    story.settle()


def test_questions_about_a_job_may_fail(story):
    """A result is asked for until it comes."""
    story.person("E7")
    story.wecom.faults.http_status(RESULT, 502, times=3)
    story.wecom.faults.reset(RESULT, times=2)
    story.settle()


# Others in the same corp


def test_somebody_made_by_hand_since_the_plan_is_not_changed(story):
    """An import would change them; they are left out, and a call is refused."""
    story.person("E7")
    story.person("E8")

    def by_hand() -> None:
        story.wecom.add_member("e7", "陌生人")

    run = with_act_at_upload(story, by_hand)
    assert story.wecom.members["e7"].name == "陌生人"
    assert outcome_of(run, "E7").state is OutcomeState.FAILED
    assert outcome_of(run, "E8").state is OutcomeState.DONE


def test_somebody_deleted_by_hand_since_the_plan_is_not_made_again(story):
    """An import would create them anew, with half of their fields."""
    story.hr.employees["E1"].title = story.hr.employees["E2"].title = "主管"
    run = with_act_at_upload(story, lambda: story.wecom.remove_member("e1"))
    assert "e1" not in story.wecom.members
    assert outcome_of(run, "E1").state is OutcomeState.FAILED
    assert outcome_of(run, "E2").state is OutcomeState.DONE


def test_a_department_deleted_by_hand_since_the_plan_is_not_made_up(story):
    """WeCom would invent one for an id that it does not know."""
    story.department("D3", "新部")
    story.settle()
    story.person("E7", dept="D3")
    story.person("E8")
    unit = story.unit("新部").id
    run = with_act_before(story, "department/simplelist", 2, lambda: story.wecom.remove_department(unit))
    assert outcome_of(run, "E7").state is OutcomeState.FAILED
    assert outcome_of(run, "E8").state is OutcomeState.DONE
    assert len(story.names()) == 2


# Crashes


@pytest.mark.parametrize("is_after", [False, True], ids=["before_its_effect", "after_its_effect"])
def test_wherever_the_process_dies_the_next_run_ends_as_if_it_had_not(tmp_path: Path, is_after: bool) -> None:
    """For every write call of a day by files, the next run sees to the job and ends right."""
    (tmp_path / "office").mkdir()
    loaded = office(tmp_path / "office")
    for at in range(100):
        story = loaded.copy(tmp_path / str(at), policy=BATCH)
        a_day(story)
        if not die_at(story.stage, at, is_after=is_after):
            assert at > 3
            return
        run = story.apply()
        assert failures(run) == [], f"after the death at call {at}: {story.written()[-3:]}"
        story.check()
        assert not any(job.state.is_open for job in on_record(story))
    pytest.fail("the day takes no end")


def with_act_at_upload(story: Story, act: Callable[[], object]) -> Run:
    return with_act_before(story, UPLOAD, 1, act)


def with_act_before(story: Story, path: str, nth: int, act: Callable[[], object]) -> Run:
    """Apply, and have something happen in WeCom just before the nth call of a path."""
    story.stage.line = Meanwhile(SandboxTransport(story.wecom), path, nth, act)
    try:
        return story.apply()
    finally:
        story.stage.line = None


class Meanwhile(httpx.AsyncBaseTransport):
    """The way to WeCom, in which somebody else acts at some moment."""

    def __init__(
        self, inner: httpx.AsyncBaseTransport, path: str, nth: int, act: Callable[[], object]
    ) -> None:
        self._inner, self._path, self._left, self._act = inner, path, nth, act

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(self._path):
            self._left -= 1
            if self._left == 0:
                self._act()
        return await self._inner.handle_async_request(request)
