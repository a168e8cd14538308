"""Which changes of a large run are carried out first, as a trial. Pure."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence

from wxsync.engine.schedule import Schedule, Unit
from wxsync.model.change import Kind, Verb


def dependents_of(units: Sequence[Unit]) -> Mapping[int, list[int]]:
    """Unit -> those that wait for it."""
    dependents: dict[int, list[int]] = {}
    for number, unit in enumerate(units):
        for need in unit.needs | unit.after:
            dependents.setdefault(need, []).append(number)
    return dependents


def sample(
    schedule: Schedule,
    dependents: Mapping[int, Sequence[int]],
    size: int,
    turn: int,
    *,
    over: frozenset[int] = frozenset(),
) -> frozenset[int]:
    """Units with some `size` changes that wait for nothing but one another, of every verb in equal shares.

    Of each verb they are spread over the plan, and with another `turn` they are others: those that failed in
    the last trial are not all of the next one. Those that are `over` nobody waits for any more. Of a file
    that replaces everybody one row is left in it: others wait for that one in the place of all.
    """
    return _Choice(schedule, dependents, size, turn, over).made()


class _Choice:
    """Takes of each verb in turn, and what that sets free joins those to choose from."""

    def __init__(
        self,
        schedule: Schedule,
        dependents: Mapping[int, Sequence[int]],
        size: int,
        turn: int,
        over: frozenset[int],
    ) -> None:
        self._schedule = schedule
        self._dependents = dependents
        self._size = size
        self._turn = turn
        self._over = over
        self._left_out = frozenset({min(schedule.imported)} if schedule.columns else ()) | over
        self._waiting: Counter[int] = Counter()
        self._groups: dict[tuple[Kind, Verb], deque[int]] = {}

    def made(self) -> frozenset[int]:
        for number, unit in enumerate(self._schedule.units):
            if count := len((unit.needs | unit.after) - self._over):
                self._waiting[number] = count
            elif number not in self._left_out:
                self._groups.setdefault(self._verb(number), deque()).append(number)
        self._groups = {verb: self._spread(group) for verb, group in self._groups.items()}
        chosen: set[int] = set()
        changes: set[int] = set()
        while len(changes) < self._size and any(self._groups.values()):
            for group in list(self._groups.values()):
                if group and len(changes) < self._size:
                    number = group.popleft()
                    chosen.add(number)
                    changes.update(part.n for part in self._schedule.units[number].parts)
                    self._set_free(number)
        return frozenset(chosen)

    def _verb(self, number: int) -> tuple[Kind, Verb]:
        change = self._schedule.changes[self._schedule.units[number].parts[0].n - 1]
        return change.kind, change.verb

    def _spread(self, group: deque[int]) -> deque[int]:
        """As many as could be wanted, evenly from one end to the other."""
        stride = max(1, len(group) // self._size)
        listed = list(group)
        return deque(listed[self._turn % stride :: stride])

    def _set_free(self, number: int) -> None:
        for dependent in self._dependents.get(number, ()):
            self._waiting[dependent] -= 1
            if not self._waiting[dependent] and dependent not in self._left_out:
                self._groups.setdefault(self._verb(dependent), deque()).append(dependent)
