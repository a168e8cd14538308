"""Jobs as the JSON documents that other programs rely on; what a row says is in none of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from wxsync.model.batch_job import JobOverview, JobReport, RowResult, RowTally
from wxsync.model.message import Message
from wxsync.report.as_json import moment
from wxsync.report.locale import translate

JOB_FORMAT: Final = "wxsync-job/1"


def jobs_document(jobs: Iterable[JobOverview], now: datetime, language: str = "en") -> list[dict[str, Any]]:
    """A list of jobs."""
    return [_overview(each, now, language) for each in jobs]


def job_document(report: JobReport, now: datetime, language: str = "en") -> dict[str, Any]:
    """One job with its rows as `wxsync-job/1`."""
    return {
        "format": JOB_FORMAT,
        **_overview(report.overview, now, language),
        "tallies": [_tally(tally, language) for tally in report.tallies],
        "results": [_result(result, language) for result in report.results],
    }


def _overview(overview: JobOverview, now: datetime, language: str) -> dict[str, Any]:
    job = overview.job
    return {
        "id": job.id,
        "sync": job.sync,
        "corp": job.corp,
        "run": job.run_id,
        "kind": job.kind.value,
        "state": job.state.value,
        "worker": overview.worker if job.state.is_open else None,
        "job_id": job.job_id,
        "rows": job.rows,
        "counts": {state.value: number for state, number in overview.counts.items()},
        "failures": overview.failures,
        "percentage": job.percentage,
        "submissions": job.submissions,
        "prepared_at": moment(job.prepared_at),
        "uploaded_at": _moment(job.uploaded_at),
        "submitted_at": _moment(job.submitted_at),
        "finished_at": _moment(job.finished_at),
        "age_seconds": max(0, int((now - job.prepared_at).total_seconds())),
        "errcode": job.errcode,
        "hint": _hint(job.hint, language),
    }


def _tally(tally: RowTally, language: str) -> dict[str, Any]:
    return {
        "state": tally.state.value,
        "errcode": tally.errcode,
        "count": tally.count,
        "hint": _hint(tally.hint, language),
    }


def _result(result: RowResult, language: str) -> dict[str, Any]:
    return {
        "n": result.n,
        "key": result.key,
        "userid": result.userid,
        "verb": result.verb.value,
        "state": None if result.state is None else result.state.value,
        "errcode": result.errcode,
        "hint": _hint(result.hint, language),
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else moment(at)


def _hint(hint: Message | None, language: str) -> str | None:
    return None if hint is None else translate(hint, language)
