"""One file on its way through WeCom: uploaded, started, asked after to the end, on record at each step."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from wxsync.engine.corp import Corp
from wxsync.engine.results import is_ambiguous
from wxsync.errors import NotFoundError, WeComApiError, WeComError, WeComTransportError
from wxsync.model.batch_job import BatchJob, JobState
from wxsync.model.job import DepartmentRow, JobKind, JobResult, JobStatus, MemberRow
from wxsync.model.message import Message, say
from wxsync.wecom.errcodes.codes import JOB_BROKEN, JOB_UNDER_WAY, MEDIA_GONE
from wxsync.wecom.wire.media import MediaType

Keep = Callable[[BatchJob], Awaitable[None]]
"""Puts a job as it now stands on record; returns once that is safe."""
Check = Callable[[BatchJob], Awaitable[None]]
"""Raises OutdatedFileError where the file does not fit the corp by now, WeComError where nobody can look."""
Look = Callable[[], Awaitable[bool]]
"""Whether what the file asks for is proven to be there already."""

AGAIN: Final = 3
"""So often a job that WeCom could not carry out (302005), or a start without an answer, is begun again."""
UPLOADS: Final = 3
"""So often a file is uploaded that WeCom no longer has (40007)."""
SILENT: Final = 10
"""So many questions in a row without an answer, and the job is left to the next run."""
STALLED: Final = 1800.0
"""Seconds without any progress after which a job is left to the next run."""
TURN: Final = 7200.0
"""Seconds that a file waits for the jobs of others."""
FILE_NAMES: Final = {
    JobKind.SYNC_MEMBERS: "members.csv",
    JobKind.REPLACE_MEMBERS: "all-members.csv",
    JobKind.REPLACE_DEPARTMENTS: "all-departments.csv",
}


class Fate(Enum):
    """What is known of a job that nobody works on any more."""

    REFUSED = auto()
    """WeCom did nothing of it."""
    ROWS = auto()
    """What became of each row is told."""
    PROVEN = auto()
    """Nobody told, and everything is there."""
    OPEN = auto()
    """Some of it may be done, or still be on its way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How it ended."""

    job: BatchJob
    fate: Fate
    members: tuple[MemberRow, ...] = ()
    departments: tuple[DepartmentRow, ...] = ()
    error: WeComError | None = None
    """Why it was REFUSED or is OPEN, where an error says it."""


class OutdatedFileError(Exception):
    """The corp is no longer what the file was made for, as far as these members go."""

    def __init__(self, job: BatchJob, userids: frozenset[str]) -> None:
        super().__init__(f"{len(userids)} members of job {job.id}")
        self.job = job
        self.userids = userids
        """Folded."""


class JobLine:
    """Takes files to WeCom and stays with them; nothing is begun that is not on record before."""

    def __init__(self, corp: Corp, keep: Keep, tell: Callable[[BatchJob], None]) -> None:
        self._corp = corp
        self._keep = keep
        self._tell = tell

    async def carry(
        self, job: BatchJob, content: bytes, *, check: Check | None = None, look: Look | None = None
    ) -> Ended:
        """Submit the file and follow the job to its end. `check` comes before every submission.

        A job of somebody else's has its turn first (302008). One that WeCom could not carry out (302005), and
        a start whose reply was lost, is begun again, three times at most: a file says how things shall be, so
        a repeat has the same effect, and WeCom takes none while the first one runs. `look` spares that
        repeat. Raises what `check` raises, and MirrorError and RunInProgressError.
        """
        uploads = failures = losses = 0
        waited, pause = 0.0, self._corp.pauses.first
        while True:
            if job.media_id is None:
                uploads += 1
                try:
                    job = await self._uploaded(job, content)
                except WeComError as error:
                    return await self._given_up(job, error, losses + failures)
            try:
                if check is not None:
                    await check(job)
            except WeComError as error:  # nobody could look
                return await self._given_up(job, error, losses + failures)
            job, refusal = await self._started(job)
            if refusal is None:
                ended = await self._followed(job)
                job = ended.job
                if job.errcode in MEDIA_GONE and uploads < UPLOADS:
                    job = replace(job, media_id=None)
                elif job.errcode == JOB_BROKEN and failures < AGAIN:
                    failures += 1
                    await self._corp.bell.wait(f"job {job.id}", pause)
                else:
                    return await self._closed(ended, losses + failures)
                continue
            if _is(refusal, MEDIA_GONE) and uploads < UPLOADS:
                job = replace(job, media_id=None)
                continue
            if _is(refusal, {JOB_UNDER_WAY}) and waited < TURN:
                waited += pause
            elif not is_ambiguous(refusal):
                return await self._given_up(job, refusal, losses + failures)
            else:
                losses += 1
            if losses > AGAIN:
                return Ended(job=job, fate=Fate.OPEN, error=refusal)
            if losses and look is not None and await look():
                return await self._over(job, Fate.PROVEN)
            await self._corp.bell.wait(f"job {job.id}", pause)
            pause = self._corp.pauses.longer(pause)

    async def follow(self, job: BatchJob) -> Ended:
        """Ask after a job whose id is known, now and then, until it is over.

        The pauses grow from one second to a minute, and are shorter towards the end; the corp's bell ends
        them. A job that makes no progress for half an hour, or nobody answers for, is left as it is: OPEN.
        """
        return await self._closed(await self._followed(job), begun=0)

    async def _followed(self, job: BatchJob) -> Ended:
        """The same; one that WeCom broke off, or refused, stays open on record: it may be begun again."""
        job, job_id = replace(job, errcode=None, hint=None), str(job.job_id)
        loop = asyncio.get_running_loop()
        began = moved = loop.time()
        pause, faults = self._corp.pauses.first, 0
        try:
            while True:
                await self._corp.bell.wait(job_id, pause)
                try:
                    result = await self._corp.jobs.get_result(job_id)
                except NotFoundError as error:  # only the last five are kept (WeCom page 90983)
                    return await self._given_up(job, error, begun=1)
                except WeComError as error:
                    faults += 1
                    if faults >= SILENT or not isinstance(error, WeComTransportError):
                        return Ended(job=job, fate=Fate.OPEN, error=error)
                    continue
                faults = 0
                if result.is_over:
                    return self._told(job, result)
                if result.percentage != job.percentage:
                    moved = loop.time()
                    job = replace(job, percentage=_percent(result.percentage))
                    await self._keep(job)
                    self._tell(job)
                elif loop.time() - moved > STALLED:
                    return Ended(job=job, fate=Fate.OPEN, error=_stalled(job))
                pause = self._corp.pauses.towards_the_end(pause, job.percentage, loop.time() - began)
        finally:
            self._corp.bell.forget(job_id)

    async def _uploaded(self, job: BatchJob, content: bytes) -> BatchJob:
        stored = await self._corp.media.upload(MediaType.FILE, FILE_NAMES[job.kind], content)
        job = replace(job, media_id=stored.media_id, uploaded_at=self._corp.clock())
        await self._keep(job)
        return job

    async def _started(self, job: BatchJob) -> tuple[BatchJob, WeComError | None]:
        """RUNNING; or why not, and then it is as it was, or SUBMITTING where nobody knows."""
        submitting = replace(
            job,
            state=JobState.SUBMITTING,
            submissions=job.submissions + 1,
            submitted_at=self._corp.clock(),
            job_id=None,
            percentage=0,
            errcode=None,
            hint=None,
        )
        await self._keep(submitting)
        try:
            job_id = await self._start(submitting)
        except WeComError as error:
            if is_ambiguous(error):
                return submitting, error
            await self._keep(job)  # an earlier start may still have its effect: then that one is looked after
            return job, error
        running = replace(submitting, state=JobState.RUNNING, job_id=job_id)
        await self._keep(running)
        self._tell(running)
        return running, None

    async def _start(self, job: BatchJob) -> str:
        jobs, media_id, callback = self._corp.jobs, str(job.media_id), self._corp.job_callback
        match job.kind:
            case JobKind.SYNC_MEMBERS:
                return await jobs.sync_members(media_id, callback)
            case JobKind.REPLACE_MEMBERS:
                return await jobs.replace_members(media_id, callback)
            case JobKind.REPLACE_DEPARTMENTS:
                return await jobs.replace_departments(media_id, callback)

    def _told(self, job: BatchJob, result: JobResult) -> Ended:
        """Over for WeCom; for us it is once that, or its rows, are on record."""
        if result.status is JobStatus.FINISHED:
            job = replace(job, percentage=100)
            self._tell(job)
            return Ended(job=job, fate=Fate.ROWS, members=result.members, departments=result.departments)
        hint = None if result.hint is None else say("{problem}", problem=result.hint)
        # WeCom looks at a file before it begins, except where it could not go on.
        fate = Fate.OPEN if result.errcode == JOB_BROKEN else Fate.REFUSED
        return Ended(job=replace(job, errcode=result.errcode, hint=hint), fate=fate)

    async def _closed(self, ended: Ended, begun: int) -> Ended:
        """What is over is on record as such; `begun`: earlier starts that may have done some of it."""
        job = ended.job
        if ended.fate is Fate.ROWS or not job.state.is_open or job.errcode is None:
            return ended
        fate = Fate.OPEN if begun else ended.fate
        return await self._over(job, fate, errcode=job.errcode, hint=job.hint)

    async def _given_up(self, job: BatchJob, error: WeComError, begun: int) -> Ended:
        fate = Fate.OPEN if begun else Fate.REFUSED
        errcode = error.errcode if isinstance(error, WeComApiError) else None
        hint = say("{problem}", problem=error.hint or error.message)
        return await self._over(job, fate, error=error, errcode=errcode, hint=hint)

    async def _over(
        self,
        job: BatchJob,
        fate: Fate,
        *,
        error: WeComError | None = None,
        errcode: int | None = None,
        hint: Message | None = None,
    ) -> Ended:
        state = JobState.FINISHED if fate is Fate.PROVEN else JobState.FAILED
        job = replace(job, state=state, errcode=errcode, hint=hint, finished_at=self._corp.clock())
        await self._keep(job)
        self._tell(job)
        return Ended(job=job, fate=fate, error=error)


def _stalled(job: BatchJob) -> WeComError:
    return WeComError(
        f"job {job.id} ({job.job_id}) has made no progress for {STALLED // 60:.0f} minutes",
        hint="the next run looks at it again; see `wxsync jobs`",
    )


def _is(error: WeComError, errcodes: frozenset[int] | set[int]) -> bool:
    return isinstance(error, WeComApiError) and error.errcode in errcodes


def _percent(told: int) -> int:
    return min(max(told, 0), 100)
