"""Phone numbers and addresses that change hands: released before they are taken, or not at all."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace
from typing import Final

from wxsync.engine.actual import Actual
from wxsync.engine.guard import as_kept, is_protected
from wxsync.engine.rings import Ring, find_rings, has_value
from wxsync.model.change import Change, FieldChange, Kind, Reason, Rejected, Verb
from wxsync.model.desired import Desired
from wxsync.model.member import UNIQUE_FIELDS
from wxsync.model.message import Message, say

OTHER_CONTACT: Mapping[str, str] = {"mobile": "email", "email": "mobile"}
"""WeCom wants one of the two on everybody: one may be cleared only while the other is there."""
MOST_NAMED: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """The member changes of a plan, none of which takes what somebody else still holds."""

    writes: Mapping[str, Change]
    """Key -> the change that writes; releases are part of it."""
    kept: tuple[Change, ...]
    """Changes that had to be given up."""
    rejected: tuple[Rejected, ...]
    holders: Mapping[str, Mapping[str, str]]
    """Taker's key -> field -> the key of the member who must release that field's value first."""
    rings: tuple[Ring, ...]
    """Groups of members who wait for one another."""


def settle(
    changes: Iterable[Change],
    desired: Desired,
    actual: Actual,
    leavers: Set[str],
    protect: tuple[str, ...],
    yielding: Set[str] = frozenset(),
) -> Settlement:
    """Find for every value that is taken who releases it, or give up the change that takes it.

    A change that is given up releases nothing, which may cost others theirs: the search starts
    again until it stands. Fields that are `yielding` to WeCom's word are cleared for leavers alone.
    """
    proposed = {change.key: change for change in changes if change.key is not None}
    given_up: dict[str, Change | Rejected] = {}
    while True:
        attempt = _Attempt(
            {key: change for key, change in proposed.items() if key not in given_up},
            given_up.keys(),
            desired,
            actual,
            leavers,
            protect,
            yielding,
        )
        refused = attempt.settle()
        rings = () if refused else find_rings(attempt.writes, attempt.holders, actual)
        refused = refused or _unbreakable(rings)
        if not refused:
            break
        given_up |= refused
    return Settlement(
        writes=attempt.writes,
        kept=tuple(_kept(proposed[key], verdict) for key, verdict in given_up.items()),
        rejected=tuple(verdict for verdict in given_up.values() if isinstance(verdict, Rejected)),
        holders=attempt.holders,
        rings=rings,
    )


def _kept(change: Change, verdict: Change | Rejected) -> Change:
    if isinstance(verdict, Change):
        return verdict
    return as_kept(change, verdict.problem, Reason.REJECTED)


def _unbreakable(rings: Iterable[Ring]) -> dict[str, Change | Rejected]:
    """Everybody in a cycle in which nothing can be cleared is rejected by name (issue 2, point 9)."""
    return {
        key: Rejected(
            kind=Kind.MEMBER,
            key=key,
            field=field,
            rule="cycle",
            problem=say(
                "{field} changes hands in a circle, and nobody in it has another contact to be reached by: "
                "{keys}",
                field=field,
                keys=names,
            ),
        )
        for ring in rings
        for field, keys in ring.unbreakable
        for names in (_names(keys),)
        for key in sorted(keys)
    }


def _names(keys: Set[str]) -> str:
    """As many of them as a reader can use: there may be thousands."""
    listed = sorted(keys)
    rest = len(listed) - MOST_NAMED
    return ", ".join(listed[:MOST_NAMED]) + (f" (+{rest})" if rest > 0 else "")


def _taken(taker: str, field: str, holder: str) -> Rejected:
    problem = say("its {field} belongs to {key}, who keeps it", field=field, key=holder)
    return Rejected(kind=Kind.MEMBER, key=taker, field=field, rule="taken", problem=problem)


class _Attempt:
    """One try to settle with the changes that have not been given up, to which it adds releases."""

    def __init__(
        self,
        writes: dict[str, Change],
        given_up: Set[str],
        desired: Desired,
        actual: Actual,
        leavers: Set[str],
        protect: tuple[str, ...],
        yielding: Set[str],
    ) -> None:
        self.writes = writes
        self.holders: dict[str, dict[str, str]] = {}
        self._given_up = given_up
        self._desired = desired
        self._actual = actual
        self._leavers = leavers
        self._protect = protect
        self._yielding = yielding
        self._strangers = {
            (field, value): stranger.userid
            for stranger in actual.strangers.values()
            if stranger.shown is not None
            for field in UNIQUE_FIELDS
            if isinstance(value := getattr(stranger.shown, field), str)
        }
        """Values that somebody has who is not ours: they are not ours to give away."""
        self._owners = {
            (field, value): key
            for key in actual.doubts
            for field in UNIQUE_FIELDS
            for value in actual.may_hold(key, field)
            if isinstance(value, str)
        } | {
            (field, value): key
            for key, member in actual.members.items()
            for field in UNIQUE_FIELDS
            if isinstance(value := getattr(member, field), str)
        }

    def settle(self) -> dict[str, Change | Rejected]:
        """Fill `holders` and the releases; whoever wants what cannot be released is returned."""
        refused: dict[str, Change | Rejected] = {}
        for taker, change in list(self.writes.items()):
            if change.verb in (Verb.DELETE, Verb.ADOPT):
                continue
            for field in UNIQUE_FIELDS:
                values = change.fields.get(field)
                if values is None or not isinstance(values.after, str):
                    continue
                stranger = self._strangers.get((field, values.after))
                if stranger is not None:
                    refused[taker] = _taken(taker, field, stranger)
                    break
                holder = self._owners.get((field, values.after))
                if holder is None or holder == taker:
                    continue
                verdict = self._release(holder, field, taker, change)
                if verdict is not None:
                    refused[taker] = verdict
                    break
                self.holders.setdefault(taker, {})[field] = holder
        return self._with_followers(refused)

    def _with_followers(self, refused: dict[str, Change | Rejected]) -> dict[str, Change | Rejected]:
        """Whoever waits for one who is given up is refused too, however long the row of them is.

        The next attempt would find the first of them, and the one after it the second.
        """
        takers: dict[str, list[tuple[str, str]]] = {}
        for taker, fields in self.holders.items():
            for field, holder in fields.items():
                takers.setdefault(holder, []).append((taker, field))
        queue = deque(refused)
        while queue:
            holder = queue.popleft()
            for taker, field in takers.get(holder, ()):
                if taker not in refused:
                    refused[taker] = _taken(taker, field, holder)
                    queue.append(taker)
        return refused

    def _release(self, holder: str, field: str, taker: str, wish: Change) -> Change | Rejected | None:
        """See to it that `holder` gives the value up; else say what becomes of the wish."""
        write = self.writes.get(holder)
        if write is not None and (write.verb is Verb.DELETE or field in write.fields):
            return None
        if not self._may_clear(holder, field):
            return _taken(taker, field, holder)
        if not self._desired.is_complete:
            why = say(
                "its {field} belongs to {key}, and on this reading nothing is taken away",
                field=field,
                key=holder,
            )
            return as_kept(wish, why, Reason.INCOMPLETE)
        self._clear(holder, field, say("its {field} is taken by {key}", field=field, key=taker))
        return None

    def _keeps(self, holder: str, field: str) -> bool:
        """WeCom ignores a change of the phone number of somebody who has activated (gotcha 2)."""
        return field == "mobile" and holder in self._actual.activated

    def _may_clear(self, holder: str, field: str) -> bool:
        """The source no longer wants it there, it is ours to change, and another contact remains."""
        member = self._actual.members[holder]
        wanted = self._desired.members.get(holder)
        is_dropped = holder in self._leavers if wanted is None else getattr(wanted, field) is None
        other = OTHER_CONTACT.get(field)
        if not is_dropped or other is None or holder in self._given_up:
            return False
        if field in self._yielding and wanted is not None:
            return False
        if is_protected(member.userid, self._protect) or self._keeps(holder, field):
            return False
        write = self.writes.get(holder)
        remaining = self._actual.may_hold(holder, other)
        if write is not None and other in write.fields:
            remaining = (write.fields[other].after,)
        return has_value(remaining)

    def _clear(self, holder: str, field: str, why: Message) -> None:
        member = self._actual.members[holder]
        release = {field: FieldChange(getattr(member, field), None)}
        write = self.writes.get(holder)
        if write is not None:
            self.writes[holder] = replace(write, fields={**write.fields, **release})
            return
        self.writes[holder] = Change(
            kind=Kind.MEMBER,
            verb=Verb.UPDATE,
            key=holder,
            id=member.userid,
            name=member.name if isinstance(member.name, str) else None,
            fields=release,
            why=why,
        )
