"""Imports to WeCom's JSON, and what became of them back (WeCom pages 90979 to 90983)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import Final, TypeVar

from wxsync.errors import WeComError
from wxsync.model.job import (
    DepartmentAction,
    DepartmentRow,
    JobCallback,
    JobKind,
    JobResult,
    JobStatus,
    MemberRow,
)
from wxsync.wecom.answers import ERRMSG, without_personal
from wxsync.wecom.wire.shapes import Answer, Json, errcode_of, is_number, number_of, text_of, unreadable

T = TypeVar("T")

ENDPOINT: Final = "batch/getresult"
JOB_ID: Final = 512
"""Characters; WeCom's are 64 at most, and a longer one would fit into no URL."""
PATHS: Final[Mapping[JobKind, str]] = MappingProxyType(
    {
        JobKind.SYNC_MEMBERS: "batch/syncuser",
        JobKind.REPLACE_MEMBERS: "batch/replaceuser",
        JobKind.REPLACE_DEPARTMENTS: "batch/replaceparty",
    }
)
KINDS: Final[Mapping[str, JobKind]] = MappingProxyType(
    {
        "sync_user": JobKind.SYNC_MEMBERS,
        "replace_user": JobKind.REPLACE_MEMBERS,
        "replace_party": JobKind.REPLACE_DEPARTMENTS,
    }
)
STATUSES: Final[Mapping[int, JobStatus]] = MappingProxyType(
    {1: JobStatus.STARTED, 2: JobStatus.RUNNING, 3: JobStatus.FINISHED}
)
ALL_ACTIONS: Final = 0xFFFF


def to_job(kind: JobKind, media_id: str, callback: JobCallback | None) -> Json:
    """Nobody is invited, whatever WeCom's default is."""
    body: Json = {"media_id": media_id}
    if kind is not JobKind.REPLACE_DEPARTMENTS:
        body["to_invite"] = False
    if callback is not None:
        body["callback"] = {
            "url": callback.url,
            "token": callback.token,
            "encodingaeskey": callback.encoding_aes_key,
        }
    return body


def to_job_query(job_id: str) -> dict[str, str]:
    return {"jobid": job_id}


def from_job(answer: Answer, endpoint: str) -> str:
    job_id = text_of(answer, "jobid", endpoint)
    if not 0 < len(job_id) <= JOB_ID:
        raise unreadable(endpoint, "jobid is empty or too long")
    return job_id


def from_result(answer: Answer) -> JobResult:
    """A job's state, and its rows where it has finished: before that they mean nothing.

    A row that cannot be read is left out, as if WeCom had not told it: the others count all the same.
    """
    status = STATUSES.get(number_of(answer, "status", ENDPOINT))
    if status is None:
        raise unreadable(ENDPOINT, "status is none of WeCom's")
    is_over = status is JobStatus.FINISHED
    rows = [row for row in _listed(answer) if isinstance(row, Mapping)] if is_over else []
    kind = answer.get("type")
    return JobResult(
        status=status,
        kind=KINDS.get(kind) if isinstance(kind, str) else None,
        percentage=_count(answer, "percentage"),
        total=_count(answer, "total"),
        members=tuple(_readable(_member, (row for row in rows if "partyid" not in row))),
        departments=tuple(_readable(_department, (row for row in rows if "partyid" in row))),
    )


def _listed(answer: Answer) -> Sequence[object]:
    rows = answer.get("result")
    return rows if isinstance(rows, list) else ()


def _count(answer: Answer, name: str) -> int:
    """For eyes alone: nothing hangs on it."""
    value = answer.get(name)
    return value if is_number(value) else 0


def _readable(read: Callable[[Answer], T], rows: Iterable[Answer]) -> Iterator[T]:
    for row in rows:
        with suppress(WeComError):
            yield read(row)


def _member(row: Answer) -> MemberRow:
    return MemberRow(userid=text_of(row, "userid", ENDPOINT), errcode=_errcode(row), errmsg=_errmsg(row))


def _department(row: Answer) -> DepartmentRow:
    """`action` is not there where nothing was done, and what bits a deletion has nobody says."""
    action = number_of(row, "action", ENDPOINT) if "action" in row else 0
    if not 0 <= action <= ALL_ACTIONS:
        raise unreadable(ENDPOINT, "action is no set of bits")
    return DepartmentRow(
        department_id=number_of(row, "partyid", ENDPOINT),
        errcode=_errcode(row),
        errmsg=_errmsg(row),
        action=DepartmentAction(action),
    )


def _errcode(row: Answer) -> int:
    errcode = errcode_of(row)
    if errcode is None:
        raise unreadable(ENDPOINT, "errcode of a row is not a number")
    return errcode


def _errmsg(row: Answer) -> str:
    errmsg = row.get("errmsg")
    return without_personal(errmsg[:ERRMSG]) if isinstance(errmsg, str) else ""
