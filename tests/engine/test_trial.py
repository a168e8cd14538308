"""Which changes of a large run go first: of every verb, spread, and never one that waits for another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from wxsync.engine.schedule import Part, Schedule, Unit
from wxsync.engine.trial import dependents_of, sample
from wxsync.model.change import Change, Kind, Verb
from wxsync.model.message import say

VERBS = ((Kind.DEPARTMENT, Verb.CREATE), (Kind.MEMBER, Verb.CREATE), (Kind.MEMBER, Verb.DISABLE))


def schedule(
    verbs: Sequence[tuple[Kind, Verb]], waits: dict[int, set[int]] | None = None, **more: Any
) -> Schedule:
    """A unit a change; unit -> those that it waits for."""
    changes = tuple(
        Change(kind=kind, verb=verb, key=f"K{n}", id=None, name=None, fields={}, why=say("why"))
        for n, (kind, verb) in enumerate(verbs)
    )
    units = tuple(
        Unit(parts=(Part(n=n + 1),), needs=frozenset((waits or {}).get(n, ()))) for n in range(len(verbs))
    )
    return Schedule(changes=changes, units=units, **more)


def chosen(
    made: Schedule, size: int = 20, turn: int = 0, over: frozenset[int] = frozenset()
) -> frozenset[int]:
    return sample(made, dependents_of(made.units), size, turn, over=over)


def verbs_of(made: Schedule, units: frozenset[int]) -> Counter[Verb]:
    return Counter(made.changes[number].verb for number in units)


def test_of_every_verb_the_same_share() -> None:
    """Few deletions among many creations are tried too."""
    made = schedule([VERBS[1]] * 900 + [VERBS[2]] * 12)
    assert verbs_of(made, chosen(made)) == {Verb.CREATE: 10, Verb.DISABLE: 10}


def test_they_are_spread_over_the_plan_and_others_in_another_turn() -> None:
    """Not the first twenty, which may be one department; and the next run tries others."""
    made = schedule([VERBS[1]] * 1000)
    assert chosen(made) == frozenset(range(0, 1000, 50))
    assert chosen(made, turn=7) == frozenset(range(7, 1000, 50))


def test_those_that_wait_come_with_those_that_they_wait_for() -> None:
    """People of a new department are tried once the department is."""
    waits = {1: {0}, 2: {1}} | {n: {n % 3} for n in range(3, 300)}
    made = schedule([VERBS[0]] * 3 + [VERBS[1]] * 297, waits)
    some = chosen(made)
    assert len(some) == 20
    assert {0, 1, 2} <= some


def test_one_row_of_a_file_that_replaces_everybody_stays_in_it() -> None:
    """All calls that come after the file wait for that one."""
    made = schedule([VERBS[1]] * 300, imported=frozenset(range(300)), columns=("mobile",))
    assert 0 not in chosen(made)
    assert len(chosen(made)) == 20


def test_what_is_over_is_neither_tried_nor_waited_for() -> None:
    """Departments that one file has made."""
    made = schedule([VERBS[0]] * 3 + [VERBS[1]] * 297, {n: {n % 3} for n in range(3, 300)})
    some = chosen(made, over=frozenset({0, 1, 2}))
    assert verbs_of(made, some) == {Verb.CREATE: 20}
    assert not some & {0, 1, 2}


@given(
    st.lists(
        st.tuples(st.sampled_from(VERBS), st.sets(st.integers(0, 60), max_size=3)), min_size=1, max_size=60
    ),
    st.integers(1, 30),
    st.integers(0, 1000),
)
def test_whatever_the_plan_is(rows: list[tuple[tuple[Kind, Verb], set[int]]], size: int, turn: int) -> None:
    """Some, never more than asked for, and each with all that it waits for."""
    waits = {n: {other for other in waited if other < n} for n, (_, waited) in enumerate(rows)}
    made = schedule([verb for verb, _ in rows], waits)
    some = chosen(made, size, turn)
    assert 0 < len(some) <= size
    assert all(waits[number] <= some for number in some)
