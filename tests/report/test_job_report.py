"""Jobs as text and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from rich.console import Console

from wxsync.model.batch_job import BatchJob, JobOverview, JobReport, JobRow, JobState, RowResult, RowTally
from wxsync.model.change import Verb
from wxsync.model.job import JobKind
from wxsync.model.message import say
from wxsync.model.run import OutcomeState
from wxsync.report.job_json import job_document, jobs_document
from wxsync.report.job_text import age, print_job, print_jobs, progress_text, wording_for_jobs
from wxsync.report.locale import NAMES, translate

AT = datetime(2026, 1, 31, 8, 0, tzinfo=UTC)
NOW = AT + timedelta(minutes=3)
JOB = BatchJob(
    id=3,
    run_id=12,
    corp="acme",
    sync="hq",
    kind=JobKind.SYNC_MEMBERS,
    state=JobState.FINISHED,
    rows=20_000,
    prepared_at=AT,
    job_id="3_1559620211_296300",
    media_id="opens-the-file",
    uploaded_at=AT,
    submitted_at=AT,
    finished_at=AT + timedelta(minutes=2),
    submissions=2,
    percentage=100,
)
OVERVIEW = JobOverview(job=JOB, counts={OutcomeState.DONE: 19_997, OutcomeState.FAILED: 3})
TAKEN = say("the member {owner} has this phone number, says WeCom: correct one of the two", owner="e9")
REPORT = JobReport(
    overview=OVERVIEW,
    tallies=(RowTally(state=OutcomeState.FAILED, errcode=60104, count=3, hint=TAKEN),),
    results=(
        RowResult(
            n=7,
            key="E7",
            userid="e7",
            verb=Verb.CREATE,
            state=OutcomeState.FAILED,
            errcode=60104,
            hint=TAKEN,
        ),
        JobRow(n=8, key="13800000001", userid="e8", verb=Verb.UPDATE, fields={"mobile": "13900000002"}),
    ),
)


def printed(report: JobReport, language: str = "en") -> list[str]:
    sheet = StringIO()
    print_job(report, Console(file=sheet, width=60), NOW, wording_for_jobs(language))
    return sheet.getvalue().splitlines()


def listed(*jobs: JobOverview, language: str = "en") -> list[str]:
    sheet = StringIO()
    print_jobs(jobs, Console(file=sheet, width=160), NOW, wording_for_jobs(language))
    return sheet.getvalue().splitlines()


def test_a_job_as_text() -> None:
    """What it is, how it went, the refusals counted, and the rows, a phone number among the keys masked."""
    told = "errcode 60104: the member e9 has this phone number, says WeCom: correct one of the two"
    facts = "members, others stay · run 12 · 20000 rows · done 19997 · failed 3 · 100 % · age 3 min"
    assert printed(REPORT) == [
        "Job 3 of hq: finished  2026-01-31 08:00:00 UTC",
        f"  {facts} · WeCom's id 3_1559620211_296300 · submitted 2 times",
        f"  3 × failed — {told}",
        f"    failed E7 (e7), create — {told}",
        "    no result yet 138****0001 (e8), update",
        "  and 19998 more: --limit shows more of them",
    ]
    title, facts, *_ = printed(REPORT, "zh")
    assert title == "hq 的任务 3: 已结束  2026-01-31 08:00:00 UTC"
    assert facts.startswith("  成员（其余不动） · 运行 12 · 20000 行 · 完成 19997 · 失败 3 · 100 % · 距今 3")
    assert facts.endswith(" · 企业微信任务编号 3_1559620211_296300 · 已提交 2 次")


def test_a_job_that_was_refused_says_why() -> None:
    """Its errcode and what to do; where all rows are shown nothing is said to be left."""
    job = replace(
        JOB,
        state=JobState.FAILED,
        rows=2,
        submissions=1,
        errcode=45026,
        hint=say("{problem}", problem="too many"),
    )
    lines = printed(replace(REPORT, overview=JobOverview(job=job), tallies=()))
    assert lines[0].startswith("Job 3 of hq: failed as a whole  ")
    assert lines[2] == "  errcode 45026: too many"
    assert len(lines) == 5


@pytest.mark.parametrize("state", JobState)
def test_an_open_job_says_who_sees_to_it(state: JobState) -> None:
    """Or that nobody does, and what takes it up; of one that is over neither is said."""
    job = replace(JOB, state=state)
    left = "nobody is seeing to it now: the next `wxsync apply hq` takes it up where it stands"
    for worker, text in ((None, left), ("run 12 (manual)", "run 12 (manual) sees to it")):
        overview = JobOverview(job=job, worker=worker)
        told = "\n".join(printed(JobReport(overview=overview, tallies=(), results=())))
        assert (text in told) is state.is_open


def test_how_far_it_is_in_one_line() -> None:
    """The state, and the rows whose result is on record."""
    overview = replace(OVERVIEW, job=replace(JOB, state=JobState.RUNNING, percentage=37), worker="run 12")
    assert (
        progress_text(overview, wording_for_jobs("en"))
        == "job 3: WeCom is at it, 20000 of 20000 rows on record"
    )


def test_the_list() -> None:
    """A line a job; without any, a word."""
    heading, line = listed(OVERVIEW)
    assert heading.split() == ["job", "sync", "run", "file", "of", "state", "%", "rows", "failures", "age"]
    assert line.split() == [
        "3", "hq", "12", "members,", "others", "stay", "finished", "100", "20000", "3", "3", "min",
    ]  # fmt: skip
    assert listed() == ["No job yet: so far everything went by single calls."]
    assert listed(OVERVIEW, language="zh")[0].split()[:2] == ["任务", "同步"]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (-5, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (86399, "23 h"),
        (200000, "2 d"),
    ],
)
def test_an_age_has_the_largest_unit_that_fits(seconds: int, told: str) -> None:
    """A clock that went back makes nobody younger than new."""
    assert str(age(AT, AT + timedelta(seconds=seconds))) == told


def test_a_job_as_json() -> None:
    """Codes and not names, every moment in UTC, hints in the reader's language; of the rows no field."""
    document = job_document(REPORT, NOW, "zh")
    rows = document.pop("results")
    assert document == {
        "format": "wxsync-job/1",
        "id": 3,
        "sync": "hq",
        "corp": "acme",
        "run": 12,
        "kind": "sync_members",
        "state": "finished",
        "worker": None,
        "job_id": "3_1559620211_296300",
        "rows": 20_000,
        "counts": {"done": 19_997, "failed": 3},
        "failures": 3,
        "percentage": 100,
        "submissions": 2,
        "prepared_at": "2026-01-31T08:00:00Z",
        "uploaded_at": "2026-01-31T08:00:00Z",
        "submitted_at": "2026-01-31T08:00:00Z",
        "finished_at": "2026-01-31T08:02:00Z",
        "age_seconds": 180,
        "errcode": None,
        "hint": None,
        "tallies": [{"state": "failed", "errcode": 60104, "count": 3, "hint": translate(TAKEN, "zh")}],
    }
    assert rows[1] == {
        "n": 8,
        "key": "13800000001",
        "userid": "e8",
        "verb": "update",
        "state": None,
        "errcode": None,
        "hint": None,
    }
    working = replace(OVERVIEW, worker="run 13 (manual)")
    open_ = replace(working, job=replace(JOB, state=JobState.RUNNING))
    assert [(each["state"], each["worker"]) for each in jobs_document([working, open_], NOW)] == [
        ("finished", None),
        ("running", "run 13 (manual)"),
    ]


def test_neither_shows_what_a_row_says_nor_what_opens_the_file() -> None:
    """A phone number in the row, and the media_id."""
    shown = "\n".join([*printed(REPORT), *listed(OVERVIEW), json.dumps(job_document(REPORT, NOW))])
    assert "13900000002" not in shown
    assert "opens-the-file" not in shown


def test_every_kind_and_state_has_its_name() -> None:
    """None is left to its code."""
    assert set(NAMES["job_kind"]) == set(JobKind)
    assert set(NAMES["job_state"]) == set(JobState)
