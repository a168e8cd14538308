"""All members in one file, of which WeCom deletes whoever is not in it: looked at before and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

from wxsync.engine.auditing import taken_along
from wxsync.engine.job_line import Ended, Fate, JobLine, OutdatedFileError
from wxsync.engine.remembering import with_values
from wxsync.engine.replacing import alarm, surplus
from wxsync.engine.results import NOT_TRIED, Result, to_result
from wxsync.engine.rows import HOMELESS, Row, Rows, is_outdated, places_of, slices
from wxsync.engine.schedule import Part
from wxsync.engine.single import only_fields
from wxsync.engine.writing import to_row
from wxsync.errors import UnsendableError, WeComError
from wxsync.model.batch_job import BatchJob
from wxsync.model.change import Change, Verb
from wxsync.model.job import JobKind
from wxsync.model.member import Member, MemberWrite, fold
from wxsync.model.remembered import RememberedMember
from wxsync.model.run import OutcomeState
from wxsync.model.seen import SeenMember
from wxsync.wecom.wire.import_file import MemberFile, to_member_files

Tell = Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """Carries parts out by one `batch/replaceuser` (WeCom page 90981)."""

    rows: Rows

    async def perform(
        self, parts: Sequence[Part], tell: Tell, tried: Sequence[Part] = ()
    ) -> Mapping[int, Result | None]:
        """Do all parts, each a member's of its own; n -> what became of it, None where a call is to do it.

        The file holds everybody whom the ledger has in WeCom, but those whom these parts delete; `tried` are
        parts that calls have done already, and it says them as they are by now. Before each
        submission WeCom is looked at: it must be about to delete exactly those. One more or one less, or
        anything else than was planned for, and nothing is sent: all parts are left to calls. Afterwards it is
        looked at again: whoever is missing and should not be stops the run, with an error that names them.

        Raises MirrorError or RunInProgressError where something cannot be put on record.
        """
        unsaid: dict[int, Result | None] = dict.fromkeys(part.n for part in parts)
        try:
            rows = [self._row(part) for part in parts]
            standing, file = self._file(rows, [self._row(part) for part in tried])
        except UnsendableError:  # what was known when the plan was made is no longer
            return unsaid
        homeless = await self._homeless(rows)
        if homeless:
            return unsaid | homeless
        job = await self.rows.prepared(JobKind.REPLACE_MEMBERS, rows, file.content)
        line = JobLine(self.rows.corp, self.rows.keep, lambda job: tell(job.percentage / 100))
        try:
            ended = await line.carry(job, file.content, check=partial(self._check, rows, standing))
        except OutdatedFileError as outdated:
            if not outdated.job.submissions:
                await self.rows.abandon(outdated.job, rows)
                return unsaid
            ended = Ended(job=outdated.job, fate=Fate.OPEN)
        seen = None if ended.fate is Fate.REFUSED else await self.rows.look()
        results = await self.rows.conclude(ended, rows, seen)
        return await self._alarmed(ended, rows, standing, seen, results)

    # The file

    def _row(self, part: Part) -> Row:
        change = self.rows.decision.schedule.changes[part.n - 1]
        if part.fields is not None:
            change = only_fields(change, part.fields)
        return Row(n=part.n, key=cast("str", change.key), change=change, write=self._write(change))

    def _write(self, change: Change) -> MemberWrite:
        decision, key = self.rows.decision, cast("str", change.key)
        if change.verb is Verb.DELETE:
            return MemberWrite(userid=cast("str", change.id))
        said = {name: values.after for name, values in change.fields.items() if values.after is not None}
        is_new = change.verb is Verb.CREATE
        before = (
            Member(key=key, userid=decision.desired.members[key].userid)
            if is_new
            else decision.actual.members[key]
        )
        return self._said(with_values(before, said), is_new=is_new)

    def _said(self, member: Member, *, is_new: bool) -> MemberWrite:
        return to_row(member, self.rows.decision.schedule.columns, self.rows.ledger, is_new=is_new)

    def _file(
        self, rows: Sequence[Row], tried: Sequence[Row]
    ) -> tuple[Mapping[str, MemberWrite], MemberFile]:
        """Key -> the row of everybody in it who is in WeCom already; and the file, with those to come."""
        standing = {row.key: row.write for row in tried if not row.is_deletion}
        standing |= {row.key: row.write for row in rows if not (row.is_creation or row.is_deletion)}
        deleted = {row.key for row in rows if row.is_deletion}
        for key, member in self.rows.decision.actual.members.items():
            if key not in standing and key not in deleted and self.rows.ledger.userid(key) is not None:
                standing[key] = self._said(member, is_new=False)
        files = to_member_files([*standing.values(), *(row.write for row in rows if row.is_creation)])
        if len(files) != 1:
            raise UnsendableError("members", "do not fit into one file, and a file that replaces is one")
        return standing, files[0]

    # The looks

    async def _homeless(self, rows: Sequence[Row]) -> dict[int, Result | None]:
        """Rows that name a department which is no longer there; all of them, where nobody can look."""
        try:
            present = {department.id for department in await self.rows.corp.wecom.list_departments()}
        except WeComError as error:
            return dict.fromkeys((row.n for row in rows), to_result(error))
        return {row.n: HOMELESS for row in rows if not places_of(row.write) <= present}

    async def _check(self, rows: Sequence[Row], standing: Mapping[str, MemberWrite], job: BatchJob) -> None:
        """Raises OutdatedFileError where the file would do anything else than was planned.

        After an earlier submission some of those whom it deletes may be gone already, and some of those whom
        it creates may be there.
        """
        corp, was_submitted = self.rows.corp, job.submissions > 0
        departments = {department.id for department in await corp.wecom.list_departments()}
        seen = {fold(member.userid): member for member in await corp.wecom.list_member_ids()}
        creations = [row for row in rows if row.is_creation]
        writes = [*standing.values(), *(row.write for row in creations)]
        planned = frozenset(row.folded for row in rows if row.is_deletion)
        would_delete = surplus(seen, (write.userid for write in writes))
        changed = {fold(write.userid) for write in standing.values()} - seen.keys()
        changed |= {
            row.folded
            for row in creations
            if is_outdated(seen.get(row.folded), row.link, is_creation=True, was_submitted=was_submitted)
        }
        changed |= would_delete - planned if was_submitted else would_delete ^ planned
        changed |= {fold(write.userid) for write in writes if not places_of(write) <= departments}
        if changed:
            raise OutdatedFileError(job, frozenset(changed))

    async def _alarmed(
        self,
        ended: Ended,
        rows: Sequence[Row],
        standing: Mapping[str, MemberWrite],
        seen: Mapping[str, SeenMember] | None,
        results: dict[int, Result | None],
    ) -> dict[int, Result | None]:
        """The results; where somebody is missing who was to stay, each of them stops the run.

        What is remembered of the missing is dropped: the next plan creates those again whom the source wants.
        """
        expected = {key: fold(write.userid) for key, write in standing.items()}
        expected |= {row.key: row.folded for row in rows if row.is_creation and _is_done(results[row.n])}
        if seen is None or not (missing := _missing(expected, seen)):
            return results
        pauses = self.rows.corp.pauses
        await self.rows.corp.bell.wait(f"job {ended.job.id}", pauses.longest)  # a list may lag behind
        seen = await self.rows.look() or seen
        missing = _missing(expected, seen) & missing
        if not missing:
            return results
        keys = sorted(missing)
        for some in slices(keys):
            dropped = [self._dropped(key, rows) for key in some]
            lines = (taken_along(key, link.member.userid) for key, link in zip(some, dropped, strict=True))
            await self.rows.recorder.write(*dropped, *lines)
        stops = alarm(ended.job.id, keys, self.rows.decision.desired.members)
        skipped = replace(NOT_TRIED, stops=stops)
        return {
            n: skipped if result is None else replace(result, stops=stops) for n, result in results.items()
        }

    def _dropped(self, key: str, rows: Sequence[Row]) -> RememberedMember:
        ledger = self.rows.ledger
        if key not in ledger.members:  # somebody new, of whom nothing was left to do
            link = next(row.link for row in rows if row.key == key)
            ledger.restore_member(cast("RememberedMember", link))
        return ledger.drop_member(key)


def _is_done(result: Result | None) -> bool:
    return result is not None and result.state is OutcomeState.DONE


def _missing(expected: Mapping[str, str], seen: Mapping[str, SeenMember]) -> AbstractSet[str]:
    return {key for key, folded in expected.items() if folded not in seen}
