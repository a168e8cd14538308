"""Jobs that an earlier run left behind: seen to first, so that no plan is made beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, cast

from wxsync.engine.actual import is_proven_member
from wxsync.engine.auditing import NEVER_SENT, Called, Calling, taken_along
from wxsync.engine.corp import Corp
from wxsync.engine.cut_off import calls_of_rows
from wxsync.engine.job_line import STALLED, Ended, Fate, JobLine
from wxsync.engine.method import ROWS_A_SECOND
from wxsync.engine.recorder import Entry, Note, Recorder
from wxsync.engine.remembering import as_created, as_written
from wxsync.engine.replacing import alarm
from wxsync.engine.rows import slices, told_of
from wxsync.errors import WeComError
from wxsync.mirror import jobs, links
from wxsync.mirror.lease import Lease
from wxsync.model.batch_job import BatchJob, JobRow, JobState, RowResult
from wxsync.model.change import Verb
from wxsync.model.job import DepartmentRow, JobKind, MemberRow
from wxsync.model.member import fold
from wxsync.model.message import say
from wxsync.model.remembered import LinkState, Remembered, RememberedDepartment, RememberedMember
from wxsync.model.run import OutcomeState
from wxsync.wecom.errcodes import explain
from wxsync.wecom.wire.import_file import userids_of

STILL: Final = 10
"""So many of the first pauses, seconds each, the corp shows no change before its last job counts as over."""
BINDING: Final = timedelta(hours=24)
"""A job for which nobody answers is given up by then: none runs so long."""


async def settle_jobs(corp: Corp, held: Lease) -> None:
    """See every job of the corp to its end that an earlier run, now dead or cut off, left open.

    One that was not submitted is given up. One that runs is followed, and what its rows say is remembered.
    One whose id was lost with the reply is waited for, until it had the time to be worked off and the corp
    stands still; where WeCom shows all that it was to create, it is over, and else the next plan finds out.
    No file is submitted here: nobody has agreed to that, and what was planned then may no longer be wanted.

    Raises WeComError where a job cannot be seen to, and then nothing may be planned; and where a file that
    replaced everybody took somebody along who was to stay.
    """
    for job in await asyncio.to_thread(_open_jobs, corp):
        of_its_sync = replace(corp, sync=job.sync)
        async with Recorder(of_its_sync, job.run_id, held) as recorder:
            await _Settlement(of_its_sync, job, recorder).end()


def _open_jobs(corp: Corp) -> tuple[BatchJob, ...]:
    with corp.store.reading() as connection:
        return jobs.open_jobs(connection, corp.name)


class _Settlement:
    """One job that somebody else began."""

    def __init__(self, corp: Corp, job: BatchJob, recorder: Recorder) -> None:
        self._corp = corp
        self._job = job
        self._recorder = recorder

    async def end(self) -> None:
        rows, known, content = await asyncio.to_thread(self._read)
        if self._job.state is JobState.PREPARED:
            await self._give_up(JobState.ABANDONED)
            await self._tell_unsent(rows)
            return
        if self._job.state is JobState.RUNNING:
            ended = await JobLine(self._corp, self._keep, lambda job: None).follow(self._job)
        else:
            ended = await self._waited(rows, known, content)
        if ended.job.state.is_open and ended.fate is Fate.OPEN:
            if not self._is_overdue():
                raise ended.error or WeComError(
                    f"nobody knows what became of job {self._job.id}", hint="see `wxsync jobs`, and run again"
                )
            ended = await self._give_up(JobState.FAILED)
        await self._conclude(ended, rows, known)
        if self._job.kind is JobKind.REPLACE_MEMBERS and content is not None:
            await self._look_for_the_missing(rows, known, content)

    async def _tell_unsent(self, rows: Sequence[JobRow]) -> None:
        calls = await asyncio.to_thread(self._calls, rows)
        for some in slices([*calls.values()]):
            unsent = (
                Called(calling=call, state=OutcomeState.SKIPPED, hint=NEVER_SENT, is_settled=True)
                for call in some
            )
            await self._recorder.write(*unsent)

    async def _look_for_the_missing(self, rows: Sequence[JobRow], known: Remembered, content: bytes) -> None:
        """As after every file that replaces everybody: whoever was to stay and is not there is an alarm."""
        came = {fold(row.userid) for row in rows if _creates(row)}
        gone = {fold(userid) for userid in userids_of(content)} - came - await self._seen()
        missing = {
            key: link
            for key, link in known.members.items()
            if link.state is LinkState.OURS and fold(link.member.userid) in gone
        }
        if missing:
            now = self._corp.clock()
            dropped = [replace(link, state=LinkState.GONE, gone_at=now) for link in missing.values()]
            for some in slices(dropped):
                lines = (taken_along(link.member.key, link.member.userid) for link in some)
                await self._recorder.write(*some, *lines)
            raise alarm(self._job.id, sorted(missing))

    async def _waited(self, rows: Sequence[JobRow], known: Remembered, content: bytes | None) -> Ended:
        """One whose id was lost with the reply: whatever it was to do has had the time to be done."""
        if not self._is_overdue():
            await self._wait_out(content)
        remembered = {row.key: known.members[row.key] for row in rows if row.key in known.members}
        if all(map(_creates, rows)) and len(await self._there(rows, remembered)) == len(rows):
            over = replace(self._job, state=JobState.FINISHED, finished_at=self._corp.clock())
            await self._keep(over)
            return Ended(job=over, fate=Fate.PROVEN)
        return await self._give_up(JobState.FAILED)

    def _is_overdue(self) -> bool:
        return self._corp.clock() - (self._job.submitted_at or self._job.prepared_at) > BINDING

    async def _give_up(self, state: JobState) -> Ended:
        """What its rows may have done is not known: the next plan writes it once more."""
        hint = say("its run ended before it did, and it is no longer what is wanted")
        over = replace(self._job, state=state, hint=hint, finished_at=self._corp.clock())
        await self._keep(over)
        return Ended(job=over, fate=Fate.OPEN)

    def _read(self) -> tuple[tuple[JobRow, ...], Remembered, bytes | None]:
        with self._corp.store.reading() as connection:
            return (
                jobs.rows(connection, self._job.id),
                links.load(connection, self._job.corp, self._job.sync),
                jobs.file_of(connection, self._job.id),
            )

    async def _keep(self, job: BatchJob) -> None:
        await self._recorder.write(Note(partial(jobs.put, job=job)))

    async def _there(self, rows: Sequence[JobRow], remembered: dict[str, RememberedMember]) -> set[int]:
        seen = {fold(member.userid): member for member in await self._corp.wecom.list_member_ids()}
        return {
            row.n
            for row in rows
            if _creates(row)
            and (link := remembered.get(row.key)) is not None
            and is_proven_member(link, seen.get(fold(row.userid)))
        }

    async def _wait_out(self, content: bytes | None) -> None:
        """Until WeCom had the time to work the file off, and shows the same for a while; not without end."""
        lines = self._job.rows if content is None else content.count(b"\n")
        enough = 2 * lines / ROWS_A_SECOND
        begun = self._job.submitted_at or self._job.prepared_at
        loop, pauses = asyncio.get_running_loop(), self._corp.pauses
        started = loop.time() - max(0.0, (self._corp.clock() - begun).total_seconds())
        picture, still_since, pause = await self._picture(), loop.time(), pauses.first
        while loop.time() - started < enough + STALLED:
            await self._corp.bell.wait(f"job {self._job.id}", pause)
            pause = pauses.longer(pause)
            before, picture = picture, await self._picture()
            if picture != before:
                still_since = loop.time()
            elif loop.time() - max(still_since, started + enough) >= STILL * pauses.first:
                return

    async def _picture(self) -> frozenset[object]:
        """What shows of such a job's work while it is under way."""
        if self._job.kind is JobKind.REPLACE_DEPARTMENTS:
            return frozenset(await self._corp.wecom.list_departments())
        members = await self._corp.wecom.list_member_ids()
        return frozenset((fold(member.userid), member.department_ids) for member in members)

    async def _conclude(self, ended: Ended, rows: Sequence[JobRow], known: Remembered) -> None:
        """Rows that were carried out are remembered; of the others the next plan finds out."""
        told: dict[str, MemberRow | DepartmentRow] = {**told_of(ended.members)}
        told |= {str(row.department_id): row for row in ended.departments}
        seen = await self._seen() if any(row.verb is Verb.DELETE for row in rows) else frozenset()
        calls = await asyncio.to_thread(self._calls, rows)
        for some in slices(rows):
            entries: list[Entry] = []
            said: list[RowResult] = []
            for row in some:
                answer = told.get(fold(row.userid))
                is_done = ended.fate is Fate.PROVEN or (answer is not None and answer.errcode == 0)
                if row.verb is Verb.DELETE:
                    is_done = fold(row.userid) not in seen
                if is_done:
                    entries += self._done(row, known)
                errcode = None if answer is None else answer.errcode or None
                state = OutcomeState.UNKNOWN if answer is None else OutcomeState.FAILED
                said.append(
                    RowResult(
                        n=row.n,
                        key=row.key,
                        userid=row.userid,
                        verb=row.verb,
                        state=OutcomeState.DONE if is_done else state,
                        errcode=errcode,
                        hint=None if errcode is None or answer is None else explain(errcode, answer.errmsg),
                    )
                )
            note = Note(partial(jobs.conclude_rows, job=ended.job.id, rows=said))
            await self._recorder.write(*entries, note, *_told(some, said, calls))
        if ended.job.state.is_open:
            await self._keep(replace(ended.job, state=JobState.FINISHED, finished_at=self._corp.clock()))

    def _calls(self, rows: Sequence[JobRow]) -> dict[int, Calling]:
        """n -> the call that a row was, of those of which the audit trail has no line yet."""
        with self._corp.store.reading() as connection:
            return calls_of_rows(connection, self._job.corp, self._job.run_id, rows)

    async def _seen(self) -> frozenset[str]:
        return frozenset(fold(member.userid) for member in await self._corp.wecom.list_member_ids())

    def _done(self, row: JobRow, known: Remembered) -> list[Entry]:
        """What the mirror is to remember of a row that was carried out."""
        if self._job.kind is JobKind.REPLACE_DEPARTMENTS:
            department = known.departments.get(row.key)
            return [] if department is None else _done_department(row, department)
        member = known.members.get(row.key)
        return [] if member is None else _done_member(row, member, self._corp.clock())


