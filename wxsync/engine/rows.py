"""The rows of a file: on record before it is sent, and remembered by what WeCom says of each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeVar, cast

from wxsync.engine.actual import is_proven_member
from wxsync.engine.auditing import NEVER_SENT, Called, Calling
from wxsync.engine.corp import Corp
from wxsync.engine.decide import Decision
from wxsync.engine.job_line import Ended, Fate
from wxsync.engine.ledger import Ledger
from wxsync.engine.recorder import Entry, Forget, Note, Recorder
from wxsync.engine.results import DONE, STRAY, Result, to_result, written
from wxsync.engine.single import Single
from wxsync.engine.writing import place_ids
from wxsync.errors import WeComError
from wxsync.mirror import jobs
from wxsync.mirror.journal import REPLACE_CREATION, REPLACE_ROW, SYNC_CREATION, SYNC_ROW, Intent
from wxsync.model.batch_job import BatchJob, JobRow, JobState, RowResult
from wxsync.model.change import Change, Verb
from wxsync.model.job import JobKind, MemberRow
from wxsync.model.member import MemberWrite, fold
from wxsync.model.message import Message, say
from wxsync.model.remembered import LinkState, RememberedMember
from wxsync.model.run import OutcomeState
from wxsync.model.seen import SeenMember
from wxsync.wecom import errcodes
from wxsync.wecom.errcodes.codes import JOB_FAILURES

T = TypeVar("T")

NAMED: Final = 5
"""So many of those who were refused beside the changes are named."""
SLICE: Final = 1000
"""Rows that are put on record in one transaction."""
UNTOLD: Final = say("WeCom's result does not tell what became of it: the next run will see")
HOMELESS: Final = Result(
    state=OutcomeState.FAILED,
    hint=say("a department that it shall be in is no longer in WeCom: run again"),
    attempts=0,
)
"""Of a row that names a department which is not there: WeCom would make one up for it."""
UNSAID: Final = frozenset({"direct_leader"})
"""What a file never says of somebody new, also where it was left out of the change."""
TAKEN: Final = frozenset({errcodes.MOBILE_TAKEN, errcodes.EMAIL_TAKEN})
CALLS: Final = {
    JobKind.SYNC_MEMBERS: (SYNC_ROW, SYNC_CREATION),
    JobKind.REPLACE_MEMBERS: (REPLACE_ROW, REPLACE_CREATION),
}
"""What the intents of rows are called: of those who are there, and of somebody new."""


@dataclass(slots=True, kw_only=True, eq=False)
class Row:
    """One change, or what a file says of it, on its way."""

    n: int
    key: str
    change: Change
    """With the fields that the file says."""
    write: MemberWrite
    """Of a deletion the userid alone: it stands in no file."""
    former: RememberedMember | None = None
    """What was remembered before it was announced."""
    link: RememberedMember | None = None
    step: int = 0
    """The number of the call by which it was announced."""
    call: str = ""

    @property
    def folded(self) -> str:
        return fold(self.write.userid)

    @property
    def is_creation(self) -> bool:
        return self.change.verb is Verb.CREATE

    @property
    def is_deletion(self) -> bool:
        return self.change.verb is Verb.DELETE


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Keeps the record of a job and of its rows, in the mirror and in the ledger."""

    corp: Corp
    decision: Decision
    ledger: Ledger
    recorder: Recorder
    single: Single
    run_id: int

    async def prepared(self, kind: JobKind, rows: Sequence[Row], content: bytes) -> BatchJob:
        """On record before anything is sent: the job, its file, and what each row may change."""
        job = await self.begun(kind, len(rows))
        for some in slices(rows):
            entries: list[Entry] = []
            for row in some:
                entries += self._announced(kind, row)
            said = [_job_row(row) for row in some]
            await self.recorder.write(*entries, Note(partial(jobs.put_rows, job=job.id, rows=said)))
        await self.recorder.write(Note(partial(jobs.put_file, job=job.id, content=content)))
        return job

    async def begun(self, kind: JobKind, rows: int) -> BatchJob:
        """A job on record, without rows as yet."""
        now = self.corp.clock()
        id = await asyncio.to_thread(self._begin, kind)
        return BatchJob(
            id=id,
            run_id=self.run_id,
            corp=self.corp.name,
            sync=self.corp.sync,
            kind=kind,
            state=JobState.PREPARED,
            rows=rows,
            prepared_at=now,
        )

    def _begin(self, kind: JobKind) -> int:
        with self.corp.store.transaction() as connection:
            return jobs.prepare(
                connection,
                run_id=self.run_id,
                corp=self.corp.name,
                sync=self.corp.sync,
                kind=kind,
                prepared_at=self.corp.clock(),
            )

    def _announced(self, kind: JobKind, row: Row) -> list[Entry]:
        call, creation = CALLS[kind]
        detail = {"userid": row.write.userid, "fields": sorted(row.change.fields)}
        intent = self.single.intent(row.n, creation if row.is_creation else call, **detail)
        row.step, row.call = intent.step, intent.call
        row.former = self.ledger.members.get(row.key)
        if row.is_deletion:
            row.link = row.former
            return [intent]
        row.link = self._creation(row) if row.is_creation else self._update(row)
        return [row.link, intent]

    def _update(self, row: Row) -> RememberedMember:
        return self.ledger.doubt_member(row.key, row.change.fields, row.change.verb)

    def _creation(self, row: Row) -> RememberedMember:
        link = self.ledger.announce_member(row.change, place_ids(row.change.fields, self.ledger))
        whole = self.decision.schedule.changes[row.n - 1].fields
        unsaid = frozenset(whole) - frozenset(row.change.fields) | UNSAID - frozenset(row.change.fields)
        return self.ledger.without(link, unsaid)

    async def keep(self, job: BatchJob) -> None:
        """How far the job is, on record."""
        await self.recorder.write(Note(partial(jobs.put, job=job)))

    async def abandon(self, job: BatchJob, rows: Sequence[Row]) -> None:
        """The job was never submitted and never will be: what was known before is known again."""
        await self.keep(replace(job, state=JobState.ABANDONED, finished_at=self.corp.clock()))
        for some in slices(rows):
            undone = (entry for row in some for entry in self._undone(row))
            unsent = Result(state=OutcomeState.SKIPPED, hint=NEVER_SENT)
            await self.recorder.write(*undone, *(called(row, unsent) for row in some))

    async def look(self, rows: Sequence[Row] | None = None) -> dict[str, SeenMember] | None:
        """Everybody in WeCom, or whoever of these, by folded userid; None where that cannot be read."""
        try:
            return await self.seen(rows)
        except WeComError:
            return None

    async def seen(self, rows: Sequence[Row] | None = None) -> dict[str, SeenMember]:
        """The same; raises WeComError where it cannot be read."""
        among = None if rows is None else {row.folded for row in rows}
        members = await self.corp.wecom.list_member_ids(among)
        return {fold(member.userid): member for member in members}

    async def all_there(self, rows: Sequence[Row]) -> bool:
        """Creations that are proven to be there, all of them."""
        seen = await self.look(rows)
        return seen is not None and len(_proven(rows, seen)) == len(rows)

    async def concluded(self, ended: Ended, rows: Sequence[Row]) -> dict[int, Result | None]:
        """What became of each row of a file that deletes nobody, looked after where WeCom did not say it."""
        told = told_of(ended.members)
        is_doubtful = any(row.is_creation and not _is_certain(told.get(row.folded)) for row in rows)
        seen = await self.look(rows) if is_doubtful and ended.fate is not Fate.REFUSED else {}
        return await self.conclude(ended, rows, seen)

    async def conclude(
        self, ended: Ended, rows: Sequence[Row], seen: Mapping[str, SeenMember] | None
    ) -> dict[int, Result | None]:
        """What became of each row, remembered with its result; then the job is over.

        `seen` is who is in WeCom by now, None where nobody knows.
        """
        told = told_of(ended.members)
        settled = self._settled(ended, rows, told, seen)
        strays = frozenset[int]() if ended.fate is Fate.REFUSED else await self._strays(rows)
        results: dict[int, Result | None] = {}
        if strays:
            await self.recorder.write(*self.ledger.doubt_names(strays))
        for some in slices(rows):
            entries: list[Entry] = []
            said: list[RowResult] = []
            for row in some:
                result, entry = self._become(ended, row, told.get(row.folded), settled)
                if not strays.isdisjoint(places_of(row.write)) and result is not None:
                    result = replace(result, state=OutcomeState.FAILED, hint=STRAY)
                entries += entry
                results[row.n] = result
                said.append(_row_result(row, result, told.get(row.folded)))
                entries.append(called(row, said[-1]))
            conclude = Note(partial(jobs.conclude_rows, job=ended.job.id, rows=said))
            await self.recorder.write(*entries, conclude)
        is_proven = ended.job.state.is_open and all(result is DONE for result in results.values())
        if ended.fate is Fate.ROWS or is_proven:
            others = _refused_beside(told, rows)
            over = replace(ended.job, state=JobState.FINISHED, finished_at=self.corp.clock())
            await self.keep(replace(over, hint=others or over.hint))
        return results

    async def _strays(self, rows: Sequence[Row]) -> frozenset[int]:
        """Departments of these rows that are below one which is neither ours nor was there before.

        Where one is deleted while a file is worked off, WeCom makes one up in its place (WeCom page 90980),
        and no result of a job says so, as the answer to a call does by `created_department_list`.
        """
        try:
            seen = {each.id: each.parent_id for each in await self.corp.wecom.list_departments()}
        except WeComError:
            return frozenset()
        before = {each.id: each.parent_id for each in self.decision.seen.departments}
        ours = {link.id for link in self.ledger.departments.values() if link.state is not LinkState.GONE}
        ours.add(self.decision.actual.root)
        named = frozenset[int]().union(*(places_of(row.write) for row in rows)) & seen.keys()
        return frozenset(id for id in named if seen[id] not in ours and seen[id] != before.get(id))

    def _settled(
        self,
        ended: Ended,
        rows: Sequence[Row],
        told: Mapping[str, MemberRow],
        seen: Mapping[str, SeenMember] | None,
    ) -> set[int] | None:
        """The creations without a word, and the deletions, that WeCom shows to be carried out."""
        if ended.fate is Fate.REFUSED:
            return set()
        if seen is None:
            return None
        doubtful = [row for row in rows if row.is_creation and not _is_certain(told.get(row.folded))]
        gone = {row.n for row in rows if row.is_deletion and row.folded not in seen}
        return _proven(doubtful, seen) | gone

    def _become(
        self, ended: Ended, row: Row, told: MemberRow | None, settled: set[int] | None
    ) -> tuple[Result | None, list[Entry]]:
        """The result of one row, and what the mirror is to remember."""
        if settled is not None and row.n in settled:
            return self._done(row)
        if ended.fate is Fate.PROVEN and not row.is_deletion:
            return self._done(row)
        if ended.fate is Fate.REFUSED:
            return _refusal(ended), self._undone(row)
        if ended.fate is not Fate.OPEN and row.is_deletion and settled is not None:
            return _not_deleted(told), []
        if told is None or ended.fate is Fate.OPEN or row.is_deletion:
            stops = ended.error if ended.job.state.is_open else None
            return Result(state=OutcomeState.UNKNOWN, hint=UNTOLD, stops=stops), []
        if told.errcode == 0:
            return self._done(row)
        if not _is_certain(told):
            if row.is_creation and settled is None:
                return Result(state=OutcomeState.UNKNOWN, errcode=told.errcode, hint=UNTOLD), []
            return None, self._undone(row)  # a call finds out
        if not row.is_creation and told.errcode in TAKEN:
            return None, self._undone(row)  # a call does without that number
        return _refused(told), self._undone(row)

    def _done(self, row: Row) -> tuple[Result, list[Entry]]:
        if row.is_creation:
            link = self.ledger.keep_member(cast("RememberedMember", row.link))
            if len(row.change.fields) == len(self.decision.schedule.changes[row.n - 1].fields):
                self.ledger.let_go(row.key)
            return DONE, [link]
        if row.is_deletion:
            return DONE, [self.ledger.drop_member(row.key)]
        fields = row.change.fields
        return written(fields), [self.ledger.update_member(row.key, fields, row.change.verb)]

    def _undone(self, row: Row) -> list[Entry]:
        """WeCom did nothing of it: what was known before is known again."""
        if row.is_deletion:
            return []
        if row.former is not None:
            return [self.ledger.restore_member(row.former)]
        self.ledger.forget_member(row.key)
        return [Forget(row.key)]


