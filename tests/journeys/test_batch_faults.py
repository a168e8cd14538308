"""Whatever goes wrong with a file: every outcome is true, nobody is doubled, the next run converges."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.journeys.crash import die_at
from tests.journeys.stage import failures, outcome_of
from tests.journeys.story import Story, mobile
from wxsync.engine import job_line
from wxsync.engine.corp import Corp
from wxsync.engine.reconcile import holding
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


def uploads(story: Story) -> int:
    return Counter(call.path for call in story.wecom.log)[UPLOAD]


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
    before = submissions(story)
    run = story.apply()
    assert OutcomeState.UNKNOWN in states(run)
    assert submissions(story) - before == 2 * 4
    story.wecom.job_faults.clear()
    story.settle()


@pytest.mark.parametrize("errcode", [45026, 40092, 302003, 302004])
def test_what_the_first_start_did_is_not_forgotten_where_the_second_is_refused(story, errcode):
    """The job broke off half-way and its repeat is refused: whoever came is ours."""
    for number in (7, 8, 9, 10):
        story.person(f"E{number}")
    story.wecom.job_faults.fail(SUBMIT, 302005, at=0.6, times=1)
    story.wecom.job_faults.fail(SUBMIT, errcode, times=1)
    run = story.apply()
    came = {"E7", "E8", "E9", "E10"} & {key.upper() for key in story.wecom.members}
    assert 0 < len(came) < 4
    assert all(outcome_of(run, key).state is OutcomeState.DONE for key in came)
    story.settle()


def told_otherwise(story: Story, change: Callable[[dict[str, Any]], object]) -> None:
    """Every result of a finished job reaches us with a change."""
    story.stage.line = Retold(SandboxTransport(story.wecom), change)


class Retold(httpx.AsyncBaseTransport):
    """The way to WeCom, on which the result of a job that is over is another one."""

    def __init__(self, inner: httpx.AsyncBaseTransport, change: Callable[[dict[str, Any]], object]) -> None:
        self._inner, self._change = inner, change

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        if not request.url.path.endswith(RESULT):
            return response
        answer = json.loads(await response.aread())
        if answer.get("status") == 3:
            self._change(answer)
        return httpx.Response(200, json=answer)


@pytest.mark.parametrize(
    "change",
    [
        lambda answer: answer["result"].pop(0),
        lambda answer: answer["result"][0].update(errcode=None),
        lambda answer: answer["result"][0].pop("errcode"),
        lambda answer: answer["result"][0].update(userid=7),
        lambda answer: answer["result"].__setitem__(0, None),
        lambda answer: answer["result"].append({**answer["result"][0], "errcode": 60104}),
        lambda answer: answer["result"].insert(0, {**answer["result"][0], "errcode": 60104}),
        lambda answer: answer.pop("result"),
        lambda answer: [answer.pop(name) for name in ("type", "percentage", "total")],
    ],
    ids=[
        "left_out",
        "without_errcode",
        "errcode_is_missing",
        "userid_is_a_number",
        "null",
        "also_refused",
        "refused_and_done",
        "no_rows",
        "nothing_but_rows",
    ],
)
def test_whoever_has_no_word_in_the_result_is_looked_after(story, change):
    """Who was to come is there, which proves it; of an update nobody knows, and the next run writes it."""
    story.person("E7")
    story.hr.employees["E1"].title = "主管"
    told_otherwise(story, change)
    run = story.apply()
    assert outcome_of(run, "E7").state is OutcomeState.DONE
    assert outcome_of(run, "E1").state in (OutcomeState.DONE, OutcomeState.UNKNOWN)
    assert not any(job.state.is_open for job in on_record(story))
    story.stage.line = None
    story.settle()


def test_a_job_that_nobody_can_tell_of_is_given_up_after_a_day(story):
    """Until then every run stops before its plan: the job may still be at work."""
    story.hr.employees["E1"].title = "主管"
    told_otherwise(story, lambda answer: answer.update(status=4))
    assert story.apply().state is RunState.STOPPED
    with pytest.raises(WeComError, match="not what WeCom documents"):
        story.apply()
    story.stage.now += timedelta(hours=25)
    story.apply()
    assert [job.state for job in on_record(story)[1:]] == [JobState.FAILED, JobState.RUNNING]
    story.stage.line = None
    story.settle()


def test_the_import_of_somebody_else_has_its_turn(story):
    """302008 is waited for, and is no failure."""
    story.person("E7")
    story.wecom.faults.answer(SUBMIT, 302008, times=4)
    story.settle()


def test_the_turn_of_somebody_else_has_an_end(story, monkeypatch):
    """After two hours, here half a second, the file has failed with 302008, and the next run tries anew."""
    monkeypatch.setattr(job_line, "TURN", 0.5)
    story.person("E7")
    story.wecom.faults.answer(SUBMIT, 302008, times=9999)
    run = story.apply()
    assert outcome_of(run, "E7").errcode == 302008
    story.wecom.faults.clear()
    story.settle()


def test_a_job_without_progress_is_left_to_the_next_run(story, monkeypatch):
    """After half an hour, here a fifth of a second, the run is stopped; the next one looks at it again."""
    monkeypatch.setattr(job_line, "STALLED", 0.2)
    story.hr.employees["E1"].title = "主管"
    story.wecom.job_faults.hang(SUBMIT)
    run = story.apply()
    assert run.state is RunState.STOPPED
    assert "no progress" in str(run.error)
    assert on_record(story)[-1].state is JobState.RUNNING
    story.wecom.job_faults.release()
    story.settle()
    assert not any(job.state.is_open for job in on_record(story))


def test_a_job_for_which_nobody_answers_is_left_to_the_next_run(story, monkeypatch):
    """After ten questions in a row, each of them repeated."""
    monkeypatch.setattr(job_line, "SILENT", 2)
    story.hr.employees["E1"].title = "主管"
    story.wecom.faults.http_status(RESULT, 502, times=9999)
    run = story.apply()
    assert run.state is RunState.STOPPED
    assert on_record(story)[-1].state is JobState.RUNNING
    story.wecom.faults.clear()
    story.settle()


def test_a_file_that_had_expired_when_the_job_began_is_uploaded_again(story):
    """40007 as the job's own result."""
    story.person("E7")
    before = uploads(story)
    story.wecom.job_faults.fail(SUBMIT, 40007, times=1)
    story.settle()
    assert uploads(story) - before == 2


