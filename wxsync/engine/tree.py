"""The order in which departments are created, renamed and moved so that WeCom accepts every step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from wxsync.engine.actual import Actual
from wxsync.model.change import Change, FieldChange, Verb
from wxsync.model.message import say
from wxsync.model.unknown import UNKNOWN, DepartmentRef, Value

Place = tuple[DepartmentRef, Value]
"""(parent, name): no two departments may stand in one (WeCom errcode 60008)."""


def in_tree_order(changes: Iterable[Change], actual: Actual) -> list[Change]:
    """Creations, adoptions and updates from the top down, with the temporary names that they need.

    Each department is put in its place after its parent is in its own, so that no step ever makes
    a loop, even where a subtree moves under its own former child. Where another department still
    stands in the place, that one goes first; where it cannot (a swap, a cycle, one that is to be
    deleted later), it gets a temporary name.
    """
    return _Planting({change.key: change for change in changes if change.key}, actual).all()


LONGEST_CHAIN = 100
"""So many departments may wait for one another's names before one gets a temporary name instead."""


class _Planting:
    """One pass over the tree; what has been done so far is in `_places` and `_done`."""

    def __init__(self, changes: Mapping[str, Change], actual: Actual) -> None:
        self._changes = dict(changes)
        self._actual = actual
        self._places: dict[str, Place] = {
            key: (department.parent, department.name) for key, department in actual.departments.items()
        }
        self._doubted: dict[str, list[Place]] = {
            key: [(actual.departments[key].parent, name) for name in names]
            for key, names in actual.doubted_names.items()
            if actual.departments[key].name is UNKNOWN
        }
        """Where those may stand whose name nobody knows since a call."""
        self._standing = {place: key for key, places in self._doubted.items() for place in places}
        self._standing |= {place: key for key, place in self._places.items()}
        self._done: set[str] = set()
        self._under_way: set[str] = set()
        self._result: list[Change] = []

    def all(self) -> list[Change]:
        for key, change in self._changes.items():
            if change.verb is not Verb.DELETE:
                self._plant(key)
        return self._result

    def _plant(self, key: str) -> None:
        """Put `key` and, before it, everything above it into its place."""
        for step in self._path(key):
            self._plant_one(step)

    def _path(self, key: str) -> list[str]:
        """`key` and all above it that are still to be planted, topmost first.

        The way up leads through departments that do not change too: one further up may be about to
        leave the very subtree that `key` moves into.
        """
        path: list[str] = []
        passed: set[str] = set()
        ref: DepartmentRef = key
        while isinstance(ref, str) and ref not in passed:
            passed.add(ref)
            if self._is_waiting(ref):
                path.append(ref)
            ref = self._target(ref)[0]
        return path[::-1]

    def _is_waiting(self, key: str) -> bool:
        change = self._changes.get(key)
        return change is not None and change.verb is not Verb.DELETE and key not in self._done

    def _plant_one(self, key: str) -> None:
        if key in self._done or key in self._under_way:
            return
        change = self._changes[key]
        self._under_way.add(key)
        target = self._target(key)
        if change.verb is not Verb.ADOPT and target[1] is not UNKNOWN:
            self._clear_place(target, key)
            self._stand(key, target)
        self._result.append(self._changes[key])  # it may have had to give way for now meanwhile
        self._under_way.discard(key)
        self._done.add(key)

    def _target(self, key: str) -> Place:
        """Where `key` is to stand: what its change says, else where it stands."""
        change = self._changes.get(key)
        fields = {} if change is None else change.fields
        parent, name = self._places.get(key, (self._actual.root, UNKNOWN))
        if "parent" in fields:
            after = fields["parent"].after
            parent = after if isinstance(after, str | int) else parent
        if "name" in fields:
            name = fields["name"].after
        return parent, name

    def _clear_place(self, place: Place, newcomer: str) -> None:
        """Make sure that nobody else stands in `place`, if we can."""
        holder = self._standing.get(place)
        if holder is None or holder == newcomer:
            return
        change = self._changes.get(holder)
        if change is None:
            return  # it stays where it is: WeCom will refuse, and the outcome will say so
        if change.verb is not Verb.DELETE and self._is_ready(holder):
            self._plant_one(holder)
        if self._standing.get(place) == holder:
            self._name_for_now(holder, place)

    def _is_ready(self, key: str) -> bool:
        """It can be planted out of turn: all above its new place stand, and it does not wait for us."""
        if key in self._under_way or len(self._under_way) > LONGEST_CHAIN:
            return False
        return self._path(key) == [key]

    def _name_for_now(self, key: str, place: Place) -> None:
        """Give way under a name that nobody has: unique by the department's id."""
        id = self._actual.departments[key].id
        name = f"wxsync-{id}"
        self._result.append(
            Change(
                kind=self._changes[key].kind,
                verb=Verb.UPDATE,
                key=key,
                id=id,
                name=None if place[1] is UNKNOWN else str(place[1]),
                fields={"name": FieldChange(place[1], name)},
                why=say("its name is needed by another department before it is renamed, moved or deleted"),
                is_temporary=True,
            )
        )
        self._stand(key, (place[0], name))
        self._rename_after(key, name)

    def _rename_after(self, key: str, name: str) -> None:
        """A department that only moves or waits for its turn must get its own name back with it."""
        change = self._changes[key]
        if change.verb is Verb.UPDATE and "name" not in change.fields:
            own = self._actual.departments[key].name
            fields = {"name": FieldChange(name, own), **change.fields}
            self._changes[key] = replace(change, fields=fields)

    def _stand(self, key: str, place: Place) -> None:
        former = self._places.get(key)
        for left in (*self._doubted.pop(key, ()), *(() if former is None else (former,))):
            if self._standing.get(left) == key:
                del self._standing[left]
        self._places[key] = place
        self._standing[place] = key