def told_of(rows: Iterable[MemberRow]) -> dict[str, MemberRow]:
    """WeCom's word for each, by folded userid; of whom it says two things it says nothing."""
    told: dict[str, MemberRow] = {}
    contradicted: set[str] = set()
    for row in rows:
        first = told.setdefault(fold(row.userid), row)
        if first.errcode != row.errcode:
            contradicted.add(fold(row.userid))
    return {folded: row for folded, row in told.items() if folded not in contradicted}


def _refused_beside(told: Mapping[str, MemberRow], rows: Iterable[Row]) -> Message | None:
    """Whom WeCom refused although the file said of them what they are: of no change is that the outcome."""
    own = {row.folded for row in rows}
    others = [f"{row.userid} ({row.errcode})" for key, row in told.items() if row.errcode and key not in own]
    if not others:
        return None
    some = ", ".join(sorted(others)[:NAMED])
    return say("WeCom refused rows that change nobody: {count} ({some})", count=len(others), some=some)


def called(row: Row, result: Result | RowResult) -> Called:
    """What the audit trail says of a row that is over."""
    intent = Intent(n=row.n, step=row.step, call=row.call, detail={})
    return Called(
        calling=Calling(intent=intent, change=row.change),
        state=result.state or OutcomeState.UNKNOWN,
        errcode=result.errcode,
        hint=result.hint,
    )