def test_how_far_wecom_is_with_the_rows_is_told(story):
    """Whoever watches sees rows that are worked off before any of them is on record."""
    for number in range(7, 17):
        story.person(f"E{number}")
    story.wecom.job_seconds = 0.5
    told: list[tuple[int, int]] = []
    story.save()
    story.stage.apply(progress=lambda done, total: told.append((done, total)))
    assert {total for _, total in told} == {10}
    assert len({done for done, _ in told if 0 < done < 10}) > 1


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


def test_a_department_that_wecom_makes_up_is_told(story):
    """It is deleted by hand while the file is on its way: whoever is in it has failed, the plan mends it."""
    story.department("D3", "新部")
    story.settle()
    story.person("E7", dept="D3")
    story.person("E8")
    unit = story.unit("新部").id
    run = with_act_before(story, SUBMIT, 1, lambda: story.wecom.remove_department(unit))
    assert outcome_of(run, "E7").state is OutcomeState.FAILED
    assert "of its own making" in str(outcome_of(run, "E7").hint)
    assert outcome_of(run, "E8").state is OutcomeState.DONE
    story.apply()
    assert "新部" in story.names()


def test_no_file_follows_one_that_may_still_be_under_way(story):
    """Nobody answers for the first job: the second file is not submitted, and its rows were not tried."""
    story.person("E7")
    story.hr.employees["E1"].title = "主管"
    story.hr.employees["E2"].mobile = mobile(92)
    before = submissions(story)
    told_otherwise(story, lambda answer: answer.update(status=4))
    run = story.apply()
    assert run.state is RunState.STOPPED
    assert submissions(story) - before < 3
    assert states(run)[OutcomeState.UNKNOWN] == 1
    assert states(run)[OutcomeState.SKIPPED] > 0
    story.stage.line = None
    story.settle()


# Crashes


@pytest.mark.parametrize("is_after", [False, True], ids=["before_its_effect", "after_its_effect"])
@pytest.mark.parametrize("breaks_off", [False, True], ids=["at_once", "at_the_second_start"])
def test_wherever_the_process_dies_the_next_run_ends_as_if_it_had_not(
    tmp_path: Path, is_after: bool, breaks_off: bool
) -> None:
    """For every write call of a day by files, the next run sees to the job and ends right."""
    (tmp_path / "office").mkdir()
    loaded = office(tmp_path / "office")
    for at in range(100):
        story = loaded.copy(tmp_path / str(at), policy=BATCH)
        a_day(story)
        if breaks_off:
            story.wecom.job_faults.fail(SUBMIT, 302005, at=0.5, times=1)
        if not die_at(story.stage, at, is_after=is_after):
            assert at > 3
            return
        run = story.apply()
        assert failures(run) == [], f"after the death at call {at}: {story.written()[-3:]}"
        story.check()
        assert not any(job.state.is_open for job in on_record(story))
    pytest.fail("the day takes no end")


@pytest.mark.parametrize("is_after", [False, True], ids=["not_begun", "begun"])
def test_what_a_dead_run_left_is_not_written_before_somebody_agrees(story: Story, is_after: bool) -> None:
    """The start was on its way: the next command only looks, however it goes on, and no file is submitted."""
    story.hr.employees["E1"].title = "主管"
    story.person("E7")
    story.save()
    before = submissions(story)
    assert die_at(story.stage, 0, is_after=is_after)

    async def hold(corp: Corp) -> None:
        async with holding(corp, "manual"):
            pass

    story.stage.act(hold)
    assert submissions(story) - before == (1 if is_after else 0)
    assert not story.wecom.jobs.running
    assert not any(job.state.is_open for job in on_record(story))
    story.settle()


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
