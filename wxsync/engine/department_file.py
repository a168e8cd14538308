"""The whole tree in one file: departments are created, renamed and moved by it, and none is deleted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

from wxsync.engine.actual import is_proven_department
from wxsync.engine.auditing import NEVER_SENT, Called, Calling
from wxsync.engine.job_line import Ended, Fate, JobLine, OutdatedFileError
from wxsync.engine.recorder import Entry, Note
from wxsync.engine.results import DONE, Result
from wxsync.engine.rows import UNTOLD, Rows
from wxsync.engine.schedule import Part
from wxsync.errors import UnsendableError, WeComError
from wxsync.mirror import jobs
from wxsync.mirror.journal import REPLACE_DEPARTMENT, Intent
from wxsync.model.batch_job import BatchJob, JobRow, JobState, RowResult
from wxsync.model.change import Change, Verb
from wxsync.model.job import DepartmentRow, JobKind
from wxsync.model.remembered import RememberedDepartment
from wxsync.model.run import OutcomeState
from wxsync.model.seen import SeenDepartment
from wxsync.model.unknown import DepartmentRef
from wxsync.wecom import errcodes
from wxsync.wecom.wire.import_file import DepartmentLine, to_department_file


@dataclass(slots=True, kw_only=True, eq=False)
class _Line:
    """One change of a department on its way."""

    n: int
    change: Change
    link: RememberedDepartment
    """As it is announced."""
    former: RememberedDepartment | None
    step: int = 0
    """The number of the call by which it was announced."""

    @property
    def is_creation(self) -> bool:
        return self.change.verb is Verb.CREATE


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentFile:
    """Carries parts out by one `batch/replaceparty` (WeCom page 90982)."""

    rows: Rows

    async def perform(
        self, parts: Sequence[Part], tell: Callable[[float], None]
    ) -> Mapping[int, Result | None]:
        """Do all parts, each a department's; n -> what became of it, None where a call is to do it.

        The file holds the whole tree, those too that the plan deletes later, so that it deletes none. Before
        each submission WeCom is looked at: where it has a department that is not in the file, or lacks one
        that is, nothing is sent, and all parts are left to calls. So they are where WeCom refuses the file.

        Raises MirrorError or RunInProgressError where something cannot be put on record.
        """
        unsaid: dict[int, Result | None] = dict.fromkeys(part.n for part in parts)
        lines = self._announced(parts)
        try:
            content = to_department_file(self._tree(lines))
        except UnsendableError:
            self._forget(lines)
            return unsaid
        job = await self._prepared(lines, content)
        line = JobLine(self.rows.corp, self.rows.keep, lambda job: tell(job.percentage / 100))
        try:
            ended = await line.carry(job, content, check=partial(self._check, lines))
        except OutdatedFileError as outdated:
            ended = Ended(job=outdated.job, fate=Fate.OPEN)
            if not outdated.job.submissions:
                over = replace(outdated.job, state=JobState.ABANDONED, finished_at=self.rows.corp.clock())
                await self.rows.keep(over)
                ended = Ended(job=over, fate=Fate.REFUSED)
        if ended.fate is Fate.REFUSED:
            told = (_called(line, _refusal(ended)) for line in lines)
            await self.rows.recorder.write(*self._forget(lines), *told)
            return unsaid
        return await self._concluded(ended, lines)

    # The file

    def _announced(self, parts: Sequence[Part]) -> list[_Line]:
        """In the order of the plan, parents first, so that a child knows the id that its parent will have."""
        ledger, lines = self.rows.ledger, list[_Line]()
        new: dict[str, int] = {}
        for part in sorted(parts, key=lambda part: part.n):
            change = self.rows.decision.schedule.changes[part.n - 1]
            key = cast("str", change.key)
            former = ledger.departments.get(key)
            if change.verb is Verb.CREATE:
                link = ledger.announce_department(change)
                parent = cast("DepartmentRef", change.fields["parent"].after)
                if isinstance(parent, str) and parent in new:
                    link = replace(link, parent_id=new[parent])
                    ledger.departments[key] = link
                new[key] = link.id
            else:
                link = ledger.doubt_department(change)
            lines.append(_Line(n=part.n, change=change, link=link, former=former))
        return lines

    def _tree(self, lines: Sequence[_Line]) -> list[DepartmentLine]:
        """Everything that is there, with what changes laid over it, and what is new."""
        actual = self.rows.decision.actual
        said = {cast("str", line.change.key): line for line in lines}
        new = {key: line.link.id for key, line in said.items() if line.is_creation}
        root_name = next(each.name for each in self.rows.decision.seen.departments if each.id == actual.root)
        tree = [DepartmentLine(id=actual.root, name=str(root_name), parent_id=None, order=None)]
        for key, department in actual.departments.items():
            fields = said[key].change.fields if key in said else {}
            after = {name: values.after for name, values in fields.items()}
            parent = cast("DepartmentRef", after.get("parent", department.parent))
            tree.append(
                DepartmentLine(
                    id=cast("int", department.id),
                    name=str(after.get("name", department.name)),
                    parent_id=self._id(parent, new),
                    order=cast("int | None", after.get("order")),
                )
            )
        for line in (line for line in lines if line.is_creation):
            order = line.change.fields["order"].after if "order" in line.change.fields else None
            tree.append(
                DepartmentLine(
                    id=line.link.id,
                    name=str(line.link.name),
                    parent_id=line.link.parent_id,
                    order=cast("int | None", order),
                )
            )
        return tree

    def _id(self, ref: DepartmentRef, new: Mapping[str, int]) -> int:
        id = new[ref] if isinstance(ref, str) and ref in new else self.rows.ledger.department_id(ref)
        if id is None:
            raise UnsendableError("departments", f"{ref!r} is not in WeCom")
        return id

    def _forget(self, lines: Sequence[_Line]) -> list[Entry]:
        """WeCom did nothing of it. An id that was chosen is never given to another department."""
        entries: list[Entry] = []
        for line in lines:
            if line.is_creation:
                entries.append(self.rows.ledger.drop_department(line.link.key))
            elif line.former is not None:
                self.rows.ledger.departments[line.former.key] = line.former
                entries.append(line.former)
        return entries

    async def _prepared(self, lines: Sequence[_Line], content: bytes) -> BatchJob:
        job = await self.rows.begun(JobKind.REPLACE_DEPARTMENTS, len(lines))
        intents = [self.rows.single.intent(line.n, REPLACE_DEPARTMENT, id=line.link.id) for line in lines]
        for line, intent in zip(lines, intents, strict=True):
            line.step = intent.step
        said = [
            JobRow(
                n=line.n,
                key=line.link.key,
                userid=str(line.link.id),
                verb=line.change.verb,
                fields={name: values.after for name, values in line.change.fields.items()},
            )
            for line in lines
        ]
        await self.rows.recorder.write(
            *(line.link for line in lines),
            *intents,
            Note(partial(jobs.put_rows, job=job.id, rows=said)),
            Note(partial(jobs.put_file, job=job.id, content=content)),
        )
        return job

    # The looks

    async def _check(self, lines: Sequence[_Line], job: BatchJob) -> None:
        """Raises OutdatedFileError where WeCom has another tree than the one that was planned for."""
        seen = {department.id: department for department in await self.rows.corp.wecom.list_departments()}
        actual = self.rows.decision.actual
        known = {actual.root, *(cast("int", each.id) for each in actual.departments.values())}
        new = {line.link.id: line.link for line in lines if line.is_creation}
        there = seen.keys() - known
        is_own = job.submissions > 0 and all(
            id in new and is_proven_department(new[id], seen[id]) for id in there
        )
        if known - seen.keys() or (there and not is_own):
            raise OutdatedFileError(job, frozenset())

    async def _concluded(self, ended: Ended, lines: Sequence[_Line]) -> dict[int, Result | None]:
        """What became of each department, remembered with its result; then the job is over."""
        told = {row.department_id: row for row in ended.departments}
        seen = await self._look()
        results: dict[int, Result | None] = {}
        entries: list[Entry] = []
        for line in lines:
            results[line.n], entry = self._become(ended, line, told.get(line.link.id), seen)
            entries += entry
        said = [_row_result(line, results[line.n]) for line in lines]
        entries += [_called(line, row) for line, row in zip(lines, said, strict=True)]
        await self.rows.recorder.write(
            *entries, Note(partial(jobs.conclude_rows, job=ended.job.id, rows=said))
        )
        if ended.fate is Fate.ROWS:
            over = replace(ended.job, state=JobState.FINISHED, finished_at=self.rows.corp.clock())
            await self.rows.keep(over)
        return results

    async def _look(self) -> dict[int, SeenDepartment] | None:
        try:
            return {each.id: each for each in await self.rows.corp.wecom.list_departments()}
        except WeComError:
            return None

    def _become(
        self,
        ended: Ended,
        line: _Line,
        told: DepartmentRow | None,
        seen: Mapping[int, SeenDepartment] | None,
    ) -> tuple[Result | None, list[Entry]]:
        ledger, link = self.rows.ledger, line.link
        is_ok = told is not None and told.errcode == 0
        is_there = is_ok if seen is None else is_proven_department(link, seen.get(link.id))
        if line.is_creation and is_there:
            return DONE, [ledger.keep_department(link)]
        if told is None or ended.fate is not Fate.ROWS or (line.is_creation and is_ok):
            stops = ended.error if ended.job.state.is_open else None
            return Result(state=OutcomeState.UNKNOWN, hint=UNTOLD, stops=stops), []
        if told.errcode == 0:
            return DONE, [ledger.update_department(line.change)]
        undone = self._forget([line])
        if errcodes.lookup(told.errcode).action is errcodes.Action.RETRY:
            return None, undone
        hint = errcodes.explain(told.errcode, told.errmsg)
        return Result(state=OutcomeState.FAILED, errcode=told.errcode, hint=hint), undone


def _called(line: _Line, result: Result | RowResult) -> Called:
    """What the audit trail says of a department that the file was to make or to change."""
    intent = Intent(n=line.n, step=line.step, call=REPLACE_DEPARTMENT, detail={})
    return Called(
        calling=Calling(intent=intent, change=replace(line.change, id=line.link.id)),
        state=result.state or OutcomeState.UNKNOWN,
        errcode=result.errcode,
        hint=result.hint,
    )


def _refusal(ended: Ended) -> Result:
    """What the refusal of the whole file, which may never have been sent, is to each of them."""
    if not ended.job.submissions:
        return Result(state=OutcomeState.SKIPPED, hint=NEVER_SENT)
    return Result(state=OutcomeState.FAILED, errcode=ended.job.errcode, hint=ended.job.hint)


def _row_result(line: _Line, result: Result | None) -> RowResult:
    return RowResult(
        n=line.n,
        key=line.link.key,
        userid=str(line.link.id),
        verb=line.change.verb,
        state=OutcomeState.FAILED if result is None else result.state,
        errcode=None if result is None else result.errcode,
        hint=None if result is None else result.hint,
    )
