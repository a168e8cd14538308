"""The order in which the world can bear the changes, and what each of them waits for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from graphlib import TopologicalSorter
from typing import cast

from wxsync.engine.actual import Actual
from wxsync.engine.exchange import Settlement
from wxsync.engine.leaders import part_leaders
from wxsync.engine.rings import Ring, Turn, release_of
from wxsync.engine.schedule import Part, Schedule, Unit, Units
from wxsync.engine.tree import in_tree_order
from wxsync.model.change import Change, Kind, Verb
from wxsync.model.unknown import UNKNOWN


def order(
    departments: Sequence[Change], settlement: Settlement, tags: Sequence[Change], actual: Actual
) -> Schedule:
    """Put the permitted changes in order; KEEPs come last.

    Departments are built from the top down, one at a time (WeCom page 90205 asks for that); then
    people, released values before taken ones; then tags; then the deletion of departments, leaf
    first.
    """
    plot = _Plot(actual)
    plot.add_departments(in_tree_order(_writing(departments), actual))
    plot.add_members(settlement)
    plot.add_tags(_writing(tags))
    plot.add_deletions([change for change in departments if change.verb is Verb.DELETE])
    kept = [change for change in (*departments, *settlement.kept, *tags) if change.verb is Verb.KEEP]
    return Schedule(changes=(*plot.changes, *kept), units=Units(plot.units))


def _writing(changes: Iterable[Change]) -> list[Change]:
    return [change for change in changes if change.verb is not Verb.KEEP]


class _Plot:
    """The schedule while it grows."""

    def __init__(self, actual: Actual) -> None:
        self.changes: list[Change] = []
        self.units: list[Unit | int] = []
        self._actual = actual
        self._builders: dict[str, int] = {}
        """Department key -> the unit that creates it."""
        self._movers: dict[str, set[int]] = {}
        """Department key -> the units that put it below another parent."""
        self._renamers: dict[str, set[int]] = {}
        """Department key -> the units that give it a name for now."""
        self._members: dict[str, int] = {}
        """Member key -> the unit that changes it."""
        self._deleted: set[str] = set()
        """Keys of members whom the plan deletes."""
        self._n_of: dict[str, int] = {}
        """Member key -> the n of its change, of those whose leader is set by a call of its own."""

    def add_departments(self, changes: Iterable[Change]) -> None:
        """One after another; a department whose parent could not be built is not tried."""
        previous: frozenset[int] = frozenset()
        for change in changes:
            if change.verb is Verb.DELETE:
                continue
            parent = change.fields["parent"].after if "parent" in change.fields else None
            needs = frozenset({self._builders[parent]}) if parent in self._builders else frozenset()
            unit = self._add(Unit(parts=(Part(n=self._number(change)),), needs=needs, after=previous))
            key = cast("str", change.key)
            if change.verb in (Verb.CREATE, Verb.ADOPT):
                self._builders[key] = unit
            elif "parent" in change.fields:
                self._movers.setdefault(key, set()).add(unit)
            if change.is_temporary:
                self._renamers.setdefault(key, set()).add(unit)
            previous = frozenset({unit})

    def add_members(self, settlement: Settlement) -> None:
        """Whoever releases a value comes before the one who takes it; leaders before those they lead."""
        writes = settlement.writes
        parted = part_leaders(writes)
        rings = {key: ring for ring in settlement.rings for key in ring.keys}
        leads = {key: leader for key, leader in parted.together.items() if key not in rings}
        for key in _sequence(writes, settlement, leads):
            ring = rings.get(key)
            if ring is None:
                self._add_member(key, writes, settlement.holders, parted.apart, leads)
            else:
                self._add_ring(ring, writes, settlement.holders, parted.apart)
        for key, leader in parted.apart.items():
            part = Part(n=self._n_of[key], fields=frozenset({"direct_leader"}))
            self._add(
                Unit(
                    parts=(part,),
                    needs=frozenset({self._members[key]} if key in self._members else ()),
                    after=frozenset({self._members[leader]}),
                )
            )

    def _add_member(
        self,
        key: str,
        writes: Mapping[str, Change],
        holders: Mapping[str, Mapping[str, str]],
        apart: Mapping[str, str],
        leads: Mapping[str, str],
    ) -> None:
        change = writes[key]
        number = self._number(change)
        if change.verb is Verb.DELETE:
            self._deleted.add(key)
        fields = None
        if key in apart:
            fields = frozenset(change.fields) - {"direct_leader"}
            self._n_of[key] = number
        leader = leads.get(key)
        needs = self._built(change) | self._released(holders.get(key, {}).values())
        after = frozenset({self._members[leader]}) if leader in self._members else frozenset[int]()
        is_alone = fields is None and not needs and not after
        self._members[key] = self._add(
            number if is_alone else Unit(parts=(Part(n=number, fields=fields),), needs=needs, after=after)
        )

    def _add_ring(
        self,
        ring: Ring,
        writes: Mapping[str, Change],
        holders: Mapping[str, Mapping[str, str]],
        apart: Mapping[str, str],
    ) -> None:
        """A ring is one unit: its turns run one after another."""
        releases = {
            turn: self._number(release_of(writes[turn.key], cast("str", turn.field)))
            for turn in ring.turns
            if turn.is_release
        }
        numbers = {key: self._number(writes[key]) for key in sorted(ring.keys)}
        self._n_of |= {key: number for key, number in numbers.items() if key in apart}
        written_apart = ring.written_apart
        parts: list[Part] = []
        for turn, needs in zip(ring.turns, _needs_of(ring.turns), strict=True):
            if turn.field is None:
                fields = frozenset(writes[turn.key].fields) - written_apart[turn.key]
                fields -= {"direct_leader"} if turn.key in apart else frozenset()
            else:
                fields = frozenset({turn.field})
            number = releases[turn] if turn.is_release else numbers[turn.key]
            parts.append(
                Part(n=number, fields=fields, needs=needs, cycle=turn.strand if turn.is_cycle else None)
            )
        outside = [
            holder for key in ring.keys for holder in holders.get(key, {}).values() if holder not in ring.keys
        ]
        built = frozenset[int]().union(*(self._built(writes[key]) for key in ring.keys))
        unit = self._add(Unit(parts=tuple(parts), needs=built | self._released(outside)))
        self._members.update(dict.fromkeys(ring.keys, unit))

    def _built(self, change: Change) -> frozenset[int]:
        """The units that create the departments where the member is to be."""
        places = change.fields.get("departments")
        if places is None or not isinstance(places.after, tuple):
            return frozenset()
        return frozenset(self._builders[ref] for ref in places.after if ref in self._builders)

    def _released(self, holders: Iterable[str]) -> frozenset[int]:
        return frozenset(self._members[holder] for holder in holders)

    def add_tags(self, changes: Iterable[Change]) -> None:
        """After everybody who joins has had a turn: the others are not made to wait for one failure."""
        for change in sorted(changes, key=lambda change: (change.verb is Verb.DELETE, str(change.key))):
            members = change.fields.get("members")
            after = members.after if members is not None and isinstance(members.after, tuple) else ()
            waits = frozenset(self._members[key] for key in after if key in self._members)
            part = Part(n=self._number(change))
            self._add(Unit(parts=(part,), needs=self._emptied(change), after=waits))

    def _emptied(self, change: Change) -> frozenset[int]:
        """The deletions of members without which a tag that is to be deleted still holds somebody."""
        tag = self._actual.tags.get(str(change.key))
        if change.verb is not Verb.DELETE or tag is None:
            return frozenset()
        return frozenset(self._members[key] for key in tag.members if key in self._deleted)

    def add_deletions(self, changes: Iterable[Change]) -> None:
        """Leaf first; a department that somebody could not leave is not tried."""
        dropped = {cast("int", change.id): change for change in changes}
        below = {id: self._actual.children.get(id, frozenset()) for id in dropped}
        moving = self._moving(below)
        leaving = self._leaving()
        units: dict[int, int] = {}
        for id in TopologicalSorter({id: below[id] & dropped.keys() for id in dropped}).static_order():
            needs = frozenset(units[child] for child in below[id] if child in units)
            needs |= moving.get(id, frozenset()) | leaving.get(id, frozenset())
            part = Part(n=self._number(dropped[id]))
            after = frozenset(self._renamers.get(cast("str", dropped[id].key), ()))
            units[id] = self._add(Unit(parts=(part,), needs=needs, after=after))

    def _moving(self, below: Mapping[int, Set[int]]) -> dict[int, frozenset[int]]:
        """Department id -> the units that put one of those below it elsewhere."""
        above = {child: id for id, children in below.items() for child in children}
        moving: dict[int, set[int]] = {}
        for key, units in self._movers.items():
            department = self._actual.departments.get(key)
            if department is not None and department.id in above:
                moving.setdefault(above[department.id], set()).update(units)
        return {id: frozenset(units) for id, units in moving.items()}

    def _leaving(self) -> dict[int, frozenset[int]]:
        """Department id -> the units after which somebody of ours is no longer in it."""
        ids = {department.key: department.id for department in self._actual.departments.values()}
        leaving: dict[int, set[int]] = {}
        for change in self.changes:
            if change.kind is not Kind.MEMBER or change.key not in self._actual.members:
                continue
            if change.verb is not Verb.DELETE and "departments" not in change.fields:
                continue
            key = str(change.key)
            before = self._actual.members[key].departments
            for ref in () if before is UNKNOWN else before:
                id = cast("int", ids[ref] if isinstance(ref, str) else ref)
                leaving.setdefault(id, set()).add(self._members[key])
        return {id: frozenset(units) for id, units in leaving.items()}

    def _number(self, change: Change) -> int:
        self.changes.append(change)
        return len(self.changes)

    def _add(self, unit: Unit | int) -> int:
        self.units.append(unit)
        return len(self.units) - 1


def _needs_of(turns: Sequence[Turn]) -> list[tuple[int, ...]]:
    """For each turn the earlier ones that must have succeeded: the own rest, and whoever gives up the value.

    A cycle is begun only when the rest of everybody in it is done. Of a strand the turn just before is
    enough: it needs the others itself, and a strand may be as long as a corp has people.
    """
    takers: dict[int | None, list[str]] = {}
    for turn in turns:
        takers.setdefault(turn.strand, []).append(turn.key)
    latest: dict[int | None, int] = {}
    own: dict[str, list[int]] = {}
    needs: list[tuple[int, ...]] = []
    for number, turn in enumerate(turns):
        before = latest.get(turn.strand)
        keys = [turn.key] if not turn.is_cycle else takers[turn.strand] if before is None else []
        found = {each for key in keys for each in own.get(key, ())} | (
            {before} if before is not None else set()
        )
        needs.append(() if turn.field is None else tuple(sorted(found)))
        latest[turn.strand] = number
        if not turn.is_cycle:
            own.setdefault(turn.key, []).append(number)
    return needs


def _sequence(writes: Mapping[str, Change], settlement: Settlement, leads: Mapping[str, str]) -> list[str]:
    """Member keys, of a ring one for all, so that everybody comes after those whom they wait for."""
    first: dict[str, str] = {}
    for ring in settlement.rings:
        first |= dict.fromkeys(ring.keys, min(ring.keys))
    waits: dict[str, set[str]] = {}
    for key in (*settlement.holders, *leads):
        others = {*settlement.holders.get(key, {}).values(), *([leads[key]] if key in leads else ())}
        own = first.get(key, key)
        waits.setdefault(own, set()).update(first.get(other, other) for other in others if other in writes)
        waits[own].discard(own)
    # Sorted: sets of texts come in another order each time, and equal inputs make equal plans.
    graph = {own: sorted(waits.get(own, ())) for key in sorted(writes) for own in (first.get(key, key),)}
    return list(TopologicalSorter(graph).static_order()) if any(graph.values()) else list(graph)
