"""The tags that a run changed: whom it put in leaves, whom it took out joins, one by one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from wxsync.engine.held import HELD_TAGS
from wxsync.engine.losses import OTHER_ID, RENAMED, STRANGERS
from wxsync.engine.past import PastChange
from wxsync.engine.undo_ground import Ground, loss
from wxsync.engine.undo_members import UndoneMembers
from wxsync.model.change import Change, FieldChange, Kind, Verb
from wxsync.model.loss import Loss, LossReason
from wxsync.model.member import fold
from wxsync.model.message import say
from wxsync.model.unknown import Value


@dataclass(slots=True)
class UndoneTags:
    """Who joins and who leaves which tag, worked out at once; what does not come back, in `losses`."""

    ground: Ground
    members: UndoneMembers
    joining: dict[str, set[str]] = field(default_factory=dict)
    leaving: dict[str, set[str]] = field(default_factory=dict)
    made_anew: set[str] = field(default_factory=set)
    losses: list[Loss] = field(default_factory=list)

    @classmethod
    def of(cls, done: Iterable[PastChange], ground: Ground, members: UndoneMembers) -> UndoneTags:
        undone = cls(ground, members)
        listed = list(done)
        for past in listed:
            if past.kind is Kind.TAG:
                undone._give_back(past)
        for key in members.back:
            undone._join_again(members.done[key], key)
        return undone

    def changes(self) -> Iterator[Change]:
        for name in sorted(self.joining.keys() | self.leaving.keys() | self.made_anew):
            known = self.ground.actual.tags.get(name)
            before = frozenset[str]() if known is None else known.members
            after = (before | self.joining.get(name, set())) - self.leaving.get(name, set())
            if known is not None and after == before:
                continue
            run = self.ground.run
            yield Change(
                kind=Kind.TAG,
                verb=Verb.CREATE if known is None else Verb.UPDATE,
                key=name,
                id=None if known is None else known.id,
                name=name,
                fields={
                    "members": FieldChange(
                        None if known is None else tuple(sorted(before)), tuple(sorted(after))
                    )
                },
                why=say("run {run} deleted it: it is made anew", run=run)
                if known is None
                else say("run {run} changed it", run=run),
            )

    def _give_back(self, past: PastChange) -> None:
        known = self.ground.actual.tags.get(past.key)
        if past.verb in (Verb.CREATE, Verb.ADOPT):
            if known is not None:
                why = say("the run made it, or made it ours: it stays, an undo deletes nothing")
                self.losses.append(loss(past, past.key, LossReason.STAYS, why))
            return
        self.losses += _unreturned(past)
        values = past.fields.get("members", FieldChange((), ()))
        before, after = _keys(values.before), _keys(values.after)
        if known is None and past.verb is Verb.DELETE:
            self._make_anew(past, before | _keys(past.held.get("members")))
        elif known is None:
            why = say("it is no longer there, so nothing of it can be given back")
            self.losses.append(loss(past, past.key, LossReason.GONE, why, *past.fields))
        elif past.verb is Verb.DELETE and known.id != past.id:
            # Made anew since: by an undo that died before it put them in, or by a run.
            self.losses.append(loss(past, past.key, LossReason.DELETED, OTHER_ID))
            self._join(past, before | _keys(past.held.get("members")))
        else:
            self._join(past, before - after)
            self._leave(past, after - before)

    def _make_anew(self, past: PastChange, keys: set[str]) -> None:
        if past.key in self.ground.actual.foreign_tags:
            why = say("another tag has its name by now")
            self.losses.append(loss(past, past.key, LossReason.TAKEN, why))
            return
        self.made_anew.add(past.key)
        self.losses.append(loss(past, past.key, LossReason.DELETED, OTHER_ID))
        self._join(past, keys)

    def _join(self, past: PastChange, keys: set[str]) -> None:
        present = keys & self.members.present
        if keys - present:
            why = say("some of those whom the run took out are no longer there")
            self.losses.append(loss(past, past.key, LossReason.GONE, why, "members"))
        allowed = {key for key in present if not self.members.is_protected(key)}
        self.joining.setdefault(past.key, set()).update(allowed)

    def _leave(self, past: PastChange, keys: set[str]) -> None:
        """Those alone whom we put in: somebody whom a hand put in meanwhile stays."""
        known, put_in = self.ground.actual.tags[past.key], self.ground.remembered.tags[past.key].userids
        members = self.ground.actual.members
        leaving = {
            key
            for key in keys & known.members
            if fold(members[key].userid) in put_in and not self.members.is_protected(key)
        }
        self.leaving.setdefault(past.key, set()).update(leaving)

    def _join_again(self, past: PastChange, key: str) -> None:
        """Who was deleted fell out of every tag by that."""
        for name in _keys(past.held.get(HELD_TAGS)):
            if name in self.ground.actual.tags or name in self.made_anew:
                self.joining.setdefault(name, set()).add(key)


def _unreturned(past: PastChange) -> Iterator[Loss]:
    if "foreign_members" in past.fields:
        yield loss(past, past.key, LossReason.FOREIGN, STRANGERS, "foreign_members")
    if "name" in past.fields:
        yield loss(past, past.key, LossReason.FOREIGN, RENAMED, "name")


def _keys(value: Value) -> set[str]:
    return {str(each) for each in value} if isinstance(value, tuple) else set()