def is_outdated(
    seen: SeenMember | None, link: RememberedMember | None, *, is_creation: bool, was_submitted: bool
) -> bool:
    """A row would change somebody who is not ours, or create somebody anew who was there.

    After an earlier start of the same file, who is there as it asked for is taken for its work.
    """
    if not is_creation:
        return seen is None
    is_own = was_submitted and link is not None and is_proven_member(link, seen)
    return seen is not None and not is_own


def places_of(write: MemberWrite) -> frozenset[int]:
    """The ids of the departments that a row names."""
    return frozenset(write.departments) if isinstance(write.departments, tuple) else frozenset()


def slices(rows: Sequence[T], size: int = SLICE) -> Iterator[Sequence[T]]:
    """The rows, so many at a time; as many as go on record together, unless it is said otherwise."""
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _proven(rows: Sequence[Row], seen: Mapping[str, SeenMember]) -> set[int]:
    """The n of creations that are in WeCom in exactly the departments that they asked for."""
    return {
        row.n
        for row in rows
        if row.is_creation
        and row.link is not None
        and (member := seen.get(row.folded)) is not None
        and is_proven_member(row.link, member)
    }


def _job_row(row: Row) -> JobRow:
    return JobRow(
        n=row.n,
        key=row.key,
        userid=row.write.userid,
        verb=row.change.verb,
        fields={name: values.after for name, values in row.change.fields.items()},
    )


