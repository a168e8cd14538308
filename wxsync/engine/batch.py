"""Many changes in one file: announced like calls, carried out by a job, remembered row by row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, cast

from wxsync.engine.department_file import DepartmentFile
from wxsync.engine.job_line import Ended, Fate, JobLine, OutdatedFileError
from wxsync.engine.replacement import Replacement
from wxsync.engine.results import NOT_TRIED, Result, is_stopped, to_result
from wxsync.engine.rows import HOMELESS, Row, Rows, is_outdated, places_of, slices
from wxsync.engine.saying import ROWS_AT_ONCE, required
from wxsync.engine.schedule import Part
from wxsync.engine.single import only_fields
from wxsync.engine.writing import to_write
from wxsync.errors import UnsendableError, WeComError
from wxsync.model.batch_job import BatchJob
from wxsync.model.change import Change, FieldChange, Verb
from wxsync.model.job import JobKind
from wxsync.model.member import MemberWrite
from wxsync.model.unknown import UNKNOWN
from wxsync.wecom.wire.import_file import columns_of, to_member_files

Tell = Callable[[float], None]
"""Called with the share of the rows that WeCom has worked off."""
Look = Callable[[Mapping[int, Result | None]], Awaitable[bool]]
"""Called with what became of the rows of one file: whether another one may follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Carries parts out by imports (WeCom pages 90980 to 90982), one file at a time."""

    rows: Rows

    async def perform_departments(self, parts: Sequence[Part], tell: Tell) -> Mapping[int, Result | None]:
        """Do all parts, each a department's, by one file of the whole tree; as `perform` does."""
        return await DepartmentFile(rows=self.rows).perform(parts, tell)

    async def perform(
        self, parts: Sequence[Part], tell: Tell, look: Look, tried: Sequence[Part] = ()
    ) -> Mapping[int, Result | None]:
        """Do all parts, each a member's of its own; n -> what became of it.

        None is for what is better told by a call, which the caller makes: a row that the file cannot say
        after all, that WeCom refused for a number of somebody else, or that it was too busy for. Whatever is
        not in it was not tried, since `look` let no file follow. `tried` are parts that calls have done
        already. Raises MirrorError or RunInProgressError where something cannot be put on record.
        """
        if not parts:
            return {}
        if self.rows.decision.schedule.columns:
            replaced = await Replacement(rows=self.rows).perform(parts, tell, tried)
            await look(replaced)
            return replaced
        try:
            present = {department.id for department in await self.rows.corp.wecom.list_departments()}
        except WeComError as error:
            return dict.fromkeys((part.n for part in parts), to_result(error))
        results: dict[int, Result | None] = {}
        groups: dict[tuple[str, ...], list[Part]] = {}
        for part in parts:
            row = self._row(part)
            if row is None:
                results[part.n] = None
            elif not places_of(row.write) <= present:
                results[part.n] = HOMELESS
            else:
                groups.setdefault(_columns(row), []).append(part)
        if not await look(results):
            return results
        total, done = sum(map(len, groups.values())), 0
        for columns in sorted(groups):
            for some in slices(groups[columns], ROWS_AT_ONCE):
                carried: Mapping[int, Result | None]
                if is_stopped(results):  # an earlier file may still be under way
                    carried = dict.fromkeys((part.n for part in some), NOT_TRIED)
                else:
                    carried = await self._file(some, partial(_share, tell, done, len(some), total))
                results |= carried
                done += len(some)
                if not await look(carried):
                    return results
        return results

    async def _file(self, parts: Sequence[Part], tell: Tell) -> Mapping[int, Result | None]:
        """Parts of equal columns; their rows are made only now, since they weigh much."""
        rows = {row.write.userid: row for part in parts if (row := self._row(part)) is not None}
        try:
            files = to_member_files([row.write for row in rows.values()])
        except UnsendableError:
            return dict.fromkeys(part.n for part in parts)
        results: dict[int, Result | None] = {}
        for file in files:
            own = [rows[userid] for userid in file.userids]
            if is_stopped(results):
                results |= dict.fromkeys((row.n for row in own), NOT_TRIED)
            else:
                results |= await self._carry(own, file.content, tell)
        return results

    def _row(self, part: Part) -> Row | None:
        """What the file says of a change; None where it turns out not to be able to."""
        change = self.rows.decision.schedule.changes[part.n - 1]
        if part.fields is not None:
            change = only_fields(change, part.fields)
        key = cast("str", change.key)
        write = self._creation(key, change) if change.verb is Verb.CREATE else self._update(key, change)
        return None if write is None else Row(n=part.n, key=key, change=change, write=write)

    def _creation(self, key: str, change: Change) -> MemberWrite | None:
        said = {name: values for name, values in change.fields.items() if values.after is not None}
        if change.fields.get("enable", DEFAULT).after is not False:
            said.pop("enable", None)
        userid = self.rows.decision.desired.members[key].userid
        return to_write(userid, said, None, self.rows.ledger, self.rows.decision.actual.root)

    def _update(self, key: str, change: Change) -> MemberWrite | None:
        link = self.rows.ledger.members[key]
        known = self.rows.decision.actual.members.get(key, link.member)
        believed = replace(known, mobile=UNKNOWN) if "mobile" in link.unproven else known
        said_too: dict[str, Any] | None = required(believed, change.fields)
        if said_too is None:
            return None
        userid = cast("str", self.rows.ledger.userid(key))
        write = to_write(userid, change.fields, known, self.rows.ledger, self.rows.decision.actual.root)
        return replace(write, **said_too)

    async def _carry(self, rows: Sequence[Row], content: bytes, tell: Tell) -> dict[int, Result | None]:
        """One file from its announcement to the last of its rows.

        Where the corp is no longer what it was when the plan was made, those who are concerned are left out.
        """
        job = await self.rows.prepared(JobKind.SYNC_MEMBERS, rows, content)
        line = JobLine(self.rows.corp, self.rows.keep, lambda job: tell(job.percentage / 100))
        look = partial(self.rows.all_there, rows) if all(row.is_creation for row in rows) else None
        try:
            ended = await line.carry(job, content, check=partial(self._check, rows), look=look)
        except OutdatedFileError as outdated:
            return await self._without(outdated, rows, tell)
        return await self.rows.concluded(ended, rows)

    async def _check(self, rows: Sequence[Row], job: BatchJob) -> None:
        """An import creates whom it does not find, and changes whom it finds: so both are looked at before.

        Somebody who was made by hand since the plan would be changed although they are not ours, and
        somebody who was deleted would be there again.
        """
        seen = await self.rows.seen(rows)
        changed = frozenset(
            row.folded
            for row in rows
            if is_outdated(
                seen.get(row.folded),
                row.link,
                is_creation=row.is_creation,
                was_submitted=job.submissions > 0,
            )
        )
        if changed:
            raise OutdatedFileError(job, changed)

    async def _without(
        self, outdated: OutdatedFileError, rows: Sequence[Row], tell: Tell
    ) -> dict[int, Result | None]:
        """The file once more, without those whom it no longer fits: a call finds out about them."""
        job = outdated.job
        if job.submissions:  # some of it may be done, or be under way: nothing is known of any row
            return await self.rows.concluded(Ended(job=job, fate=Fate.OPEN), rows)
        await self.rows.abandon(job, rows)
        results: dict[int, Result | None] = {row.n: None for row in rows if row.folded in outdated.userids}
        left = {row.write.userid: row for row in rows if row.n not in results}
        for file in to_member_files([row.write for row in left.values()]):
            results |= await self._carry([left[userid] for userid in file.userids], file.content, tell)
        return results


DEFAULT: Final = FieldChange(None, None)


def _share(tell: Tell, done: int, own: int, total: int, share: float) -> None:
    tell((done + own * share) / total)


def _columns(row: Row) -> tuple[str, ...]:
    """Rows of one file have the same columns, so that no cell is blank where WeCom may hold a value.

    Somebody new holds nothing yet: there a blank cell says nothing. Who starts disabled goes apart.
    """
    if row.is_creation:
        return ("", "enable") if row.write.enable is not UNKNOWN else ("",)
    return columns_of(row.write)
