"""Jobs go on: by the clock, or by every look at their result (WeCom pages 90973, 90983)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from wxsync.sandbox.event_xml import Header, event_xml
from wxsync.sandbox.job_records import ExportJob, Failure, ImportJob, Job, JobFate, RowResult, Step
from wxsync.sandbox.refusal import TEXTS, Refusal
from wxsync.sandbox.state import SandboxState

EVENT: Final = "batch_job_result"
QUEUE: Final = 0.2
"""The share of its time in which a job has not begun."""
BY_POLLS: Final = (0.0, 0.5, 1.0)
"""The share of its work that is done at the first, second and third look."""


def settle(state: SandboxState) -> None:
    """Every job is as far as the clock says."""
    if state.jobs_by_polls:
        return
    for job in state.jobs.unfinished():
        elapsed = state.clock() - job.started_at
        share = 1.0 if state.job_seconds <= 0 else elapsed / state.job_seconds
        # Rounded, or a half might be less than one.
        _advance(state, job, round(min(max((share - QUEUE) / (1 - QUEUE), 0.0), 1.0), 6))


def look_at(state: SandboxState, job: Job) -> None:
    """Somebody asks for the job's result: where that is what moves it, it goes on."""
    job.polls += 1
    if state.jobs_by_polls and not job.is_over:
        _advance(state, job, BY_POLLS[min(job.polls, len(BY_POLLS)) - 1])


def _advance(state: SandboxState, job: Job, share: float) -> None:
    """The work up to this share is done, unless the job's fate says something else."""
    fate = job.fate
    stops_at = min(1.0 if at is None else at for at in (fate.hangs_at, fate.fails_at))
    reached = min(share, stops_at)
    if share <= 0:
        return
    try:
        _work(state, job, reached)
    except Refusal as refusal:
        job.failure = Failure(errcode=refusal.errcode, text=refusal.text)
    if job.failure is None and fate.fails_at is not None and reached >= fate.fails_at:
        job.failure = Failure(errcode=fate.errcode, text=TEXTS.get(fate.errcode, "error"))
    job.progress = reached
    if job.failure is not None or (reached >= 1 and fate.hangs_at is None):
        _end(state, job)


def _work(state: SandboxState, job: Job, share: float) -> None:
    if isinstance(job, ImportJob):
        with state.watched(by_contact=True):
            _import(job, share)
    elif isinstance(job, ExportJob) and share >= 1:
        job.files = job.gather()


def _import(job: ImportJob, share: float) -> None:
    """The rows up to this share, and the sweeping up after the last of them."""
    if job.steps is None:
        job.steps = job.prepare()
    steps = job.steps[job.done : int(len(job.steps) * share)]
    for step in steps:
        result = _taken(step, job.fate, job.done)
        job.done += 1
        if result is not None:
            job.results.append(result)


def _taken(step: Step, fate: JobFate, number: int) -> RowResult | None:
    """What became of one row. Its text has no hint, and names nobody (as observed)."""
    row = step.row
    if row is not None and (errcode := fate.bad_row(number)):
        return replace(row, errcode=errcode, text=TEXTS.get(errcode, "error"))
    try:
        action = step.carry_out()
    except Refusal as refusal:
        text = refusal.text.partition(":")[0]
        return None if row is None else replace(row, errcode=refusal.errcode, text=text)
    return None if row is None else replace(row, action=action, text="" if row.partyid is None else "ok")


def _end(state: SandboxState, job: Job) -> None:
    """The job is over, and its receiver is told so (WeCom page 90973)."""
    job.is_over, job.progress = True, 1.0
    end = job.failure or Failure(errcode=0, text="ok")
    told = (
        ("JobId", job.jobid),
        ("JobType", job.kind),
        ("ErrCode", end.errcode),
        ("ErrMsg", end.text),
    )
    header = Header(corp_id=state.corp_id, created_at=int(state.clock()), event=EVENT)
    xml = event_xml(header, (("BatchJob", told),))
    state.outbox.tell(job.receiver, EVENT, xml, agent_id=job.agent_id)
