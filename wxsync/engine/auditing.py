"""What the audit trail says of a run: a line for each call that is over, whoever finds out about it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from wxsync.engine.results import Result, to_result
from wxsync.errors import WeComError
from wxsync.mirror.journal import REPLACE_ROW, Intent
from wxsync.model.audit import AuditEntry, AuditRecord, Begun, Deed, Lifted
from wxsync.model.change import Change, FieldChange, Kind, Verb
from wxsync.model.message import Message, say
from wxsync.model.plan import Plan
from wxsync.model.run import Outcome, OutcomeState

TAG_MEMBERS: Final = frozenset({"members", "foreign_members"})
NEVER_SENT: Final = say("announced, and never sent")
TAKEN_ALONG: Final = say("a file replaced everybody, and it was to stay and is no longer there")
NOT_TAKEN: Final = say("they are not there, or WeCom refused them")
CUT_OFF: Final = say("its run ended before an answer was on record: nobody knows whether it was carried out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Calling:
    """One call that is about to be made, and what it says of the record."""

    intent: Intent
    change: Change
    joined: tuple[str, ...] = ()
    """Userids that it puts into a tag."""
    left: tuple[str, ...] = ()

    def done(self) -> Called:
        """WeCom carried it out."""
        return Called(calling=self, state=OutcomeState.DONE)

    def done_but(self, refused: Collection[str]) -> tuple[Called, ...]:
        """WeCom carried it out, but not for those whom it names: that is a line of its own."""
        if not refused:
            return (self.done(),)
        taken = replace(
            self,
            joined=tuple(userid for userid in self.joined if userid not in refused),
            left=tuple(userid for userid in self.left if userid not in refused),
        )
        others = replace(
            self,
            joined=tuple(userid for userid in self.joined if userid in refused),
            left=tuple(userid for userid in self.left if userid in refused),
        )
        told = Called(calling=others, state=OutcomeState.FAILED, hint=NOT_TAKEN)
        return (taken.done(), told) if taken.joined or taken.left else (told,)

    def failed(self, error: WeComError) -> Called:
        """WeCom refused it, or nobody knows."""
        return self.ended(to_result(error))

    def ended(self, result: Result | Outcome) -> Called:
        return Called(calling=self, state=result.state, errcode=result.errcode, hint=result.hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """One call that is over; what stands on record for it in the same transaction is what came of it."""

    calling: Calling
    state: OutcomeState
    errcode: int | None = None
    hint: Message | None = None
    is_settled: bool = False


class Scribe:
    """Turns what a recorder is given into lines. Knows which calls are under way, and of no row of a file."""

    def __init__(self, sync: str, run_id: int, changes: Sequence[Change] = ()) -> None:
        self._sync = sync
        self._run_id = run_id
        self._changes = changes
        self._under_way: dict[int, list[Calling]] = {}

    def entries(self, written: Iterable[object]) -> list[AuditEntry]:
        """The lines that belong into the transaction in which all this is put on record."""
        return [self._entry(record) for each in written for record in self._records(each)]

    def _entry(self, record: AuditRecord) -> AuditEntry:
        return AuditEntry(sync=self._sync, run_id=self._run_id, record=record)

    def _records(self, written: object) -> Iterator[AuditRecord]:
        match written:
            case Calling():
                self._under_way.setdefault(written.intent.n, []).append(written)
            case Called():
                self._forget(written.calling)
                yield deed_of(written)
            case Outcome():
                yield from self._rest(written)
            case Deed() | Begun():
                yield written

    def _forget(self, calling: Calling) -> None:
        n = calling.intent.n
        left = [each for each in self._under_way.get(n, ()) if each.intent.step != calling.intent.step]
        if left:
            self._under_way[n] = left
        else:
            self._under_way.pop(n, None)

    def _rest(self, outcome: Outcome) -> Iterator[AuditRecord]:
        """What became of the change is all that is known of calls that nobody told the end of."""
        for calling in self._under_way.pop(outcome.n, ()):
            yield deed_of(calling.ended(outcome))
        change = self._changes[outcome.n - 1] if self._changes else None
        if change is not None and change.verb is Verb.ADOPT and outcome.state is OutcomeState.DONE:
            yield replace(deed_of_change(change), n=outcome.n, state=outcome.state)


def taken_along(key: str, userid: str) -> Deed:
    """The line for somebody who was to stay, and is not there after a file that replaced everybody."""
    return Deed(
        kind=Kind.MEMBER,
        verb=Verb.DELETE,
        call=REPLACE_ROW,
        state=OutcomeState.UNKNOWN,
        key=key,
        id=userid,
        why=TAKEN_ALONG,
        is_settled=True,
    )


def deed_of(called: Called) -> Deed:
    """The line for a call that is over."""
    calling, intent, change = called.calling, called.calling.intent, called.calling.change
    return Deed(
        kind=change.kind,
        verb=change.verb,
        key=change.key,
        id=change.id,
        name=change.name,
        fields=_fields(change),
        why=change.why,
        is_temporary=change.is_temporary,
        call=intent.call,
        n=intent.n,
        step=intent.step,
        state=called.state,
        errcode=called.errcode,
        hint=called.hint,
        joined=calling.joined,
        left=calling.left,
        is_settled=called.is_settled,
    )


def deed_of_change(change: Change) -> Deed:
    """What a change would be a line of. Who is in a tag is told by who joined and left."""
    return Deed(
        kind=change.kind,
        verb=change.verb,
        state=OutcomeState.UNKNOWN,
        key=change.key,
        id=change.id,
        name=change.name,
        fields=_fields(change),
        why=change.why,
        is_temporary=change.is_temporary,
    )


def _fields(change: Change) -> Mapping[str, FieldChange]:
    if change.kind is not Kind.TAG:
        return change.fields
    return {name: values for name, values in change.fields.items() if name not in TAG_MEMBERS}


def begun(plan: Plan, verb: str, trigger: str, sources: Sequence[str], approved_by: str | None) -> Begun:
    """The line with which a run begins to write; of limits it names those that an approval lifts."""
    lifted = plan.exceeded if approved_by is not None else ()
    return Begun(
        verb=verb,
        trigger=trigger,
        digest=plan.digest,
        sources=tuple(sources),
        approved_by=approved_by,
        lifted=tuple(
            Lifted(name=each.name, detail=each.detail, count=each.count, allowed=each.allowed)
            for each in lifted
        ),
    )