def _told(
    rows: Sequence[JobRow], said: Sequence[RowResult], calls: Mapping[int, Calling]
) -> Iterator[Called]:
    """What the audit trail says of rows: what became of them, where it did not know that."""
    for row, result in zip(rows, said, strict=True):
        if row.n in calls:
            yield Called(
                calling=calls[row.n],
                state=result.state or OutcomeState.UNKNOWN,
                errcode=result.errcode,
                hint=result.hint,
                is_settled=True,
            )


def _creates(row: JobRow) -> bool:
    return row.verb is Verb.CREATE


def _done_member(row: JobRow, link: RememberedMember, now: datetime) -> list[Entry]:
    if _creates(row):
        return [as_created(link)] if link.state is LinkState.PENDING else []
    if row.verb is Verb.DELETE:
        return [replace(link, state=LinkState.GONE, gone_at=now)]
    return [as_written(link, row.fields, row.verb)] if link.state is LinkState.OURS else []


def _done_department(row: JobRow, link: RememberedDepartment) -> list[Entry]:
    if str(link.id) != row.userid:
        return []
    if _creates(row):
        return [replace(link, state=LinkState.OURS)] if link.state is LinkState.PENDING else []
    if "name" not in row.fields or link.state is not LinkState.OURS:
        return []
    return [replace(link, name=cast("str", row.fields["name"]), doubted_names=())]