def _is_certain(told: MemberRow | None) -> bool:
    """Whether WeCom's word for a row says what became of it, and a repeat would say the same."""
    if told is None:
        return False
    return told.errcode == 0 or errcodes.lookup(told.errcode).action is not errcodes.Action.RETRY


def _refusal(ended: Ended) -> Result:
    """A refusal of the file itself says nothing of other calls."""
    errcode = ended.job.errcode
    if ended.error is not None and errcode not in JOB_FAILURES:
        return to_result(ended.error)
    return Result(state=OutcomeState.FAILED, errcode=errcode, hint=ended.job.hint)


def _refused(told: MemberRow) -> Result:
    hint = errcodes.explain(told.errcode, told.errmsg)
    return Result(state=OutcomeState.FAILED, errcode=told.errcode, hint=hint)


def _not_deleted(told: MemberRow | None) -> Result | None:
    """Somebody whom a file was to delete is still there; None: a call finds out."""
    return _refused(told) if told is not None and told.errcode and _is_certain(told) else None


def _row_result(row: Row, result: Result | None, told: MemberRow | None) -> RowResult:
    """What `wxsync jobs` shows: WeCom's own word, also where a call is to try once more."""
    if result is None:
        errcode = None if told is None else told.errcode
        hint = None if errcode is None else errcodes.explain(errcode, told.errmsg if told else "")
        state = OutcomeState.FAILED
    else:
        errcode, hint, state = result.errcode, result.hint, result.state
    return RowResult(
        n=row.n,
        key=row.key,
        userid=row.write.userid,
        verb=row.change.verb,
        state=state,
        errcode=errcode,
        hint=hint,
    )
