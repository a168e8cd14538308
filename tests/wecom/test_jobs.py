from __future__ import annotations

import httpx
import pytest

from tests.wecom.line import Line, errcode, ok
from wxsync.errors import DeniedError, NotFoundError, RateLimitError, WeComError, WeComTransportError
from wxsync.model.job import (
    DepartmentAction,
    DepartmentRow,
    JobCallback,
    JobKind,
    JobResult,
    JobStatus,
    MemberRow,
)
from wxsync.wecom.jobs import Jobs

STARTS = {
    "batch/syncuser": Jobs.sync_members,
    "batch/replaceuser": Jobs.replace_members,
    "batch/replaceparty": Jobs.replace_departments,
}
CALLBACK = JobCallback(url="https://wxsync.test/callback", token="tok", encoding_aes_key="k" * 43)


def start(line: Line, path: str, *args):
    return line.ask(lambda transport: STARTS[path](Jobs(transport), "media-1", *args))


def result(line: Line):
    return line.ask(lambda transport: Jobs(transport).get_result("3_1559620211_296300"))


@pytest.mark.parametrize("path", STARTS)
def test_a_job_is_started_by_its_file(path):
    """The answer is the id to ask after; callbacks go along where they are wanted."""
    line = Line().script(path, ok(jobid="3_1559620211_296300"))
    assert start(line, path) == "3_1559620211_296300"
    start(line, path, CALLBACK)
    plain, with_callback = line.bodies(path)
    assert plain["media_id"] == "media-1"
    assert "callback" not in plain
    assert with_callback["callback"] == {
        "url": "https://wxsync.test/callback",
        "token": "tok",
        "encodingaeskey": "k" * 43,
    }


def test_no_job_ever_invites():
    """WeCom's default is to invite: both jobs of members say no, in every call, and nothing can say yes."""
    for path in ("batch/syncuser", "batch/replaceuser"):
        line = Line().script(path, ok(jobid="1"))
        start(line, path)
        start(line, path, CALLBACK)
        assert [body["to_invite"] for body in line.bodies(path)] == [False, False]
    line = Line().script("batch/replaceparty", ok(jobid="1"))
    start(line, "batch/replaceparty")
    assert line.bodies("batch/replaceparty") == [{"media_id": "media-1"}]


@pytest.mark.parametrize("path", STARTS)
def test_a_lost_start_is_not_repeated(path):
    """The import may be under way: a second one would meet 302008, or do it all again."""
    line = Line().script(path, httpx.ReadTimeout("slow"), ok(jobid="1"))
    with pytest.raises(WeComTransportError) as caught:
        start(line, path)
    assert caught.value.is_ambiguous
    assert line.count(path) == 1


@pytest.mark.parametrize("path", STARTS)
def test_another_job_is_under_way(path):
    """302008 at once is somebody else's import; after a -1 it may be our own, and nobody knows."""
    line = Line().script(path, errcode(302008))
    with pytest.raises(RateLimitError):
        start(line, path)
    assert line.count(path) == 1
    line = Line().script(path, errcode(-1), errcode(302008))
    with pytest.raises(WeComTransportError) as caught:
        start(line, path)
    assert caught.value.is_ambiguous


@pytest.mark.parametrize("jobid", ["", "x" * 513, 3, None])
def test_a_start_without_its_id_is_an_error(jobid):
    """Nobody could ask after it."""
    line = Line().script("batch/syncuser", ok(jobid=jobid))
    with pytest.raises(WeComError, match="jobid"):
        start(line, "batch/syncuser")


def test_members_of_a_finished_job():
    """A row for each, with its own errcode, which may be a text; phone numbers in its words are masked."""
    rows = [
        {"userid": "lisi", "errcode": 0, "errmsg": ""},
        {"userid": "zhangsan", "errcode": "60104", "errmsg": "mobile existed 13800000001"},
    ]
    line = Line().script(
        "batch/getresult", ok(status=3, type="sync_user", total=3, percentage=100, result=rows)
    )
    job = result(line)
    assert job == JobResult(
        status=JobStatus.FINISHED,
        kind=JobKind.SYNC_MEMBERS,
        percentage=100,
        total=3,
        members=(
            MemberRow(userid="lisi", errcode=0),
            MemberRow(userid="zhangsan", errcode=60104, errmsg="mobile existed ***"),
        ),
    )
    assert job.is_over
    assert line.requests["batch/getresult"][0].url.params["jobid"] == "3_1559620211_296300"


