"""One call a change: each part of a schedule, announced, sent, and remembered as it was answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias, cast

from wxsync.engine.actual import is_proven_department, is_proven_member
from wxsync.engine.auditing import Called, Calling
from wxsync.engine.corp import Corp
from wxsync.engine.decide import Decision
from wxsync.engine.drift_notes import healed
from wxsync.engine.ledger import Ledger
from wxsync.engine.recorder import Forget, Recorder
from wxsync.engine.results import DONE, NOTHING_TO_SEND, Result, already_so, is_ambiguous, to_result, written
from wxsync.engine.schedule import Part
from wxsync.engine.writing import place_ids, to_write
from wxsync.errors import (
    ConflictError,
    StrayDepartmentError,
    WeComError,
)
from wxsync.mirror.journal import PUT_INTO_TAG, Intent
from wxsync.model.change import Change, FieldChange, Kind, Verb
from wxsync.model.member import fold
from wxsync.model.message import Message, say
from wxsync.model.remembered import RememberedMember
from wxsync.model.run import OutcomeState
from wxsync.model.unknown import DepartmentRef
from wxsync.wecom import errcodes
from wxsync.wecom.contacts import TAG_BATCH

Deed: TypeAlias = Callable[[int, Change], Awaitable[Result]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """Carries parts out, one call at a time; many may be under way at once."""

    corp: Corp
    decision: Decision
    ledger: Ledger
    recorder: Recorder
    _steps: dict[int, int] = field(default_factory=dict)

    async def perform(self, part: Part) -> Result:
        """Do one part and remember how it ended; a refusal by WeCom is a result, not an error.

        Raises MirrorError or RunInProgressError where it cannot be put on record.
        """
        change = self.decision.schedule.changes[part.n - 1]
        if part.fields is not None:
            if not part.fields:
                return NOTHING_TO_SEND
            change = only_fields(change, part.fields)
        try:
            return await self._deed(change)(part.n, change)
        except WeComError as error:
            return to_result(error)

    def _deed(self, change: Change) -> Deed:
        deeds: dict[tuple[Kind, Verb], Deed] = {
            (Kind.DEPARTMENT, Verb.CREATE): self._create_department,
            (Kind.DEPARTMENT, Verb.ADOPT): self._adopt_department,
            (Kind.DEPARTMENT, Verb.UPDATE): self._update_department,
            (Kind.DEPARTMENT, Verb.DELETE): self._delete_department,
            (Kind.MEMBER, Verb.CREATE): self._create_member,
            (Kind.MEMBER, Verb.ADOPT): self._adopt_member,
            (Kind.MEMBER, Verb.UPDATE): self._update_member,
            (Kind.MEMBER, Verb.ENABLE): self._update_member,
            (Kind.MEMBER, Verb.DISABLE): self._update_member,
            (Kind.MEMBER, Verb.DELETE): self._delete_member,
            (Kind.TAG, Verb.CREATE): self._create_tag,
            (Kind.TAG, Verb.ADOPT): self._adopt_tag,
            (Kind.TAG, Verb.UPDATE): self._update_tag,
            (Kind.TAG, Verb.DELETE): self._delete_tag,
        }
        return deeds[change.kind, change.verb]

    def intent(self, n: int, call: str, **detail: object) -> Intent:
        """A call that is about to be made for change `n`; those of one change are counted."""
        self._steps[n] = self._steps.get(n, 0) + 1
        return Intent(n=n, step=self._steps[n], call=call, detail=detail)

    def _calling(self, n: int, call: str, change: Change, **detail: object) -> Calling:
        """The same, with what the call says of the record: the audit trail has a line for it."""
        return Calling(intent=self.intent(n, call, **detail), change=change)

    # Departments

    async def _create_department(self, n: int, change: Change) -> Result:
        link = self.ledger.announce_department(change)
        parent = cast("int", link.parent_id)
        name = cast("str", link.name)
        order = link.order if isinstance(link.order, int) else None
        calling = self._calling(
            n, "department/create", replace(change, id=link.id), id=link.id, parent_id=parent
        )
        await self.recorder.write(link, calling)
        try:
            await self.corp.wecom.create_department(id=link.id, name=name, parent_id=parent, order=order)
        except WeComError as error:
            if not is_ambiguous(error):
                await self.recorder.write(self.ledger.drop_department(link.key), calling.failed(error))
                raise
            seen = {department.id: department for department in await self.corp.wecom.list_departments()}
            if not is_proven_department(link, seen.get(link.id)):
                raise
        await self.recorder.write(self.ledger.keep_department(link), calling.done())
        return DONE

    async def _adopt_department(self, n: int, change: Change) -> Result:
        """Nothing is sent: only the mirror learns that it is ours."""
        await self.recorder.write(self.ledger.adopt_department(change))
        return NOTHING_TO_SEND

    async def _update_department(self, n: int, change: Change) -> Result:
        before = self.ledger.departments[cast("str", change.key)]
        id = cast("int", change.id)
        fields = change.fields
        parent = (
            self.ledger.department_id(cast("DepartmentRef", fields["parent"].after))
            if "parent" in fields
            else None
        )
        calling = self._calling(n, "department/update", change, id=id)
        await self.recorder.write(self.ledger.doubt_department(change), calling)
        try:
            await self.corp.wecom.update_department(
                id,
                name=cast("str", fields["name"].after) if "name" in fields else None,
                parent_id=parent,
                order=cast("int", fields["order"].after) if "order" in fields else None,
            )
        except WeComError as error:
            if not is_ambiguous(error):
                self.ledger.departments[before.key] = before
                await self.recorder.write(before, calling.failed(error))
            raise
        await self.recorder.write(self.ledger.update_department(change), calling.done())
        return DONE

    async def _delete_department(self, n: int, change: Change) -> Result:
        id = cast("int", change.id)
        calling = self._calling(n, "department/delete", change, id=id)
        await self.recorder.write(calling)
        with already_so():  # somebody else was quicker
            await self.corp.wecom.delete_department(id)
        await self.recorder.write(self.ledger.drop_department(cast("str", change.key)), calling.done())
        return DONE

    # Members

    async def _create_member(self, n: int, change: Change) -> Result:
        fields = dict(change.fields)
        hint = None
        leader = fields["direct_leader"].after if "direct_leader" in fields else None
        if isinstance(leader, str) and self.ledger.userid(leader) is None:
            del fields["direct_leader"]
            hint = say("without its direct leader {key}, who is not in WeCom", key=leader)
        ids = place_ids(fields, self.ledger)
        former = self.ledger.members.get(cast("str", change.key))
        link = self.ledger.announce_member(change, ids)
        # What another call, or none, says of them is not known by this one.
        whole = frozenset(self.decision.schedule.changes[n - 1].fields) | {"direct_leader"}
        link = self.ledger.without(link, whole - frozenset(fields))
        userid = link.member.userid
        says = replace(change, fields=fields)
        calling = self._calling(n, "user/create", says, userid=userid, department_ids=list(ids))
        await self.recorder.write(link, calling)
        write = to_write(userid, fields, None, self.ledger, self.decision.actual.root)
        try:
            await self.corp.wecom.create_member(write)
        except StrayDepartmentError as error:
            strays = self.ledger.doubt_names(error.department_ids)
            result = replace(to_result(error), state=OutcomeState.FAILED)
            await self.recorder.write(self.ledger.keep_member(link), *strays, calling.ended(result))
            return result
        except WeComError as error:
            if not is_ambiguous(error):
                await self._forget_member(link, former, calling.failed(error))
                raise
            try:
                is_there = await self._is_there(link)
            except WeComError:
                raise error from None
            if not is_there:
                raise
        await self.recorder.write(self.ledger.keep_member(link), calling.done())
        return replace(DONE, hint=hint)

    async def _adopt_member(self, n: int, change: Change) -> Result:
        """Nothing is sent: the mirror learns that the member is ours, and of its fields nothing."""
        await self.recorder.write(self.ledger.adopt_member(change))
        return NOTHING_TO_SEND

    async def _is_there(self, link: RememberedMember) -> bool:
        """A creation whose reply was lost is ours only in exactly the departments that it asked for.

        The userid was absent from this run's `user/list_id`, else it would not have been created.
        """
        folded = fold(link.member.userid)
        for seen in await self.corp.wecom.list_member_ids():
            if fold(seen.userid) == folded:
                return is_proven_member(link, seen)
        return False

    async def _forget_member(
        self, link: RememberedMember, former: RememberedMember | None, refused: Called
    ) -> None:
        """WeCom refused it: whoever gets this userid later is not ours."""
        if former is not None:
            await self.recorder.write(self.ledger.restore_member(former), refused)
            return
        self.ledger.forget_member(link.member.key)
        await self.recorder.write(Forget(link.member.key), refused)

    async def _update_member(self, n: int, change: Change) -> Result:
        key = cast("str", change.key)
        fields = dict(change.fields)
        hint = None
        leader = fields["direct_leader"].after if "direct_leader" in fields else None
        if isinstance(leader, str) and self.ledger.userid(leader) is None:
            del fields["direct_leader"]
            hint = say("without its direct leader {key}, who is not in WeCom", key=leader)
            if not fields:
                return Result(state=OutcomeState.SKIPPED, hint=hint, attempts=0)
        await self._write_or_do_without(n, key, fields, change.verb)
        result = written(fields)
        return result if result.hint is not None else replace(result, hint=hint)

    async def _write_or_do_without(
        self, n: int, key: str, fields: Mapping[str, FieldChange], verb: Verb
    ) -> None:
        """A number or address that somebody else has does not hold up the rest of a change.

        Somebody who comes back is enabled though their new number is refused; the refusal is the
        outcome all the same, raised as it came.
        """
        try:
            await self.write_member(n, key, fields, verb)
        except ConflictError as error:
            taken = {errcodes.MOBILE_TAKEN: "mobile", errcodes.EMAIL_TAKEN: "email"}.get(error.errcode)
            rest = {name: values for name, values in fields.items() if name != taken}
            if taken in fields and rest:
                await self.write_member(n, key, rest, verb)
            raise

    async def write_member(
        self, n: int, key: str, fields: Mapping[str, FieldChange], verb: Verb, why: Message | None = None
    ) -> None:
        """Give these fields of one member their new values, and remember them.

        `why` is for the audit trail where it is another reason than the change has.
        Raises WeComError; then what is remembered is what was before, or unknown where nobody knows.
        """
        before = self.ledger.members[key]
        userid = cast("str", self.ledger.userid(key))
        change = self.decision.schedule.changes[n - 1]
        says = replace(change, fields=fields, verb=verb, why=why or change.why)
        calling = self._calling(n, "user/update", says, userid=userid, fields=sorted(fields))
        await self.recorder.write(self.ledger.doubt_member(key, fields, verb), calling)
        known = self.decision.actual.members.get(key, before.member)
        write = to_write(userid, fields, known, self.ledger, self.decision.actual.root)
        try:
            await self.corp.wecom.update_member(write)
        except WeComError as error:
            if not is_ambiguous(error):
                await self.recorder.write(self.ledger.restore_member(before), calling.failed(error))
            raise
        await self.recorder.write(self.ledger.update_member(key, fields, verb), calling.done())

    async def _delete_member(self, n: int, change: Change) -> Result:
        userid = str(change.id)
        calling = self._calling(n, "user/delete", change, userid=userid)
        await self.recorder.write(calling)
        with already_so():
            await self.corp.wecom.delete_member(userid)
        await self.recorder.write(self.ledger.drop_member(cast("str", change.key)), calling.done())
        return DONE

    # Tags

    async def _create_tag(self, n: int, change: Change) -> Result:
        name = cast("str", change.key)
        link = self.ledger.announce_tag(name)
        calling = self._calling(n, "tag/create", replace(change, id=link.id), id=link.id)
        await self.recorder.write(link, calling)
        try:
            await self.corp.wecom.create_tag(name, link.id)
        except WeComError as error:
            if not is_ambiguous(error):
                await self.recorder.write(self.ledger.drop_tag(name), calling.failed(error))
                raise
            if not any(tag.id == link.id and tag.name == name for tag in await self.corp.wecom.list_tags()):
                raise
        await self.recorder.write(self.ledger.keep_tag(name), calling.done())
        return await self._change_tag(n, name, change)

    async def _adopt_tag(self, n: int, change: Change) -> Result:
        """Nothing is sent: whoever is in it was put there by hand, and stays."""
        await self.recorder.write(self.ledger.adopt_tag(change))
        return NOTHING_TO_SEND

    async def _update_tag(self, n: int, change: Change) -> Result:
        return await self._change_tag(n, cast("str", change.key), change)

    async def _delete_tag(self, n: int, change: Change) -> Result:
        name = cast("str", change.key)
        emptied = await self._change_tag(n, name, change)
        if emptied.state is not OutcomeState.DONE:
            return emptied
        id = self.ledger.tags[name].id
        calling = self._calling(n, "tag/delete", change, id=id)
        await self.recorder.write(calling)
        with already_so():
            await self.corp.wecom.delete_tag(id)
        await self.recorder.write(self.ledger.drop_tag(name), calling.done())
        return DONE

    async def _change_tag(self, n: int, name: str, change: Change) -> Result:
        """Those who join first, then those who leave."""
        before, after = _keys(change, "before"), _keys(change, "after")
        strangers = _names(change.fields.get("foreign_members"))
        if change.verb is Verb.UPDATE and "name" in change.fields:
            calling = self._calling(n, "tag/update", change, id=self.ledger.tags[name].id)
            await self.recorder.write(calling)
            await self.corp.wecom.rename_tag(self.ledger.tags[name].id, name)
            drift = healed(self.decision, name)
            await self.recorder.write(calling.done(), *([] if drift is None else [drift]))
        joining = self._present(after - before)
        leaving = (*self._present(before - after), *strangers)
        id = self.ledger.tags[name].id
        says = replace(change, id=id, verb=Verb.UPDATE, fields={})
        refused = await self._put_in(n, says, joining) | await self._take_out(n, says, leaving)
        missing = len(after - before) - len(joining)
        if refused or missing:
            hint = say(
                "{count} could not be put in or taken out: they are not there, or WeCom refused them",
                count=len(refused) + missing,
            )
            return Result(state=OutcomeState.FAILED, hint=hint)
        return DONE

    async def _put_in(self, n: int, says: Change, userids: tuple[str, ...]) -> frozenset[str]:
        """Claimed as ours before the call: what we put in we may take out again.

        A call at a time: where a later one is refused, those of the earlier ones are in it and ours.
        """
        refused = frozenset[str]()
        name, id = cast("str", says.key), cast("int", says.id)
        for some in _batches(userids):
            former = self.ledger.tags[name]
            calling = self._calling(n, PUT_INTO_TAG, says, id=id, count=len(some))
            calling = replace(calling, joined=some)
            await self.recorder.write(self.ledger.put_into_tag(name, some), calling)
            try:
                left_out = await self.corp.wecom.add_tag_members(id, some)
            except WeComError as error:
                if not is_ambiguous(error):
                    await self.recorder.write(self.ledger.restore_tag(former), calling.failed(error))
                raise
            links = (self.ledger.take_out_of_tag(name, tuple(left_out)),) if left_out else ()
            await self.recorder.write(*links, *calling.done_but(left_out))
            refused |= left_out
        return refused

    async def _take_out(self, n: int, says: Change, userids: tuple[str, ...]) -> frozenset[str]:
        """Whom WeCom does not take out is still in it, and still ours to take out."""
        refused = frozenset[str]()
        name, id = cast("str", says.key), cast("int", says.id)
        for some in _batches(userids):
            calling = self._calling(n, "tag/deltagusers", says, id=id, count=len(some))
            calling = replace(calling, left=some)
            await self.recorder.write(calling)
            left_in = await self.corp.wecom.remove_tag_members(id, some)
            gone = tuple(userid for userid in some if userid not in left_in)
            await self.recorder.write(self.ledger.take_out_of_tag(name, gone), *calling.done_but(left_in))
            refused |= left_in
        return refused

    def _present(self, keys: set[str]) -> tuple[str, ...]:
        return tuple(userid for key in sorted(keys) if (userid := self.ledger.userid(key)) is not None)


def only_fields(change: Change, names: frozenset[str]) -> Change:
    """The share of a change that these fields are; what completes a creation is an update by itself."""
    fields = {name: values for name, values in change.fields.items() if name in names}
    is_completion = change.verb is Verb.CREATE and "departments" not in fields
    return replace(change, fields=fields, verb=Verb.UPDATE if is_completion else change.verb)


def _keys(change: Change, side: str) -> set[str]:
    values = change.fields.get("members")
    held = None if values is None else getattr(values, side)
    return set(cast("tuple[str, ...]", held)) if isinstance(held, tuple) else set()


def _batches(userids: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    return (userids[start : start + TAG_BATCH] for start in range(0, len(userids), TAG_BATCH))


def _names(values: FieldChange | None) -> tuple[str, ...]:
    return () if values is None else cast("tuple[str, ...]", values.before)
