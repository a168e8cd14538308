"""What an undo goes by: who is there now, under which key, and what is as the run left it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from wxsync.engine.actual import Actual
from wxsync.engine.past import PastChange
from wxsync.model.change import FieldChange, Kind
from wxsync.model.loss import Loss, LossReason
from wxsync.model.member import fold
from wxsync.model.message import Message, say
from wxsync.model.remembered import LinkState, Remembered
from wxsync.model.run import OutcomeState
from wxsync.model.unknown import UNKNOWN, Value

NO_BEFORE: Final = say("what it held before the run was not known")
NO_NOW: Final = say("nobody knows what it holds now")
THERE_AGAIN: Final = say("it was deleted, and was made again since: what belonged to it in WeCom is lost")
MAY_BE_ANOTHER: Final = say(
    "whether it was deleted, and made again since, is not known: what belonged to it in WeCom may be lost"
)
OTHERWISE: Final = say("it was changed since, and is left as it is now")
WRITTEN_BLINDLY: Final = frozenset({"departments", "main_department", "order"})
"""Fields of which no doubt is kept when a run dies while it writes them: see `wxsync.engine.ledger`."""


class Finding(Enum):
    """How a field stands to what a run did to it."""

    AS_BEFORE = "as before"
    AS_WRITTEN = "as written"
    """Or it may be: then too it gets back what it held."""
    CHANGED = "changed"
    NOT_KNOWN_BEFORE = "not known before"
    NOT_KNOWN_NOW = "not known now"


LOST: Final[Mapping[Finding, tuple[LossReason, Message]]] = {
    Finding.CHANGED: (LossReason.CHANGED, OTHERWISE),
    Finding.NOT_KNOWN_BEFORE: (LossReason.UNKNOWN, NO_BEFORE),
    Finding.NOT_KNOWN_NOW: (LossReason.UNKNOWN, NO_NOW),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The corp as it is now, and the records that a run's done were done to."""

    run: int
    actual: Actual
    remembered: Remembered
    protect: tuple[str, ...]
    made_anew: Set[str] = frozenset()
    """Keys of those whom an undo of this very run made anew: what they lack yet they get."""
    _members: Mapping[str, str] = field(default_factory=dict)
    _departments: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        run: int,
        actual: Actual,
        remembered: Remembered,
        protect: tuple[str, ...],
        made_anew: Set[str] = frozenset(),
    ) -> Ground:
        return cls(
            run=run,
            actual=actual,
            remembered=remembered,
            protect=protect,
            made_anew=made_anew,
            _members={
                fold(link.member.userid): key
                for key, link in remembered.members.items()
                if link.state is not LinkState.GONE
            },
            _departments={
                link.id: key
                for key, link in remembered.departments.items()
                if link.state is not LinkState.GONE
            },
        )

    def key_of(self, past: PastChange) -> str:
        """The key by which the record is known now: `wxsync rekey` may have given it another one."""
        if past.kind is Kind.MEMBER:
            return self._members.get(fold(str(past.id)), past.key)
        if past.kind is Kind.DEPARTMENT and isinstance(past.id, int):
            return self._departments.get(past.id, past.key)
        return past.key


def finding(
    name: str,
    values: FieldChange,
    now: Value,
    *,
    doubts: tuple[Value, ...] = (),
    on_the_way: tuple[Value, ...] = (),
) -> Finding:
    """What `now` says of a field that a run changed.

    `doubts` are what an unknown one may hold, `on_the_way` what the run had it hold for a while.
    """
    if now is UNKNOWN:
        known = (values.before, values.after, *on_the_way)
        may_be_ours = bool(doubts) and all(_is_any(name, doubt, known) for doubt in doubts)
        if not may_be_ours and name not in WRITTEN_BLINDLY:
            return Finding.NOT_KNOWN_NOW
    elif values.before is not UNKNOWN and same(name, now, values.before):
        return Finding.AS_BEFORE
    elif not _is_any(name, now, (values.after, *on_the_way)):
        return Finding.CHANGED
    return Finding.NOT_KNOWN_BEFORE if values.before is UNKNOWN else Finding.AS_WRITTEN


def same(name: str, one: Value, other: Value) -> bool:
    """Equal as far as WeCom tells them apart: an order of 0 is none, and lists of places have no order."""
    if name == "order" and isinstance(one, tuple) and isinstance(other, tuple):
        return _orders(one) == _orders(other)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return set(one) == set(other)
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def loss(past: PastChange, key: str, reason: LossReason, why: Message, *fields: str) -> Loss:
    """That this much of a past is not brought back."""
    return Loss(kind=past.kind, key=key, id=past.id, name=past.name, reason=reason, why=why, fields=fields)


def losses_by(past: PastChange, key: str, findings: Mapping[str, Finding]) -> list[Loss]:
    """One loss for each way in which fields are lost."""
    return [
        loss(past, key, reason, why, *fields)
        for each, (reason, why) in LOST.items()
        if (fields := tuple(name for name, found in findings.items() if found is each))
    ]


def losses_of_another(past: PastChange, key: str, now: Mapping[str, Value]) -> list[Loss]:
    """What a record had that was deleted, where one that was made since goes by its key.

    It holds what whoever made it gave it, and keeps that; `now` says of each thing that was held what it is.
    A deletion that failed took nothing away.
    """
    if past.state not in (OutcomeState.DONE, OutcomeState.UNKNOWN, None):
        return []
    findings = {
        name: Finding.NOT_KNOWN_NOW
        if now[name] is UNKNOWN
        else finding(name, FieldChange(held, held), now[name])
        for name, held in past.held.items()
        if name in now
    }
    if past.state is OutcomeState.DONE:
        itself = loss(past, key, LossReason.DELETED, THERE_AGAIN)
    else:
        itself = loss(past, key, LossReason.UNKNOWN, MAY_BE_ANOTHER)
    return [itself, *losses_by(past, key, findings)]


def _is_any(name: str, value: Value, known: Iterable[Value]) -> bool:
    return any(each is not UNKNOWN and same(name, value, each) for each in known)


def _orders(pairs: tuple[object, ...]) -> dict[str, object]:
    return {str(pair[0]): pair[1] for pair in pairs if isinstance(pair, tuple) and pair[1]}
