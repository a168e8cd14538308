"""Members who wait for one another's phone numbers or addresses, and the calls that untie them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from wxsync.engine.actual import Actual
from wxsync.model.change import Change, FieldChange, Kind, Verb
from wxsync.model.member import UNIQUE_FIELDS
from wxsync.model.message import say
from wxsync.model.unknown import Value

CONTACTS = ("mobile", "email")
Holders = Mapping[str, Mapping[str, str]]
Contacts = Mapping[str, tuple[Value, ...]]
"""Field -> what it may hold."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One call in a ring: the fields of `key` that it writes; None for whatever no other turn writes."""

    key: str
    field: str | None
    strand: int | None = None
    """Turns of one strand pass one field on, each needing the one before."""
    is_cycle: bool = False
    is_release: bool = False
    """It clears the field for now; the value that the change asks for comes in a later turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """Members whose changes must be taken apart, and their turns in order."""

    keys: frozenset[str]
    turns: tuple[Turn, ...]
    unbreakable: tuple[tuple[str, frozenset[str]], ...] = ()
    """(field, keys) of strands in which nobody can be cleared; then the turns are of no use."""

    @property
    def written_apart(self) -> Mapping[str, frozenset[str]]:
        """Key -> its fields that have a turn of their own."""
        apart: dict[str, set[str]] = {key: set() for key in self.keys}
        for turn in self.turns:
            if turn.field is not None:
                apart[turn.key].add(turn.field)
        return {key: frozenset(fields) for key, fields in apart.items()}


def find_rings(writes: Mapping[str, Change], holders: Holders, actual: Actual) -> tuple[Ring, ...]:
    """The groups among `writes` in which everybody waits for somebody of the group."""
    return tuple(_untie(keys, writes, holders, actual) for keys in _groups(_knotted(holders), holders))


def _knotted(holders: Holders) -> set[str]:
    """Those left when all who wait for nobody, and all for whom nobody waits, are taken away."""
    waits = {key: holders.keys() & fields.values() for key, fields in holders.items()}
    awaited: dict[str, set[str]] = {key: set() for key in holders}
    for key, others in waits.items():
        for other in others:
            awaited[other].add(key)
    left = set(holders)
    queue = list(holders)
    while queue:
        key = queue.pop()
        if key not in left or (waits[key] and awaited[key]):
            continue
        left.discard(key)
        for holder in waits[key]:
            awaited[holder].discard(key)
        for taker in awaited[key]:
            waits[taker].discard(key)
        queue += (*waits[key], *awaited[key])
    return left


def _groups(left: set[str], holders: Holders) -> Iterator[frozenset[str]]:
    neighbours: dict[str, set[str]] = {key: set() for key in left}
    for key in left:
        for holder in holders[key].values():
            if holder in left:
                neighbours[key].add(holder)
                neighbours[holder].add(key)
    unseen = sorted(left, reverse=True)
    seen: set[str] = set()
    while unseen:
        start = unseen.pop()
        if start in seen:
            continue
        group, queue = set[str](), [start]
        while queue:
            key = queue.pop()
            if key not in group:
                group.add(key)
                queue.extend(neighbours[key])
        seen |= group
        yield frozenset(group)


def _untie(keys: frozenset[str], writes: Mapping[str, Change], holders: Holders, actual: Actual) -> Ring:
    """Rests first, then chains from their free end and cycles, each of these broken by one release."""
    contacts = {key: {field: actual.may_hold(key, field) for field in CONTACTS} for key in keys}
    chains, cycles = _strands(keys, writes, holders)
    apart = {(key, field) for strand in (*chains, *cycles) for key, field in strand}
    turns: list[Turn] = []
    for key in sorted(keys):
        rest = [name for name in writes[key].fields if (key, name) not in apart]
        if rest:
            turns.append(Turn(key, None))
            _note(contacts[key], writes[key], rest)
    pending = [*((chain, False) for chain in chains), *((cycle, True) for cycle in cycles)]
    number = 0
    while (ready := _next_ready(pending, writes, contacts)) is not None:
        strand, is_cycle, start = pending.pop(ready[0])[0], ready[1], ready[2]
        turns.extend(_broken(strand, start, number) if is_cycle else _passed_on(strand, number))
        for key, field in strand:
            _note(contacts[key], writes[key], [field])
        number += 1
    unbreakable = [(strand[0][1], frozenset(key for key, _ in strand)) for strand, _ in pending]
    return Ring(keys=keys, turns=tuple(turns), unbreakable=tuple(unbreakable))


Strand = tuple[tuple[str, str], ...]


def _strands(
    keys: frozenset[str], writes: Mapping[str, Change], holders: Holders
) -> tuple[list[Strand], list[Strand]]:
    """(key, field) in the order of taking: chains, whose first needs nobody here, and cycles.

    A value has one holder and one taker, so every strand is a plain line or a plain circle.
    """
    takers = {
        (holder, field): key
        for key in keys
        for field, holder in holders.get(key, {}).items()
        if holder in keys
    }
    chains: list[Strand] = []
    used: set[tuple[str, str]] = set()
    for field in UNIQUE_FIELDS:
        for key in sorted(keys):
            waits = holders.get(key, {}).get(field) in keys
            if (key, field) in takers and not waits and field in writes[key].fields:
                chains.append(_follow((key, field), takers))
                used.update(chains[-1])
    cycles: list[Strand] = []
    for holder, field in sorted(takers):
        if (holder, field) not in used:
            cycles.append(_follow((holder, field), takers))
            used.update(cycles[-1])
    return chains, cycles


def _follow(start: tuple[str, str], takers: Mapping[tuple[str, str], str]) -> Strand:
    strand = [start]
    while (taker := takers.get(strand[-1])) is not None and (taker, start[1]) != start:
        strand.append((taker, start[1]))
    return tuple(strand)


def _next_ready(
    pending: Sequence[tuple[Strand, bool]],
    writes: Mapping[str, Change],
    contacts: Mapping[str, Contacts],
) -> tuple[int, bool, int] | None:
    """(place in `pending`, is a cycle, where it starts) of a strand that can be carried out now.

    A chain whose first turn clears a field waits until there is another contact.
    """
    for place, (strand, is_cycle) in enumerate(pending):
        if is_cycle:
            start = _clearable(strand, contacts)
            if start is not None:
                return place, True, start
            continue
        key, field = strand[0]
        if writes[key].fields[field].after is not None or _has_another(contacts[key], field):
            return place, False, 0
    return None


def _clearable(cycle: Strand, contacts: Mapping[str, Contacts]) -> int | None:
    """The place in `cycle` of one who can be reached by something else while the field is empty."""
    for place, (key, field) in enumerate(cycle):
        if field in CONTACTS and _has_another(contacts[key], field):
            return place
    return None


def _has_another(contacts: Contacts, field: str) -> bool:
    return any(has_value(values) for name, values in contacts.items() if name != field)


def has_value(values: Sequence[Value]) -> bool:
    """Whichever of the values a field may hold it does hold, it is not empty."""
    return bool(values) and all(isinstance(value, str) for value in values)


def _passed_on(chain: Strand, number: int) -> Iterator[Turn]:
    """From the free end on, each takes what the one before has given up."""
    for key, field in chain:
        yield Turn(key, field, number)


def _broken(cycle: Strand, start: int, number: int) -> Iterator[Turn]:
    """One is cleared, the others take in turn what has just become free, and the first one last."""
    key, field = cycle[start]
    yield Turn(key, field, number, is_cycle=True, is_release=True)
    for taker, _ in (*cycle[start + 1 :], *cycle[:start]):
        yield Turn(taker, field, number, is_cycle=True)
    yield Turn(key, field, number, is_cycle=True)


def _note(contacts: dict[str, tuple[Value, ...]], change: Change, fields: Iterable[str]) -> None:
    for field in fields:
        if field in contacts:
            contacts[field] = (change.fields[field].after,)


def release_of(change: Change, field: str) -> Change:
    """The temporary change that clears `field` so that somebody else can take its value."""
    return Change(
        kind=Kind.MEMBER,
        verb=Verb.UPDATE,
        key=change.key,
        id=change.id,
        name=change.name,
        fields={field: FieldChange(change.fields[field].before, None)},
        why=say("its {field} changes hands in a circle: it is cleared first and written again", field=field),
        is_temporary=True,
    )