def test_departments_of_a_finished_job():
    """What was done to each is a set of bits: 10 is renamed and reordered; a deletion has none."""
    rows = [
        {"action": 1, "partyid": 2, "errcode": 0, "errmsg": "ok"},
        {"action": 10, "partyid": 1, "errcode": 0, "errmsg": "ok"},
        {"partyid": 3, "errcode": 60005, "errmsg": "department contains user"},
    ]
    line = Line().script(
        "batch/getresult", ok(status=3, type="replace_party", total=2, percentage=100, result=rows)
    )
    job = result(line)
    assert job.kind is JobKind.REPLACE_DEPARTMENTS
    assert [(row.department_id, row.action, row.errcode) for row in job.departments] == [
        (2, DepartmentAction.CREATED, 0),
        (1, DepartmentAction.RENAMED | DepartmentAction.REORDERED, 0),
        (3, DepartmentAction(0), 60005),
    ]
    assert job.members == ()
    assert job.departments[0] == DepartmentRow(
        department_id=2, errcode=0, errmsg="ok", action=DepartmentAction.CREATED
    )


@pytest.mark.parametrize(("status", "meaning"), [(1, JobStatus.STARTED), (2, JobStatus.RUNNING)])
def test_rows_mean_nothing_before_the_end(status, meaning):
    """A job under way has a percentage and no rows, whatever stands there."""
    rows = [{"userid": "a", "errcode": 0, "errmsg": ""}]
    line = Line().script(
        "batch/getresult", ok(status=status, type="replace_user", total=9, percentage=40, result=rows)
    )
    job = result(line)
    assert job == JobResult(status=meaning, kind=JobKind.REPLACE_MEMBERS, percentage=40, total=9)
    assert not job.is_over


@pytest.mark.parametrize("code", ["302005", 302005, 45026, 40092, 302003, 302004, 302006, 302007])
def test_a_job_that_failed_is_a_result(code):
    """As a real log has it: the errcode of the whole answer, as a text; asking again would change nothing."""
    answer = {"errcode": code, "errmsg": "import fail, please retry later", "type": "replace_user"}
    line = Line().script("batch/getresult", httpx.Response(200, json=answer))
    job = result(line)
    assert (job.status, job.errcode, job.is_over) == (JobStatus.FAILED, int(code), True)
    assert job.hint
    assert line.count("batch/getresult") == 1


@pytest.mark.parametrize(
    ("code", "error"), [(40088, NotFoundError), (40089, NotFoundError), (48002, DeniedError)]
)
def test_a_refused_question_is_no_failed_job(code, error):
    """Nobody knows of the job then: it must not be taken for failed and started again."""
    line = Line().script("batch/getresult", errcode(code))
    with pytest.raises(error):
        result(line)


@pytest.mark.parametrize("status", [4, "3", None])
def test_a_state_that_nobody_documents_is_an_error(status):
    """Nobody knows then whether the job is over."""
    line = Line().script("batch/getresult", ok(status=status, type="sync_user", total=1, percentage=100))
    with pytest.raises(WeComError, match="not what WeCom documents"):
        result(line)


@pytest.mark.parametrize(
    "row",
    [
        None,
        {"userid": "a", "errcode": "bad"},
        {"userid": "a"},
        {"errcode": 0},
        {"userid": 7, "errcode": 0},
        {"partyid": 1, "errcode": 0, "action": -1},
    ],
)
def test_a_row_that_cannot_be_read_is_as_good_as_none(row):
    """It is left out, and the others count: the engine looks after whoever has no row."""
    rows = [row, {"userid": "b", "errcode": 0}, {"partyid": 2, "errcode": 0}]
    line = Line().script("batch/getresult", ok(status=3, result=rows))
    job = result(line)
    assert job.members == (MemberRow(userid="b", errcode=0),)
    assert [row.department_id for row in job.departments] == [2]


@pytest.mark.parametrize("facts", [{"type": "sync"}, {"percentage": None}, {"total": "2"}, {"result": None}])
def test_what_nothing_hangs_on_may_be_missing(facts):
    """An answer without it still says that the job is over."""
    good = {"status": 3, "type": "sync_user", "total": 1, "percentage": 100, "result": []}
    line = Line().script("batch/getresult", ok(**{**good, **facts}))
    assert result(line).is_over


def test_keys_of_a_callback_are_in_no_repr():
    """Whoever knows them can tell us that a job is over."""
    printed = repr(
        JobCallback(url="https://wxsync.test/", token="token-secret", encoding_aes_key="key-secret")
    )
    assert "secret" not in printed
