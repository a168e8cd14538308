"""Jobs take their time, one at a time, and are remembered for a while (contacts.md §7.2, §7.5)."""

from __future__ import annotations

import re

import pytest

from tests.sandbox.importing import codes, member_table, person, result, run_job, start

FOUR = member_table(*(person(f"u{number}") for number in range(4)))


def test_a_job_goes_on_with_the_clock(wecom, state, clock):
    """Queued, then row by row, then over; the rows done so far are in the corp."""
    state.job_seconds = 10
    jobid = start(wecom, "syncuser", FOUR)["jobid"]
    seen = []
    for _ in range(6):
        answer = wecom.get("batch/getresult", jobid=jobid)
        seen.append((answer["status"], answer["percentage"], len(answer["result"]), len(state.members)))
        clock.now += 2
    assert seen == [(1, 0, 0, 0), (1, 0, 0, 0), (2, 25, 0, 1), (2, 50, 0, 2), (2, 75, 0, 3), (3, 100, 4, 4)]


def test_a_job_goes_on_whoever_calls(wecom, state, clock):
    """Nobody needs to ask for the result: any call finds the work of the time that passed done."""
    start(wecom, "syncuser", FOUR)
    clock.now += 60
    assert wecom.post("user/list_id", {})["dept_user"] == [
        {"userid": f"u{number}", "department": 1} for number in range(4)
    ]


def test_a_job_may_go_on_with_every_look(wecom, state, clock):
    """With the switch the first look finds it queued, the second half-way, the third over."""
    state.jobs_by_polls = True
    jobid = start(wecom, "syncuser", FOUR)["jobid"]
    clock.now += 60
    seen = []
    for _ in range(4):
        answer = wecom.get("batch/getresult", jobid=jobid)
        seen.append((answer["status"], answer["percentage"], len(state.members)))
    assert seen == [(1, 0, 0), (2, 50, 2), (3, 100, 4), (3, 100, 4)]


@pytest.mark.parametrize(("call", "number"), [("replaceparty", 1), ("replaceuser", 2), ("syncuser", 3)])
def test_a_jobid_looks_as_observed(wecom, clock, call, number):
    """The kind's number, the time, six digits."""
    content = "部门名称,部门ID,父部门ID\n研发,2,1\n".encode() if call == "replaceparty" else FOUR
    answer = start(wecom, call, content)
    assert set(answer) == {"errcode", "errmsg", "jobid"}
    assert re.fullmatch(rf"{number}_{int(clock.now)}_[0-9]{{6}}", answer["jobid"])


def test_one_job_at_a_time(wecom, clock):
    """302008 while one runs, whatever its kind; after it the next one starts."""
    first = start(wecom, "syncuser", FOUR)["jobid"]
    assert start(wecom, "replaceuser", FOUR)["errcode"] == 302008
    assert result(wecom, clock, first)["status"] == 3
    assert start(wecom, "replaceuser", FOUR)["errcode"] == 0


def test_five_results_are_kept(wecom, clock):
    """The sixth newest is gone (40089); what never was is unknown (40088)."""
    jobids = [start_and_end(wecom, clock) for _ in range(6)]
    answers = [wecom.get("batch/getresult", jobid=jobid)["errcode"] for jobid in jobids]
    assert answers == [40089, 0, 0, 0, 0, 0]
    unknown = wecom.get("batch/getresult", jobid="3_1_1")
    assert (unknown["errcode"], unknown["result"]) == (40088, [])
    assert wecom.get("batch/getresult")["errcode"] == 40088


def start_and_end(wecom, clock):
    jobid = start(wecom, "syncuser", FOUR)["jobid"]
    assert result(wecom, clock, jobid)["status"] == 3
    return jobid


def test_only_who_started_a_job_sees_its_result(wecom, state, clock):
    """To an app the contact assistant's job does not exist."""
    jobid = start_and_end(wecom, clock)
    app = wecom.fetch_token(state.apps[0].secret)
    assert wecom.get("batch/getresult", app, jobid=jobid)["errcode"] == 40088


def test_a_job_can_hang(wecom, state, clock):
    """Half of the rows are done, it says "running" for ever, and holds up every other job until released."""
    state.job_faults.hang("batch/syncuser")
    jobid = start(wecom, "syncuser", member_table(*(person(f"u{number}") for number in range(3))))["jobid"]
    for _ in range(3):
        answer = result(wecom, clock, jobid)
        assert (answer["status"], answer["percentage"], len(state.members)) == (2, 50, 2)
    assert start(wecom, "syncuser", FOUR)["errcode"] == 302008
    state.job_faults.release()
    assert result(wecom, clock, jobid)["status"] == 3
    assert len(state.members) == 3


def test_a_job_can_hang_at_its_end(wecom, state, clock):
    """All rows are done, and still it is not over."""
    state.job_faults.hang("*", at=1)
    answer = run_job(wecom, clock, "syncuser", FOUR)
    assert (answer["status"], answer["percentage"], len(state.members)) == (2, 100, 4)


def test_a_job_can_fail(wecom, state, clock):
    """As observed: the errcode is a text, and there is no status. Nothing was written."""
    state.job_faults.fail("*")
    answer = run_job(wecom, clock, "replaceuser", FOUR)
    assert answer == {
        "errcode": "302005",
        "errmsg": "import fail, please retry later",
        "type": "replace_user",
    }
    assert not state.members
    assert run_job(wecom, clock, "syncuser", FOUR)["status"] == 3


def test_a_job_can_fail_half_way(wecom, state, clock):
    """What it did before it failed stays done."""
    state.job_faults.fail("batch/syncuser", -1, at=0.5, skip=1)
    assert run_job(wecom, clock, "syncuser", member_table(person("first")))["status"] == 3
    answer = run_job(wecom, clock, "syncuser", FOUR)
    assert (answer["errcode"], answer["errmsg"]) == ("-1", "system busy")
    assert set(state.members) == {"first", "u0", "u1"}


def test_rows_of_a_job_can_fail(wecom, state, clock):
    """Every second row gets an errcode and is not written."""
    state.job_faults.fail_rows("batch/syncuser", 6000)
    assert codes(run_job(wecom, clock, "syncuser", FOUR)) == {"u0": 0, "u1": 6000, "u2": 0, "u3": 6000}
    assert set(state.members) == {"u0", "u2"}


def test_orders_for_jobs_are_checked_and_can_be_taken_back(wecom, state, clock):
    """An order for another kind of job meets none; one that was taken back neither."""
    state.job_faults.fail("batch/replaceuser")
    assert run_job(wecom, clock, "syncuser", FOUR)["status"] == 3
    state.job_faults.clear()
    assert run_job(wecom, clock, "replaceuser", FOUR)["status"] == 3
    with pytest.raises(ValueError, match="at least one"):
        state.job_faults.fail("*", times=0)
