"""Imports: one at a time for a corp, and each takes its time (WeCom pages 90979 to 90983)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from wxsync.sandbox import fields, import_steps, job_files
from wxsync.sandbox.access import Permission
from wxsync.sandbox.call import Asked, Operation
from wxsync.sandbox.fields import Shape
from wxsync.sandbox.job_files import Cells
from wxsync.sandbox.job_progress import look_at
from wxsync.sandbox.job_records import ImportJob, ImportType, Job, Prepare, RowResult
from wxsync.sandbox.media import find_medium
from wxsync.sandbox.receivers import Receiver, to_receiver
from wxsync.sandbox.refusal import Refusal, invalid, missing
from wxsync.sandbox.state import SandboxState

AnyJob = TypeVar("AnyJob", bound=Job)

KEPT: Final = 5
"""Jobs whose result is kept, the newest ones (WeCom page 90313, 40089)."""

NUMBERS: Final[Mapping[ImportType, int]] = {
    ImportType.REPLACE_PARTY: 1,
    ImportType.REPLACE_USER: 2,
    ImportType.SYNC_USER: 3,
}
"""With what the jobid begins (as observed)."""

PARTY_SHAPES: Final[Mapping[str, Shape]] = {"media_id": fields.is_text, "callback": fields.is_object}
USER_SHAPES: Final[Mapping[str, Shape]] = {**PARTY_SHAPES, "to_invite": fields.is_boolean}
CALLBACK: Final = ("url", "token", "encodingaeskey")


def syncuser(asked: Asked) -> Mapping[str, Any]:
    """Members of a file are updated or created; everybody else stays."""
    return _import_users(asked, ImportType.SYNC_USER)


def replaceuser(asked: Asked) -> Mapping[str, Any]:
    """Members become those of a file: who is not in it is deleted."""
    return _import_users(asked, ImportType.REPLACE_USER)


def _import_users(asked: Asked, kind: ImportType) -> Mapping[str, Any]:
    given = asked.given(USER_SHAPES)
    to_invite: bool = given.get("to_invite", True)
    replaces = kind is ImportType.REPLACE_USER

    def prepare(rows: tuple[Cells, ...]) -> Prepare:
        return lambda: import_steps.member_steps(asked, rows, to_invite=to_invite, replaces=replaces)

    return _start(asked, given, kind, job_files.read_members, prepare)


def replaceparty(asked: Asked) -> Mapping[str, Any]:
    """Departments become those of a file: what is not in it is deleted once it is empty."""
    return _start(
        asked,
        asked.given(PARTY_SHAPES),
        ImportType.REPLACE_PARTY,
        job_files.read_parties,
        lambda rows: lambda: import_steps.party_steps(asked, rows),
    )


def _start(
    asked: Asked,
    given: Mapping[str, Any],
    kind: ImportType,
    read: Callable[[bytes], tuple[Cells, ...]],
    prepare: Callable[[tuple[Cells, ...]], Prepare],
) -> Mapping[str, Any]:
    """The job is accepted, if its file can be one at all and no other job runs.

    What the rows say as a whole (302003, 45026, …) comes with the result, or here with the switch
    `jobs_fail_at_once`: no page says which.
    """
    state = asked.state
    if not given.get("media_id"):
        raise Refusal(41006)
    own = _own_receiver(given.get("callback") or {})
    rows = read(find_medium(state, given["media_id"], types=("file",)).content)
    if state.jobs.running is not None:
        raise Refusal(302008)
    prepared = prepare(rows)
    if state.jobs_fail_at_once:
        prepared()
    now = state.clock()
    receiver, agent_id = (own, "") if own else state.receiver_of(asked.who.name)
    job = ImportJob(
        jobid=f"{NUMBERS[kind]}_{int(now)}_{secrets.randbelow(900_000) + 100_000}",
        kind=kind.value,
        owner=asked.who.name,
        started_at=now,
        fate=state.job_faults.take(f"batch/{kind.value.replace('_', '')}"),
        receiver=receiver,
        agent_id=agent_id,
        total=len(rows),
        prepare=prepared,
    )
    _keep(state, job)
    return {"jobid": job.jobid}


def _own_receiver(callback: Mapping[str, Any]) -> Receiver | None:
    """The receiver that came with the call; 40057 for an address or secrets that cannot be."""
    if not callback:
        return None
    for name in CALLBACK:
        if callback.get(name) is None:
            raise missing(f"callback.{name}")
        if not isinstance(callback[name], str):
            raise invalid(f"callback.{name}")
    try:
        return to_receiver(*(callback[name] for name in CALLBACK))
    except ValueError:
        raise Refusal(40057) from None


def _keep(state: SandboxState, job: ImportJob) -> None:
    kept = state.jobs.imports
    kept[job.jobid] = job
    while len(kept) > KEPT:
        oldest = next(iter(kept))
        del kept[oldest]
        state.jobs.purged.add(oldest)


def getresult(asked: Asked) -> Mapping[str, Any]:
    """How far the job is; once it is over, what became of every row.

    A job that failed as a whole answers with its errcode, as a text (as observed).
    """
    jobs, jobid = asked.state.jobs, asked.query.get("jobid", "")
    if jobid in jobs.purged:
        raise Refusal(40089)
    job = own_job(asked, jobs.imports.get(jobid))
    look_at(asked.state, job)
    if job.failure is not None:
        return {"errcode": str(job.failure.errcode), "errmsg": job.failure.text, "type": job.kind}
    return {
        "status": 3 if job.is_over else 2 if job.progress else 1,
        "type": job.kind,
        "total": job.total,
        "percentage": int(job.progress * 100),
        "result": [_row(result) for result in job.results] if job.is_over else [],
    }


def _row(result: RowResult) -> dict[str, Any]:
    told = {"errcode": result.errcode, "errmsg": result.text}
    if result.partyid is None:
        return {"userid": result.userid, **told}
    return {"action": result.action, "partyid": result.partyid, **told}


def own_job(asked: Asked, job: AnyJob | None) -> AnyJob:
    """The job, if the caller started it; another's is none (WeCom page 94854)."""
    if job is None or job.owner != asked.who.name:
        raise Refusal(40088)
    return job


OPERATIONS: Final = (
    Operation(
        path="batch/syncuser",
        method="POST",
        permission=Permission.CONTACT,
        carry_out=syncuser,
        is_write=True,
    ),
    Operation(
        path="batch/replaceuser",
        method="POST",
        permission=Permission.CONTACT,
        carry_out=replaceuser,
        is_write=True,
    ),
    Operation(
        path="batch/replaceparty",
        method="POST",
        permission=Permission.CONTACT,
        carry_out=replaceparty,
        is_write=True,
    ),
    Operation(
        path="batch/getresult",
        method="GET",
        permission=Permission.ANY_TOKEN,
        carry_out=getresult,
        empties=("result",),
    ),
)
